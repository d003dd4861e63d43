# trapline gdb under a real GDB, both architectures: registers with fields, breakpoints in guests, watchpoints, caught traps, going back,
# harts as threads, restarting, Ctrl-C, detaching. timeout: 280
. "$(dirname "$0")/../lib/env.sh"
need gdb-multiarch gdb-multiarch
roms=$TRAPLINE_SOURCE/roms
cd "$scratch"

# session NAME IMAGE OPTION... < commands: GDB's words go to NAME.
session()
{
    local name=$1 image=$2
    shift 2
    { printf 'set pagination off\nset confirm off\nset width 0\ntarget extended-remote | %s gdb --stdio' "$TRAPLINE"
      printf ' %q' "$@"
      printf '\n'
      cat; } >"$name.gdb"
    timeout 120 gdb-multiarch -nx -batch -x "$name.gdb" "$image" >"$name" 2>&1 </dev/null || true
}
# has NAME REGEX...: each is in NAME, in this order.
has()
{
    local name=$1 at=0 line want
    shift
    for want in "$@"; do
        line=$(grep -nE -m 1 -- "$want" < <(tail -n +$((at + 1)) "$name") | cut -d: -f1) || line= # grep may end before tail
        [ -n "$line" ] || fail "$name has no '$want' behind line $at: $(cat "$name")"
        at=$((at + line))
    done
}

# A guest under a hypervisor: break in VS, registers and fields, the trap to HS and back over the world switch.
session guest "$roms/kvm.elf" -bios "$roms/sbi-head.elf" -kernel "$roms/kvm.elf" <<'END'
break guest_call
continue
printf "mode %d %d\n", $virt, $priv
stepi
printf "mode %d %d\n", $virt, $priv
p $hstatus
p/x $scause
p $scause
reverse-stepi
printf "mode %d %d at guest_call: %d\n", $virt, $priv, $pc == (unsigned long)&guest_call
monitor catch trap environment-call-from-VS
delete
continue
printf "mode %d %d\n", $virt, $priv
monitor why
continue
reverse-continue
reverse-continue
printf "cycle %d\n", $pc == 0x1000
kill
END
has guest 'Breakpoint 1, .* in guest_call' '^mode 1 1$' '^mode 0 1$' '^\$1 = \[ .*SPV.*VSXL=2' '^\$2 = 0xa$' '^\$3 = \[ code=10 \]' \
    '^mode 1 1 at guest_call: 1$' 'hart 0: environment call from VS \(cause 10\), VS -> HS' '^mode 0 1$' 'environment call from VS' \
    'hart 0: environment call from VS' 'Program received signal SIGTRAP' 'No more reverse-execution history' '^cycle 1$'

# Watching a variable: before and after, forward and back.
session watch "$roms/kvm.elf" -bios "$roms/sbi-head.elf" -kernel "$roms/kvm.elf" <<'END'
break config_read
continue
delete
watch *(long *)&config
continue
set $after = *(long *)&config
printf "now %d\n", $after != 0
reverse-continue
printf "before %ld\n", *(long *)&config
kill
END
has watch 'Hardware watchpoint 2' 'Old value = 0' 'New value = [0-9-]' '^now 1$' '^before 0$'

# Four harts; the run is the same as without GDB.
"$TRAPLINE" run "$roms/test-wakeups.elf" -smp 4 --digest </dev/null >plain.out 2>plain.err || true
digest=$(sed -n 's/^digest *\([0-9a-f]*\).*/\1/p' plain.err)
session harts "$roms/test-wakeups.elf" -kernel "$roms/test-wakeups.elf" -bios none -smp 4 <<'END'
info threads
thread 3
stepi
printf "third %d\n", $mhartid
info registers mhartid
monitor catch trap irq
continue
thread apply all -q printf "pc %d\n", $pc != 0
reverse-stepi
monitor catch off
monitor catch exit
continue
monitor digest
kill
END
has harts 'Thread 1 "hart 0 M"' 'Thread 4 "hart 3 M"' 'Switching to thread 3' '^third 2$' 'hart [0-3]: .* interrupt' '^pc 1$' '^pc 1$' '^pc 1$' \
    '^pc 1$' 'has ended the run with code 0' "^$digest at cycle"

# One thread at a time: the others run along, and what they come by is no stop that GDB could take.
session passed "$roms/journey.elf" -kernel "$roms/journey.elf" -bios none -smp 4 --quantum 1000 <<'END'
break hs_main
break vs_main
continue
info threads
set scheduler-locking on
thread 3
stepi
printf "hart %d\n", $mhartid
kill
END
has passed 'Breakpoint 1, .*hs_main' '^hart 2$'
! grep -qE 'internal-error|Breakpoint 2,' passed || fail "a stop of another thread: $(cat passed)"
session locked "$roms/test-wakeups.elf" -kernel "$roms/test-wakeups.elf" -bios none -smp 4 --quantum 10 <<'END'
break *0x80000004
continue
set scheduler-locking on
thread 3
stepi
stepi
stepi
stepi
stepi
stepi
stepi
stepi
printf "hart %d at %lx\n", $mhartid, $pc
thread apply all -q stepi
reverse-continue
set scheduler-locking off
delete
monitor catch exit
continue
monitor digest
kill
END
"$TRAPLINE" run "$roms/test-wakeups.elf" -smp 4 --quantum 10 --digest </dev/null >plain.out 2>plain.err || true
has locked 'Breakpoint 1, 0x0*80000004' '^hart 2 at 800000[0-9a-f]+$' '_start|test_main' 'has ended the run with code 0' \
    "^$(sed -n 's/^digest *\([0-9a-f]*\).*/\1/p' plain.err) at cycle"

