# The recorded runs of the repository (tests/replay/golden): golden traces, and a binary one with its image inside that another build,
# with another engine, has recorded. After a wanted change of a rom, TRAPLINE_WRITE=1 records the golden ones again; review the diff.
. "$(dirname "$0")/../lib/env.sh"
cd "$TRAPLINE_SOURCE"
folder=tests/replay/golden
if [ -n "${TRAPLINE_WRITE:-}" ]; then
    for golden in "$folder"/*.golden; do
        words=$(sed -n 's/^command //p' "$golden")
        eval "\"$TRAPLINE\" record --golden -o $golden $words" >/dev/null </dev/null || true
    done
fi
"$TRAPLINE" replay $folder --junit "$scratch/golden.xml" >"$scratch/out" 2>&1 || { cat "$scratch/out" >&2; fail "a trace differs"; }
[ "$(grep -c '<testcase' "$scratch/golden.xml")" -eq "$(ls $folder | wc -l)" ] || fail "not every trace has its test case"
