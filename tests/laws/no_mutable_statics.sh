# All state is in struct machine: below cli and ui no object file may hold data that can be written, or two machines in one process
# would share it. Tables of constants that need relocation (.data.rel.ro) are read-only when the program runs. What a sanitizer adds
# is its own: a mark for each variable (__odr_asan.NAME), which is checked by that name where it is one that can be written.
# sanitized: yes
. "$(dirname "$0")/../lib/env.sh"

# The symbols of $1... that live in writable sections.
writable()
{
    nm -A -f sysv "$@" 2>/dev/null |
        awk -F'|' '{gsub(/[ \t]/, "", $7)} $7 ~ /^(\.(data|bss|tdata|tbss)(\..*)?|\*COM\*)$/ && $7 !~ /^\.data\.rel\.ro/ {
            gsub(/ +$/, "", $1); if ($1 !~ /:__odr_asan\.[^:]*$/) print $1 " in " $7}'
}

# The check must be able to fail.
cat >"$scratch/bad.c" <<'END'
static int counter;
int table[2] = {1, 2};
static _Thread_local int local = 3;
static const char *const fine[] = {"a", "b"};
int use(int i);
int use(int i) { static int calls; return ++counter + ++calls + ++local + fine[i & 1][0]; }
END
for sanitizer in "" -fsanitize=address,undefined; do
    "${CC:-cc}" -c ${sanitizer:+"$sanitizer"} "$scratch/bad.c" -o "$scratch/bad.o"
    found=$(writable "$scratch/bad.o" | wc -l)
    [ "$found" -eq 4 ] || fail "the check finds $found of the 4 writable objects it should find${sanitizer:+ with $sanitizer}"
done

count=0 bad=
for folder in base csr mem sched cpu devices machine debug; do
    lib=$TRAPLINE_BUILD/src/$folder/libtl_$folder.a
    [ -f "$lib" ] || continue
    count=$((count + 1))
    bad+=$(writable "$lib")
done
[ "$count" -gt 0 ] || fail "no libraries in $TRAPLINE_BUILD/src"
[ -z "$bad" ] || fail "mutable static data:
$bad"
echo "$count libraries, no mutable static data"
