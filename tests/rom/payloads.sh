# The payloads of the SBI firmware (kvm, kernel) with every handler, without an event and with software events that they inject into
# themselves: exit code, and which registers the event changed. Handlers that do not put back what they use are told as such.
# timeout: 600
. "$(dirname "$0")/../lib/env.sh"
roms=$TRAPLINE_SOURCE/roms
runs=0

# run FIRMWARE IMAGE CPU APPEND [INJECT]: sets `status`, $scratch/report (what the payload printed) and `changed`, the names of what differed
run()
{
    status=0
    "$TRAPLINE" run -cpu "$3" -bios "$1" -kernel "$2" -append "$4" ${5:+--inject "$5"} --max-cycles 100000000 >"$scratch/out" 2>&1 || status=$?
    tr -d '\r' <"$scratch/out" | sed -n '/^\(kvm\|kernel\) rv/,$p' >"$scratch/report"
    changed=$(sed -n 's/^  the event changed \([^:]*\):.*/\1/p' "$scratch/report" | sort -u | tr '\n' ' ' | sed 's/ $//')
    # A run that was cut off has not ended with 0.
    [ "$status" -ne 0 ] || tail -n 1 "$scratch/report" | grep -q 'mismatches$\|as it was$' || status=cut
    runs=$((runs + 1))
}

# expect STATUS CHANGED FIRMWARE IMAGE CPU APPEND [INJECT]
expect()
{
    local want=$1 names=$2
    shift 2
    run "$@"
    [ "$status" = "$want" ] && [ "$changed" = "$names" ] ||
        fail "$* ended with $status, changed '$changed'; expected $want, '$names': $(tail -n 20 "$scratch/out")"
}

# Every handler: what it is known to leave behind, on a hart with and without H. Also without an event of its own.
handlers()
{
    local firmware=$1 image=$2 cpu=$3 h=$4 more=$5 extra=$6 handler
    local lost="htinst htval" hstatus="hstatus " code=0
    [ "$h" = on ] || lost= hstatus=
    for handler in hk0 hk1 hk2 hk3 hk4 hk5 hk6 hk7 linux-good linux-nosstatus linux-stvec-missing; do
        expect 0 "" "$firmware" "$image" "$cpu" "event=0xffff0000 handler=$handler $more"
        names=
        case $handler in
        hk2) names=$hstatus$lost ;;
        hk3 | linux-good | linux-stvec-missing) names=$lost ;;
        hk1)
            # It completes with the nested trap's sepc and SPP=0: on in its own code, in U-mode.
            run "$firmware" "$image" "$cpu" "event=0xffff0000 inject=2 handler=hk1 $more"
            [ "$status" = 3 ] || [ "$status" = 6 ] || fail "hk1 in $image ended with $status: $(tail -n 5 "$scratch/out")"
            continue
            ;;
        linux-nosstatus)
            # SPP=0: what was interrupted goes on in U-mode.
            expect 3 "" "$firmware" "$image" "$cpu" "event=0xffff0000 inject=2 handler=$handler $more"
            continue
            ;;
        esac
        names=$(printf '%s' "$extra${extra:+ }$names" | sed 's/ $//')
        code=0
        [ -z "$names" ] || code=1
        expect "$code" "$names" "$firmware" "$image" "$cpu" "event=0xffff0000 inject=2 handler=$handler $more"
    done
}

