# EDK2 for arm64 as Debian ships it, from -bios and from flash drives: to the UEFI shell, which answers, sees a virtio disk, keeps a
# variable in flash over a reset, and powers the board off; or it starts a kernel. A run repeated is the same run.
# timeout: 300
. "$(dirname "$0")/../lib/env.sh"
. "$(dirname "$0")/../lib/boot.sh"
image edk2-arm64 QEMU_EFI.fd
efi=$image
image aavmf-arm64 AAVMF_CODE.fd AAVMF_VARS.fd
code=$image
vars=$(dirname "$code")/AAVMF_VARS.fd
cd "$scratch"

head -c 1048576 /dev/zero >disk
cat >script <<'END'
expect "any other key"
send "\x1b"
expect "Shell> "
send "ver\r"
expect "Shell> "
send "setvar Colour -guid 12345678-1234-1234-1234-123456789abc -nv -bs =\"green\"\r"
expect "Shell> "
send "reset\r"
expect "any other key"
send "\x1b"
expect "Shell> "
send "setvar Colour -guid 12345678-1234-1234-1234-123456789abc\r"
expect "Shell> "
send "reset -s\r"
END
boot bios -machine virt-arm -m 512M --clock 250M -bios "$efi" -drive disk --script script
says bios "UEFI Interactive Shell v2.2" "EDK II" "BLK0" "67 72 65 65 6E"
boot again -machine virt-arm -m 512M --clock 250M -bios "$efi" -drive disk --script script
same bios again
boot pflash -machine virt-arm,virtualization=on -m 512M --clock 250M -drive if=pflash,format=raw,unit=0,readonly=on,file="$code" \
    -drive if=pflash,format=raw,unit=1,file="$vars" -drive disk --script script
says pflash "UEFI Interactive Shell v2.2" "BLK0" "67 72 65 65 6E"
# A kernel beside it: the firmware finds it, its initrd and its command line by fw_cfg, and starts it as an EFI application.
image debian-13-arm64 linux initrd.gz
boot kernel -machine virt-arm -m 1G --clock 250M -bios "$efi" -kernel "$image" -initrd "$(dirname "$image")/initrd.gz" \
    -append "console=ttyAMA0 rdinit=/bin/sh" --expect '# =>uname -a\n' --exit-on GNU/Linux
says kernel "EFI stub: Loaded initrd from LINUX_EFI_INITRD_MEDIA_GUID device path" "efi: EFI v2.7 by EDK II" "aarch64 GNU/Linux"
echo "EDK2's shell answers, and it starts a kernel"
