# Debian's Linux on harts that lack things: without an initrd, to the panic that it has no root file system, most of the
# kernel has run. Then it reboots, and the firmware starts again.
# timeout: 300
. "$(dirname "$0")/../lib/env.sh"
. "$(dirname "$0")/../lib/boot.sh"
debian
cd "$scratch"

cat >script <<'END'
expect "OpenSBI v1.6"
expect "Kernel panic - not syncing: VFS: Unable to mount root fs"
expect "OpenSBI v1.6"
end
END
# kernel NAME COMMAND-LINE OPTION...
kernel()
{
    local name=$1 append=$2
    shift 2
    boot "$name" -bios "$opensbi" -kernel "$linux" -append "console=ttyS0 panic=-1 $append" --script script "$@"
    says "$name" "Linux version 6.12." "SBI specification v2.0 detected"
}
lacks() { ! grep -aq -- "$2" "$1.out" || fail "$1 prints '$2'"; }

kernel all "earlycon=sbi" -smp 8 -m 256M
says all "earlycon: sbi0" "Brought up 1 node, 8 CPUs" "base ISA extensions acdfhim" \
    "via sstc extension" "ASID allocator using 16 bits"
kernel sstc "" -cpu rv64,sstc=off
lacks sstc "sstc"
kernel h "" -cpu rv64,h=off
says h "Boot HART Base ISA          : rv64imafdcb" "base ISA extensions acdfim"
kernel svadu-zicfilp "" -cpu rv64,svadu=off,zicfilp=off
lacks svadu-zicfilp svadu
# Misaligned access: by the firmware where the hart does not have it.
kernel misaligned "" -cpu rv64,misaligned=0,asid=0
says misaligned "unaligned accesses are slow" "ASID allocator disabled"
says all "unaligned accesses are fast"
kernel sv39 "" -cpu rv64,sv48=off,sv57=off,svpbmt=off,svnapot=off,zicboz=off,zicbom=off,pmp=16
lacks sv39 svpbmt
says sv39 "Boot HART PMP Count         : 16"
echo "Linux runs with less"
