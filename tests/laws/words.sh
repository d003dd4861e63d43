# The repository names no network address but the few that are allowed here, no host of a package registry or mirror, and no
# path of the machine it was written on.
. "$(dirname "$0")/../lib/env.sh"
cd "$TRAPLINE_SOURCE"

# Identifiers that have the form of an address; nothing is fetched from them.
allowed='^https?://(riscv\.org|developer\.arm\.com|www\.w3\.org|opensource\.org)(/|$)'
# Hosts: a first label that mirrors and registries use, then a domain.
hosts='(^|[^A-Za-z0-9_.>-])(deb|ftp|mirror|mirrors|archive|security|snapshot|registry|index|proxy|files|static|pypi|crates|npm|repo|cdn)\.[a-z0-9-]+\.(org|com|net|io|dev|cloud)'
paths='(^|[^A-Za-z0-9_./$}])/(work|home|root)/'

# The findings in the files named on standard input (NUL-separated).
findings()
{
    xargs -0 grep -nIE "https?://|$hosts|$paths" -- /dev/null 2>/dev/null | while IFS= read -r line; do
        text=${line#*:*:}
        rest=$(grep -oE 'https?://[^ ")>]+' <<<"$text" | grep -vE "$allowed" || true)
        if [ -n "$rest" ] || grep -qE "$hosts|$paths" <<<"$text"; then
            echo "$line"
        fi
    done || true # grep and xargs fail when there is nothing to find
}

# The check must be able to fail: three bad lines, one good.
scheme=http
printf '%s\n' "$scheme://example.invalid/x" "from deb.exam""ple.org" "cd /wo""rk/x" "see $scheme""s://riscv.org/" >"$scratch/bad"
found=$(printf '%s\0' "$scratch/bad" | findings | wc -l)
[ "$found" -eq 3 ] || fail "the check finds $found of 3"

if git rev-parse --git-dir >/dev/null 2>&1; then
    bad=$(git ls-files -z --cached --others --exclude-standard | findings)
else
    bad=$(find . \( -path ./build -o -path ./.git \) -prune -o -type f -print0 | findings)
fi
[ -z "$bad" ] || fail "addresses or paths that do not belong here:
$bad"
echo "no addresses, no paths"
