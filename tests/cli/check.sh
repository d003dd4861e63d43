# `trapline check`: verdicts, exit status, JSON and JUnit, stories; and that a firmware which does something else than it is known to do
# is found, whichever it is.
# timeout: 300
. "$(dirname "$0")/../lib/env.sh"
export TRAPLINE_CACHE=$scratch/no-cache

# check STATUS ARGUMENT...: runs it; output is in $scratch/out
check()
{
    local want=$1 status=0
    shift
    "$TRAPLINE" check "$@" >"$scratch/out" 2>"$scratch/err" || status=$?
    [ "$status" -eq "$want" ] || fail "check $*: status $status instead of $want: $(head -n 20 "$scratch/out" "$scratch/err")"
}
says() { grep -q -- "$1" "$scratch/out" || fail "no '$1' in: $(head -n 20 "$scratch/out")"; }
tells() { grep -q -- "$1" "$scratch/err" || fail "no '$1' in: $(cat "$scratch/err")"; }

# The counts of the scenarios' model, by rule.
check 0 s1.states
says '^s1.states *sbi-head *64 hk0 *128 *known *A2 48, E 48, A3 32, A4 32, A6 32$'
says '^s1.states *sbi-p1 *32 hk5 *2048 *known *A1 1920, A2 512, E 1920, A4 1536$'
says '^s1.states *sbi-priv *64 hk2 *128 *known *A1 120, A2 32, E 120, A4 64$'
says '^s1.states *sbi-maint *32 hk3 *128 *pass'
says '^s1.states *sbi-maint *64 hk2 *128 *known *A3 64, A6 64$'
says '^s1.states *opensbi-1.9 .* skipped .*opensbi-sid/fw_dynamic.bin is not there'
says ', 0 wrong, 42 skipped; '
check 0 s1.states -j 1
grep -v verdicts "$scratch/out" >"$scratch/one"
check 0 s1.states -j 5
grep -v verdicts "$scratch/out" | cmp - "$scratch/one" || fail "the table depends on the number of processes"

# A process that dies takes the run with it, and says so.
"$TRAPLINE" check s1.flags -j 2 >"$scratch/out" 2>"$scratch/err" &
parent=$!
child=
while [ -z "$child" ] && kill -0 $parent 2>/dev/null; do
    child=$(cut -d' ' -f1 "/proc/$parent/task/$parent/children" 2>/dev/null || true)
done
kill -9 "$child"
status=0
wait $parent || status=$?
[ "$status" -eq 2 ] || fail "status $status after the death of a worker"
tells 'a worker process was ended by signal 9'
[ ! -s "$scratch/out" ] || fail "verdicts although a worker died"

# Programs read it too.
check 0 s1.attrs s1r s2 --json --junit "$scratch/junit.xml"
says '"ok": true'
says '"departs": 12'
[ "$(grep -c '<testcase' "$scratch/junit.xml")" -eq "$(grep -c '"verdict"' "$scratch/out")" ] || fail "JUnit and JSON do not have the same verdicts"
tail -n 1 "$scratch/junit.xml" | grep -q '</testsuite>' || fail "the JUnit file is not complete"

# Stories.
check 0 s1r --show
says 'sse_inject(event 0xffff0000 "local software", hart 0)'
says 'Rule A6 is broken'
says 'cause 22'
check 0 s1.states --firmware sbi-maint --show sbi-maint/32/hk3/34
says 'No rule is broken'
check 0 s1.states --show sbi-p1/64/hk0/8
says 'INTERRUPTED_FLAGS is 0x0, must be 0x2'
check 0 s1.nested --firmware sbi-head --show sbi-head/64/hk0/40.0
says 'boundary 40 of 393, a second event at boundary 0 of the handling'
says 'HS  -> M   interrupt 3 at .* (the handler.s entry)'
says 'VS  <- M   mret to .* (switch_in_start+0x94)'
says 'Rule A6 is broken'
check 0 s1.nested --firmware sbi-maint --show sbi-maint/32/hk4/40.7
says 'It came back as it was'
check 0 s1.jump --firmware sbi-p1 --show sbi-p1/64/hk0/2
says 'HS  -> HS  cause 18 at .* (the handler.s entry)'
says 'traps and returns more$'
check 0 s1.attrs --show sbi-status/64/calls/0
says 'departs, as is known'

