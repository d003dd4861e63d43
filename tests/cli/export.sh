# trapline export: a recorded run in each form is what its readers expect, holds what the run did, and read back is the same run;
# traces of our own in trapline diff.
. "$(dirname "$0")/../lib/env.sh"
need python3 python3
roms=$TRAPLINE_SOURCE/roms
cd "$scratch"

# expect STATUS COMMAND...: what it says is in out and err.
expect()
{
    local want=$1 status=0
    shift
    "$@" >out 2>err </dev/null || status=$?
    [ "$status" -eq "$want" ] || fail "'$*' ended with $status and not $want: $(head -c 2000 out) $(cat err)"
}
says() { grep -qF -- "$1" "$2" || fail "'$1' is not in $2: $(head -c 2000 "$2")"; }

expect 0 "$TRAPLINE" record -o kvm.trace -bios "$roms/sbi-head.elf" "$roms/kvm.elf" --inject 'ssip@cycle:70000'
expect 0 "$TRAPLINE" record -o arm.trace -machine virt-arm,secure=on,virtualization=on "$roms/journey-a64.elf"
expect 0 "$TRAPLINE" record -o smp.trace "$roms/test-wakeups.elf" -smp 2

# ---- forms of traps: as many items as there were traps, and what is known of this run
for trace in kvm arm smp; do
    for form in html svg perfetto csv golden; do
        expect 0 "$TRAPLINE" export $trace.trace --$form -o $trace.$form
    done
done
python3 - <<'PY' || fail "the forms do not hold what the run did"
import csv, json, re, xml.dom.minidom
for name, harts in (("kvm", 1), ("arm", 1), ("smp", 2)):
    rows = list(csv.DictReader(open(name + ".csv")))
    changes = [r for r in rows if r["event"] not in ("inject", "input")]
    # Perfetto: each change of mode ends a stay; each hart has one more.
    d = json.load(open(name + ".perfetto"))
    events = d["traceEvents"]
    stays = [e for e in events if e["ph"] == "X" and e["cat"] == "mode"]
    assert len({e["pid"] for e in events}) == harts
    assert len(stays) == len(changes) + len({r["hart"] for r in changes}), (name, len(stays), len(changes))
    for pid in {e["pid"] for e in stays}: # stays of a hart follow each other without a gap
        mine = sorted((e for e in stays if e["pid"] == pid), key=lambda e: e["args"]["cycle"])
        for a, b in zip(mine, mine[1:]):
            assert a["args"]["cycle"] + a["args"]["cycles"] == b["args"]["cycle"], (a, b)
    # The page: nothing from outside, and its data has every change.
    page = open(name + ".html").read()
    assert not re.search(r"https?:|src=|@DATA@|@TITLE@", page)
    data = json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S).group(1))
    assert sum(h["total"] for h in data["harts"]) == len(changes) == data["shown"]
    assert all(len(h["changes"]) == 7 * h["total"] for h in data["harts"])
    for h in data["harts"]: # the modes share all of the time
        assert not h["total"] or sum(s[2] for s in h["stays"]) == data["end"] - data["first"], h["stays"]
    xml.dom.minidom.parse(name + ".svg")
rows = list(csv.DictReader(open("kvm.csv")))
assert {r["to"] for r in rows} >= {"M", "HS", "VS", "VU"}
assert [r["call"] for r in rows if r["event"] == "inject"] == ["ssip"]
calls = [r for r in rows if r["event"] == "return" and r["call"]]
assert any(r["call"].startswith('sse_register(event 0xffff0000 "local software"') and r["call"].endswith(" = 0") for r in calls)
assert any(r["call"] == "get_spec_version() = 87721" and r["to"] == "VS" for r in calls), "the guest's call of its hypervisor"
names = {e["args"]["name"] for e in json.load(open("kvm.perfetto"))["traceEvents"] if e["name"] == "thread_name"}
assert names >= {"M", "HS", "VS", "VU", "calls", "from outside"}
arm = list(csv.DictReader(open("arm.csv")))
assert "tval" in rows[0] and "tinst" in rows[0] and "far" not in rows[0]
assert not {"tval", "tval2", "tinst"} & set(arm[0]), "columns of RISC-V"
assert None not in arm[0] and any(r["far"] == "0x200000000" for r in arm if r["event"] == "exception"), "FAR of a data abort"
assert {r["to"] for r in arm} >= {"EL3", "EL2", "EL1", "EL0"}
PY
expect 0 "$TRAPLINE" export kvm.trace --csv --cycles 88000-88800
[ "$(wc -l <out)" -gt 2 ] && awk -F, 'NR > 1 && ($1 < 88000 || $1 > 88800) {exit 1}' out || fail "--cycles: $(cat out)"

