# The recorded runs of the repository (tests/replay/golden): golden traces, and a binary one with its image inside that another build,
# with another engine, has recorded. A wanted change of a rom records them again: `trapline record --golden -o` and the command of the
# file's second line.
. "$(dirname "$0")/../lib/env.sh"
cd "$TRAPLINE_SOURCE"
"$TRAPLINE" replay tests/replay/golden --junit "$scratch/golden.xml" >"$scratch/out" 2>&1 || { cat "$scratch/out" >&2; fail "a trace differs"; }
[ "$(grep -c '<testcase' "$scratch/golden.xml")" -eq "$(ls tests/replay/golden | wc -l)" ] || fail "not every trace has its test case"
