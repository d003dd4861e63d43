# run --inject: events at symbols, addresses and cycles, on the hart they are for; what is asked for and cannot be is told.
. "$(dirname "$0")/../lib/env.sh"
rom=$TRAPLINE_SOURCE/roms/test-sweep.elf
cd "$scratch"

# ends STATUS ARGUMENT...: the run ends with this status.
ends()
{
    local want=$1 status=0
    shift
    "$TRAPLINE" run "$@" >out 2>err </dev/null || status=$?
    [ "$status" -eq "$want" ] || fail "trapline run $* ended with $status and not $want: $(cat err)"
}
digest() { "$TRAPLINE" run "$@" --digest 2>&1 >/dev/null | grep -o 'digest [0-9a-f]*'; }

plain=$(digest "$rom")
# The firmware of this guest ends the run with code 6 when it takes what it does not know: a bus error, an unknown interrupt.
ends 0 "$rom" --inject meip@victim --inject 'msip@victim#2' --inject ssip@user_text_start
ends 6 "$rom" --inject ras@victim
ends 6 "$rom" --inject 'ras@victim#3'
ends 1 "$rom" --inject 'ras@victim#4' # there is no fourth time
grep -qx "trapline: the run ended (guest) before 'ras@victim#4' came about" err || fail "an event that never came: $(cat err)"
ends 6 "$rom" --inject ras,address=0x1234@cycle:90
ends 1 "$rom" --inject ras@cycle:1000000
address=0x$(nm "$rom" | awk '$3 == "victim" {print $1}')
ends 6 "$rom" --inject "ras@$address"
ends 6 "$rom" --inject "ras@victim+4"
# An event changes the run, and the same event always in the same way.
[ "$(digest "$rom" --inject meip@victim)" != "$plain" ] || fail "an event leaves no trace in the digest"
[ "$(digest "$rom" --inject meip@victim)" = "$(digest "$rom" --inject meip@victim)" ] || fail "two equal runs differ"
# The reproduction line has it, and gives the same run.
line=$("$TRAPLINE" run "$rom" --inject 'meip@victim#2' --inject msip@cycle:95 --repro 2>&1 >/dev/null | tail -n 1)
line=${line%% #*}
want=$(digest "$rom" --inject 'meip@victim#2' --inject msip@cycle:95)
got=$(eval "\"\$TRAPLINE\" ${line#trapline} --digest" 2>&1 >/dev/null | grep -o 'digest [0-9a-f]*')
[ "$got" = "$want" ] || fail "the reproduction line gives $got and not $want: $line"
# On another hart: hart 1 waits in M, and MSIE is 0 there, so nothing happens; it has no symbol to reach.
ends 0 "$rom" -smp 2 --quantum 1 --inject msip,hart=1@cycle:50
ends 1 "$rom" -smp 2 --inject msip,hart=1@victim

# refuse SENTENCE TEXT...: status 2 and this sentence.
refuse()
{
    local want="trapline: $1" status=0
    shift
    "$TRAPLINE" run "$rom" "$@" >out 2>err </dev/null || status=$?
    [ "$status" -eq 2 ] && [ "$(cat err)" = "$want" ] || fail "run $*: status $status
says:    $(cat err)
and not: $want"
}
refuse "--inject 'meip': write EVENT@WHEN, as in lcofi@start or mip:11,hart=1@cycle:5000" --inject meip
refuse "--inject: there is no event 'mei'; \`trapline sweep --help\` lists them" --inject mei@victim
refuse "--inject: event 'meip:3': meip takes no number" --inject meip:3@victim
refuse "--inject: event 'mip': write mip:NUMBER" --inject mip@victim
refuse "--inject: event 'mip:x': write mip:NUMBER" --inject mip:x@victim
refuse "--inject: event 'meip,hart=x': 'hart=x': that is not a number" --inject meip,hart=x@victim
refuse "--inject: event 'meip,loud': 'loud' means nothing here; hart=N, raise, lower, address=A (ras) and by=N (sse) do" --inject meip,loud@victim
refuse "--inject: event 'ras,raise': it is no line, so it cannot be raised or lowered" --inject ras,raise@victim
refuse "--inject: event 'meip,hart=1': the machine has no hart 1" --inject meip,hart=1@victim
refuse "--inject: event 'mip:64': mip has no bit 64" --inject mip:64@victim
refuse "--inject: event 'irq:96': the machine has no interrupt source 96" --inject irq:96@victim
refuse "--inject: event 'rnmi': the cpu has no resumable NMI (smrnmi=off)" --inject rnmi@victim
refuse "--inject: event 'sse:1': the machine has no hart 1 (see -smp)" --inject sse:1@victim
refuse "--inject: event 'sse:1': the images have no symbols probe_ecall and probe_ecall_done, where another hart could make the SBI call" \
    -smp 2 --inject sse:1@victim
refuse "--inject: 'nowhere': the images have no symbol 'nowhere'" --inject meip@nowhere
refuse "--inject: 'victim#0': the # is followed by how manieth time it is, from 1" --inject meip@victim#0
refuse "--inject: 'cycle:x': write cycle:NUMBER" --inject meip@cycle:x
refuse "--inject: '0x12z' is not an address" --inject meip@0x12z
refuse "--inject: 'victim+x': the + is followed by a number of bytes" --inject meip@victim+x
refuse "--inject: '' names no place: write a symbol, 0xADDRESS or cycle:N" --inject meip@

# Another hart makes the SBI call: on the bundled firmware and hypervisor, hart 1 parks for it. Where no such hart waits, it is said.
kvm=(-bios "$TRAPLINE_SOURCE/roms/sbi-maint.elf" -kernel "$TRAPLINE_SOURCE/roms/kvm.elf" -append "event=0xffff0000 handler=hk4")
ends 0 -smp 2 "${kvm[@]}" --inject sse:0xffff0000@switch_in_start
ends 1 -smp 2 "${kvm[@]}" --inject sse:0xffff0000,hart=0@cycle:10
grep -q "hart 1 is not in supervisor mode, so it cannot make the SBI call" err || fail "a call before the hart is parked: $(cat err)"
echo "events are injected"
