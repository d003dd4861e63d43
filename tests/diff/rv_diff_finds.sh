# The differential test can fail: with one instruction spoilt on trapline's side it ends with 1 and names that instruction.
# <row>,<n>: only in a case that runs behind n others; then it tells those, and does not count it.
#   timeout: 300
. "$(dirname "$0")/../lib/env.sh"
need qemu-system-riscv64 qemu-system-misc
need qemu-system-riscv32 qemu-system-misc

for row in xor amoadd_w csrrw; do
    status=0
    TRAPLINE_DIFF_BREAK=$row "$TRAPLINE_BUILD/tests/diff/tool_rv_diff" --count=40000 --reports=1 >"$scratch/$row" || status=$?
    [ $status -eq 1 ] || fail "with $row spoilt it ends with $status"
    grep -q "^  *[0-9]* [0-9a-f]*  [0-9a-f]*  $row\$" "$scratch/$row" || fail "with $row spoilt it says: $(cat "$scratch/$row")"
done

# In the last cases of a batch alone.
TRAPLINE_DIFF_BREAK=fadd_d,245 "$TRAPLINE_BUILD/tests/diff/tool_rv_diff" --xlen=64 --count=20000 >"$scratch/behind"
grep -Eq "^rv64 case [0-9]+:[0-9]+ differs, not alone, but behind cases" "$scratch/behind" || fail "it says: $(cat "$scratch/behind")"
grep -q "not counted" "$scratch/behind" || fail "it counts what takes other cases: $(cat "$scratch/behind")"
