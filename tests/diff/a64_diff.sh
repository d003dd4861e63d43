# Random A64 code of every level on trapline and on QEMU: registers, system registers and memory are the same at every exception.
# docs/differences.md. Every row of the instructions, of the system registers and of the system instructions that both have takes
# part: tool_a64_diff --coverage prints how often.
#   timeout: 43200
#   sanitized: yes
# TRAPLINE_SEED and TRAPLINE_DIFF_COUNT (instructions) choose another run; TRAPLINE_SOAK runs 1e9 (hence the
# time limit; a run of 1e6 takes about a minute, and notices by itself when a case does not come back).
. "$(dirname "$0")/../lib/env.sh"
need qemu-system-aarch64 qemu-system-arm

count=1000000 coverage=--coverage
[ "$TRAPLINE_SLOW" = 1 ] || coverage= # counted once, in the release build
[ -z "${TRAPLINE_SOAK:-}" ] || { count=1000000000 coverage=; }
status=0
"$TRAPLINE_BUILD/tests/diff/tool_a64_diff" --seed="${TRAPLINE_SEED:-1}" --count="${TRAPLINE_DIFF_COUNT:-$count}" $coverage \
    >"$scratch/out" || status=$?
grep -v '^[a-z0-9_]*  *[0-9]*  *[0-9]*\( .*[a-z0-9]\)*$' "$scratch/out" || true # the rows that are covered
[ $status -eq 0 ] || fail "trapline and QEMU differ, or a row of the tables is not covered; the lines above say which"
