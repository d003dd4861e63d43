# The differential test of A64 can fail: with one instruction spoilt on trapline's side it ends with 1 and names that instruction.
# <row>,<n>: only in a case that runs behind n others; then it tells those, too.
#   timeout: 300
. "$(dirname "$0")/../lib/env.sh"
need qemu-system-aarch64 qemu-system-arm

for row in eor_x_lsl fadd_s,5 aese ldadd_x msr; do
    status=0
    TRAPLINE_DIFF_BREAK=$row "$TRAPLINE_BUILD/tests/diff/tool_a64_diff" --count=120000 --reports=1 >"$scratch/$row" || status=$?
    [ $status -eq 1 ] || fail "with $row spoilt it ends with $status"
    grep -q "^  *[0-9]* [0-9a-f]*  [0-9a-f]*  ${row%,*}\$" "$scratch/$row" || fail "with $row spoilt it says: $(cat "$scratch/$row")"
    [ "$row" = "${row%,*}" ] || grep -Eq "^([a-z0-9]+ )?case [0-9]+:[0-9]+ differs, not alone, but behind cases" "$scratch/$row" ||
        fail "with $row spoilt it says: $(cat "$scratch/$row")"
done
