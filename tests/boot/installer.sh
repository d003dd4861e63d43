# Debian's installer, as its initrd starts it: its first question is on the serial console.
# timeout: 300
. "$(dirname "$0")/../lib/env.sh"
. "$(dirname "$0")/../lib/boot.sh"
debian
cd "$scratch"
boot installer -m 1G -bios "$opensbi" -kernel "$linux" -initrd "$initrd" -append "console=ttyS0" \
    --exit-on "Choose the language to be used"
says installer "Select a language"
echo "the installer asks its first question"
