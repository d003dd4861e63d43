#!/usr/bin/env bash
# Puts the guest images of images.txt into the cache folder, ${TRAPLINE_CACHE:-~/.cache/trapline}/images/<name>/, beside a file
# VERSION that holds the package's version. What is there already is left alone. With names as arguments: only those.
#
# apt-get does the work (mirror, signatures, checksums), with a source list and a state folder of its own: the machine's own
# package lists and sources are not touched, and nothing is installed. The mirror is the one this machine uses already.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
images=${TRAPLINE_CACHE:-$HOME/.cache/trapline}/images
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

die() { echo "fetch: $*" >&2; exit 1; }
rows() { grep -v '^#' "$here/images.txt"; }

# The row of $1 (name), with the version of the kernel that was fetched, if one was, for @kernel.
row()
{
    local linux=$images/debian-13/linux kernel=@kernel
    [ ! -s "$linux" ] || kernel=$(grep -aom1 'Linux version [^ ]*' "$linux" | cut -d' ' -f3)
    rows | awk -v n="$1" -v k="$kernel" '$1 == n {gsub("@kernel", k); print}'
}

# Is everything that row $1 (name) promises there?
have()
{
    local name suite package folder files file
    read -r name suite package folder files < <(row "$1")
    for file in VERSION $files; do
        [ -s "$images/$name/$file" ] || return 1
    done
}

if [ $# -eq 0 ]; then
    mapfile -t names < <(rows | awk '{print $1}')
    set -- "${names[@]}"
fi
for name in "$@"; do
    rows | awk -v n="$name" '$1 == n {found = 1} END {exit !found}' || die "no image is called '$name'; see tests/images/images.txt"
done

mkdir -p "$images" || die "cannot make the folder $images"
exec 9>"$images/.lock"
flock 9 # tests may ask at the same time

missing=()
for name in "$@"; do
    have "$name" || missing+=("$name")
done
[ ${#missing[@]} -gt 0 ] || exit 0
[ -z "${TRAPLINE_OFFLINE:-}" ] || die "offline, and not in $images: ${missing[*]}"
command -v apt-get >/dev/null && [ -r "$keyring" ] || die "apt-get and $keyring are needed to fetch ${missing[*]}"

mirror=$(apt-get indextargets --format '$(REPO_URI)' | grep -v security | head -n 1 || true)
[ -n "$mirror" ] || die "apt has no Debian mirror (apt-get indextargets is empty), so ${missing[*]} cannot be fetched"
state=$images/.apt
mkdir -p "$state/lists/partial" "$state/archives/partial"
: >"$state/status"
for name in "${missing[@]}"; do
    rows | awk -v n="$name" -v k="$keyring" -v m="$mirror" '$1 == n {
        print "deb [signed-by=" k (sub(/.*:/, "", $3) ? " arch=" $3 : "") "]", m, $2, "main"}'
done | sort -u >"$state/sources.list"
options=(-q -o Dir::Etc::sourcelist="$state/sources.list" -o Dir::Etc::sourceparts=- -o Dir::State="$state"
         -o Dir::State::status="$state/status" -o Dir::Cache="$state" -o Acquire::Languages=none -o Acquire::Retries=3
         -o APT::Sandbox::User=root)
for architecture in "$(dpkg --print-architecture)" $(rows | awk '$3 ~ /:/ {sub(/.*:/, "", $3); print $3}' | sort -u); do
    options+=(-o APT::Architectures::="$architecture")
done

echo "fetch: package lists of $(awk '{print $(NF - 1)}' "$state/sources.list" | uniq | paste -sd ' ')"
apt-get "${options[@]}" update >"$state/log" 2>&1 || {
    grep -E '^(E|W|Err)' "$state/log" >&2 # one suite may be gone and the others fine
}

# The packages of the rows of these names, one call for each suite: apt reads all lists each time, which takes longer than to download.
download()
{
    local name suite package folder files suites
    declare -A wanted=()
    for name in "$@"; do
        read -r name suite package folder files < <(row "$name")
        [[ $package == *@kernel* || ${wanted[$suite]:-} == *" $package/$suite "* ]] || wanted[$suite]+=" $package/$suite "
    done
    mapfile -t suites < <(printf '%s\n' "${!wanted[@]}" | sort)
    for suite in "${suites[@]}"; do
        mkdir -p "$state/$suite"
        # shellcheck disable=SC2086
        (cd "$state/$suite" && apt-get "${options[@]}" download ${wanted[$suite]}) >"$state/log" 2>&1 && continue
        for package in ${wanted[$suite]}; do # one is not to be had: the others may be
            (cd "$state/$suite" && apt-get "${options[@]}" download "$package") >"$state/log" 2>&1 || cat "$state/log" >&2
        done
    done
}

# Puts the image $1 (name) into the cache, whole or not at all.
unpack()
{
    local name suite package folder files file deb work=$state/work
    read -r name suite package folder files < <(row "$1")
    if [[ $package == *@kernel* ]]; then
        echo "fetch: $name needs debian-13, which is not there" >&2
        return 1
    fi
    deb=$(find "$state/$suite" -name "${package%%:*}_*.deb" | head -n 1)
    [ -n "$deb" ] || return 1
    rm -rf "$work" && mkdir -p "$work/tree" "$work/out" || return 1
    dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$work/tree" "./$folder" || return 1
    for file in $files; do
        cp "$work/tree/$folder/$file" "$work/out/" || return 1
    done
    dpkg-deb -f "$deb" Version >"$work/out/VERSION" || return 1
    rm -rf "${images:?}/$name" && mv "$work/out" "$images/$name" || return 1
    echo "fetch: $name is $package $(cat "$images/$name/VERSION") from $suite"
}

failed=()
download "${missing[@]}"
for name in "${missing[@]}"; do
    [[ $(rows | awk -v n="$name" '$1 == n {print $3}') != *@kernel* ]] || download "$name" # debian-13 stands before it
    unpack "$name" || failed+=("$name")
done
rm -rf "$state"
[ ${#failed[@]} -eq 0 ] || die "could not download ${failed[*]}"
