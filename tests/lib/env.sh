# Sourced by the test scripts. ctest sets the variables; run by hand from anywhere, the release build is tested.
#   TRAPLINE  the program        TRAPLINE_SOURCE  the repository        TRAPLINE_BUILD  the build folder
#   TRAPLINE_SLOW  how many times longer than a release build that program may take
set -euo pipefail
TRAPLINE_SOURCE=${TRAPLINE_SOURCE:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
TRAPLINE_BUILD=${TRAPLINE_BUILD:-$TRAPLINE_SOURCE/build/release}
TRAPLINE=${TRAPLINE:-$TRAPLINE_BUILD/trapline}
TRAPLINE_SLOW=${TRAPLINE_SLOW:-1}

# A folder for this test alone, removed at its end.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

fail() { echo "FAILED: $*" >&2; exit 1; }
skip() { echo "skipped: $*"; exit 77; }

# image NAME FILE: sets the variable `image` to the path of a guest image (tests/images/images.txt), fetched when it is missing.
# Without the image the test fails; it is skipped only when TRAPLINE_OFFLINE is set (./x test --offline).
image()
{
    image=${TRAPLINE_CACHE:-$HOME/.cache/trapline}/images/$1/$2
    [ ! -s "$image" ] || return 0
    [ -z "${TRAPLINE_OFFLINE:-}" ] || skip "the guest image $1/$2 is not in the cache and this run is offline"
    "$TRAPLINE_SOURCE/tests/images/fetch.sh" "$1" || fail "the guest image $1/$2 could not be fetched"
}

# need PROGRAM PACKAGE: fails with a sentence if an oracle or tool is not installed.
need() { command -v "$1" >/dev/null || fail "$1 is not installed (package $2; ./x test installs it)"; }
