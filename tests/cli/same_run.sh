# Looking changes nothing: a run recorded, traced, explained, monitored, stepped or debugged, forwards and back, comes to the digest
# of the plain run. Every such option, both architectures, with one hart and several; in every build, so with both engines.
# timeout: 200
. "$(dirname "$0")/../lib/env.sh"
roms=$TRAPLINE_SOURCE/roms
cd "$scratch"
gdb=$(command -v gdb-multiarch || true)
looked=0

# same HOW COMMAND...: the digest that is in its output is `want`.
same()
{
    local how=$1 got
    shift
    "$@" >out 2>&1 </dev/null || true
    got=$(grep -oE "\b[0-9a-f]{16}\b at cycle $cycles\b|digest [0-9a-f]{16} cycles $cycles\b|\"digest\": \"[0-9a-f]{16}\"" out | grep -oE '\b[0-9a-f]{16}\b' | tail -n 1 || true)
    [ -n "$got" ] || fail "$how: no digest at cycle $cycles: $(tail -n 5 out)"
    [ "$got" = "$want" ] || fail "$how: digest $got, the plain run's is $want: $*"
    looked=$((looked + 1))
}

# all CYCLES OPTION...
all()
{
    cycles=$1
    shift
    "$TRAPLINE" run "$@" --max-cycles "$cycles" --digest >out 2>&1 </dev/null || true
    want=$(grep -oE "digest [0-9a-f]{16} cycles $cycles\b" out | cut -d' ' -f2 || true)
    [ -n "$want" ] || fail "no digest at cycle $cycles of $*: $(tail -n 5 out)"
    local to=(--max-cycles "$cycles" --digest) how
    for how in "" --no-traps "--digest-every 7777" "--instructions --embed 0"; do
        # shellcheck disable=SC2086
        same "record $how" "$TRAPLINE" record -o t.trace $how "$@" "${to[@]}"
        "$TRAPLINE" replay t.trace >out 2>&1 || fail "record $how does not replay: $(cat out)"
    done
    same "record --golden" "$TRAPLINE" record --golden -o t.golden "$@" "${to[@]}"
    same "run --trace" "$TRAPLINE" run "$@" --trace traps "${to[@]}"
    same "run --trace $calls" "$TRAPLINE" run "$@" --trace "$calls" "${to[@]}"
    same "run --trace to a file" "$TRAPLINE" run "$@" --trace traps=t.txt "${to[@]}"
    same "run --explain" "$TRAPLINE" run "$@" --explain=all "${to[@]}"
    same "run --explain --json" "$TRAPLINE" run "$@" --explain=all --json "${to[@]}"
    # shellcheck disable=SC2086
    same "run $monitor" "$TRAPLINE" run "$@" $monitor "${to[@]}"
    same "step, forwards" "$TRAPLINE" step "$@" --eval "run cycle $cycles" --eval digest
    same "step, all ways" "$TRAPLINE" step "$@" --eval "run trap" --eval why --eval "step 20" --eval "run mode" --eval "changes" --eval "regs" \
        --eval "run cycle $cycles" --eval "back cycle $((cycles * 3 / 4))" --eval "back trap" --eval "back 3" --eval "run cycle $cycles" --eval digest
    [ -n "$gdb" ] || return 0
    printf 'set pagination off\nset confirm off\ntarget remote | %s gdb --stdio' "$TRAPLINE" >t.gdb
    printf ' %q' "$@" >>t.gdb
    printf '\nstepi\nstepi\nmonitor catch trap all\ncontinue\nmonitor why\ninfo registers\nreverse-stepi\nmonitor catch off\nmonitor seek %s\nmonitor digest\nkill\n' \
        "$cycles" >>t.gdb
    same gdb timeout 100 "$gdb" -nx -batch -x t.gdb
}

calls=sbi monitor="--monitor sse"
all 95000 -bios "$roms/sbi-p1.elf" -kernel "$roms/kvm.elf"
all 100000 -smp 3 --quantum 50 -cpu rv32 -bios "$roms/sbi-p1-rv32.elf" -kernel "$roms/kernel-rv32.elf"
calls=calls monitor="--monitor calls --monitor interrupts"
all 150000 -machine virt-arm,secure=on,virtualization=on -bios "$roms/monitor-a64.elf" -kernel "$roms/hyp-a64.elf"
all 120000 -machine virt-arm -smp 3 --quantum 50 "$roms/kernel-a64.elf"
echo "$looked ways to look, all of the plain run's digest"
