# docs/gen/ is what `trapline doc --markdown` prints. To bring it up to date after a change of a table: TRAPLINE_WRITE=1 bash <this>.
. "$(dirname "$0")/../lib/env.sh"
for what in registers registers-arm instructions instructions-arm sbi causes; do
    page=$TRAPLINE_SOURCE/docs/gen/$what.md
    "$TRAPLINE" doc --markdown "$what" >"$scratch/page"
    [ "$(grep -c '^| ' "$scratch/page")" -gt 150 ] || fail "the reference of $what has $(grep -c '^| ' "$scratch/page") rows"
    if [ -n "${TRAPLINE_WRITE:-}" ]; then
        mkdir -p "$TRAPLINE_SOURCE/docs/gen"
        cp "$scratch/page" "$page"
    fi
    diff "$page" "$scratch/page" >"$scratch/diff" || fail "$page is not current, see the head of $0: $(head -n 5 "$scratch/diff")"
done
# Each page of the rows that people look for is there.
grep -q '^## hstatus$' "$TRAPLINE_SOURCE/docs/gen/registers.md" && grep -q '^| `amocas_q` ' "$TRAPLINE_SOURCE/docs/gen/instructions.md" ||
    fail "hstatus or amocas.q is missing"
grep -q '^### hcr_el2$' "$TRAPLINE_SOURCE/docs/gen/registers-arm.md" && grep -q '^| tlbi_alle2is | s1_4_c8_c3_0 ' \
    "$TRAPLINE_SOURCE/docs/gen/registers-arm.md" || fail "hcr_el2 or TLBI ALLE2IS is missing"
grep -q '^| `ldap1` ' "$TRAPLINE_SOURCE/docs/gen/instructions-arm.md" && [ "$(grep -c '^| `' "$TRAPLINE_SOURCE/docs/gen/instructions-arm.md")" -gt 2000 ] ||
    fail "LDAP1 or most of A64 is missing"
grep -q '^| 0x535345/7 | `sse_inject(sse_event event_id, hart hart_id)` | ' "$TRAPLINE_SOURCE/docs/gen/sbi.md" || fail "sse_inject is missing"
grep -q '^| 13 | load page fault | address of the part that failed | ' "$TRAPLINE_SOURCE/docs/gen/causes.md" && grep -q '^### 0x18: ' \
    "$TRAPLINE_SOURCE/docs/gen/causes.md" || fail "the load page fault or class 0x18 is missing"
status=0
"$TRAPLINE" doc --markdown everything >"$scratch/out" 2>"$scratch/err" || status=$?
[ "$status" -eq 2 ] && grep -q everything "$scratch/err" || fail "an unknown reference: status $status, $(cat "$scratch/err")"
echo "references are current"