for bits in 64 32; do
    suffix=$([ $bits = 64 ] || echo -rv32)
    kvm=$roms/kvm$suffix.elf kernel=$roms/kernel$suffix.elf

    # Debian's OpenSBI 1.9. What it does to an event of code with hstatus.SPV=0 is as it must be.
    image "opensbi-sid$suffix" fw_dynamic.bin
    sid=$image
    for paging in on off; do
        handlers "$sid" "$kvm" "rv$bits" on "paging=$paging" ""
        handlers "$sid" "$kernel" "rv$bits" on "paging=$paging rounds=20 timer=3" ""
        handlers "$sid" "$kernel" "rv$bits,h=off" off "paging=$paging rounds=20 timer=3" ""
    done
    for flavour in none load illegal hlv; do
        expect 0 "" "$sid" "$kvm" "rv$bits" "event=0xffff0000 inject=1 handler=hk4 flavour=$flavour"
        expect 0 "" "$sid" "$kvm" "rv$bits" "event=0xffff0000 inject=1 handler=hk4 flavour=$flavour paging=off"
        [ $flavour = hlv ] ||
            expect 0 "" "$sid" "$kernel" "rv$bits,h=off" "event=0xffff0000 inject=1 handler=linux-good flavour=$flavour"
    done
    expect 1 "htinst htval" "$sid" "$kvm" "rv$bits" "event=0xffff0000 inject=1 handler=hk2 flavour=hlv" # it sets GVA
    # Double traps of S-mode and landing pads are on: handlers begin with SDT set.
    expect 0 "" "$sid" "$kvm" "rv$bits" "event=0xffff0000 inject=1 handler=hk4 dte=on lpad=on"

    # Counter overflow: after each instruction that was interrupted, and less often.
    for period in 1 7 100; do
        for cpu in "rv$bits" "rv$bits,h=off"; do
            expect 0 "" "$sid" "$kernel" "$cpu" "event=0x10000 handler=linux-good rounds=20 pmu=$period"
            overflows=$(sed -n 's/.* \([0-9]*\) counter overflows.*/\1/p' "$scratch/report")
            [ "$overflows" -gt $((2000 / period)) ] || fail "only $overflows overflows in $(cat "$scratch/report")"
        done
    done

    # Code of the hypervisor's with hstatus.SPV=1 comes back with V=1 (SBI v3.0, "Software Event Injection": SPV is the interrupted
    # virtualization state). All of Debian's versions do it. The older ones also spoil the STATUS attribute.
    for version in sid trixie backports; do
        image "opensbi-$version$suffix" fw_dynamic.bin
        expect 1 "" "$image" "$kvm" "rv$bits" "mode=s1r"
        grep -q 'scause=0x16 ' "$scratch/report" || fail "opensbi-$version: no virtual instruction in $(cat "$scratch/report")"
        expect 1 "" "$image" "$kvm" "rv$bits" "mode=s1r paging=on"
        grep -q 'vscause=0xc ' "$scratch/report" || fail "opensbi-$version: no page fault of the guest's in $(cat "$scratch/report")"
        [ $version = sid ] || handlers "$image" "$kvm" "rv$bits" on "" "attribute STATUS"
    done

    # The bundled firmware, event 0x4000 from outside: at every place a handler that puts everything back is not noticed, timer or not;
    # one that leaves sstatus edited sends the kernel on in U-mode, where its call to the firmware is the fault that users have seen.
    maint=$roms/sbi-maint$suffix.elf head=$roms/sbi-head$suffix.elf
    for at in normal_vector sbi_in_syscall stvec_window_start irq_off_start trap_exit_start window_start; do
        for cpu in "rv$bits" "rv$bits,h=off"; do
            expect 0 "" "$maint" "$kernel" "$cpu" "event=0x4000 handler=linux-good rounds=40 timer=2" "meip@$at#20"
            expect 0 "" "$head" "$kernel" "$cpu" "event=0x4000 handler=linux-good rounds=40 timer=1 paging=off" "meip@$at#20"
        done
    done
    expect 3 "" "$head" "$kernel" "rv$bits,h=off" "event=0x4000 handler=linux-nosstatus paging=off" "meip@sbi_in_syscall"
    grep -q 'environment call from U-mode, in kernel text' "$scratch/report" || fail "no call from U-mode in $(cat "$scratch/report")"
    expect 0 "" "$maint" "$kvm" "rv$bits" "event=0x4000 handler=hk4" "meip@switch_return"
    # A hypervisor in every one of its instructions, by a counter that overflows all the time.
    expect 0 "" "$maint" "$kvm" "rv$bits" "event=0x10000 handler=hk4 rounds=5 pmu=1"
    expect 0 "" "$maint" "$kernel" "rv$bits,h=off" "event=0x10000 handler=linux-good rounds=20 pmu=1 timer=3"
    run "$head" "$kvm" "rv$bits" "event=0x10000 handler=hk4 rounds=5 pmu=1"
    [ "$status" != 0 ] || fail "sbi-head is exact under a counter: $(cat "$scratch/report")"

    # What cannot be is told.
    expect 2 "" "$sid" "$kvm" "rv$bits" "handler=hk9"
    grep -q 'handler=hk9: there is no such word' "$scratch/out" || fail "no word about hk9"
    expect 2 "" "$sid" "$kvm" "rv$bits" "rounds=1 rounds"
    expect 2 "" "$sid" "$kvm" "rv$bits,h=off" ""
    expect 2 "" "$sid" "$kernel" "rv$bits,h=off" "flavour=hlv"
    expect 5 "" "$sid" "$kvm" "rv$bits" "event=0x1234"
    expect 5 "" "$sid" "$kernel" "rv$bits,sscofpmf=off" "event=0x10000 pmu=100"
done
echo "$runs runs as expected"
