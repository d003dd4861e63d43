# Debian's Linux and U-Boot on the bundled SBI firmware instead of OpenSBI: Linux on four harts (all work, one leaves and comes back),
# through a system suspend, and on one hart that lacks H, Sstc, Sscofpmf and Svadu; U-Boot to its prompt.
# timeout: 300
. "$(dirname "$0")/../lib/env.sh"
. "$(dirname "$0")/../lib/boot.sh"
debian
image u-boot-smode u-boot.bin
uboot=$image
firmware=$TRAPLINE_SOURCE/roms/sbi-maint.elf
cd "$scratch"

cat >script <<'END'
expect "~ # "
send "mount -t proc proc /proc; mount -t sysfs sysfs /sys; dmesg | grep -e SBI -e PMU -e riscv:\n"
expect "~ # "
send "cat /proc/iomem /proc/interrupts; cat /sys/devices/system/cpu/online\n"
expect "~ # "
send "for i in 1 2 3 4; do (seq 1 5000 | sha256sum) & done; wait; echo all' 'done\n"
expect "all done"
expect "~ # "
send "echo 0 >/sys/devices/system/cpu/cpu3/online; cat /sys/devices/system/cpu/online\n"
expect "~ # "
send "echo 1 >/sys/devices/system/cpu/cpu3/online; cat /sys/devices/system/cpu/online; poweroff -f\n"
END
boot smp -smp 4 -m 1G -bios "$firmware" -kernel "$linux" -initrd "$initrd" -append "console=ttyS0 rdinit=/bin/sh" --script script
says smp "trapline SBI 3.0, variant maint" "SBI specification v3.0 detected" "SBI TIME extension" "SBI IPI extension" \
    "SBI RFENCE extension" "SBI SRST extension" "SBI DBCN extension" "SBI HSM extension" "SBI PMU extension is available" \
    "smp: Brought up 1 node, 4 CPUs" "Power down"
sum=$(seq 1 5000 | sha256sum)
[ "$(grep -ac "^$sum" smp.out)" -eq 4 ] || fail "not four times $sum"
[ "$(grep -ac '^0-3' smp.out)" -eq 2 ] && [ "$(grep -ac '^0-2' smp.out)" -eq 1 ] || fail "hart 3 did not go and come back"
tr -d '\r' <smp.out | awk '/riscv-timer$/ && $2 > 0 && $3 > 0 && $4 > 0 && $5 > 0 {timer = 1}
    /^IPI1:/ && $2 + $3 + $4 + $5 > 0 {ipi = 1} END {exit !(timer && ipi)}' || fail "a hart has no timer interrupt, or none a call"
! grep -aE 'BUG|Oops|WARNING|stall' smp.out || fail "the kernel complains"

# Sleep until a key is pressed: the other harts stop, the last one suspends the system.
cat >script <<'END'
expect "~ # "
send "mount -t sysfs sysfs /sys; for i in $(find /sys/devices -name wakeup | grep ttyS0); do echo enabled >$i; done\n"
expect "~ # "
send "echo deep >/sys/power/mem_sleep; echo mem >/sys/power/state\n"
expect "CPU1: off"
send "\n"
expect "PM: suspend exit"
send "\n"
expect "~ # "
send "echo slept `cat /sys/power/suspend_stats/success` times; reboot -f\n"
expect "slept 1 times"
expect "trapline SBI 3.0"
expect "Linux version"
end
END
boot sleep -smp 2 -m 1G -bios "$firmware" -kernel "$linux" -initrd "$initrd" --script script \
    -append "console=ttyS0 rdinit=/bin/sh no_console_suspend"
says sleep "PM: suspend entry (deep)" "CPU1 is up"

printf 'expect "~ # "\nsend "poweroff -f\\n"\n' >script
boot less -m 1G -cpu rv64,h=off,sstc=off,sscofpmf=off,svadu=off,zicfilp=off -bios "$firmware" -kernel "$linux" -initrd "$initrd" \
    -append "console=ttyS0 rdinit=/bin/sh" --script script
says less "base ISA extensions acdfim" "Power down"

boot uboot -smp 2 -bios "$firmware" -kernel "$uboot" --expect 'autoboot=> ' --exit-on '=> '
says uboot "U-Boot" "Hit any key to stop autoboot"
echo "Linux and U-Boot run on the bundled firmware"
