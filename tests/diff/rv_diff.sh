# Random code of every mode on trapline and on QEMU: registers, CSRs and memory are the same at every trap. docs/differences.md.
#   timeout: 43200
#   sanitized: yes
# TRAPLINE_SEED and TRAPLINE_DIFF_COUNT (instructions) choose another run; TRAPLINE_SOAK runs 1e9 (hence the
# time limit; a run of 2e6 takes about a minute, and notices by itself when a case does not come back).
. "$(dirname "$0")/../lib/env.sh"
need qemu-system-riscv64 qemu-system-misc
need qemu-system-riscv32 qemu-system-misc

count=2000000
[ -z "${TRAPLINE_SOAK:-}" ] || count=1000000000
"$TRAPLINE_BUILD/tests/diff/tool_rv_diff" --seed="${TRAPLINE_SEED:-1}" --count="${TRAPLINE_DIFF_COUNT:-$count}" ||
    fail "trapline and QEMU differ; the lines above say how to run a case again"
