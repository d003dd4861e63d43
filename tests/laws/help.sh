# --help, the man page and the bash completion name the same verbs, and every verb has a --help of its own.
. "$(dirname "$0")/../lib/env.sh"
verbs=$("$TRAPLINE" --help | awk '/^  [a-z]+ / {print $1}' | sort -u)
[ "$(wc -w <<<"$verbs")" -ge 2 ] || fail "trapline --help lists no verbs"
for verb in $verbs; do
    "$TRAPLINE" "$verb" --help >"$scratch/help" 2>&1 || fail "trapline $verb --help fails"
    grep -q "$verb" "$scratch/help" || fail "trapline $verb --help does not speak of $verb"
    twice=$(awk '$1 " " $2 == "trapline doc" && seen[$3]++ && $3 !~ /^-/ {print $3}' "$scratch/help")
    [ -z "$twice" ] || fail "trapline $verb --help has an example twice: $twice"
    # Each option begins in column 2 or 6, a continued text in the column of all texts, and below a heading there are options.
    ! grep -nE '^ {30,}--[a-z][a-z-]*=' "$scratch/help" || fail "trapline $verb --help: an option out of its column"
    ! awk '/^ [A-Z].*:$/ {head = $0; next} head != "" {if ($0 !~ /^ +-/) print head; head = ""}' "$scratch/help" | grep . ||
        fail "trapline $verb --help: nothing is below this heading"
    grep -qE "^\\.(B|BI|SS|TP).*\\b$verb\\b|\\\\fB$verb\\\\fP" "$TRAPLINE_SOURCE/docs/trapline.1" || fail "the man page does not know $verb"
done
"$TRAPLINE" run --help | tr -s ' \n' ' ' | grep -q 'machine mode (AArch64: in the highest exception level' ||
    fail "run --help does not say where an ELF starts on AArch64"
. "$TRAPLINE_SOURCE/docs/trapline.bash"
export PATH=$(dirname "$TRAPLINE"):$PATH
COMP_WORDS=(trapline "") COMP_CWORD=1 COMPREPLY=()
_trapline trapline "" trapline
[ "$(printf '%s\n' "${COMPREPLY[@]}" | grep -v '^-' | sort -u)" = "$verbs" ] || fail "completion offers [${COMPREPLY[*]}], --help lists [$verbs]"
