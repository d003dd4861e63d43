# Debian's Linux on one hart: to a shell that answers, /proc/cpuinfo naming what the configuration promises, power off. The run
# repeated, and the run saved in the middle, loaded and continued, print the same bytes and end in the same state.
# timeout: 300
. "$(dirname "$0")/../lib/env.sh"
. "$(dirname "$0")/../lib/boot.sh"
debian
cd "$scratch"
machine=(-m 1G -bios "$opensbi" -kernel "$linux" -initrd "$initrd" -append "console=ttyS0 rdinit=/bin/sh")

cat >script <<'END'
expect "~ # "
send "mount -t proc proc /proc; mount -t sysfs sysfs /sys\n"
expect "~ # "
send "uname -a; cat /proc/cpuinfo /proc/interrupts; date\n"
expect "~ # "
send "dmesg | grep -e 'riscv:' -e PMU -e clocksource -e rtc; sha256sum /etc/passwd; sleep 0.1; poweroff -f\n"
END
boot whole "${machine[@]}" --script script
says whole "OpenSBI v1.6" "Linux version 6.12." "Run /bin/sh as init process" "SMP Debian" "riscv64 GNU/Linux" "mmu		: sv57" \
    "riscv-timer" "SiFive PLIC  10 Edge      ttyS0" "riscv-pmu" "Jan  1 00:00:0" "2025" "SBI PMU extension is available" \
    "ELF capabilities acdfim" "goldfish_rtc 101000.rtc" "/etc/passwd" "reboot: Power down"
! grep -aE 'BUG|Oops|WARNING|call trace|unhandled' whole.out || fail "the kernel complains"

# cpuinfo: each extension of the configuration that Linux 6.12 knows, and no other. It learns them from the device tree.
isa=$(tr -d '\r' <whole.out | awk '/^hart isa/ {print $NF}')
config=$("$TRAPLINE" doc --cpu | head -n 1)
[ "${isa%%_*}" = rv64imafdch ] && [ "${config%%_*}" = rv64imafdch ] || fail "base: $isa, $config"
for x in zicbom zicboz zicntr zicond zicsr zifencei zihintntl zihintpause zihpm zimop zacas zawrs zfa zfh zfhmin zca zcb zcd \
         zcmop zba zbb zbc zbkb zbkc zbkx zbs zkr smstateen sscofpmf sstc svinval svnapot svpbmt; do
    [[ _${isa}_ == *_${x}_* ]] || fail "/proc/cpuinfo does not name $x: $isa"
done
for x in ${isa//_/ }; do
    [[ $x == rv64* || _${config}_ == *_${x}_* ]] || fail "/proc/cpuinfo names $x, which the configuration $config does not"
done

# The timer and the console raised interrupts.
tr -d '\r' <whole.out | awk '/riscv-timer$/ && $2 > 10 {timer = 1} /ttyS0$/ && $2 > 10 {uart = 1} END {exit !(timer && uart)}' ||
    fail "no interrupts were counted"

boot again "${machine[@]}" --script script
same whole again

# In two parts, cut while the kernel unpacks its initrd: the script goes with the second.
"$TRAPLINE" run "${machine[@]}" --max-cycles=700000000 --save state >first.out 2>err </dev/null || fail "--save: $(cat err)"
boot second "${machine[@]}" --load state --script script
cat first.out second.out >parts.out
cp second.err parts.err
same whole parts
echo "Linux runs on one hart"