# ---- more changes than a page holds are merged, and that is told
expect 0 "$TRAPLINE" record -o many.trace "$roms/bench-ecall.elf" --max-cycles 3M
expect 0 "$TRAPLINE" export many.trace --html -o many.html
python3 - <<'PY' || fail "a long run is not merged"
import json, re
data = json.loads(re.search(r'id="data">(.*?)</script>', open("many.html").read(), re.S).group(1))
h = data["harts"][0]
assert data["shown"] < h["total"] and h["total"] > 30000, (data["shown"], h["total"])
assert sum(m[1] for m in h["merged"]) + data["shown"] == h["total"]
assert all(1000 <= sum(m[3::2]) <= 1008 for m in h["merged"][:-1]), h["merged"][:3]
assert len(open("many.html").read()) < 4_000_000
PY

# ---- forms of instructions, read back
for trace in kvm smp; do
    expect 0 "$TRAPLINE" export $trace.trace --spike -o $trace.spike
    expect 0 "$TRAPLINE" diff $trace.trace $trace.spike
done
expect 0 "$TRAPLINE" diff kvm.trace kvm.spike
says "hart 0: $(wc -l <kvm.spike) instructions are equal" out
says 'core   0: 3 0x0000000080000000 (' kvm.spike
grep -qE '^core   0: 1 0x[0-9a-f]{16} \(0x10200073\) c768_mstatus 0x[0-9a-f]{16} c1536_hstatus 0x[0-9a-f]{16}$' kvm.spike || fail "sret writes two registers"
expect 0 "$TRAPLINE" export arm.trace --tarmac -o arm.tarmac
expect 0 "$TRAPLINE" diff arm.trace arm.tarmac
says "compared: addresses, encoding, mode, general registers, system registers, loads, stores, traps" out
grep -qE '^[0-9]+ clk E [0-9a-f]{16} 00000088 CoreEvent_LOWER_64_SYNC$' arm.tarmac || fail "no exception from a lower level"
# A difference is found: in a register, in a store.
sed '500s/ x\([0-9]*\) *0x\(.*\)0$/ x\1 0x\21/' smp.spike >other.spike
cmp -s smp.spike other.spike && sed -i '0,/mem 0x\([0-9a-f]*\) 0x\([0-9a-f]*\)0$/s//mem 0x\1 0x\21/' other.spike
expect 1 "$TRAPLINE" diff smp.trace other.spike
says "then they differ in" out

# ---- traces beside each other: trap by trap
expect 0 "$TRAPLINE" record --golden -o kvm.gold -bios "$roms/sbi-head.elf" "$roms/kvm.elf" --inject 'ssip@cycle:70000'
expect 0 "$TRAPLINE" diff kvm.trace kvm.gold
expect 0 "$TRAPLINE" diff kvm.golden kvm.gold --json
expect 0 "$TRAPLINE" diff kvm.trace kvm.trace --instructions
expect 0 "$TRAPLINE" record -o p1.trace -bios "$roms/sbi-p1.elf" "$roms/kvm.elf"
expect 1 "$TRAPLINE" diff kvm.trace p1.trace
says "compared trap by trap" out
says "of the run differs:" out
# A changed operand: the trap that shows it, and the instruction it comes from (tests/replay/traces.sh has the same change).
cp "$roms/test-pages.elf" fw.elf
expect 0 "$TRAPLINE" record -o was.trace fw.elf
li=$(LC_ALL=C grep -obUaP '\x93\x07\x80\x0c' fw.elf | head -n 1 | cut -d: -f1)
printf '\x93\x07\x90\x0c' | dd of=fw.elf bs=1 seek="$li" conv=notrunc status=none
expect 0 "$TRAPLINE" record -o is.trace fw.elf
expect 1 "$TRAPLINE" diff was.trace is.trace
says "recorded is about to execute 0x0c800793" out
says "here     is about to execute 0x0c900793" out

# ---- bad input
says1() { grep -qF -- "$1" err && [ "$(wc -l <err)" -eq 1 ] || fail "not '$1': $(cat err)"; }
expect 2 "$TRAPLINE" export kvm.trace
says1 "name a form"
expect 2 "$TRAPLINE" export kvm.trace --html --csv
says1 "name one form, not --html and --csv"
expect 2 "$TRAPLINE" export arm.trace --spike -o no.out
says1 "--spike is a form of RISC-V; the trace is of A64"
[ ! -e no.out ] || fail "a file is left behind"
expect 2 "$TRAPLINE" export "$roms/kvm.elf" --html
says1 "it is no trapline trace"
expect 2 "$TRAPLINE" export kvm.trace --csv --cycles 5-3
says1 "the first one is behind the last"
expect 2 "$TRAPLINE" diff kvm.gold kvm.spike
says1 "a golden text is compared with another or with a trace"
cp "$roms/kvm.elf" fw.elf
expect 0 "$TRAPLINE" record -o bare.trace --embed 0 "$PWD/fw.elf" --max-cycles 10k
printf x >>fw.elf
expect 2 "$TRAPLINE" export bare.trace --csv
says1 "image digest differs: "
expect 2 "$TRAPLINE" diff bare.trace kvm.spike
says1 "image digest differs: "
head -c 20000 kvm.trace >torn.trace
expect 2 "$TRAPLINE" export torn.trace --csv
echo "runs are exported"
