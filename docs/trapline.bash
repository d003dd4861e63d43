# Bash completion for trapline. Verbs and options are what the program's own --help lists, so this page never lags behind.
_trapline()
{
    local cur=$2 program=$1 verb= word
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        case $word in
        -*) ;;
        *) verb=$word && break ;;
        esac
    done
    COMPREPLY=()
    if [ -z "$verb" ] && [[ $cur != -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$("$program" --help 2>/dev/null | awk '/^  [a-z]+ / {print $1}')" -- "$cur")
    elif [[ $cur == -* ]]; then
        # shellcheck disable=SC2086
        mapfile -t COMPREPLY < <(compgen -W "$("$program" $verb --help 2>/dev/null |
            awk '/^ +-/' | grep -oE -- '(^|[ ,])--?[a-zA-Z][a-z-]*' | tr -d ' ,' | sort -u)" -- "$cur")
    else
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        compopt -o filenames 2>/dev/null
    fi
}
complete -F _trapline trapline