# Every firmware in the place of every other: found, case and all.
program=$scratch/program
mkdir -p "$program/roms"
cp "$TRAPLINE" "$program/trapline"
TRAPLINE=$program/trapline
for is in head p1 priv maint status; do
    for named in head p1 priv maint status; do
        cp "$TRAPLINE_SOURCE"/roms/{MANIFEST,kvm*.elf,kernel*.elf,sbi-*.elf} "$program/roms/"
        cp "$TRAPLINE_SOURCE/roms/sbi-$is.elf" "$program/roms/sbi-$named.elf"
        scenario=s1.states
        case $is$named in *status*) scenario=s1.attrs ;; esac
        check "$([ $is = $named ] && echo 0 || echo 1)" "$scenario" --firmware "sbi-$named" --xlen 64 --junit "$scratch/junit.xml"
        [ $is = $named ] && continue
        says WRONG
        grep -q '<failure message="' "$scratch/junit.xml" || fail "JUnit tells no failure"
    done
done

# Events at a rate.
cp "$TRAPLINE_SOURCE"/roms/sbi-*.elf "$program/roms/"
check 0 s2.rate --events 20
says '^s2.rate *sbi-maint *64 linux-good *1280 *pass'
says '^s2.rate *sbi-p1 *32 linux-good *[0-9]* *known *B1 [0-9]*, B2 [0-9]*$'
check 0 s2.rate --show sbi-p1/64/linux-good/7
says 'B1: an event came and went'
check 2 s2.rate --show sbi-p1/64/linux-good/65
tells 'periods of 1 to 64'
check 2 --events 0
cp "$program/roms/sbi-p1.elf" "$program/roms/sbi-maint.elf"
check 1 s2.rate --firmware sbi-maint --xlen 64
says WRONG

cp "$TRAPLINE_SOURCE"/roms/sbi-*.elf "$program/roms/"
offset=$(LC_ALL=C grep -obUaP '\x23\xb0\xc2\x01' "$program/roms/kernel.elf" | head -n 1 | cut -d: -f1) # sd t3, (t0): kernel_count
[ -n "$offset" ] || fail "the kernel does not count calls"
printf '\x13\0\0\0' | dd of="$program/roms/kernel.elf" bs=1 seek="$offset" conv=notrunc status=none
check 1 s2.rate --firmware sbi-maint --xlen 64 --events 60
says "^s2.rate .* linux-good .* WRONG *B6 [1-9]"
says "the program's calls are not counted one by one"
cp "$TRAPLINE_SOURCE/roms/kernel.elf" "$program/roms/"