# A64: the vectors of EL2 and EL1, fields, vector registers, watchpoints, back.
session arm "$roms/journey-a64.elf" -machine virt-arm,virtualization=on,secure=on -kernel "$roms/journey-a64.elf" <<'END'
info registers pc cpsr
p $CurrentEL
p/x $currentel
p $sctlr_el1
set $v3.d.u[1] = 0x1122334455667788
p/x $v3.q.u
stepi
stepi
set $first = $pc
reverse-stepi
stepi
printf "same %d\n", $pc == $first
monitor catch trap all
continue
printf "el %d\n", $el
info registers elr_el3 elr_el2 elr_el1 esr_el1
monitor why
reverse-stepi
printf "trapped at %d\n", $pc
continue
set $where = $pc
set $level = $el
stepi
stepi
continue
monitor where
reverse-continue
printf "met again %d\n", $pc == $where && $el == $level
monitor catch off
monitor catch call HVC
continue
printf "hypervisor %d\n", $el == 2
reverse-stepi
printf "guest %d\n", $el == 1
reverse-continue
monitor seek 100000
monitor catch call HVC
reverse-continue
monitor changes
monitor regs hcr_el2 hcr_el2.VM
monitor set hcr_el2.vm 0
set $hcr_el2 = 0x80000001UL
p/x $hcr_el2
kill
END
has arm '^cpsr .*\[ .*M=' '^\$2 = 0xc$' '^\$3 = \[' '= \{?0x1122334455667788' '^same 1$' 'hart 0: .* EL[0-3] -> EL[1-3], epc' 'el [123]$' 'elr_el1' \
    '-> EL[1-3] at ' \
    '^trapped at' 'hart 0: ' 'hart 0: ' '^met again 1$' 'call HVC$' 'call: HVC #3' '^hypervisor 1$' '^guest 1$' 'No more reverse-execution history' \
    'call: HVC' 'hypervisor' '0     +VM +0x1 +' 'hcr_el2 +0x80000001 -> 0x80000000: VM 1 -> 0' '= 0x80000001$'

# run and kill begin anew; the guest's end is told with its code; its console stays out of the protocol.
session again "$roms/journey.elf" -kernel "$roms/journey.elf" -bios none <<'END'
break hs_main
continue
starti
printf "again %d\n", $pc == 0x1000
continue
delete
continue
END
has again 'Breakpoint 1, .*hs_main' '^again 1$' 'Breakpoint 1, .*hs_main' 'exited normally|exited with code'

# Ctrl-C: the guest is an endless loop.
printf '\x6f\x00\x00\x00' >loop.bin
printf '%s\n' 'set pagination off' 'set confirm off' 'set architecture riscv:rv64' \
    "target remote | $TRAPLINE gdb --stdio loop.bin -smp 2" 'shell touch going' continue 'printf "stopped %d\n", $pc == 0x80000000' kill >c.gdb
gdb-multiarch -nx -batch -x c.gdb >interrupt 2>&1 </dev/null &
gdb=$!
for _ in $(seq 200); do [ ! -e going ] || break; sleep 0.1; done
for _ in $(seq 100); do # until it has come to continue
    kill -INT $gdb 2>/dev/null || break
    sleep 0.3
done
wait $gdb || true
has interrupt 'received signal SIGINT' '^stopped 1$'

# By a socket; then GDB lets go and the machine runs on to its end.
"$TRAPLINE" gdb --unix "$scratch/s" "$roms/test-wakeups.elf" -smp 2 >server.out 2>server.err </dev/null &
server=$!
for _ in $(seq 100); do [ ! -S "$scratch/s" ] || break; sleep 0.1; done
timeout 60 gdb-multiarch -nx -batch -ex "target remote $scratch/s" -ex 'break *0x1004' -ex continue -ex 'info threads' -ex detach >socket 2>&1 </dev/null
has socket 'Breakpoint 1' 'hart 1' 'detached'
wait $server || fail "the detached run ends with $?: $(cat server.err)"

# Bad input: one sentence, status 2, nothing on stdout.
for bad in "--port 70000 x.elf" "--port x $roms/journey.elf" "--unix /no/such/folder/s $roms/journey.elf" "--stdio --unix s $roms/journey.elf" \
    "no.elf" "--load no.state $roms/journey.elf" "-netdev user $roms/journey.elf" "--input \\q $roms/journey.elf"; do
    status=0
    # shellcheck disable=SC2086
    "$TRAPLINE" gdb $bad >out 2>err </dev/null || status=$?
    [ "$status" -eq 2 ] && [ "$(wc -l <err)" -eq 1 ] && [ ! -s out ] || fail "$bad: status $status, $(cat out err)"
done
echo "GDB sees registers, guests, traps and the past, and the run stays the same"
