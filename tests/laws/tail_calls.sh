# Handlers reach each other by jumps: a handler that called the next one would leave its frame on the host's stack until the run ends. On
# x86-64 such a call is one through the first member of a micro-op, `call *(%reg)`; what else is called so is named below.
. "$(dirname "$0")/../lib/env.sh"
grep -q 'TL_ENGINE_PLAIN' "$TRAPLINE_BUILD/build.ninja" && skip "this build is a call loop"
[ "$(uname -m)" = x86_64 ] || skip "the host is not x86-64"
expected='semihosting_call' # struct cpu_env begins with semihost
objects=$(find "$TRAPLINE_BUILD/src/cpu" -name 'exec*.o')
[ -n "$objects" ] || fail "no handlers in $TRAPLINE_BUILD"
jumps=0
for object in $objects; do
    objdump -d --no-show-raw-insn "$object" >"$scratch/code"
    calls=$(awk -v expected="$expected" '/^[0-9a-f]+ </ {name = $2; gsub(/[<>:]/, "", name); sub(/\..*/, "", name)}
        /call +\*\(%/ && name !~ "^(" expected ")$" {print name}' "$scratch/code" | sort -u)
    [ -z "$calls" ] || fail "handlers in $(basename "$object") that call the next one: $(tr '\n' ' ' <<<"$calls")"
    jumps=$((jumps + $(grep -cE 'jmp +\*\(%' "$scratch/code")))
done
[ "$jumps" -gt 1000 ] || fail "there are $jumps jumps only: is this what handlers look like?"
echo "$jumps jumps, no call"
