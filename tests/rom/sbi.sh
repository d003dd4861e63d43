# The bundled SBI firmware under a supervisor-mode program that calls every function of it: with and without H, with extensions on and
# off, on one hart and on several, RV64 and RV32. Each variant with a known fault fails exactly the checks that the fault is about.
# timeout: 300
. "$(dirname "$0")/../lib/env.sh"
roms=$TRAPLINE_SOURCE/roms

# sbi VARIANT BITS OPTION...: runs the program; its exit status goes to `status`, the names of the failed checks to `failed`.
sbi()
{
    local variant=$1 bits=$2 suffix=
    shift 2
    [ "$bits" = 64 ] || suffix=-rv32
    status=0
    "$TRAPLINE" run -bios "$roms/sbi-$variant$suffix.elf" -kernel "$roms/test-sbi$suffix.elf" --expect 'type ok=>ok' \
        --max-cycles 500000000 "$@" >"$scratch/out" 2>&1 </dev/null || status=$?
    failed=$({ grep -ao 'FAILED [a-z][-a-z0-9]*:' "$scratch/out" || true; } | sed 's/FAILED //; s/://' | sort -u | tr '\n' ' ')
}

pass()
{
    sbi maint "$@"
    [ "$status" -eq 0 ] && [ -z "$failed" ] && grep -aq 'all checks hold' "$scratch/out" ||
        fail "rv$*: status $status, $(tail -n 20 "$scratch/out")"
}

for bits in 64 32; do
    for cpu in h=on h=off; do
        for harts in 1 2; do
            pass "$bits" -cpu "rv$bits,$cpu" -smp "$harts"
        done
    done
    for cpu in sstc=off sscofpmf=off,ssdbltrp=off,zicfilp=off,svadu=off smdbltrp=on pmp=16,hpm=4,misaligned=off \
        h=off,smstateen=off,smepmp=off,zkr=off hpm=0; do
        pass "$bits" -cpu "rv$bits,$cpu" -smp 2
    done
    pass "$bits" -cpu "rv$bits" -smp 8 --quantum 1
done

# Hardware errors: in supervisor code before and after somebody wants them as events, and in the firmware (its second SUSP call).
for cpu in rv64 rv64,smdbltrp=on rv32 rv32,smdbltrp=on; do
    bits=${cpu:2:2}
    pass "$bits" -cpu "$cpu" --inject ras@ras_unwanted --inject ras@ras_wanted --inject 'ras@sbi_susp#2'
    grep -aq 'hardware errors: 0x1 as an exception, 0x1 as an event, 0x1 in the firmware' "$scratch/out" ||
        fail "$cpu: $(grep -a 'hardware errors' "$scratch/out")"
done

# Non-maskable interrupts: the same event, in supervisor code and in the firmware.
nmi=smrnmi=on,nmi=0x80000400,nmi-exception=0x80000500
for cpu in 64,smdbltrp=off 64,smdbltrp=on 32,smdbltrp=on; do
    pass "${cpu%%,*}" -cpu "rv$cpu,$nmi" --inject rnmi@ras_wanted --inject 'rnmi@sbi_susp#2'
    grep -aq 'hardware errors: 0x0 as an exception, 0x1 as an event, 0x1 in the firmware' "$scratch/out" ||
        fail "rv$cpu: $(grep -a 'hardware errors' "$scratch/out")"
done
sbi maint 64 -cpu "rv64,$nmi" --inject rnmi@ras_unwanted
[ "$status" -eq 22 ] && grep -aq 'nobody waits for event 0' "$scratch/out" || fail "an NMI that nobody wants: status $status"

# only VARIANT CPU NAME...: fails these checks and no other.
only()
{
    local variant=$1 cpu=$2 bits
    shift 2
    for bits in 64 32; do
        sbi "$variant" "$bits" -cpu "rv$bits,$cpu" -smp 2
        [ "$failed" = "$* " ] || fail "sbi-$variant, rv$bits,$cpu fails: $failed; but its fault is about: $*"
        [ "$status" -eq 1 ] || fail "sbi-$variant, rv$bits,$cpu: status $status"
    done
}
only head h=on entry-spv entry-spvp inject-refusal landing-pad-entry spin spin-cause
only head h=off inject-refusal landing-pad-entry
only p1 h=on entry-flags entry-spvp inject-refusal landing-pad-entry resume-sstatus spin spin-cause written-spv-spvp
only p1 h=off entry-flags inject-refusal landing-pad-entry resume-sstatus spin spin-cause
only priv h=on entry-flags entry-spvp inject-refusal landing-pad-entry redirect-sie written-spp-spie written-spv-spvp
only priv h=off entry-flags inject-refusal landing-pad-entry redirect-sie written-spp-spie
only status h=on status-reserved
only status h=off status-reserved
echo "the firmware does what the specification says, and each variant lacks what it is to lack"
