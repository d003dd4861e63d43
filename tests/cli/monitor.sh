# run --monitor and --trace on the bundled firmware and guests: each fault is told by its rule, with registers and place, the run ends
# with status 1; exact software is not blamed; and a watched run is the same run.
. "$(dirname "$0")/../lib/env.sh"
roms=$TRAPLINE_SOURCE/roms
cd "$scratch"

# kvm VARIANT HANDLER OPTION...: one event in one world switch. Sets status; output in out, reports in err.
kvm() { guest kvm "$@"; }
kernel() { guest kernel "$@"; }
guest()
{
    local payload=$1 variant=$2 handler=$3
    shift 3
    status=0
    "$TRAPLINE" run -bios "$roms/sbi-$variant.elf" -kernel "$roms/$payload.elf" -append "handler=$handler rounds=2 inject=1" \
        --max-cycles=3e7 "$@" >out 2>err </dev/null || status=$?
}
# found STATUS RULE...: exactly these rules were told.
found()
{
    local want=$1 rules
    shift
    rules=$(sed -n 's/^trapline: monitor \([A-Z][0-9]\): .*/\1/p' err | sort -u | tr '\n' ' ')
    [ "$status" -eq "$want" ] && [ "$rules" = "${*:+$* }" ] || fail "status $status, rules '$rules' instead of $want, '$*': $(cat err)"
}

kvm maint hk0 --monitor sse
found 0
kvm maint hk4 --monitor sse
found 0
kernel maint hk4 --monitor sse,max=0
found 0
# A handler that does not save what a nested trap of its own changes: the registers, by name.
kvm maint hk3 --monitor sse
found 1 A3
grep -q '^  htval  *0x0, expected 0x' err && grep -q '^  htinst ' err || fail "the registers are not told: $(cat err)"
grep -q ', at fw_return+0x[0-9a-f]*, goes on at inject_resume ' err && grep -q 'event 0x4000 "platform local"$' err || fail "nor where: $(cat err)"
# … and one that leaves sstatus: kernel text in U.
kernel maint linux-nosstatus --monitor sse,max=0
grep -q '^trapline: monitor B1: ' err && grep -q '^trapline: monitor B2: ' err || fail "linux-nosstatus: $(cat err)"
[ "$status" -eq 1 ] || fail "linux-nosstatus: status $status"
grep -q '^  P  *0x0, expected 0x1$' err || fail "linux-nosstatus: the mode is not told"
# The firmware's own faults.
kvm p1 hk0 --monitor sse
found 1 B1
kvm status hk0 --monitor sse
found 1 A5
grep -q '^  sse_read_attrs(event 0x4000 "platform local", ' err || fail "the call is not told: $(cat err)"
# Only what is asked for.
kvm p1 hk0 --monitor sse,rules=A6+B2 # (the guest itself ends with 1)
found 1

# It ends at the first, or goes on.
kvm maint hk3 --monitor sse --json
[ "$status" -eq 1 ] && grep -q '"end": "monitor"' err || fail "the run does not end at a violation: $(cat err)"
if command -v python3 >/dev/null; then
    python3 -c 'import json, sys
j = json.load(sys.stdin)
v = j["monitor"][0]
assert j["violations"] == 1 and v["rule"] == "A3" and v["event"] == "0x4000"
assert {"register", "expected", "actual"} <= v["registers"][0].keys()' <err || fail "the report: $(cat err)"
fi
kvm maint hk3 --monitor sse,max=0 --json
grep -q '"end": "guest"' err && [ "$status" -eq 1 ] || fail "the run does not go on with max=0: status $status"

# Watched and traced, it is the same run.
kvm maint hk4 --digest
grep '^digest' err >plain
for watch in "--monitor sse" "--trace traps=t" "--trace sbi=s" "--monitor sse,max=0 --trace traps=t --trace sbi=s"; do
    kvm maint hk4 --digest $watch
    grep '^digest' err | cmp -s - plain || fail "$watch changes the run"
done
grep -qE '^ +[0-9]+ hart 0 \S+: sse_register\(event 0x4000 "platform local", .*\) = 0$' s || fail "the trace of calls: $(head s)"
grep -qE ': sse_complete\(\) -> HS inject_resume$' s || fail "where completion leads: $(grep complete s)"
grep -qE '^ +[0-9]+ hart 0 VS \S+ -> HS \S+: environment call from VS tval 0x0$' t || fail "the trace of traps: $(head t)"
grep -qE '^ +[0-9]+ hart 0 VS \S+ -> HS \S+: (load|store/AMO) guest-page fault' t || fail "no guest-page fault in the trace"
grep -qE '^ +[0-9]+ hart 0 HS \S+ +returns to VS ' t || fail "no return in the trace"
kvm maint hk4 --trace sbi --trace traps=t --json
grep -q '^{"extension":"SSE","function":"sse_register",' err || fail "the trace as JSON: $(head -n 3 err)"
grep -q '"function":"sse_complete",.*"goes_on":"0x' err || fail "where a call led, as JSON: $(grep complete err)"
! command -v python3 >/dev/null || while IFS= read -r line; do python3 -m json.tool <<<"$line" >/dev/null || fail "$line"; done < <(head -n 40 t)

# Bad input: one sentence each, status 2.
for bad in "--monitor frob" "--monitor sse,host=a" "--monitor sse,host=nowhere..else" "--monitor sse,host=0x20..0x10" "--monitor sse,rules=Z9" \
    "--monitor sse,max=x" "--trace frob" "--trace sbi=" "--trace sbi=$scratch/no/file"; do
    kvm maint hk0 $bad
    [ "$status" -eq 2 ] && [ "$(wc -l <err)" -eq 1 ] && [ ! -s out ] || fail "$bad: status $status, $(cat err out)"
done
kvm maint hk0 --trace sbi=/dev/full
[ "$status" -eq 2 ] && grep -q '/dev/full' err || fail "a full disk: status $status, $(cat err)"
echo "faults are told, exact software is not blamed, the run is the same"
