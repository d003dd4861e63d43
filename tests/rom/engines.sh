# Tail-call and call-loop engine, gcc and clang: every rom comes to the same digest at the same cycles as in the release build.
# In the release build itself, the plain build is compared with, if it is there. TRAPLINE_RELEASE names another program.
# timeout: 600
. "$(dirname "$0")/../lib/env.sh"
other=${TRAPLINE_RELEASE:-$TRAPLINE_SOURCE/build/release/trapline}
[ "$TRAPLINE" != "$other" ] || other=$TRAPLINE_SOURCE/build/plain/trapline
[ -x "$other" ] || skip "there is no $other to compare with"
newer=$(find "$TRAPLINE_SOURCE/src" -name '*.[ch]' -newer "$other" -o -name '*.inc' -newer "$other" -o -name '*.def' -newer "$other" | head -n 1)
[ -z "$newer" ] || skip "$other is older than $newer"
compared=0
for image in "$TRAPLINE_SOURCE"/roms/*.elf; do
    machine=(-cpu rv64)
    case $image in *rv32*) machine=(-cpu rv32) ;; *a64*) machine=(-machine "virt-arm,virtualization=on") ;; esac
    case $image in */journey-a64* | */monitor-a64*) machine=(-machine "virt-arm,virtualization=on,secure=on") ;; esac
    for harts in 1 3; do
        for cycles in 1000 123457 2000003; do
            for program in "$TRAPLINE" "$other"; do
                status=0
                "$program" run "${machine[@]}" -smp $harts --max-cycles $cycles --digest "$image" >"$scratch/out" 2>&1 || status=$?
                printf 'status %s\n' "$status" >>"$scratch/out"
                mv "$scratch/out" "$scratch/$([ "$program" = "$other" ] && echo other || echo this)"
            done
            cmp -s "$scratch/this" "$scratch/other" ||
                fail "$image, $harts harts, $cycles cycles: $(diff "$scratch/this" "$scratch/other" | head -n 6)"
            compared=$((compared + 1))
        done
    done
done
grep -q '[0-9a-f]\{16\}' "$scratch/this" || fail "no digest in: $(cat "$scratch/this")"
echo "$compared runs alike with $other"
