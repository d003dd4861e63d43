# trapline step: scripts, options and standard input; every place to go, forwards and back; changes and explanations; a saved script does it
# again; a terminal session by expect; bad input.
. "$(dirname "$0")/../lib/env.sh"
need python3 python3
need expect expect
rom=$TRAPLINE_SOURCE/roms/journey.elf
cd "$scratch"

# step STATUS ARGUMENT...
step()
{
    local want=$1 status=0
    shift
    "$TRAPLINE" step "$@" >out 2>err </dev/null || status=$?
    [ "$status" -eq "$want" ] || fail "trapline step $* ended with $status and not $want: $(cat out err)"
}
has() { grep -qE -- "$1" out || fail "no '$1': $(cat out)"; }

# Every level of both stages of a walk, side by side, and what fails it.
cat >walk.step <<'END2'
break guest_again
run
walk guest_again
expect "in VS is physical 0x80400"
expect "VS L2[0x2]"
expect "| G L2[0x2]"
expect "PMP entry"
walk 1
expect "a load from 0x1 in VS raises load page fault"
END2
step 0 -bios "$TRAPLINE_SOURCE/roms/sbi-maint.elf" -kernel "$TRAPLINE_SOURCE/roms/kvm.elf" --script walk.step
has '\* ?VS L1\[0x0\] 0x0 at .*V=0'

# What the trap value is, by cause: an address, the bits of an instruction, nothing.
step 0 "$rom" --eval 'trace on' --eval run
has '^hart 0: environment call from HS \(cause 9\), HS -> M, epc 0x[0-9a-f]+, pc 0x'
step 0 "$rom" --eval 'run at hs_vector' --eval 'poke pc 0xffffffff 4' --eval trap
has ': illegal instruction \(cause 2\), .*, epc 0x[0-9a-f]+, instruction 0xffffffff, pc 0x'
# What a trap wrote is told first, however much else has changed; PSTATE has one name.
step 0 -machine virt-arm,virtualization=on -kernel "$TRAPLINE_SOURCE/roms/hyp-a64.elf" --eval 'trap all'
[[ $(grep -m 1 -E '^  [a-z]' out) == "  esr_el"* ]] && has '^  and [0-9]+ more' || fail "not ESR first: $(cat out)"
step 0 "$rom" --eval 'trap all'
[[ $(grep -m 1 -E '^  [a-z]' out) == "  scause "* ]] || fail "not scause first: $(cat out)"
step 0 -machine virt-arm -kernel "$TRAPLINE_SOURCE/roms/hyp-a64.elf" --eval 'set cpsr.A 0'
has '^pstate +0x' && has '^  pstate +0x.*: A 1 -> 0$'
! grep -q cpsr out || fail "PSTATE has two names: $(cat out)"
# What the GIC holds back is listed with what holds it, one thing after the other.
gic=(-machine virt-arm,virtualization=on -kernel "$TRAPLINE_SOURCE/roms/hyp-a64.elf" --eval 'run 2000')
step 0 "${gic[@]}" --eval 'inject irq:100' --eval next
has 'INTID 100  not signalled: it is not enabled$'
has '\* GICD_ISENABLER3\[4\] +0 '
step 0 "${gic[@]}" --eval 'set icc_pmr_el1 0' --eval 'inject irq:27' --eval next
has 'INTID 27  not signalled: its priority is not above ICC_PMR_EL1$'
has '\* ICC_PMR_EL1 +0x0 '
step 0 "${gic[@]}" --eval 'set icc_igrpen1_el1 0' --eval 'inject irq:27' --eval next
has 'INTID 27  not signalled: its group is not enabled in the CPU interface$'
step 0 "${gic[@]}" --eval 'set icc_ap1r0_el1 1' --eval 'inject irq:27' --eval next
has 'INTID 27  not signalled: its priority is not above the running priority$'
has '\* ICC_RPR_EL1 +0x0 '
step 0 "${gic[@]}" --eval 'inject irq:27' --eval next
has 'the line is high, by INTID 27 '
step 0 -machine virt-arm,secure=on "$TRAPLINE_SOURCE/roms/journey-a64.elf" --eval 'inject irq:27' --eval next
has '\* GICR_WAKER\.ProcessorSleep +1 '
step 0 -machine virt-arm,secure=on,virtualization=on "$TRAPLINE_SOURCE/roms/journey-a64.elf" --eval 'trace on' --eval run
has ': SVC: #0x2, EL0 -> EL1, epc 0x[0-9a-f]+, pc 0x' && has ': data abort .*, address 0x200000000, pc 0x'

cat >all.step <<'END2'
# the journey, forwards and back
run trap
expect "environment call from VS (cause 10), VS -> HS"
why
expect "medeleg[10]"
expect "pc             0x80000360"
changes
expect "scause     0x0 -> 0xa"
trap
expect "environment call from HS (cause 9), HS -> M"
back 1
call
expect "HS -> M"
step 3
back 2
back trap
expect "HS -> M"
back mode HS
expect "VS -> HS"
back return
expect "return"
run at hs_vector
expect "<hs_vector>"
run write a5
expect "a5: "
back write stvec
expect "stvec is 0x0 here"
next
run cycle 3000
back cycle 100
run 7
list hs_vector 2
expect "hs_vector:"
break m_vector
run
expect "is at a breakpoint"
delete
regs mstatus
expect "MPP"
set mepc 0x80000000
poke phys:0x80100000 0x1122 2
mem phys:0x80100000 2
expect "22 11"
back 1
hart 0
help run
expect "go on, to"
run text journey
expect "<"
END2
step 0 "$rom" --script all.step
cp out first

