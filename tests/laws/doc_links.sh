# The documents say what the code does: each `src/folder/file.c:name` in them names a file that is there and a word that is in it,
# each path in backticks exists, and each link to another document leads somewhere.
. "$(dirname "$0")/../lib/env.sh"
cd "$TRAPLINE_SOURCE"

findings()
{
    local doc ref file name link
    for doc in "$@"; do
        while IFS= read -r ref; do
            file=${ref%%:*}
            name=
            [ "$file" = "$ref" ] || name=${ref#*:}
            if [[ $file == *[\*\<…]* ]]; then
                continue # a pattern, not a path
            elif [ ! -e "$file" ]; then
                echo "$doc: $file does not exist"
            elif [ -n "$name" ] && ! grep -qw -- "$name" "$file"; then
                echo "$doc: $file has no $name"
            fi
        done < <(grep -oE '`(src|tests|docs|cmake|roms|bench)/[^` ]*`' "$doc" | tr -d '`' | sort -u)
        while IFS= read -r link; do
            [ -e "$(dirname "$doc")/$link" ] || echo "$doc: the link to $link leads nowhere"
        done < <(grep -oE '\]\([^)#:]+' "$doc" | cut -c3-)
    done || true
}

# The check must be able to fail.
printf '`src/base/err.c:err_set` `src/base/err.c:no_such_name` `src/base/no_such_file.c` [x](no-such-page.md)\n' >"$scratch/bad.md"
found=$(findings "$scratch/bad.md" | wc -l)
[ "$found" -eq 3 ] || fail "the check finds $found of 3"

mapfile -t docs < <(find README.md docs src tests roms bench -name '*.md' ! -path 'docs/gen/*' 2>/dev/null | sort)
bad=$(findings "${docs[@]}")
[ -z "$bad" ] || fail "documents that speak of what is not there:
$bad"
echo "${#docs[@]} documents"
