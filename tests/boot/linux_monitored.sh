# Debian's Linux on two harts under our firmware and under OpenSBI, watched: no rule is broken (nothing here uses software events; every
# SBI call and every interrupt that M handles is compared register by register), and the run is the one that nobody watches.
. "$(dirname "$0")/../lib/env.sh"
. "$(dirname "$0")/../lib/boot.sh"
cd "$scratch"
debian
for bios in "$TRAPLINE_SOURCE/roms/sbi-maint.elf" "$opensbi"; do
    run=(-bios "$bios" -kernel "$linux" -initrd "$initrd" -append "console=ttyS0 rdinit=/bin/sh" -m 1G -smp 2 --exit-on '# ')
    boot plain "${run[@]}"
    boot watched "${run[@]}" --monitor sse
    same plain watched
done
echo "no rule broken, the same run"
