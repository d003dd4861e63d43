# Options in QEMU's spelling and in GNU's mean the same; a cpu configuration may be a file; the device tree can be written and given.
. "$(dirname "$0")/../lib/env.sh"
tool=$TRAPLINE_BUILD/tests/cli/tool_image
cd "$scratch"
"$tool" hello hello.elf
"$tool" spin spin.elf

digest() { "$TRAPLINE" run --max-cycles 1000 --digest "$@" 2>&1 >/dev/null </dev/null | awk '/^digest/ {print $2}'; }
same() { # A... -- B...
    local a=()
    while [ "$1" != -- ]; do a+=("$1"); shift; done
    shift
    local one two
    one=$(digest spin.elf "${a[@]}")
    two=$(digest spin.elf "$@")
    [ -n "$one" ] && [ "$one" = "$two" ] || fail "'${a[*]}' and '$*' are not the same"
}
same -m 64 -- --memory=64M
same -m 65536K -- -m size=64
same -smp 2 -- --smp cpus=2
same -machine virt -nographic -- -M virt
same -append '-kernel' -- --append=-kernel
same -cpu rv64,h=off -- --cpu=rv64,H=off
same -device virtio-rng -- -device virtio-rng-device
same -display none -serial mon:stdio -serial stdio -- -nographic
printf '# no hypervisor\nrv64\nh=off\n' >cpu.conf
same -cpu rv64,h=off -- -cpu @cpu.conf
same --seed 16 -- --seed 0x10
same --clock 2e9 -- --clock 2G
same --clock 1.5e9 -- --clock 1500M
[ "$(digest spin.elf -m 64)" != "$(digest spin.elf -m 65)" ] || fail "-m has no effect"
[ "$(digest spin.elf)" != "$(digest spin.elf -cpu rv64,h=off)" ] || fail "-cpu has no effect"
"$TRAPLINE" run -- hello.elf >/dev/null || fail "-- does not end the options"

# A level comes by -machine or by -cpu, whose comments and features of similar names say nothing of it.
level() { "$TRAPLINE" run -dumpdtb arm.dtb "$@" && dtc -I dtb -O dts arm.dtb 2>/dev/null | grep -cE 'method = "smc"|secram@|no-el3' || true; }
need dtc device-tree-compiler
printf 'max # all\nmte=off # el2=on\n' >cpu.conf
for cpu in max max,mte=off @cpu.conf max,sel2=off; do
    [ "$(level -M virt-arm -cpu $cpu)" -eq 0 ] || fail "-cpu $cpu brings a level"
done
[ "$(level -M virt-arm -cpu max,el3=on)" = "$(level -M virt-arm,secure=on)" ] || fail "el3=on is not secure=on"
[ "$(level -M virt-arm,virtualization=on -cpu max,el2=on)" = "$(level -M virt-arm,virtualization=on)" ] || fail "el2=on twice is not once"

# -dumpdtb writes a tree that dtc accepts; -dtb gives it back; -append is put into it.
need dtc device-tree-compiler
"$TRAPLINE" run -dumpdtb tree.dtb -smp 3 -m 256 || fail "-dumpdtb without an image"
dtc -I dtb -O dts tree.dtb >tree.dts 2>warnings || fail "dtc refuses the tree: $(cat warnings)"
[ ! -s warnings ] || fail "dtc warns: $(cat warnings)"
[ "$(grep -c 'riscv,cpu-intc' tree.dts)" -eq 3 ] || fail "the tree does not have 3 harts"
grep -q 'reg = <0x00 0x80000000 0x00 0x10000000>' tree.dts || fail "the tree does not have 256 MiB"
"$TRAPLINE" run hello.elf -dtb tree.dtb -append 'one two' -dumpdtb again.dtb
dtc -I dtb -O dts again.dtb >again.dts 2>/dev/null
grep -q 'bootargs = "one two"' again.dts || fail "-append is not in the tree of -dtb"
"$TRAPLINE" run hello.elf -dtb tree.dtb >said
grep -q hello said || fail "-dtb does not run"
"$TRAPLINE" run -dumpdtb rv32.dtb -cpu rv32
dtc -I dtb -O dts rv32.dtb >rv32.dts 2>/dev/null
grep -q 'riscv,isa-base = "rv32i"' rv32.dts || fail "the tree of rv32 is not one"
echo "options as told"
