# run --explain: the traps that are asked for, as text and JSON; an explained run is the same run; every trap and return of the
# self-testing guests is explained as it happened, on one hart and on four, also when events are injected.
. "$(dirname "$0")/../lib/env.sh"
roms=$TRAPLINE_SOURCE/roms
cd "$scratch"

run() { status=0; "$TRAPLINE" run "$@" >out 2>err </dev/null || status=$?; }

# Which traps.
run "$roms/test-pages.elf" --explain 3
[ "$(grep -c '^hart ' err)" -eq 1 ] && grep -q '^load page fault in M at load_fails' err || fail "the third trap: $(cat err)"
run "$roms/test-pages.elf" --explain "cause=Load Page,max=2"
[ "$(grep -c '^load page fault in ' err)" -eq 2 ] && [ "$(grep -c '^hart ' err)" -eq 2 ] || fail "by name: $(cat err)"
run "$roms/test-pages.elf" --explain cause=15,max=2
[ "$(grep -c '^store/AMO page fault in ' err)" -eq 2 ] || fail "by number: $(cat err)"
run "$roms/test-wakeups.elf" --explain irq,max=3
[ "$(grep -c ' interrupt in ' err)" -eq 3 ] || fail "interrupts: $(cat err)"
run "$roms/test-wakeups.elf" --explain exception,max=1
! grep -q ' interrupt in ' err || fail "not only exceptions: $(cat err)"
run "$roms/test-pages.elf" --explain all,returns,max=4,file=why.txt
[ "$(grep -c '^hart ' why.txt)" -eq 4 ] && grep -q '^return from M ' why.txt && [ ! -s err ] || fail "to a file: $(cat err why.txt)"
awk 'length > 100 {exit 1}' why.txt || fail "wider than 100 columns"

# As JSON.
run "$roms/test-pages.elf" --explain all,max=3,file=why.json --json
if command -v python3 >/dev/null; then
    python3 -c 'import json
e = [json.loads(line) for line in open("why.json")]
assert len(e) == 3 and all(x["agrees"] and x["kind"] == "trap" for x in e)
labels = [f["label"] for f in e[0]["facts"]]
assert labels == ["instruction", "priority", "route", "writes"], labels
cause = [f for f in e[0]["facts"][3]["facts"] if f["label"] == "mcause"][0]
assert cause["value"] == "0xd" and cause["old"] == "0x0" and "Machine Cause" in cause["clause"]
' || fail "the JSON is not as documented"
fi

# In the trace: below the line of the trap, and in its object.
run "$roms/test-pages.elf" --explain 2 --trace traps
grep -A2 'store_fails.* -> M  test_trap' err | tr '\n' ' ' | grep -q 'store/AMO page fault tval .*        store/AMO page fault in M at .*        hart 0' ||
    fail "not in the trace: $(head -n 9 err)"
run "$roms/test-pages.elf" --explain 2 --trace traps=t.json --json
[ "$(grep -c '"why":{"kind":"trap"' t.json)" -eq 1 ] && grep '"why"' t.json | grep -q '"return":false.*"cause":15.*"label":"mcause"' && ! grep -q '"facts"' err ||
    fail "not in the trace's JSON: $(head -c 500 t.json)"

# In golden texts, in one line without what moves with the code; old ones stay as they are. Replay asks of any trace.
status=0
"$TRAPLINE" record --golden -o why.golden "$roms/test-pages.elf" --explain all,max=3,returns >/dev/null 2>err || status=$?
grep -q '^? h0 load page fault, M -> M: L0\[0x0\]: -RWX--AD: V=0; from M' why.golden && [ "$(grep -c '^? ' why.golden)" -eq 3 ] && [ ! -s err ] ||
    fail "not in the golden text: $(cat why.golden err)"
