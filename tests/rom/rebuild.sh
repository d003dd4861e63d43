# roms/ is what src/firmware/build.sh makes of the sources, bit for bit: images and MANIFEST.
# timeout: 300
# once: yes
. "$(dirname "$0")/../lib/env.sh"
for compiler in riscv64-unknown-elf-gcc aarch64-linux-gnu-gcc; do
    command -v $compiler >/dev/null || skip "$compiler is not installed"
done
"$TRAPLINE_SOURCE/src/firmware/build.sh" "$scratch/roms"
# Another version of the compiler would make other bits: then the MANIFEST says which one it was.
diff "$TRAPLINE_SOURCE/roms/MANIFEST" "$scratch/roms/MANIFEST" || fail "roms/MANIFEST is not that of a rebuild; run ./x roms"
for image in "$scratch"/roms/*.elf; do
    cmp "$image" "$TRAPLINE_SOURCE/roms/$(basename "$image")" || fail "$(basename "$image") is not what its source gives; run ./x roms"
done
for image in "$TRAPLINE_SOURCE"/roms/*.elf; do
    [ -e "$scratch/roms/$(basename "$image")" ] || fail "$(basename "$image") has no source"
done
echo "$(ls "$scratch/roms" | wc -l) files alike"
