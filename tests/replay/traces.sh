# Traces: a recording changes nothing; it replays anywhere; changes, damage and tears are told; golden traces and folders.
# timeout: 300
. "$(dirname "$0")/../lib/env.sh"
roms=$TRAPLINE_SOURCE/roms
cd "$scratch"

# expect STATUS COMMAND...: its output is in the file out.
expect()
{
    local want=$1 status=0
    shift
    "$@" >out 2>&1 </dev/null || status=$?
    [ $status -eq "$want" ] || { cat out >&2; fail "'$*' ends with $status, not $want"; }
}
says() { grep -qF -- "$1" out || { cat out >&2; fail "'$1' is not said"; }; }

# ---- recording changes nothing, and replays
for run in "$roms/test-pages.elf" "$roms/test-wakeups.elf" "$roms/test-atomics.elf -smp 4" \
           "-bios $roms/sbi-p1.elf -kernel $roms/kernel.elf --max-cycles 3e6" "$roms/kernel.elf -smp 3 --quantum 7 --max-cycles 2e6" \
           "-machine virt-arm,secure=on,virtualization=on -bios $roms/monitor-a64.elf -kernel $roms/hyp-a64.elf --max-cycles 3e6 -smp 2"; do
    # shellcheck disable=SC2086
    {
        "$TRAPLINE" run $run --digest >plain.out 2>plain.err </dev/null || true
        for how in "" "--no-traps" "--digest-every 10000" "--instructions --embed 0"; do
            "$TRAPLINE" record -o t.trace $run --digest $how >rec.out 2>rec.err </dev/null || true
            cmp plain.out rec.out && cmp plain.err rec.err || fail "record $how is another run than: $run"
            expect 0 "$TRAPLINE" replay t.trace
            says same
        done
        "$TRAPLINE" record --golden -o t.golden $run --digest >rec.out 2>rec.err </dev/null || true
        cmp plain.out rec.out && cmp plain.err rec.err || fail "record --golden is another run than: $run"
        expect 0 "$TRAPLINE" replay t.golden
    }
done

# ---- input and injected events replay at their points
input=(-bios "$roms/sbi-p1.elf" -kernel "$roms/test-sbi.elf" --input 'hello\n' --inject 'ssip@cycle:70000' --inject 'mip:1@cycle:90000' --max-cycles 2e6)
expect 0 "$TRAPLINE" record -o in.trace --digest-every 100000 "${input[@]}"
expect 0 "$TRAPLINE" replay in.trace
"$TRAPLINE" record -o ni.trace --digest-every 100000 "${input[@]/hello/jello}" >/dev/null
cmp -s in.trace ni.trace && fail "other input makes the same trace"

# ---- another place: the images come out of the trace
mkdir elsewhere
cp "$roms/test-pages.elf" fw.elf
expect 0 "$TRAPLINE" record -o elsewhere/f.trace fw.elf --digest-every 20000
expect 0 "$TRAPLINE" record -o elsewhere/bare.trace fw.elf --embed 0
(cd elsewhere && expect 0 "$TRAPLINE" replay f.trace && mv out ..) && says "129820 instructions"
(cd elsewhere && expect 2 "$TRAPLINE" replay bare.trace && mv out ..) && says "fw.elf (kernel"
# A role that the recording does not have would change nothing.
(cd elsewhere && expect 2 "$TRAPLINE" replay bare.trace --image bios="$roms/test-pages.elf" &&
    says "bare.trace: --image bios=$roms/test-pages.elf: the recording has no such image, but kernel")
(cd elsewhere && expect 0 "$TRAPLINE" replay bare.trace --image kernel="$roms/test-pages.elf")

# ---- where nothing can be written, nothing runs
for golden in "" --golden; do
    # shellcheck disable=SC2086
    expect 2 "$TRAPLINE" record $golden -o /nowhere/t fw.elf
    [[ $(cat out) == "trapline: /nowhere/t: "*"No such file or directory" && $(wc -l <out) -eq 1 ]] || fail "record $golden into no folder: $(cat out)"
done

expect 2 "$TRAPLINE" record -o - fw.elf
says "record: -o -: a trace is binary: name a file (./- is one called -); --golden writes text"
"$TRAPLINE" record --golden -o golden fw.elf >/dev/null 2>&1
"$TRAPLINE" record --golden -o - fw.elf >out 2>/dev/null
cmp -s golden out && [ ! -e - ] || fail "a golden trace on standard output: $(diff golden out)"

# ---- a changed firmware diverges where it should: the operand of an instruction that is executed at cycle 58976
expect 0 "$TRAPLINE" replay elsewhere/f.trace
li=$(LC_ALL=C grep -obUaP '\x93\x07\x80\x0c' fw.elf | head -n 1 | cut -d: -f1 || true) # addi a5, zero, 0xc8
[ -n "$li" ] || fail "the instruction to change is not in test-pages.elf any more"
printf '\x93\x07\x90\x0c' | dd of=fw.elf bs=1 seek="$li" conv=notrunc status=none
expect 1 "$TRAPLINE" replay elsewhere/f.trace --junit r.xml
says "image digest differs: fw.elf"
says "why it happens here:"
says "the first instruction that does something else"
says "recorded is about to execute 0x0c800793"
says "here     is about to execute 0x0c900793"
says "hart0.x[15]  recorded 0xc8  here 0xc9"
grep -q '<failure message="' r.xml && grep -q 'failures="1" errors="0"' r.xml || fail "JUnit: $(cat r.xml)"
expect 0 "$TRAPLINE" replay elsewhere/f.trace --recorded-images

