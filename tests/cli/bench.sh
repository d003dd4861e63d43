# timeout: 600
# `trapline bench`: a few rounds of every benchmark, as JSON and as a table; runs that fail; mistakes.
. "$(dirname "$0")/../lib/env.sh"
cd "$scratch"

names='compute float ecall world svc hvc walk1 walk2 linux memory start fork written record traps replay insns follow'
rows=$(for arch in riscv arm; do
    for name in $names; do
        case $arch/$name in riscv/svc | riscv/hvc | arm/ecall | arm/world) ;; *) printf '%s/%s ' $arch "$name" ;; esac
    done
done)
timeout 400 "$TRAPLINE" bench --quick --json >out 2>err || fail "bench --quick --json ended with $?: $(cat err)"
[ ! -s err ] || fail "bench --quick --json says: $(cat err)"
! command -v python3 >/dev/null || python3 -m json.tool out >/dev/null || fail "not JSON: $(cat out)"
# One line a benchmark: arch/name trapline qemu ratio aim met failed
json=$(awk -F'": ' '/^      "/ {key = $1; gsub(/[ "]/, "", key); sub(/,$/, "", $2); gsub(/"/, "", $2); value[key] = $2}
    /^    }/ {print value["arch"] "/" value["name"], value["trapline"], value["qemu"], value["ratio"], value["aim"], value["met"], value["failed"]}' out)
[ "$(cut -d' ' -f1 <<<"$json" | tr '\n' ' ')" = "$rows" ] || fail "the JSON names other rows: $json"
grep -q '"quick": true' out && grep -q '"repeat": 1,' out || fail "the JSON does not tell how it was measured"
# Architectures with a QEMU.
qemu=$(awk '/^  "qemu": / {on = 1} on && /^    "/ && !/null/ {gsub(/[":]/, "", $1); printf " %s ", $1} on && /}/ {exit}' out)
while read -r name ours theirs ratio aim met failed; do
    [ "$failed" = false ] && [ "$met" = null ] || fail "$name: failed, or a verdict from a few rounds: $json"
    case "$qemu" in *" ${name%/*} "*) beside=1 ;; *) beside= ;; esac
    case $name in */linux | */fork | */written | */record | */traps | */replay | */insns | */follow) beside= ;; esac
    [ "${name#*/}" = linux ] || awk "BEGIN {exit !($ours > 0)}" || fail "$name has no figure"
    [ "${name#*/}" != linux ] || [ "$ours" = null ] || fail "linux was run by --quick"
    if [ -n "$beside" ]; then
        awk "BEGIN {d = $ratio - $ours / $theirs; exit !(d * d <= 1e-6 * $ratio * $ratio)}" || fail "$name: $ratio is not $ours / $theirs"
    else
        [ "$theirs $ratio" = "null null" ] || fail "$name has a figure of QEMU"
    fi
    [ "${name#*/}" = written ] && [ "$aim" = null ] || [ "$aim" != null ] || fail "$name has no aim"
done <<<"$json"

# The table, with no QEMU: one line a benchmark, in the order asked for by the program, at most 80 columns, no colour.
timeout 120 "$TRAPLINE" bench --quick --qemu none --only riscv/walk2 --only compute --only walk2 --repeat 2 >out || fail "the table"
[ "$(awk '$1 == "riscv" || $1 == "arm" {printf "%s/%s ", $1, $2}' out)" = "riscv/compute riscv/walk2 arm/compute arm/walk2 " ] ||
    fail "not compute and walk2: $(cat out)"
[ "$(grep -c '^No QEMU of .* was measured' out)" -eq 2 ] || fail "QEMU was measured: $(cat out)"
grep -q 'least of 2\.' out || fail "--repeat has no effect: $(cat out)"
! grep -qE '.{81}' out || fail "wider than 80 columns: $(cat out)"
! grep -q $'\033' out || fail "colour in a file"

