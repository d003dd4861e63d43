# Debian's arm64 installer kernels, entered by the machine at EL1 and at EL2, on 1 and 4 PEs, to a shell that answers: GIC, timers,
# PSCI, device tree, console. A run repeated, and watched by the monitors, is the same run, and breaks none of their rules.
# timeout: 600
. "$(dirname "$0")/../lib/env.sh"
. "$(dirname "$0")/../lib/boot.sh"
image debian-12-arm64 linux initrd.gz
k12=$(dirname "$image")
image debian-13-arm64 linux initrd.gz
k13=$(dirname "$image")
cd "$scratch"

watched=(--monitor calls --monitor interrupts)
options=(-append "console=ttyAMA0 rdinit=/bin/sh" -m 1G --expect '# =>uname -a\n' --exit-on GNU/Linux)
go() # NAME FOLDER OPTION...
{
    local name=$1 folder=$2
    shift 2
    boot "$name" -kernel "$folder/linux" -initrd "$folder/initrd.gz" "${options[@]}" "$@"
    says "$name" "psci: PSCIv1.1 detected in firmware" "GICv3: 256 SPIs implemented" "ttyAMA0 at MMIO 0x9000000" \
        "rtc-pl031 9010000.pl031" "aarch64 GNU/Linux"
}
go el1 "$k13" -machine virt-arm
says el1 "All CPU(s) started at EL1" "Linux (none) 6.12"
go again "$k13" "${watched[@]}" # the image says which board it is for
same el1 again
go el2 "$k13" -machine virt-arm,virtualization=on -smp 4
says el2 "All CPU(s) started at EL2" "VHE mode initialized successfully" "GIC system register CPU interface enabled" \
    "Brought up 1 node, 4 CPUs"
go el2again "$k13" -machine virt-arm,virtualization=on -smp 4 "${watched[@]}"
same el2 el2again
go old1 "$k12" -machine virt-arm -smp 4 "${watched[@]}"
says old1 "Brought up 1 node, 4 CPUs" "All CPU(s) started at EL1" "Linux (none) 6.1."
go old2 "$k12" -machine virt-arm,virtualization=on "${watched[@]}"
says old2 "VHE mode initialized successfully"
# Behind the bundled EL3 monitor, whose PSCI turns the other PEs on.
go el3 "$k13" -machine virt-arm,virtualization=on,secure=on -smp 4 -bios "$TRAPLINE_SOURCE/roms/monitor-a64.elf" \
    "${watched[@]}"
says el3 "monitor: EL3" "All CPU(s) started at EL2" "Brought up 1 node, 4 CPUs"
go secure "$k12" -machine virt-arm,secure=on "${watched[@]}"
says secure "All CPU(s) started at EL1"
echo "kernels answer"
