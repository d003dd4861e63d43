# Random A64 code of every level on trapline and on QEMU: registers, system registers and memory are the same at every exception.
# docs/differences.md.
#   timeout: 43200
#   sanitized: yes
# TRAPLINE_SEED and TRAPLINE_DIFF_COUNT (instructions) choose another run; TRAPLINE_SOAK runs 1e9 (hence the
# time limit; a run of 1e6 takes about a minute, and notices by itself when a case does not come back).
. "$(dirname "$0")/../lib/env.sh"
need qemu-system-aarch64 qemu-system-arm

count=1000000
[ -z "${TRAPLINE_SOAK:-}" ] || count=1000000000
"$TRAPLINE_BUILD/tests/diff/tool_a64_diff" --seed="${TRAPLINE_SEED:-1}" --count="${TRAPLINE_DIFF_COUNT:-$count}" ||
    fail "trapline and QEMU differ; the lines above say how to run a case again"
