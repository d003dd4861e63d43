# U-Boot for arm64 as Debian ships it, from flash: to the prompt, which answers, reads a virtio disk, keeps its environment in flash
# over a reset, and powers the board off by PSCI. At EL1, EL2 and EL3. A run repeated is the same run.
# timeout: 120
# sanitized: yes
. "$(dirname "$0")/../lib/env.sh"
. "$(dirname "$0")/../lib/boot.sh"
image u-boot-arm64 u-boot.bin
uboot=$image
cd "$scratch"

head -c 65536 < <(seq 1 100000) >disk
crc=$(gzip -c disk | tail -c 8 | od -An -N4 -t x4 | tr -d ' ') # gzip ends with the CRC-32 and the length
cat >script <<'END'
expect "stop autoboot"
send "\r"
expect "\n=> "
send "version\r"
expect "\n=> "
send "virtio read 44000000 0 80; crc32 44000000 10000\r"
expect "\n=> "
send "flinfo 2\r"
expect "\n=> "
send "setenv colour green; saveenv\r"
expect "\n=> "
send "sleep 0.01; echo $? is the status\r"
expect "\n=> "
send "reset\r"
expect "stop autoboot"
send "\r"
expect "\n=> "
send "echo the colour is ${colour}\r"
expect "\n=> "
send "poweroff\r"
END
check()
{
    says "$1" "U-Boot 2023.01" "DRAM:  256 MiB" "aarch64-linux-gnu-gcc (Debian" "Flash: 64 MiB" "128 blocks read: OK" \
        "44000000 ... 4400ffff ==> $crc" "CFI conformant flash" "0 is the status" "resetting ..." "the colour is green" "poweroff ..."
}
boot el1 -machine virt-arm -m 256M -bios "$uboot" -drive disk --script script
check el1
boot again -machine virt-arm -m 256M -bios "$uboot" -drive disk --script script
same el1 again
boot el2 -machine virt-arm,virtualization=on -m 256M -bios "$uboot" -drive disk --script script
check el2
boot pflash -machine virt-arm -m 256M -drive if=pflash,format=raw,unit=0,file="$uboot" -drive disk --script script
check pflash
boot el3 -machine virt-arm,secure=on -m 256M -bios "$uboot" --expect 'stop autoboot=>\r' --expect '\n=> =>version\r' \
    --exit-on 'GNU ld'
for cpu in cortex-a53 cortex-a76 neoverse-v1; do
    boot "$cpu" -machine virt-arm -m 256M -bios "$uboot" -cpu "$cpu" --expect 'stop autoboot=>\r' --expect '\n=> =>version\r' \
        --exit-on 'GNU ld'
done
echo "U-Boot answers"