# Boundaries of the switch: one firmware in the place of another, and handlers that do something else than they are known to.
cp "$TRAPLINE_SOURCE"/roms/sbi-*.elf "$program/roms/"
check 0 s1.switch --firmware sbi-maint --xlen 32
says '^s1.switch *sbi-maint *32 hk3 *393 *known *A3 87$'
cp "$program/roms/sbi-head.elf" "$program/roms/sbi-maint.elf"
check 1 s1.switch s2.kernel --firmware sbi-maint --xlen 64
says '^s1.switch *sbi-maint *64 hk0 *393 *WRONG *A3 164'
says 'switch_in_start+0x.*: V'
cp "$TRAPLINE_SOURCE/roms/sbi-maint.elf" "$program/roms/"
check 0 s1.lpad s1.jump --firmware sbi-maint --xlen 64
says '^s1.lpad *sbi-maint *64 hk0 *512 *pass'
says '^s1.jump *sbi-maint *64 hk0 *393 *pass'
# sbi-priv loses nothing in s1.switch, so what it fails by here is the landing pad.
cp "$program/roms/sbi-priv.elf" "$program/roms/sbi-maint.elf"
check 1 s1.lpad s1.jump --firmware sbi-maint --xlen 64
says '^s1.jump *sbi-maint *64 hk0 *393 *WRONG *A3 2$'
cp "$TRAPLINE_SOURCE/roms/sbi-maint.elf" "$program/roms/"
offset=$(grep -obUaP '\x73\x10\x38\x64' "$program/roms/kvm.elf" | head -n 1 | cut -d: -f1) # csrw htval, a6 of hk4
[ -n "$offset" ] || fail "hk4 does not write htval"
printf '\x13\0\0\0' | dd of="$program/roms/kvm.elf" bs=1 seek="$offset" conv=notrunc status=none
check 1 s1.switch s1.states --firmware sbi-maint --xlen 64
says "beyond the model 'htval' came back changed, known is ''"
says 'htval'

# Those that are run only when they are named: other sources of the event, and second events everywhere.
cp "$TRAPLINE_SOURCE"/roms/{MANIFEST,kvm*.elf,kernel*.elf,sbi-*.elf} "$program/roms/"
check 0 s1.ras s1.nmi s1.g-soft --firmware sbi-head --xlen 64
says '^s1.nmi *sbi-head *64 hk0 *393 *known *A3 164'
says '^s1.ras *sbi-head *64 hk4 *393 *known *A3 164'
says '^s1.g-soft *sbi-head *64 linux-good *393 *known *A3 210'
check 0 s2.second --firmware sbi-maint --xlen 64
says '^s2.second *sbi-maint *64 hk0 *1112 *pass'
says '^s2.second *sbi-maint *64 linux-nosstatus *33638 *pass'
if [ "$TRAPLINE_SLOW" = 1 ]; then # a sanitizer has seen all of it in the run before
    cp "$program/roms/sbi-p1.elf" "$program/roms/sbi-maint.elf"
    check 1 s2.second --firmware sbi-maint --xlen 64
    says 'a second event that comes back as it was changes what becomes of the first'
fi
check 0 --list
says '^  s1.ras .*by its name, or with --full'

# Bad input: a sentence, status 2.
cp "$TRAPLINE_SOURCE"/roms/* "$program/roms/"
rm "$program/roms/sbi-priv.elf"
check 2 s1.states
tells 'sbi-priv.elf'
check 2 s9
tells "there is no scenario 's9'"
check 2 --firmware opensbi
tells "there is no firmware 'opensbi'"
check 2 s1.flags --firmware opensbi-1.6
tells 'no scenario of these runs on opensbi-1.6'
check 2 --xlen 48
check 2 -j 0
check 2 s1.states --show sbi-head/64/hk0
tells 'FIRMWARE/XLEN/HANDLER/NUMBER'
check 2 s1.states --show sbi-head/64/hk0/128
tells 'cases 0 to 127'
check 2 s1.states --show sbi-head/64/hk0/5.1
tells 's1.states has no second events'
check 2 s1.nested --firmware sbi-head --show sbi-head/64/hk0/40.100000
tells 'the handling of boundary 40 has .* boundaries, none 100000'
check 2 s1.nested --show sbi-head/64/hk0/40.
tells 'FIRMWARE/XLEN/HANDLER/NUMBER'
check 2 s1.states --show sbi-head/64/hk9/1
tells 'no handler hk9'
check 2 sbi-head/64/hk0/1
tells 'for --show'
check 2 s1.attrs --firmware sbi-maint --junit "$scratch/no/where.xml"
tells 'no/where.xml'
[ ! -s "$scratch/out" ] || fail "verdicts although the JUnit file could not be written"
check 2 s1.attrs --firmware sbi-maint --show
tells 'no case departs'
echo "check judges"
