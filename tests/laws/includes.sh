# Who may include whom: the include directories that each folder is really compiled with are those of the design, and a wrong
# include does not compile.
. "$(dirname "$0")/../lib/env.sh"

declare -A may=(
    [base]="base"
    [csr]="base csr"
    [mem]="base mem"
    [sched]="base sched"
    [cpu]="base cpu csr mem"
    [devices]="base devices mem sched"
    [machine]="base cpu csr devices machine mem sched"
    [debug]="base cpu csr debug devices machine mem sched"
    [ui]="base cpu csr devices machine mem sched ui"
    [cli]="base cli cpu csr debug devices machine mem sched ui"
)
all=(base csr mem sched cpu devices machine debug ui cli)
database=$TRAPLINE_BUILD/compile_commands.json
[ -f "$database" ] || fail "no $database"

compiles()
{
    local include=$1
    shift
    printf '#include "%s"\n' "$include" | "${CC:-cc}" -std=gnu11 -fsyntax-only -x c "$@" - 2>"$scratch/errors"
}

checked=0
for folder in "${all[@]}"; do
    # The command of any one file of the folder.
    line=$(grep '"command"' "$database" | grep -m1 -- "-c $TRAPLINE_SOURCE/src/$folder/" || true)
    [ -n "$line" ] || continue
    mapfile -t flags < <(grep -o -- '-I[^ ]*' <<<"$line")
    is=$(for flag in "${flags[@]}"; do
        path=${flag#-I}
        [ "${path#"$TRAPLINE_BUILD"/include/}" != "$path" ] || fail "$folder is compiled with $flag"
        basename "$path"
    done | sort | paste -sd ' ')
    [ "$is" = "${may[$folder]}" ] || fail "$folder can include [$is]; the design says [${may[$folder]}]"

    for other in "${all[@]}"; do
        header=$(cd "$TRAPLINE_SOURCE/src" && find "$other" -name '*.h' | sort | head -n 1)
        [ -n "$header" ] || continue
        case " ${may[$folder]} " in
        *" $other "*) ;;
        *)
            ! compiles "$header" "${flags[@]}" || fail "$folder can include $header"
            grep -q 'No such file\|not found' "$scratch/errors" || fail "$header fails to compile for another reason: $(cat "$scratch/errors")"
            checked=$((checked + 1))
            ;;
        esac
    done
done
[ "$checked" -gt 0 ] || fail "nothing was checked"

# No way round it.
! grep -rnE '#\s*include\s*"(\.\./|/)' "$TRAPLINE_SOURCE/src" || fail "includes are written \"folder/file.h\""
echo "$checked wrong includes refused"
