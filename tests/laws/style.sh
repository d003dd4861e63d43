# What can be counted of the style: lines of at most 130 columns without tabs, files of at most 800 lines, functions of at most 120,
# no markers of unfinished work.
. "$(dirname "$0")/../lib/env.sh"
cd "$TRAPLINE_SOURCE"

findings()
{
    local file
    local -x LC_ALL=C
    for file in "$@"; do
        # A function is the lines between its brace in the first column and the next closing one.
        awk -v file="$file" -v def="${file##*.}" '
            {text = $0; gsub(/[\200-\277]/, "", text); columns = length(text)} # UTF-8: continuation bytes have no column
            columns > 130 && def != "def" && def != "S" {print file ":" FNR ": " columns " columns"}
            /\t/ && def != "S" {print file ":" FNR ": a tab"}
            /(TO)DO|(FIX)ME|(^|[^X])X(XX)([^X]|$)/ {print file ":" FNR ": unfinished work"}
            /^\{/ {start = FNR}
            /^\}/ && start {if (FNR - start - 1 > 120) print file ":" start ": a function of " FNR - start - 1 " lines"; start = 0}
            END {if (FNR > 800 && def != "def") print file ": " FNR " lines"}' "$file"
    done
}

# The check must be able to fail.
{
    printf '/* TO''DO */\n\tint x;\nvoid f(void)\n{\n'
    for ((i = 0; i < 900; i++)); do echo '    ;'; done
    printf '}\n%131d\n' 0
} >"$scratch/bad.c"
found=$(findings "$scratch/bad.c" | wc -l)
[ "$found" -eq 5 ] || fail "the check finds $found of 5"

mapfile -t files < <(find src tests bench -name '*.[chS]' -o -name '*.def' 2>/dev/null | sort)
bad=$(findings "${files[@]}")
[ -z "$bad" ] || fail "style:
$bad"
echo "${#files[@]} files"