# A saved script does the same again, to the last character but for its own command.
cp all.step again.step
echo "save saved.step" >>again.step
step 0 "$rom" --script again.step
grep -q '^# trapline step .*--script saved.step$' saved.step || fail "the recipe is missing: $(head -n 1 saved.step)"
step 0 "$rom" --script saved.step
diff <(grep -v '^> ' first) <(grep -v '^> ' out) >/dev/null || fail "the saved script does something else: $(diff first out | head -n 5)"

# Options, JSON, standard input.
step 0 "$rom" --eval 'run trap' --eval 'regs scause' --json
python3 - <<'PY' || fail "$(cat out)"
import json
lines = [json.loads(l) for l in open("out")]
assert [l["command"] for l in lines] == ["run trap", "regs scause"] and all(l["ok"] for l in lines)
assert lines[0]["mode"] == "HS" and lines[0]["pc"] == "0x80000360" and "VS -> HS" in lines[0]["answer"]
assert "the guest" in lines[0]["console"]
PY
printf 'run trap\nwhere\n' | "$TRAPLINE" step "$rom" >out 2>err || fail "standard input: $(cat err)"
has '^\* hart 0: HS'

# Stepping changes nothing: the end is that of a run.
"$TRAPLINE" run "$rom" --digest >run.out 2>&1 || fail "$(cat run.out)"
want=$(grep -oE 'digest [0-9a-f]+' run.out | cut -d' ' -f2)
step 0 "$rom" --eval 'run trap' --eval 'step 20' --eval 'back 15' --eval 'back call' --eval 'run' --eval 'digest'
has "^$want at cycle"

# A text of the console stops behind the instruction that printed its end.
step 0 "$rom" --eval 'run text "reset: opens"'
has '^[|] M    reset: opens$'

# The other architecture.
step 0 "$TRAPLINE_SOURCE/roms/journey-a64.elf" -machine virt-arm,virtualization=on,secure=on --eval 'run trap' --eval why --eval 'list' --eval 'back 1'
has 'EL[0-3] -> EL[0-3]'

# A person at a terminal.
cat >session.exp <<'END2'
set timeout 20
set env(TERM) dumb
set env(XDG_STATE_HOME) $env(SCRATCH)
spawn $env(TRAPLINE) step $env(ROM)
expect "M> " { send "run trap\r" } timeout { exit 1 }
expect "VS -> HS" {} timeout { exit 1 }
expect "HS> " { send "step\r" } timeout { exit 1 }
expect "HS> " { send "nonsense\r" } timeout { exit 1 }
expect "there is no such command" {} timeout { exit 1 }
expect "HS> " { send "run trap breakpoint\r" } timeout { exit 1 }
expect "ended the run" {} timeout { exit 1 }
expect "> " { send "back 40\r" } timeout { exit 1 }
expect "> " { send "digest\r" } timeout { exit 1 }
expect -re {[0-9a-f]{16} at cycle} { send "save again.step\r" } timeout { exit 1 }
expect "> " { send "quit\r" } timeout { exit 1 }
expect eof {} timeout { exit 1 }
END2
SCRATCH=$scratch TRAPLINE=$TRAPLINE ROM=$rom expect session.exp >session.out 2>&1 || fail "the session: $(cat session.out)"
step 0 "$rom" --script again.step # what found nothing, too, led to where it did
[ "$(grep -oE '^[0-9a-f]{16} at cycle [0-9]+' out)" = "$(tr -d '\r' <session.out | grep -oE '^[0-9a-f]{16} at cycle [0-9]+')" ] ||
    fail "the saved session leads elsewhere: $(cat again.step out)"
grep -q '^nonsense$' trapline/step_history || fail "no history was kept: $(cat trapline/step_history)"

# ---- bad input
printf 'run trap\nexpect "no such thing"\nquit\n' >bad.step
step 1 "$rom" --script bad.step
grep -qx "trapline: bad.step:2: 'expect \"no such thing\"' failed" err || fail "$(cat err)"
step 1 "$rom" --eval 'run nowhere'
has "^'nowhere' is nowhere to go: N, trap "
step 1 "$rom" --eval 'run at nowhere'
has "^'nowhere' is no number, register or symbol$"
step 1 "$rom" --eval 'run write nothing'
has "^there is no register 'nothing'$"
step 1 "$rom" --eval 'run trap whatever'
has "^'whatever' is no cause of a trap$"
step 1 "$rom" --eval 'back 1'
has '^this is the beginning of what is known$'
step 1 "$rom" --eval 'save /nowhere/x'
has '^/nowhere/x: '
step 2 "$rom" --script missing.step
grep -qx 'trapline: missing.step: No such file or directory' err || fail "$(cat err)"
step 2 missing.elf
echo "stepping works"