"$TRAPLINE" bench --quick --qemu none --only arm/start --only riscv/start --only arm/exit >out 2>err && fail "arm/exit is a benchmark"
"$TRAPLINE" bench --quick --qemu none --only arm/start >out || fail "arm/start"
[ "$(awk '$1 == "riscv" || $1 == "arm" {printf "%s/%s ", $1, $2}' out)" = "arm/start " ] || fail "not arm/start alone: $(cat out)"

# Images that are not there are told, and are no failure.
TRAPLINE_CACHE=$scratch "$TRAPLINE" bench --qemu none --only linux >out || fail "missing images are a failure"
[ "$(grep -c '^[a-z]* *linux .*images missing: \./x images$' out)" -eq 2 ] || fail "missing images are not told: $(cat out)"

# A run that fails is status 1, a sentence, and a row that says so.
printf '#!/bin/sh\ncase $1 in --version) echo "QEMU emulator version 9.9" ;; *) echo no such cpu >&2; exit 3 ;; esac\n' >qemu
chmod +x qemu
status=0
"$TRAPLINE" bench --quick --qemu ./qemu --only ecall >out 2>err || status=$?
[ "$status" -eq 1 ] || fail "a QEMU that fails: status $status"
grep -q '^trapline: riscv/ecall: \./qemu ended with status 3: no such cpu$' err || fail "a QEMU that fails: $(cat err)"
grep -qE '^riscv ecall .* failed$' out || fail "a QEMU that fails: $(cat out)"
grep -q 'QEMU 9\.9' out || fail "the version is not told: $(cat out)"
# ARCH=PROGRAM is for that architecture alone.
"$TRAPLINE" bench --quick --qemu none --qemu arm=./qemu --only ecall >out 2>err || fail "another architecture's QEMU was run: $(cat err)"
grep -q '^QEMU of arm: \./qemu, version 9\.9\.$' out && grep -q '^No QEMU of riscv was' out || fail "arm=./qemu: $(cat out)"

# Nor is a QEMU that somebody ended a fast one.
printf '#!/bin/sh\ncase $1 in --version) echo "QEMU emulator version 9.9" ;; *) echo "qemu: terminating on signal 15" >&2 ;; esac\n' >qemu
status=0
"$TRAPLINE" bench --quick --qemu ./qemu --only ecall >out 2>err || status=$?
[ "$status" -eq 1 ] || fail "a QEMU that was ended: status $status"
grep -q '^trapline: riscv/ecall: \./qemu did not run to its end: terminating on signal 15$' err || fail "a QEMU that was ended: $(cat err)"

refuse()
{
    local want="trapline: $1" status=0
    shift
    "$TRAPLINE" bench "$@" >out 2>err || status=$?
    [ "$status" -eq 2 ] || fail "bench $* ended with $status: $(cat err)"
    [ "$(cat err)" = "$want" ] || fail "bench $* says: $(cat err)"
    [ ! -s out ] || fail "bench $* printed: $(cat out)"
}
refuse "--only 'frob': there is no such benchmark; there are $names, and riscv/ or arm/ and one of them" --only frob
refuse "--repeat 0: 1 to 1000 repetitions" --repeat 0
refuse "--repeat 1001: 1 to 1000 repetitions" --repeat 1001
refuse "--repeat 'often' is not a number; write 1000000, 0x10, 5e7 or 20M" --repeat often
refuse "'rom.elf': bench takes options only" rom.elf
refuse "--qemu: missing/qemu ended with status 127: No such file or directory" --qemu missing/qemu
printf '#!/bin/sh\n' >silent
chmod +x silent
refuse "--qemu: ./silent --version does not tell a version" --qemu ./silent
status=0
"$TRAPLINE" bench --frob >out 2>err || status=$?
[ "$status" -eq 2 ] && [ -s err ] && [ ! -s out ] || fail "--frob: status $status"
echo "all rows"