# ---- every instruction: the first one that differs is told without the recorded images
cp "$roms/test-pages.elf" fw.elf
expect 0 "$TRAPLINE" record -o i.trace --instructions --embed 0 fw.elf
printf '\x93\x07\x90\x0c' | dd of=fw.elf bs=1 seek="$li" conv=notrunc status=none
expect 1 "$TRAPLINE" replay i.trace
says "is the first one that differs"
says "recorded hart 0 edits+0x14c: 0c800793 x15=0xc8"
says "here     hart 0 edits+0x14c: 0c900793 x15=0xc9"

# ---- a violation found elsewhere (S1: a handler that does not save what it changes) replays from its file alone
mkdir s1
cp "$roms/sbi-maint.elf" "$roms/kvm.elf" s1
(cd s1 && expect 1 "$TRAPLINE" record -o s1.trace -bios sbi-maint.elf -kernel kvm.elf -append "handler=hk3 rounds=2 inject=1" \
    --max-cycles=3e7 --monitor sse --digest --digest-every 10000 && mv out ..)
says "monitor A3"
want=$(grep -o 'digest [0-9a-f]*' out)
rm s1/*.elf
expect 0 "$TRAPLINE" replay s1/s1.trace
"$TRAPLINE" run -bios "$roms/sbi-maint.elf" -kernel "$roms/kvm.elf" -append "handler=hk3 rounds=2 inject=1" --max-cycles=3e7 --monitor sse \
    --digest 2>out >/dev/null </dev/null || true
says "$want"

# ---- damage and tears
for at in 3 9 13 20 40 1000 3000 -1 -9 -17 -60; do
    cp elsewhere/f.trace bad.trace
    size=$(stat -c %s bad.trace)
    [ "$at" -ge 0 ] || at=$((size + at))
    byte=$(od -An -tu1 -j "$at" -N 1 bad.trace)
    printf "\\x$(printf %02x $((byte ^ 4)))" | dd of=bad.trace bs=1 seek="$at" conv=notrunc status=none
    if [ "$at" -ge $((size - 8)) ]; then # in the last words: like a file that was cut off behind its last frame, or damage
        status=0; "$TRAPLINE" replay bad.trace >out 2>&1 || status=$?
        [ $status -eq 2 ] || grep -q torn out || fail "a flipped byte at $at of $size goes unnoticed"
    else
        expect 2 "$TRAPLINE" replay bad.trace
        says bad.trace
    fi
done
size=$(stat -c %s elsewhere/f.trace)
for keep in 10 100; do
    head -c $keep elsewhere/f.trace >torn.trace
    expect 2 "$TRAPLINE" replay torn.trace
    says "cut off"
done
for keep in $((size - 1)) $((size - 17)) $((size - 300)); do
    head -c "$keep" elsewhere/f.trace >torn.trace
    expect 0 "$TRAPLINE" replay torn.trace --recorded-images
    says "torn at byte"
done
expect 2 "$TRAPLINE" replay fw.elf
says "no trapline trace"
expect 2 "$TRAPLINE" record fw.elf
says "-o FILE"
expect 2 "$TRAPLINE" record -o no/such/folder/t fw.elf
expect 2 "$TRAPLINE" record -o t2.trace nothing.elf
[ ! -e t2.trace ] || fail "a recording that did not begin leaves a file"

# ---- a folder of both kinds
mkdir all
cp elsewhere/f.trace "$roms/journey.elf" all
(cd "$TRAPLINE_SOURCE" && "$TRAPLINE" record --golden roms/journey.elf) >all/j.golden </dev/null
# Its images may lie elsewhere.
cp "$roms/journey.elf" moved.elf
expect 0 "$TRAPLINE" replay all/j.golden --image kernel=moved.elf
expect 2 "$TRAPLINE" replay all/j.golden --image bios=moved.elf
says "all/j.golden: --image bios=moved.elf: the recording has no such image, but kernel"
expect 2 "$TRAPLINE" replay all/j.golden --image kernel=nowhere.elf
says "nowhere.elf"
sed -i 's/^h0 VS vs_main/h0 VS vs_other/' all/j.golden
status=0
(cd "$TRAPLINE_SOURCE" && "$TRAPLINE" replay "$scratch/all" --junit "$scratch/all.xml" --recorded-images) >out 2>&1 </dev/null || status=$?
[ $status -eq 2 ] && says "a golden trace holds no images" || fail "--recorded-images beside a golden trace ends with $status: $(cat out)"
(cd "$TRAPLINE_SOURCE" && "$TRAPLINE" replay "$scratch/all/j.golden" >"$scratch/out" 2>&1) && fail "a changed golden trace passes"
says "- h0 VS vs_other"
says "+ h0 VS vs_main"
