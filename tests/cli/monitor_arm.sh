# run --monitor calls and interrupts on A64: exact software breaks no rule and runs as it does alone; a firmware, a hypervisor and a
# kernel that forget one register when they return are found, told by its name, and the run ends with status 1.
. "$(dirname "$0")/../lib/env.sh"
roms=$TRAPLINE_SOURCE/roms
cd "$scratch"
both="--monitor calls --monitor interrupts"

# go OPTION...: sets status; output in out, reports in err.
go()
{
    status=0
    "$TRAPLINE" run --max-cycles=1e8 "$@" >out 2>err </dev/null || status=$?
}
# found STATUS RULE...: exactly these rules were told.
found()
{
    local want=$1 rules
    shift
    rules=$(sed -n 's/^trapline: monitor \([A-Z][0-9]\): .*/\1/p' err | sort -u | tr '\n' ' ')
    [ "$status" -eq "$want" ] && [ "$rules" = "${*:+$* }" ] || fail "status $status, rules '$rules' instead of $want, '$*': $(cat err)"
}
# forgets FILE BYTES: a copy in which one instruction (as grep -P has its bytes), wherever it is, is a NOP.
forgets()
{
    local at
    cp "$roms/$1" broken.elf
    chmod u+w broken.elf
    for at in $(LC_ALL=C grep -obUaP "$2" broken.elf | cut -d: -f1); do
        printf '\x1f\x20\x03\xd5' | dd of=broken.elf bs=1 seek="$at" conv=notrunc status=none
    done
    ! cmp -s "$roms/$1" broken.elf || fail "$1 has no such instruction"
}

el3="-machine virt-arm,virtualization=on,secure=on -smp 3"
for guest in "$roms/kernel-a64.elf -smp 3" "-machine virt-arm,virtualization=on $roms/hyp-a64.elf" \
    "$el3 -bios $roms/monitor-a64.elf -kernel $roms/kernel-a64.elf"; do
    go $guest --digest
    grep '^digest' err >plain
    go $guest --digest --stats $both
    found 0
    grep '^digest' err | cmp -s - plain || fail "the monitor changes the run of $guest"
    grep -qE '^monitor +[1-9][0-9]+ compared or judged, 0 violations$' err || fail "nothing was looked at: $(cat err)"
done

# Every call is told with its result, whoever answers.
go $el3 -bios "$roms/monitor-a64.elf" -kernel "$roms/kernel-a64.elf" --trace calls
grep -qE '^ +[0-9]+ hart 0 EL1   call_smc: SMC: PSCI_VERSION\(\) = 0x10001$' err &&
    grep -qE ' call_smc: SMC: CPU_ON\(target_cpu=0x1 entry_point_address=0x4[0-9a-f]+ context_id=0x1\) = SUCCESS$' err &&
    grep -qE ' CPU_ON\(target_cpu=0x3 .*\) = INVALID_PARAMETERS$' err && grep -qE ' function 0x32000001\(x1=0xe .*\) = 0x2b$' err &&
    grep -qE ' AFFINITY_INFO\(.*\) = 0x1$' err || fail "the trace of calls: $(cat err)"
go "$roms/kernel-a64.elf" -smp 2 --trace calls=t --json
grep -q '^{"conduit":"HVC","function":"CPU_ON",.*"result":"SUCCESS",.*"from":"EL1"}$' t || fail "the trace as JSON: $(cat t)"
# One that the machine answers and that does not come back has no result.
off='\x00\x01\x80\x52\x00\x80\xb0\x72\x02\x00\x00\xd4' # mov w0, #8; movk w0, #0x8400, lsl #16; hvc #0
printf "$off" >off.bin
go -machine virt-arm off.bin --trace calls
grep -qE '^ +[0-9]+ hart 0 EL1   0x40080008: HVC: SYSTEM_OFF\(\) does not return$' err || fail "SYSTEM_OFF: $(cat err)"
go -machine virt-arm off.bin --trace calls --json
grep -q '"function":"SYSTEM_OFF"' err && ! grep -qE '"result"|"goes_on"' err || fail "SYSTEM_OFF as JSON: $(cat err)"
go "$roms/kernel-a64.elf" -smp 2 --trace calls
! grep -E ' (CPU_OFF|SYSTEM_OFF)\(\) =' err || fail "a call that does not return has a result"

