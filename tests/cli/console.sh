# The guest's console: scripts, pipes, and a real terminal that is given back as it was.
. "$(dirname "$0")/../lib/env.sh"
tool=$TRAPLINE_BUILD/tests/cli/tool_image
cd "$scratch"
"$tool" echo echo.elf
"$tool" spin spin.elf

out() { "$TRAPLINE" run echo.elf "$@" 2>err || fail "run echo.elf $*: $(cat err)"; }
check() { [ "$1" = "$2" ] || fail "printed '$1', not '$2'"; }

# Input from the command line, a file, a pipe.
check "$(out --input 'ab\x63q' </dev/null)" '> abcq'
printf 'filq' >keys
check "$(out --input-file keys </dev/null)" '> filq'
check "$(printf 'pipeq' | out)" '> pipeq'
check "$(out <keys)" '> filq'
# More than the UART holds at once: every byte arrives, in order.
seq 1 2000 | tr '\n' ' ' >many
printf q >>many
check "$(out <many)" "> $(cat many)"

# A script types when it has seen what it waits for; equal runs are identical.
printf '# steps\nexpect "> "\nsend "abc"\nexpect "bc"\nsend "\\x64q"\n' >script
check "$(out --script script </dev/null)" '> abcdq'
check "$(out --expect '> =>ab' --expect 'ab=>cq' </dev/null)" '> abcq'
one=$(out --script script --digest </dev/null; cat err)
two=$(out --script script --digest </dev/null; cat err)
[ "$one" = "$two" ] || fail "two runs of a script differ: $one / $two"
grep -q digest err || fail "no digest: $(cat err)"
# "end" ends the run; a step that never happens is a failure that names it.
printf 'expect "> "\nend\n' >script
check "$(out --script script </dev/null)" '> '
printf 'expect "> "\nsend "xq"\n\nexpect "never"\n' >script
status=0
"$TRAPLINE" run echo.elf --script script >/dev/null 2>err </dev/null || status=$?
[ "$status" -eq 1 ] || fail "an unfulfilled script: status $status"
check "$(cat err)" "trapline: script:4: the run ended (guest) while waiting for 'never'"

# --exit-on is the last step, wherever it stands; its text may be split between slices, and what was printed before does not count.
check "$(out --exit-on 'bc' --expect '> =>abc' </dev/null | head -c 5)" '> abc'
status=0
"$TRAPLINE" run echo.elf --expect '> =>xq' --exit-on '> ' >/dev/null 2>err </dev/null || status=$?
[ "$status" -eq 1 ] || fail "--exit-on took what was printed before the steps: status $status"
# A guest that sleeps and does not take its input is stuck, with keys waiting too; its time is not spent.
"$tool" sleep sleep.elf
for args in '' '--input abcdefghijklmnopqrstuvwxyz'; do
    status=0
    seq 1 10000 | timeout 20 "$TRAPLINE" run sleep.elf $args 2>err || status=$?
    [ "$status" -eq 125 ] || fail "a sleeping guest with input ($args): status $status, $(cat err)"
done

# A terminal: raw while the guest runs, as before afterwards, whatever the end.
need script bsdutils
terminal() # KEYS COMMAND: types KEYS once the prompt is there; the terminal's settings go to before and after
{
    rm -f before after
    (
        for ((i = 0; i < 100; i++)); do
            ! grep -qs "> " typescript || break
            sleep 0.1
        done
        printf "$1"
        sleep 0.5
    ) | script -qefc "stty -g >before; $2; echo \"status \$?\"; stty -g >after" typescript >/dev/null || true
    [ -s after ] || fail "no end of: $2"
    [ "$(cat before)" = "$(cat after)" ] || fail "the terminal is not as it was after: $2"
}
: >typescript
terminal 'a\003\r\001\001q' "'$TRAPLINE' run echo.elf | od -An -c >printed; true"
grep -q 'a 003  *\\r 001   q' printed || fail "keys arrived as: $(cat printed)" # Ctrl-C is the guest's, Ctrl-a Ctrl-a is Ctrl-a
: >typescript
terminal '\001x' "'$TRAPLINE' run echo.elf"
grep -q 'status 0' typescript || fail "Ctrl-a x: $(cat typescript)"
: >typescript
terminal '\001c\001hq' "'$TRAPLINE' run echo.elf"
grep -q 'There is no monitor here. Ctrl-a x leaves' typescript || fail "Ctrl-a c gives no hint: $(cat typescript)"
grep -q 'Ctrl-a a sends Ctrl-a' typescript || fail "Ctrl-a h gives no help: $(cat typescript)"
: >typescript
terminal '' "'$TRAPLINE' run echo.elf & pid=\$!; sleep 0.5; echo '> '; kill -TERM \$pid; wait \$pid"
grep -q 'status 143' typescript || fail "a signal: $(cat typescript)"
echo "console as told"
