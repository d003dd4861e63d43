# Debian's arm64 installer kernels, entered by the machine at EL1 and at EL2, on 1 and 4 PEs, to the start of /init: GIC, timers,
# PSCI, device tree and console work. A run repeated is the same run.
# timeout: 300
. "$(dirname "$0")/../lib/env.sh"
. "$(dirname "$0")/../lib/boot.sh"
image debian-12-arm64 linux
k12=$image
image debian-13-arm64 linux initrd.gz
k13=$image
initrd=$(dirname "$k13")/initrd.gz
cd "$scratch"

options=(-append "console=ttyAMA0 rdinit=/bin/sh" -initrd "$initrd" -m 1G --exit-on "Run /bin/sh as init process")
go() # NAME KERNEL OPTION...
{
    local name=$1 kernel=$2
    shift 2
    boot "$name" -kernel "$kernel" "${options[@]}" "$@"
    says "$name" "psci: PSCIv1.1 detected in firmware" "GICv3: 256 SPIs implemented" "ttyAMA0 at MMIO 0x9000000" "rtc-pl031 9010000.pl031"
}
go el1 "$k13" -machine virt-arm
says el1 "All CPU(s) started at EL1"
go again "$k13" # the image says which board it is for
same el1 again
go el2 "$k13" -machine virt-arm,virtualization=on
says el2 "All CPU(s) started at EL2" "VHE mode initialized successfully" "GIC system register CPU interface enabled"
go smp "$k13" -machine virt-arm,virtualization=on -smp 4
says smp "Brought up 1 node, 4 CPUs" "VHE mode initialized successfully"
go smp1 "$k12" -machine virt-arm -smp 4
says smp1 "Brought up 1 node, 4 CPUs" "All CPU(s) started at EL1"
go secure "$k12" -machine virt-arm,secure=on
says secure "All CPU(s) started at EL1"
echo "kernels start /init"
