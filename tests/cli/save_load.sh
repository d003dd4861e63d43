# --save and --load: a run in two parts ends where the run in one does; damaged files are refused; a save is complete or not there.
. "$(dirname "$0")/../lib/env.sh"
tool=$TRAPLINE_BUILD/tests/cli/tool_image
cd "$scratch"
"$tool" hammer hammer.elf
"$tool" echo echo.elf
"$tool" spin spin.elf

digest() { "$TRAPLINE" run "$@" --digest 2>&1 >/dev/null </dev/null | awk '/^digest/'; }
for smp in 1 3; do
    whole=$(digest hammer.elf -smp $smp --max-cycles 2000000)
    "$TRAPLINE" run hammer.elf -smp $smp --max-cycles 777777 --save state || fail "--save"
    [ "$(digest hammer.elf -smp $smp --load state --max-cycles 2000000)" = "$whole" ] || fail "a run in two parts differs (-smp $smp)"
done
# Characters the guest has not read yet are part of the state.
"$TRAPLINE" run echo.elf --max-cycles 1000000 --save typed >/dev/null </dev/null
[ "$("$TRAPLINE" run echo.elf --load typed --input 'abq' </dev/null)" = abq ] || fail "a loaded console"
[ "$(ls | grep -c -E '^(state|typed)')" -eq 2 ] || fail "something beside the saved files was left: $(ls)"

refuse()
{
    local status=0
    "$TRAPLINE" run "$@" >out 2>err </dev/null || status=$?
    [ "$status" -eq 2 ] || fail "run $*: status $status"
    [ "$(wc -l <err)" -eq 1 ] && grep -q "^trapline: " err || fail "run $* says: $(cat err)"
}
size=$(stat -c %s state)
for n in 0 1 7 64 $((size / 2)) $((size - 1)); do
    head -c "$n" state >cut
    refuse hammer.elf -smp 3 --load cut --max-cycles 2000000
    grep -q '^trapline: cut' err || fail "a state cut to $n bytes: $(cat err)"
done
for at in 0 8 40 $((size / 2)) $((size - 2)); do
    cp state flipped
    byte=$(od -An -t u1 -j "$at" -N 1 state | tr -d ' ')
    printf "\\$(printf %o $((byte ^ 255)))" | dd of=flipped bs=1 seek="$at" conv=notrunc status=none
    refuse hammer.elf -smp 3 --load flipped --max-cycles 2000000
    grep -q '^trapline: flipped' err || fail "a state with byte $at changed: $(cat err)"
done
refuse hammer.elf -smp 2 --load state
refuse hammer.elf -smp 3 -m 64 --load state
refuse hammer.elf -smp 3 --load hammer.elf
# Another cpu or image is told in words: of them the file has digests only.
refuse hammer.elf -smp 3 -cpu rv64,sstc=off --load state
grep -q "its cpu is 'rv64', too, but not with the same extensions or choices; give the -cpu" err || fail "another cpu: $(cat err)"
arm=(-machine virt-arm,secure=on,virtualization=on "$TRAPLINE_SOURCE/roms/journey-a64.elf")
"$TRAPLINE" run "${arm[@]}" --max-cycles 1000 --save arm.state >out 2>&1 || true
refuse "${arm[@]}" -cpu cortex-a76 --load arm.state
grep -q "its cpu is 'max', and 'cortex-a76' here; give the -cpu" err || fail "another core: $(cat err)"
refuse "$TRAPLINE_SOURCE/roms/test-pages.elf" -smp 3 --load state
grep -q 'its images are not these; give the files' err || fail "another image: $(cat err)"
# A save that fails leaves the file that was there before.
if [ -w /dev/full ]; then
    cp state kept
    (ulimit -f 1; trap '' XFSZ; "$TRAPLINE" run hammer.elf -smp 3 --max-cycles 1000 --save kept 2>err) && fail "a save on a full disk succeeded"
    grep -q '^trapline: kept' err || fail "a save on a full disk says: $(cat err)"
    cmp -s state kept || fail "a failed save damaged the file"
    [ "$(ls | grep -c '^kept')" -eq 1 ] || fail "a failed save left: $(ls)"
fi
echo "saved and loaded"
