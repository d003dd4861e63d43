#!/usr/bin/env bash
# Builds roms/ from the guest sources: src/firmware/<arch>/<name>/ and bench/guests/<name>/, each for the targets in its file `build`
# (lines "image target march flags...", the flags for compiling and linking; without it: rv64 and rv32). Targets are 64 and 32, RISC-V's
# XLENs, and a64. A folder's link.ld is its own linker script, its file `sources` names more sources, from the repository's root. Folders
# `common` hold what others include. roms/MANIFEST tells what each image was made from.
#   build.sh [OUT]   OUT: another folder than roms/, for the check that a rebuild gives the same bits
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
out=${1:-roms}
mkdir -p "$out"
objects=$(mktemp -d)
trap 'rm -rf "$objects"' EXIT
printf '# sha256, image, source, compiler; made by ./x roms\n' >"$out/MANIFEST"

# image SOURCE-FOLDER NAME TARGET MARCH [FLAG...]
image()
{
    local from=$1 name=$2 target=$3 march=$4 source script=src/firmware/common/link.ld more=
    local cc=riscv64-unknown-elf-gcc abi=lp64 machine
    shift 4
    [ "$target" != 32 ] || abi=ilp32
    case $march in *d*) abi+=d ;; esac
    machine="-march=$march -mabi=$abi -mcmodel=medany"
    [ "$target" != a64 ] || {
        cc=aarch64-linux-gnu-gcc machine="-march=$march -no-pie -mno-outline-atomics" script=src/firmware/common/link-a64.ld
    }
    [ ! -f "$from/link.ld" ] || script=$from/link.ld
    [ ! -f "$from/sources" ] || more=$(<"$from/sources")
    # Objects have names of their own: the linker writes them into the symbol table, and the compiler's would be random.
    # shellcheck disable=SC2086
    for source in "$from"/*.[cS] $more; do
        "$cc" $machine -O2 -g0 -ffreestanding -fno-builtin -fno-pic -fno-asynchronous-unwind-tables \
            -ffile-prefix-map="$PWD"=. -Wall -Wextra -Werror "$@" -Isrc/firmware -I"$from" -c -o "$objects/$(basename "$source").o" "$source"
    done
    # shellcheck disable=SC2086
    "$cc" $machine -nostdlib -nostartfiles -static -Wl,-N -Wl,--build-id=none -Wl,--no-warn-rwx-segments \
        -T "$script" "$@" -o "$out/$name" "$objects"/*.o
    rm "$objects"/*.o
    printf '%s  %s  %s  %s\n' "$(sha256sum <"$out/$name" | cut -d' ' -f1)" "$name" "$from" "$($cc --version | head -n 1)" >>"$out/MANIFEST"
}

for from in src/firmware/{riscv,arm}/*/ bench/guests/*/; do
    from=${from%/}
    [ -d "$from" ] && [ "$(basename "$from")" != common ] || continue
    name=$(basename "$from")
    if [ -f "$from/build" ]; then
        while read -r img target march flags; do
            case $img in '' | '#'*) continue ;; esac
            # shellcheck disable=SC2086
            image "$from" "$img" "$target" "$march" $flags
        done <"$from/build"
    else
        image "$from" "$name.elf" 64 rv64imac_zicsr
        image "$from" "$name-rv32.elf" 32 rv32imac_zicsr
    fi
done
