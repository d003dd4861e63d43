# The bundled A64 firmware (src/firmware/arm): the journey through the exception levels and both security states, traced and as QEMU
# tells it; the EL3 monitor, whose PSCI by SMC turns on 1 to 8 PEs, with a kernel in EL1 or EL2 or a hypervisor behind it; the same
# kernel and hypervisor without firmware, where PSCI is the machine's.
# timeout: 300
. "$(dirname "$0")/../lib/env.sh"
roms=$TRAPLINE_SOURCE/roms
cd "$scratch"

# run NAME OPTION...: ends with code 0.
run()
{
    local name=$1 status=0
    shift
    "$TRAPLINE" run --max-cycles 400000000 "$@" >"$name.out" 2>"$name.err" || status=$?
    [ "$status" -eq 0 ] || fail "$name ($*): status $status, $(tail -n 5 "$name.out" "$name.err")"
}
says()
{
    local name=$1 text
    shift
    for text in "$@"; do
        grep -qF -- "$text" "$name.out" || fail "$name does not print '$text': $(tail -n 5 "$name.out" "$name.err")"
    done
}

el3=(-machine virt-arm,secure=on,virtualization=on)
run journey "${el3[@]}" --trace traps=journey.trace "$roms/journey-a64.elf"
says journey "The journey is over; everything arrived as it should."
# The hops of the trace: levels and security states (S, N) from and to.
[ "$(wc -l <journey.trace)" -eq 10 ] || fail "the journey has 10 hops, the trace $(cat journey.trace)"
# QEMU tells the same, but for the fields of SCR_EL3, of which its version has fewer, and with its MTE off.
command -v qemu-system-aarch64 >/dev/null && {
    run nomte "${el3[@]}" -cpu max,mte=off,nmi=off,ebep=off "$roms/journey-a64.elf"
    timeout 60 qemu-system-aarch64 -M virt,secure=on,virtualization=on -cpu max -display none -nic none -serial file:qemu.out \
        -monitor none -semihosting -kernel "$roms/journey-a64.elf" || fail "the journey ends differently on QEMU"
    sed -i 's/ scr=0x[0-9a-f]*/ scr/' nomte.out qemu.out
    cmp nomte.out qemu.out || fail "the journey differs from QEMU's: $(diff nomte.out qemu.out)"
}

for pes in 1 2 8; do
    run "mon$pes" "${el3[@]}" -smp $pes -bios "$roms/monitor-a64.elf" -kernel "$roms/kernel-a64.elf"
    says "mon$pes" "monitor: EL3" "kernel: EL0x1, PSCI 0x10001 by SMC, the Secure service answers 0x2b" \
        "PE $(printf '0x%x' $((pes - 1))): rounds 0x28, interrupts came, wrong registers 0x0" "kernel: all programs ran undisturbed"
done
run el1 -machine virt-arm,secure=on -smp 4 -bios "$roms/monitor-a64.elf" -kernel "$roms/kernel-a64.elf"
says el1 "the Secure service answers 0x2b" "kernel: all programs ran undisturbed"
run hyp "${el3[@]}" -bios "$roms/monitor-a64.elf" -kernel "$roms/hyp-a64.elf"
says hyp "monitor: EL3" "hypervisor: blocks 0x1, interrupts went through, calls 0x4"
run alone "${el3[@]}" -bios "$roms/monitor-a64.elf"
says alone "monitor: there is no kernel"

run own1 -smp 8 "$roms/kernel-a64.elf"
says own1 "by HVC" "PE 0x7: rounds 0x28, interrupts came, wrong registers 0x0"
run own2 -machine virt-arm,virtualization=on -smp 2 "$roms/kernel-a64.elf"
says own2 "by SMC, the Secure service answers 0xffffffffffffffff" "PE 0x1: rounds 0x28, interrupts came, wrong registers 0x0"
run ownhyp -machine virt-arm,virtualization=on "$roms/hyp-a64.elf"
says ownhyp "hypervisor: blocks 0x1, interrupts went through, calls 0x4"

# A kernel that is the firmware's to find, beside an image that lies on it, is a mistake.
status=0
"$TRAPLINE" run "${el3[@]}" -bios "$roms/kernel-a64.elf" -kernel "$roms/journey-a64.elf" >out 2>&1 || status=$?
[ "$status" -eq 2 ] && grep -q 'overlap in memory' out || fail "overlapping images: status $status, $(cat out)"
# Without EL3 there is no Secure RAM for the monitor.
status=0
"$TRAPLINE" run -machine virt-arm -bios "$roms/monitor-a64.elf" >out 2>&1 || status=$?
[ "$status" -eq 2 ] && grep -q 'monitor-a64.elf does not fit: segment' out || fail "no Secure RAM: status $status, $(cat out)"
echo "every level is reached and left"
