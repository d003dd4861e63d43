# U-Boot as Debian ships it, in supervisor mode on OpenSBI and in machine mode by itself: to the prompt, which answers, reads a
# virtio disk, restarts the board and powers it off. A run repeated is the same run.
# timeout: 120
# sanitized: yes
. "$(dirname "$0")/../lib/env.sh"
. "$(dirname "$0")/../lib/boot.sh"
image opensbi-trixie fw_dynamic.bin
opensbi=$image
image u-boot-smode u-boot.bin
smode=$image
image u-boot u-boot.bin
mmode=$image
cd "$scratch"

head -c 65536 < <(seq 1 100000) >disk
crc=$(gzip -c disk | tail -c 8 | od -An -N4 -t x4 | tr -d ' ') # gzip ends with the CRC-32 and the length
cat >script <<'END'
expect "stop autoboot"
send "\n"
expect "\n=> "
send "version\n"
expect "\n=> "
send "virtio info\n"
expect "\n=> "
send "virtio read 84000000 0 80; crc32 84000000 10000\n"
expect "\n=> "
send "sleep 0.01; echo $? is the status\n"
expect "\n=> "
send "reset\n"
expect "stop autoboot"
send "\n"
expect "\n=> "
send "poweroff\n"
END
check()
{
    says "$1" "U-Boot 2023.01" "DRAM:  128 MiB" "riscv64-linux-gnu-gcc (Debian" "Device 0: QEMU VirtIO Block Device" \
        "128 blocks read: OK" "84000000 ... 8400ffff ==> $crc" "0 is the status" "resetting ..." "poweroff ..."
    [ "$(grep -ac '^CPU:   rv64imafdch' "$1.out")" -eq 2 ] || fail "$1: reset did not restart U-Boot"
}
boot smode -bios "$opensbi" -kernel "$smode" -drive disk --script script
check smode
boot again -bios "$opensbi" -kernel "$smode" -drive disk --script script
same smode again
boot mmode -bios "$mmode" -drive file=disk,readonly=on --script script
check mmode
for cpu in rv64,sstc=off rv64,h=off rv64,svadu=off rv64,zicfilp=off,zicfiss=off; do
    boot "$cpu" -bios "$opensbi" -kernel "$smode" -cpu "$cpu" --expect 'stop autoboot=>\n' \
        --expect '\n=> =>version\n' --exit-on 'GNU ld'
done
echo "U-Boot answers"