# Every exception has a syndrome; FAR_ELx is told where the exception writes it.
go $el3 "$roms/journey-a64.elf" --trace traps
grep -qE ': data abort from a lower level, esr 0x[0-9a-f]+ far 0x200000000$' err && grep -qE ': SVC, esr 0x[0-9a-f]+$' err &&
    grep -qE ': HVC, esr 0x[0-9a-f]+$' err && grep -qE ': SMC, esr 0x[0-9a-f]+$' err || fail "the trace of traps: $(cat err)"

# The kernel's return to EL0 without `ldp x2, x3, [sp, #16]`.
forgets kernel-a64.elf '\xe2\x0f\x41\xa9'
go broken.elf $both
found 1 I1
grep -q '^trapline: monitor I1: an interrupt of a lower level came and went' err && grep -qE '^  x[23] +0x[0-9a-f]+, expected 0x' err &&
    grep -q 'at restore+0x[0-9a-f]*, goes on at ' err && grep -q '^  Arm ARM: D1.3' err || fail "what I1 tells: $(cat err)"
go broken.elf --monitor calls
[ "$status" -ne 2 ] && ! grep -q monitor err || fail "calls alone: $(cat err)"
go broken.elf --monitor interrupts,rules=I3
[ "$status" -ne 2 ] && ! grep -q monitor err || fail "another rule alone: $(cat err)"
go broken.elf --monitor interrupts,max=0 --json
! grep -q '"end": "monitor"' err || fail "the run ends with max=0"
go broken.elf --monitor interrupts --json
[ "$status" -eq 1 ] && grep -q '"end": "monitor"' err || fail "the run does not end at a violation: $(cat err)"

# The hypervisor's, for its guest: the first that comes is a call.
forgets hyp-a64.elf '\xfe\x7b\x40\xf9' # ldr x30, [sp, #240]
go -machine virt-arm,virtualization=on broken.elf $both
found 1 S1
grep -qE '^  HVC: PSCI_VERSION\(\)$' err && grep -qE '^  x30 +0x' err && grep -q '^  Arm DEN0028' err || fail "what S1 tells: $(cat err)"

# The firmware's.
forgets monitor-a64.elf '\xfe\x7b\x40\xf9'
go $el3 -bios broken.elf -kernel "$roms/kernel-a64.elf" $both --json
[ "$status" -eq 1 ] && grep -q '"rule": "S1"' err && grep -q '"conduit": "SMC"' err && grep -q '"function": "PSCI_VERSION"' err &&
    grep -q '"register": "x30"' err || fail "the report as JSON: $(cat err)"

# Bad input: one sentence each, status 2.
refuse()
{
    local want=$1
    shift
    go "$@"
    [ "$status" -eq 2 ] && [ "$(cat err)" = "trapline: $want" ] && [ ! -s out ] || fail "$*: status $status, $(cat err)"
}
kernel=$roms/kernel-a64.elf
refuse "--monitor sse is for RISC-V machines" "$kernel" --monitor sse
refuse "--monitor calls is for AArch64 machines" -bios "$roms/sbi-maint.elf" -kernel "$roms/kernel.elf" --monitor calls
refuse "--monitor: sse and calls are for different machines" "$kernel" --monitor sse --monitor calls
refuse "--monitor 'call': the monitors are: sse, calls, interrupts" "$kernel" --monitor call
refuse "--trace sbi is for RISC-V machines; on others it is --trace calls" "$kernel" --trace sbi
refuse "--monitor: there is no rule 'I1'" "$kernel" --monitor calls,rules=I1
refuse "--monitor: 'host=a..b' is none of rules=, max=" "$kernel" --monitor calls,host=a..b

"$TRAPLINE" doc rules >out
[ "$(grep -c '^--monitor ' out)" -eq 3 ] && grep -q '^S1  .*(Arm DEN0028 ' out || fail "doc rules: $(cat out)"
"$TRAPLINE" doc rules:interrupts >out
[ "$(cut -d' ' -f1 out | tr '\n' ' ')" = "I1 I2 I3 I4 " ] || fail "doc rules:interrupts: $(cat out)"
echo "exact software is not blamed; a register that is forgotten is told"
