# Sourced by tests/boot/*.sh after env.sh.

# boot NAME OPTION...: one run in the scratch folder. The console goes to NAME.out, reports (the digest) to NAME.err. Any end but
# status 0 fails the test; so does a run that hangs: nothing here takes 12 seconds of the guest's time, or 280 of the host's.
boot()
{
    local name=$1 status=0
    shift
    "$TRAPLINE" run "$@" --max-cycles=12e9 --digest --timeout=$((280 * TRAPLINE_SLOW)) >"$name.out" 2>"$name.err" </dev/null || status=$?
    [ "$status" -eq 0 ] && return
    tail -n 30 "$name.out" >&2
    fail "$name ended with status $status: $(cat "$name.err"). The end of its console is above"
}

# says NAME TEXT...: each text is on the console of the run NAME.
says()
{
    local name=$1 text
    shift
    for text in "$@"; do
        grep -aqF -- "$text" "$name.out" || { tail -n 60 "$name.out" >&2; fail "$name does not print '$text'"; }
    done
}

# same NAME NAME: two runs printed the same bytes and ended in the same state.
same()
{
    cmp "$1.out" "$2.out" || fail "the consoles of $1 and $2 differ"
    grep -q '^digest' "$1.err" && cmp "$1.err" "$2.err" || fail "$1 and $2 end differently: $(cat "$1.err" "$2.err")"
}

# debian: sets the variables opensbi (of trixie), linux and initrd to the paths of these images.
debian()
{
    image opensbi-trixie fw_dynamic.bin && opensbi=$image
    image debian-13 linux && linux=$image
    image debian-13 initrd.gz && initrd=$image
}

