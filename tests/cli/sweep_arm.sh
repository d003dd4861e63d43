# trapline sweep and run --inject on A64: interrupts of the GIC, of the PE's own inputs and virtual ones, and SErrors at every
# instruction of a window of EL0 and its kernel, alone, as a guest, behind the EL3 monitor. A handler that saves too little, or forgets
# the end of its interrupt, is found by the register's name.
# timeout: 300
. "$(dirname "$0")/../lib/env.sh"
need python3 python3
roms=$TRAPLINE_SOURCE/roms
cd "$scratch"

# sweep STATUS ARGUMENT...
sweep()
{
    local want=$1 status=0
    shift
    "$TRAPLINE" sweep "$@" >out 2>err </dev/null || status=$?
    [ "$status" -eq "$want" ] || fail "trapline sweep $* ended with $status and not $want: $(tail -n 20 out err)"
}
finds() { grep -qE "^    $1 " out || fail "$2 is not found by $1: $(head -n 40 out)"; }

kernel=$roms/kernel-a64.elf
sweep 0 "$kernel" --event irq:27 --event nirq --event nmi --event serror
grep -q '^irq:27 ' out || fail "the table: $(cat out)"
# The same bytes whatever the number of processes and shards: most boundaries of the kernel share one case, which is taken behind the
# window, and count as handled if that one is.
sweep 0 "$kernel" --event irq:27 --event serror --jobs 1 --json one.json
cp out one.txt
read -r _ cases _ same _ _ _ _ _ handled < <(grep '^all ' one.txt)
[ "$same" -gt 10 ] && [ "$handled" -eq "$cases" ] || fail "not every case is handled: $(cat one.txt)"
for n in 2 3 8 16; do
    sweep 0 "$kernel" --event irq:27 --event serror --jobs "$n" --json many.json
    cmp -s one.json many.json && cmp -s one.txt out || fail "$n processes find something else: $(diff one.txt out)"
done
for i in 1 2 3; do
    sweep 0 "$kernel" --event irq:27 --event serror --shard "$i/3" --jobs 2 --out "part.$i"
done
sweep 0 --merge part.1 part.2 part.3 --json many.json
cmp -s one.json many.json && cmp -s one.txt out || fail "three shards find something else: $(diff one.txt out)"
# What is wrong with a handler is told at every boundary of EL0 at which it came.
sweep 1 "$kernel" --event irq:27 --set fault=1 --list 1
finds x13 "a register that was not saved"
# The mode is that of the boundary: the kernel is at EL1 there, and the interrupt comes when EL0 goes on.
sweep 1 "$kernel" --event irq:27 --set fault=1 --list 200 --json late.json
grep -qE '^irq:27: boundary 0 at 0x[0-9a-f]+ window_start \(EL0\)$' out &&
    grep -qE '^irq:27: boundary 135 at 0x[0-9a-f]+ vectors\+0x400 \(EL1\), taken at 0x[0-9a-f]+ window_end \(EL0\)$' out ||
    fail "the mode at a boundary: $(grep boundary out | tail -n 3)"
late=$(python3 -c 'import json; c = json.load(open("late.json"))["failing"][-1]; print(*(c[k] for k in ("mode", "taken_where", "taken_mode")))')
[ "$late" = "EL1 window_end EL0" ] || fail "the mode at a boundary in JSON: $late"
sweep 1 "$kernel" --event irq:27 --set fault=2 --list 1
finds icc_ap1r0_el1 "an interrupt without its end"
sweep 1 "$kernel" --event irq:27 --set fault=3 --list 1
finds 'v16\[0\]' "a spoiled vector register"
line=$(grep -m1 -- '--only' out)
status=0
eval "\"\$TRAPLINE\" ${line#*trapline}" >one 2>err || status=$?
[ "$status" -eq 1 ] && grep -q 'IRQ' one && grep -q 'v16\[1\]' one || fail "one case: status $status, $(cat one err)"

# A hypervisor's guest: EL2 takes the interrupt, the guest goes on; what EL2 makes of it is the guest's own, later.
hyp=$roms/hyp-a64.elf
sweep 0 -machine virt-arm,virtualization=on "$hyp" --event irq:27 --event serror --event virq --event vserror
sweep 1 -machine virt-arm,virtualization=on "$hyp" --event virq --set fault=1 --list 1
finds x13 "a guest's handler"
# Behind the monitor, in the Non-secure state.
sweep 0 -machine virt-arm,virtualization=on,secure=on -bios "$roms/monitor-a64.elf" "$kernel" --event irq:27

# Single events of a run.
run() { "$TRAPLINE" run --max-cycles 100000000 "$@" >out 2>err || fail "run $*: $(tail -n 5 out err)"; }
run "$kernel" --inject serror@window_start#3 --inject irq:27@window_start#5 --trace traps=trace
grep -q 'EL0 .*-> EL1 .*: SError' trace || fail "the SError is not taken: $(head -n 20 trace)"
grep -q 'all programs ran undisturbed' out || fail "the kernel was disturbed: $(cat out)"

refuse()
{
    local want="trapline: $1" status=0
    shift
    "$TRAPLINE" "$@" >out 2>err </dev/null || status=$?
    [ "$status" -eq 2 ] && [ "$(cat err)" = "$want" ] || fail "trapline $* ended with $status: $(cat err)"
}
refuse "event 'meip': there is no such event on AArch64" sweep "$kernel" --event meip
refuse "--inject: event 'serror': there is no such event on RISC-V" run "$roms/kernel.elf" --inject serror@cycle:5
refuse "event 'irq:288': the machine has no interrupt 288" sweep "$kernel" --event irq:288
refuse "event 'irq:27,raise': interrupt 27 is a hart's own: it has no line to raise or lower" sweep "$kernel" --event irq:27,raise
for event in virq vfiq vserror; do
    why="event '$event': there is no EL2 whose guest could take it (-machine virt-arm,virtualization=on)"
    refuse "$why" sweep "$kernel" --event "$event"
    refuse "--inject: $why" run "$kernel" --inject "$event@cycle:5"
done
refuse "event 'nmi': the PE has no FEAT_NMI (-cpu nmi=on)" sweep -cpu nmi=off "$kernel" --event nmi
refuse "--inject: event 'nmi': the PE has no FEAT_NMI (-cpu nmi=on)" run -cpu nmi=off "$kernel" --inject nmi@cycle:5
refuse "--rule sbi is for RISC-V machines" sweep "$kernel" --event irq:27 --rule sbi
echo "contexts come back"
