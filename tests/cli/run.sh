# `trapline run`: exit status, ends of a run, reports, and that a run repeated is identical.
. "$(dirname "$0")/../lib/env.sh"
tool=$TRAPLINE_BUILD/tests/cli/tool_image
cd "$scratch"
for kind in hello exit7 exit256 echo spin sleep nowhere hammer; do
    "$tool" $kind $kind.elf
done

# ends STATUS STDOUT ARGUMENT...
ends()
{
    local want=$1 text=$2 status=0
    shift 2
    "$TRAPLINE" run "$@" >out 2>err </dev/null || status=$?
    [ "$status" -eq "$want" ] || fail "run $* ended with $status, not $want: $(cat err)"
    [ "$(cat out)" = "$text" ] || fail "run $* printed '$(cat out)', not '$text'"
}

# The guest's exit code is the exit code; one that does not fit is never taken for success.
ends 0 hello hello.elf
ends 7 bye exit7.elf
ends 255 '' exit256.elf
# A bare-metal image may come as -kernel without firmware, as -bios, packed, or as raw bytes.
ends 0 hello -bios none -kernel hello.elf
ends 0 hello -bios hello.elf
gzip -9 <hello.elf >hello.gz
ends 0 hello hello.gz
dd if=hello.elf of=hello.bin bs=4096 skip=1 status=none
ends 0 hello hello.bin
ends 0 hello hello.elf -smp 1 -m 1

# Other ends.
ends 0 '' spin.elf --max-cycles 12345
ends 0 hello hello.elf --exit-on ell
ends 1 hello hello.elf --exit-on goodbye
grep -q "the run ended (guest) and the guest did not print 'goodbye'" err || fail "no word about --exit-on: $(cat err)"
ends 7 bye exit7.elf --exit-on goodbye
ends 1 '' spin.elf --exit-on x --max-cycles 1000
ends 124 '' spin.elf --timeout 0.2
ends 125 '' sleep.elf
grep -q 'every hart waits for an interrupt, and none can come' err || fail "no word about the end: $(cat err)"
# Guests that go astray go on, and never take the emulator with them.
ends 0 '' nowhere.elf --max-cycles 1e7
grep -q 'hart 0 has done nothing but take exceptions for 1000000 cycles, at 0x0 in M' err || fail "no word about that: $(cat err)"
[ "$(wc -l <err)" -eq 1 ] || fail "it is said more than once: $(cat err)"
ends 125 '' sleep.elf
! grep -q 'take exceptions' err || fail "a guest that waits takes no exceptions"
ends 0 '' hammer.elf --max-cycles 1e7

# A run stops exactly at --max-cycles; equal runs have equal digests; another seed is another state.
for n in 1 999 1000000 1234567; do
    ends 0 '' spin.elf --max-cycles $n --digest
    grep -q " cycles $n " err || fail "--max-cycles $n: $(cat err)"
done
digest() { "$TRAPLINE" run "$@" --digest 2>&1 >/dev/null </dev/null | awk '/^digest/ {print $2}'; }
one=$(digest hammer.elf --max-cycles 1e6 -smp 3)
[ -n "$one" ] && [ "$one" = "$(digest hammer.elf --max-cycles 1e6 -smp 3)" ] || fail "two equal runs differ"
[ "$one" != "$(digest hammer.elf --max-cycles 1e6 -smp 3 --seed 1)" ] || fail "the seed is not part of the state"
[ "$one" != "$(digest hammer.elf --max-cycles 1000001 -smp 3)" ] || fail "the digest does not see one more cycle"

# The reproduction line reproduces: run by a shell, it ends in the same state.
line=$("$TRAPLINE" run spin.elf -smp 2 --seed 5 --max-cycles 777 -append "it's a \"test\"" --repro 2>&1 >/dev/null)
[[ $line == "trapline run "*" # trapline "*"spin.elf="* ]] || fail "the reproduction line is '$line'"
one=$(digest spin.elf -smp 2 --seed 5 --max-cycles 777 -append "it's a \"test\"")
two=$(eval "\"$TRAPLINE\" ${line#trapline } " 2>&1; eval "digest ${line#trapline run }")
[ "$one" = "$two" ] || fail "the reproduction line ends in '$two', the run in '$one'"

# Reports as JSON.
"$TRAPLINE" run exit7.elf --json --digest --stats 2>json >/dev/null || true
for key in '"end": "guest"' '"status": 7' '"cycles": ' '"instructions": ' '"digest": "' '"repro": "trapline run '; do
    grep -qF "$key" json || fail "the JSON report has no $key: $(cat json)"
done
# One object a line, whatever is asked for with it.
"$TRAPLINE" run "$TRAPLINE_SOURCE/roms/test-pages.elf" --json --stats --trace traps --explain 1 2>json >/dev/null
[ "$(wc -l <json)" -gt 2 ] && ! grep -qvE '^\{.*\}$' json || fail "not an object a line: $(grep -vE '^\{.*\}$' json | head -n 5)"
"$TRAPLINE" run hello.elf --stats 2>err >/dev/null
grep -q '^MIPS' err || fail "--stats prints: $(cat err)"
# Its cycles are those of the hart that is furthest, not of one that had no turn yet.
"$TRAPLINE" run exit7.elf -smp 4 --digest 2>err >/dev/null </dev/null || true
[ "$(awk '/^digest/ {print ($4 > 0 && $4 <= $6)}' err)" = 1 ] || fail "cycles of several harts: $(cat err)"
echo "all ends as told"
