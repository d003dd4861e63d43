# trapline sweep: the table, JSON and JUnit, one case's story and the line that repeats it, shards and their files, and what it says
# of bad input: one sentence, status 2, nothing half-written.
# timeout: 300
. "$(dirname "$0")/../lib/env.sh"
need python3 python3
rom=$TRAPLINE_SOURCE/roms/test-sweep.elf
cd "$scratch"
cp "$rom" guest.elf

# sweep STATUS ARGUMENT...
sweep()
{
    local want=$1 status=0
    shift
    "$TRAPLINE" sweep "$@" >out 2>err </dev/null || status=$?
    [ "$status" -eq "$want" ] || fail "trapline sweep $* ended with $status and not $want: $(cat err)"
}
# field FILE EXPRESSION: of a JSON file.
field() { python3 -c 'import json,sys; d=json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$1" "$2"; }

# ---- every column is explained
sweep 0 --help
sed -n '/^Columns/,/^$/p' out >columns
sweep 0 guest.elf --event msip
for column in $(grep '^event ' out); do
    [ "$column" = event ] || grep -qE "^  $column +[a-z]" columns || fail "--help does not explain $column: $(cat columns)"
    [ "$column" = event ] || grep -q "^| .$column. |" "$TRAPLINE_SOURCE/docs/sweep.md" || fail "docs/sweep.md does not explain $column"
done

# ---- results
sweep 0 guest.elf --event msip --event meip --event ssip
grep -qE '^meip +73 +73 +0 +0 +0 +0 +0 +0 +73$' out || fail "the table: $(cat out)"
grep -qx 'handlers: handler_text_start..handler_text_end' out && grep -qx 'memory that may change: scratch_start..scratch_end' out ||
    fail "ranges are not told: $(head -n 4 out)"
grep -qE '^219 cases in .* on [0-9]+ cores: [0-9]+ a second on each, [0-9]+ a second of processor time$' err || fail "nothing about the speed: $(cat err)"
sweep 1 guest.elf --event meip --handler 1,4,8 --json all.json --junit all.xml
grep -qE '^meip +1 +73 +72 +0 +1 ' out && grep -qE '^all +219 +210 +0 +8 +0 +0 +1 ' out || fail "the table: $(cat out)"
grep -qE '^meip, 1: boundary [0-9]+ at 0x[0-9a-f]+ victim \(HS\)$' out && grep -qE '^    t3 0x[0-9a-f]+ -> 0x0$' out ||
    fail "the failing case: $(cat out)"
[ "$(field all.json 'len(d["failing"]), [c["violation"] for c in d["combinations"]]')" = "(9, [1, 0, 7])" ] || fail "all.json: $(cat all.json)"
[ "$(field all.json 'd["failing"][0]["differences"][0]["name"], d["failing"][0]["where"], d["failing"][1]["verdict"]')" = "('t3', 'victim', 'ended')" ] ||
    fail "all.json: $(cat all.json)"
[ "$(field all.json 'len(d["failing"][2]["differences"]) > 1')" = True ] || fail "JSON does not tell all differences"
python3 -c 'import sys, xml.etree.ElementTree as t
r = t.parse(sys.argv[1]).getroot()
s = [(x.get("name"), x.get("tests"), x.get("failures"), len(x.findall("testcase/failure"))) for x in r.findall("testsuite")]
assert s == [("meip, 1", "2", "1", 1), ("meip, 4", "2", "1", 1), ("meip, 8", "8", "7", 7)], s' all.xml || fail "all.xml: $(cat all.xml)"
# The table fits a terminal of 80 columns, with and without variants.
width() { awk '/^(event|meip|all)/ && !/boundary/ && length > w { w = length } END { print w + 0 }' out; }
[ "$(width)" -gt 70 ] && [ "$(width)" -le 80 ] || fail "the table is $(width) wide: $(cat out)"
# The line under a failing case does it alone, and tells each trap and each difference.
line=$(grep -m1 -- '--only' out)
status=0
eval "\"\$TRAPLINE\" ${line#*trapline}" >one || status=$?
[ "$status" -eq 1 ] && grep -qE '^meip, 1: boundary [0-9]+ at .* victim \(HS\): violation$' one && grep -qE '^  t3 +was 0x[0-9a-f]{16}  is 0x0{16}$' one &&
    [ "$(grep -c '^cycle ' one)" -eq 6 ] || fail "one case: status $status, $(cat one)"
line=$(field all.json 'd["failing"][8]["command"]')
status=0
eval "\"\$TRAPLINE\" ${line#trapline}" >one || status=$?
[ "$status" -eq 1 ] && grep -q sscratch one || fail "the command in JSON: $line: status $status, $(cat one)"
sweep 0 guest.elf --event meip --only 0
sweep 1 guest.elf --event meip --nest meip --only 3.60
grep -q 'meip: boundary 3.60' out || fail "a case of the second order: $(cat out)"
# --list limits what is shown, not what is found; --set is --handler for any variable; widths are those of the symbol.
sweep 1 guest.elf --event meip --set handler_select=8 --list 2
[ "$(grep -c -- --only out)" -eq 2 ] && grep -qx '5 more cases fail (--list 7 shows all)' out || fail "--list 2: $(cat out)"
sweep 0 guest.elf --event meip --set handler_select=8 --set handler_select=0 --to victim
grep -qE '^meip +handler_select=8 +' out || fail "variants of --set: $(cat out)"
# Memory that may not change, and that may.
sweep 1 guest.elf --event msip --handler 3
sweep 0 guest.elf --event msip --handler 3 --ignore kernel_data..kernel_data+64
# Without knowing the handler, the first return is taken for the end.
sweep 1 guest.elf --event meip --handlers kernel_text_start..kernel_text_start+4
# A saved machine is swept as the one that saved it.
"$TRAPLINE" run guest.elf --max-cycles 20 --save saved
sweep 1 guest.elf --event meip --handler 8 --json a.json
sweep 1 guest.elf --event meip --handler 8 --load saved --json b.json
[ "$(field a.json 'd["state"]')" = "$(field b.json 'd["state"]')" ] || fail "a saved machine is another"
# A window of a later round, and in cycles.
sweep 0 guest.elf --event meip --from 'window_start#2' --to window_end
grep -q 'window window_start#2 .. window_end of hart 0: 73 boundaries' out || fail "the second round: $(head -n 1 out)"
sweep 0 guest.elf --event meip --from cycle:50 --to cycle:60
grep -q ': 10 boundaries, cycles 50 to 59' out || fail "a window in cycles: $(head -n 1 out)"
sweep 0 guest.elf --event meip --from window_start --to 'window_start#2'

# A case as a trace, with all that it needs in it: the one of --only, of either order, or the first that fails.
sweep 0 guest.elf --event meip --handler 8 --only 40 --record case.trace
sweep 1 guest.elf --event meip --nest meip --only 3.60 --record second.trace
sweep 1 guest.elf --event meip --event msip --handler 0,1 --jobs 2 --record first.trace
mkdir elsewhere
mv case.trace second.trace first.trace elsewhere
(cd elsewhere && "$TRAPLINE" replay case.trace second.trace first.trace >../out) || fail "recorded cases do not replay: $(cat out)"
grep -qE '^case.trace +same .*, [1-9][0-9]* traps' out && [ "$(grep -c ' same ' out)" -eq 3 ] || fail "recorded cases: $(cat out)"
[ "$(find . -name '*trace.*')" = "" ] || fail "a state is left behind: $(ls)"
sweep 0 guest.elf --event meip --record none.trace
[ ! -e none.trace ] || fail "a trace although no case fails"

# ---- the same results whatever the number of processes and shards
args=(guest.elf --event meip --event ssip --handler 0,8 --nest msip)
sweep 1 "${args[@]}" --jobs 1 --json one.json --junit one.xml
cp out one.txt
sweep 1 "${args[@]}" --jobs 7 --json seven.json --junit seven.xml
cmp -s one.json seven.json && cmp -s one.xml seven.xml && cmp -s one.txt out || fail "7 processes find something else"
for n in 1 3 10; do
    for ((i = 1; i <= n; i++)); do
        sweep 0 "${args[@]}" --jobs 2 --shard "$i/$n" --out "part.$n.$i"
        [ ! -s out ] || fail "a shard prints results: $(cat out)"
    done
    sweep 1 --merge part."$n".* --json merged.json --junit merged.xml
    cmp -s one.json merged.json && cmp -s one.xml merged.xml && cmp -s one.txt out || fail "$n shards find something else"
done

# ---- bad input
# refuse SENTENCE ARGUMENT...
refused=0
refuse()
{
    local want="trapline: $1" status=0
    shift
    rm -f out err result
    "$TRAPLINE" sweep "$@" >out 2>err </dev/null || status=$?
    [ "$status" -eq 2 ] || fail "trapline sweep $* ended with $status: $(cat err)"
    [ "$(cat err)" = "$want" ] || fail "trapline sweep $*
says:    $(cat err)
and not: $want"
    [ ! -s out ] || fail "trapline sweep $* printed: $(head -c 200 out)"
    [ -z "$(find . -name '*.part' -o -name result)" ] || fail "trapline sweep $* left something behind"
    refused=$((refused + 1))
}
refuse "nothing to inject: name an event with --event; \`trapline sweep --help\` lists them" guest.elf
refuse "--event: there is no event 'lcof'; \`trapline sweep --help\` lists them" guest.elf --event lcof
refuse "--nest: there is no event 'x'; \`trapline sweep --help\` lists them" guest.elf --event meip --nest x
refuse "event 'rnmi': the cpu has no resumable NMI (smrnmi=off)" guest.elf --event rnmi
refuse "event 'meip,hart=3': the machine has no hart 3" guest.elf --event meip,hart=3
refuse "event 'sse:1': the machine has no hart 1 (see -smp)" guest.elf --event sse:1
refuse "--event: event 'sse:0x1234': SBI v3.0 reserves that id: there is no such event (see \`trapline doc sbi:sse\`)" guest.elf --event sse:0x1234
refuse "event 'sse:0x5000': the firmware has no such event: sbi_sse_inject returns SBI_ERR_INVALID_PARAM" \
    -bios "$TRAPLINE_SOURCE/roms/sbi-head.elf" -kernel "$TRAPLINE_SOURCE/roms/kvm.elf" -smp 2 --event sse:0x5000
refuse "event 'sse:0x4abc': the firmware has no such event: sbi_sse_inject returns SBI_ERR_INVALID_PARAM" \
    -bios "$TRAPLINE_SOURCE/roms/sbi-head.elf" -kernel "$TRAPLINE_SOURCE/roms/kvm.elf" -smp 2 --event meip --nest sse:0x4abc
refuse "the machine has no hart 2 (see -smp)" guest.elf --event meip,hart=0 --hart 2
refuse "'nowhere': the images have no symbol 'nowhere'" guest.elf --event meip --from nowhere
refuse "'nowhere': the images have no symbol 'nowhere'" guest.elf --event meip --to nowhere
refuse "--from: 'window_start#': the # is followed by how manieth time it is, from 1" guest.elf --event meip --from 'window_start#'
refuse "say what the window is with --from and --to: the images have no symbols window_start and window_end" \
    "$TRAPLINE_SOURCE/roms/test-wakeups.elf" --event meip
refuse "the window from victim to victim is empty: hart 0 is there already (victim#2 would be the next time)" \
    guest.elf --event meip --from victim --to victim
refuse "the window from cycle:1000 does not end: hart 0 has not reached _start within 1000 cycles (see --window)" \
    "$TRAPLINE_SOURCE/roms/bench-compute.elf" --event meip --from cycle:1000 --to _start --window 1000
refuse "the window from window_start does not reach _start: the guest ended the run at cycle 277" guest.elf --event meip --to _start
refuse "the window from window_start does not end: hart 0 has not reached window_end within 20 cycles (see --window)" guest.elf --event meip --window 20
refuse "hart 0 does not reach handler_entry: the guest ended the run at cycle 277" guest.elf --event meip --from handler_entry
refuse "hart 0 has not reached window_start within 40 cycles (see --reach)" guest.elf --event meip --reach 40
refuse "--handler: there is no handler 'hk9'" guest.elf --event meip --handler hk9
refuse "--handler: the images have no symbol 'handler_select'" "$TRAPLINE_SOURCE/roms/test-wakeups.elf" --event meip --from _start --to test_main --handler hk0
refuse "--set: the images have no symbol 'nothing'" guest.elf --event meip --set nothing=1
refuse "--set: 'x' is not a number" guest.elf --event meip --set handler_select=x
refuse "handler_select: write SYMBOL=VALUE" guest.elf --event meip --set handler_select
refuse "--ignore 'kernel_data': write START..END" guest.elf --event meip --ignore kernel_data
refuse "--ignore: 'nothing': the images have no symbol 'nothing'" guest.elf --event meip --ignore nothing..kernel_data
refuse "--ignore 'scratch_end..scratch_start': the end is not behind the start" guest.elf --event meip --ignore scratch_end..scratch_start
refuse "--rule 'strict': the rules are transparent and sbi" guest.elf --event meip --rule strict
refuse "--only 73: the window has no boundary 73: it has 73, from 0" guest.elf --event meip --only 73
refuse "--only 'x': write the number of a boundary" guest.elf --event meip --only x
refuse "--only 3: give one --event, and one value for each --handler and --set" guest.elf --event meip --event msip --only 3
refuse "--shard '0/4': write I/N, with I from 1 to N" guest.elf --event meip --shard 0/4 --out result
refuse "--shard '5/4': write I/N, with I from 1 to N" guest.elf --event meip --shard 5/4 --out result
refuse "--shard '1/0': write I/N, with I from 1 to N" guest.elf --event meip --shard 1/0 --out result
refuse "--shard 'x': write I/N, with I from 1 to N" guest.elf --event meip --shard x --out result
refuse "--shard needs --out PART, the file for its cases" guest.elf --event meip --shard 1/4
refuse "--out and --record exclude each other: record a case with --only" guest.elf --event meip --shard 1/4 --out result --record result
refuse "--record: the name of the file is empty" guest.elf --event meip --record ''
refuse "--jobs 0: nobody would work" guest.elf --event meip --jobs 0
refuse "one image is swept at a time: 'guest.elf' and 'other.elf' were given" guest.elf other.elf --event meip
refuse "missing.elf: No such file or directory" missing.elf --event meip
refuse "-netdev: a sweep has no use for it" guest.elf -netdev user --event meip

# Parts: torn, foreign, changed, twice, missing, of another number.
refuse "--merge: name the part files" --merge
refuse "missing: No such file or directory" --merge missing
refuse "guest.elf: it is no part of a sweep" --merge guest.elf
head -c 1000 part.3.2 >torn
refuse "torn: it is damaged or cut short: its checksum is wrong" --merge part.3.1 torn part.3.3
head -c 10 part.3.2 >torn
refuse "torn: it is cut short" --merge torn
python3 -c 'import sys; b=bytearray(open("part.3.2","rb").read()); b[len(b)//2]^=1; open("changed","wb").write(b)'
refuse "changed: it is damaged or cut short: its checksum is wrong" --merge part.3.1 changed part.3.3
refuse "part.3.1 and part.3.1 are both shard 1 of 3" --merge part.3.1 part.3.1 part.3.2 part.3.3
refuse "shard 2 of 3 is missing" --merge part.3.3 part.3.1
refuse "part.10.2 is shard 2 of 10, part.3.1 is of 3" --merge part.3.1 part.10.2
sweep 0 guest.elf --event meip --nest ssip --shard 2/3 --out foreign
refuse "foreign is of another sweep than part.3.1: nest is 'ssip' there and 'msip' here" --merge part.3.1 foreign part.3.3
sweep 0 "${args[@]}" --seed 5 --shard 2/3 --out foreign
"$TRAPLINE" sweep --merge part.3.1 foreign part.3.3 >out 2>err && fail "parts of different machines join"
grep -qE '^trapline: foreign is of another sweep than part.3.1: state is .[0-9a-f]{16}. there and .[0-9a-f]{16}. here$' err || fail "another machine: $(cat err)"
# Files that cannot be written are told before the work, which is for them; the others are not touched.
for option in --json --junit --record "--shard 1/3 --out"; do
    # shellcheck disable=SC2086
    refuse "/nowhere/result: cannot write: No such file or directory" guest.elf --event meip $option /nowhere/result
done
mkdir folder
refuse "folder: cannot write: Is a directory" guest.elf --event meip --json result --junit folder
refuse "/nowhere/result: cannot write: No such file or directory" --merge part.3.1 part.3.2 part.3.3 --json result --junit /nowhere/result
# Standard output takes text; the table makes room for it.
sweep 0 guest.elf --event meip --json plain.json
sweep 0 guest.elf --event meip --json - --junit plain.xml
cmp -s out plain.json && grep -q '^meip ' err && [ ! -e - ] || fail "JSON on standard output: $(cat out err)"
sweep 1 --merge part.3.1 part.3.2 part.3.3 --junit -
cmp -s out one.xml || fail "JUnit on standard output: $(cat out)"
refuse "--json and --junit cannot both be standard output" guest.elf --event meip --json - --junit -
refuse "--out -: what is written there is binary: name a file (./- is one called -)" guest.elf --event meip --out -
refuse "--record -: what is written there is binary: name a file (./- is one called -)" guest.elf --event meip --record -
# A pipe is not opened before there is something for its reader.
mkfifo pipe
cat pipe >piped &
reader=$!
sweep 0 guest.elf --event meip --json pipe
wait "$reader"
[ "$(field piped 'd["combinations"][0]["pass"]')" = 73 ] || fail "results into a pipe: $(cat piped)"
echo "sweeps: $refused refusals"