"$TRAPLINE" replay why.golden >out 2>&1 || fail "a golden text with explanations does not replay: $(cat out)"
sed 's/V=0; from/V=1; from/' why.golden >other.golden
! "$TRAPLINE" replay other.golden >out 2>&1 && grep -q '^ *- ? h0 load page fault' out || fail "another explanation is not found: $(cat out)"
grep -v '^? ' why.golden >old.golden
"$TRAPLINE" replay old.golden >out 2>&1 || fail "a golden text without explanations does not match any more: $(cat out)"
"$TRAPLINE" record --golden -o plain.golden "$roms/test-pages.elf" >/dev/null 2>&1
"$TRAPLINE" record -o plain.trace "$roms/test-pages.elf" >/dev/null 2>&1
run "$roms/test-pages.elf" --explain 3,file=third
for trace in plain.golden plain.trace; do
    "$TRAPLINE" replay $trace --explain 3 >out 2>&1 || fail "replay --explain of $trace: $(cat out)"
    sed 1d out | sed 's/^    //' | cmp - third || fail "$trace: replay explains something else: $(cat out)"
    "$TRAPLINE" replay $trace --explain 3 --json -q >out 2>&1
    sed 1d out | grep -q '^{"kind":"trap","hart":0,.*"label":"mcause"' || fail "$trace: no JSON: $(cat out)"
done
status=0
"$TRAPLINE" replay plain.golden plain.trace --explain 1,file=both >out 2>&1 || status=$?
[ "$status" -eq 2 ] && grep -q 'one file is for one trace' out || fail "two traces into one file: $(cat out)"

# The same run.
run "$roms/test-pages.elf" --digest
plain=$(cat err)
run "$roms/test-pages.elf" --digest --explain all,max=50,file=why.txt
[ "$(cat err)" = "$plain" ] || fail "an explained run is another run: $(cat err), not $plain"

# Everything a guest does.
agree()
{
    run "$@" --max-cycles 400000 --explain all,returns,max=1000,file=why.txt
    [ "$(grep -c '^hart ' why.txt)" -ge 4 ] || fail "$*: too few traps: $(cat err)"
    ! grep -A3 '^! DISAGREEMENT' why.txt || fail "$*: an explanation does not agree with the cpu"
}
nmi=smrnmi=on,nmi=0x80000400,nmi-exception=0x80000500
for bits in 64 32; do
    suffix=$([ $bits = 64 ] || echo -rv32)
    agree "$roms/test-pages$suffix.elf" -cpu "rv$bits"
    agree "$roms/test-cfi$suffix.elf" -cpu "rv$bits"
    agree "$roms/test-double$suffix.elf" -cpu "rv$bits,smdbltrp=on,$nmi"
    agree "$roms/test-misaligned$suffix.elf" -cpu "rv$bits,misaligned=off"
    agree -bios "$roms/sbi-head$suffix.elf" -kernel "$roms/test-sbi$suffix.elf" -cpu "rv$bits" -smp 4
done
agree -bios "$roms/sbi-head.elf" -kernel "$roms/kvm.elf"
# … and what comes from outside.
run -bios "$roms/sbi-head.elf" -kernel "$roms/kernel.elf" --max-cycles 60000 --inject 'ras,address=0x1234@cycle:40000' \
    --explain all,returns,max=1000,file=why.txt
grep -q '^hardware error in ' why.txt || fail "no injected events: $(cat err)"
! grep -A3 '^! DISAGREEMENT' why.txt || fail "injected events: an explanation does not agree"

# A64: a raw kernel that makes a supervisor call.
printf '\x41\x05\x00\xd4\x00\x00\x00\x14' >svc.bin
run -machine virt-arm -kernel svc.bin --max-cycles 1000 --explain 1
grep -q '^SVC at EL1 ' err && grep -q 'ESR_EL1 .* EC 0x15, SVC: #0x2a' err || fail "A64: $(cat err)"
run -machine virt-arm -kernel svc.bin --max-cycles 1000 --explain 'cause=unknown reason,max=1'
[ "$(grep -c '^undefined instruction at EL1 ' err)" -eq 1 ] || fail "A64, by the class: $(cat err)"
run -machine virt-arm -kernel svc.bin --max-cycles 1000 --explain 'cause=undefined,max=2'
[ "$(grep -c '^undefined instruction at EL1 ' err)" -eq 2 ] || fail "A64, by the title: $(cat err)"

# Bad input.
for bad in 0 "" cause= max=0 colour; do
    run "$roms/test-pages.elf" --explain "$bad"
    [ "$status" -eq 2 ] && grep -q -- --explain err || fail "--explain '$bad': status $status, $(cat err)"
done
run "$roms/test-pages.elf" --explain all,file=/no/such/folder/x
[ "$status" -eq 2 ] && grep -q /no/such/folder/x err || fail "a file that cannot be written: $(cat err)"
echo "explanations are right"
