#!/usr/bin/env bash
# fuzz.sh PROGRAM CORPUS SECONDS: runs a libFuzzer target for SECONDS, or TRAPLINE_FUZZ_SECONDS. What it finds to be new is kept in the
# build folder and seeds the next run; an input that fails is kept there too, and its name is printed. TRAPLINE_SEED (1) is where it
# starts from.
set -u
program=$1 corpus=$2 seconds=$3
found=$(dirname "$program")/found_$(basename "$program")
mkdir -p "$found/inputs" "$found/failures"
[ -d "$corpus" ] || corpus=
# Memory, time and size limits are part of the promise that no input hangs or exhausts the program.
"$program" -max_total_time="${TRAPLINE_FUZZ_SECONDS:-$seconds}" -seed="${TRAPLINE_SEED:-1}" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="$found/failures/" "$found/inputs" ${corpus:+"$corpus"} 2>&1 | tail -n 60
exit "${PIPESTATUS[0]}"
