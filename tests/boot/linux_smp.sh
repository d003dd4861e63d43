# Debian's Linux on four harts: all come up, work on each, answer; the run in two parts, cut at the shell's prompt, is the same.
# Another quantum is another interleaving of the harts, and boots too.
# timeout: 300
. "$(dirname "$0")/../lib/env.sh"
. "$(dirname "$0")/../lib/boot.sh"
debian
cd "$scratch"
machine=(-smp 4 -m 1G -bios "$opensbi" -kernel "$linux" -initrd "$initrd" -append "console=ttyS0 rdinit=/bin/sh")

cat >script <<'END'
expect "~ # "
send "mount -t proc proc /proc; mount -t sysfs sysfs /sys\n"
expect "~ # "
send "uname -a; cat /proc/cpuinfo /proc/interrupts; cat /sys/devices/system/cpu/online\n"
expect "~ # "
send "for i in 1 2 3 4; do (seq 1 5000 | sha256sum) & done; wait; echo all' 'done\n"
expect "all done"
expect "~ # "
send "echo 0 >/sys/devices/system/cpu/cpu3/online; cat /sys/devices/system/cpu/online\n"
expect "~ # "
send "echo 1 >/sys/devices/system/cpu/cpu3/online; cat /sys/devices/system/cpu/online; poweroff -f\n"
END
check()
{
    local sum
    sum=$(seq 1 5000 | sha256sum)
    says "$1" "smp: Brought up 1 node, 4 CPUs" "SMP Debian" "reboot: Power down"
    [ "$(grep -ac '^hart isa.*: rv64imafdch_' "$1.out")" -eq 4 ] || fail "$1: /proc/cpuinfo does not show four harts"
    [ "$(grep -ac "^$sum" "$1.out")" -eq 4 ] || fail "$1: not four times $sum"
    [ "$(grep -ac '^0-3' "$1.out")" -eq 2 ] && [ "$(grep -ac '^0-2' "$1.out")" -eq 1 ] ||
        fail "$1: hart 3 did not go and come back"
    tr -d '\r' <"$1.out" | awk '/riscv-timer$/ && $2 > 0 && $3 > 0 && $4 > 0 && $5 > 0 {timer = 1}
        /^IPI1:/ && $2 + $3 + $4 + $5 > 0 {ipi = 1} END {exit !(timer && ipi)}' ||
        fail "$1: a hart has no timer interrupt, or none a call"
    ! grep -aE 'BUG|Oops|WARNING|stall' "$1.out" || fail "$1: the kernel complains"
}
boot whole "${machine[@]}" --script script
check whole

printf 'expect "~ # "\nend\n' >script1
tail -n +2 script >script2
boot first "${machine[@]}" --script script1 --save state
boot second "${machine[@]}" --script script2 --load state
cat first.out second.out >parts.out
cp second.err parts.err
same whole parts

boot quantum "${machine[@]}" --script script --quantum=777
check quantum
echo "Linux runs on four harts"
