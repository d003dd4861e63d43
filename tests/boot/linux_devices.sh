# Debian's Linux with a disk, a network card and a random-number generator behind virtio, by the modules Debian ships: the disk's
# bytes are read and written, the network gives a lease and answers, the generator gives bytes.
# timeout: 200
. "$(dirname "$0")/../lib/env.sh"
. "$(dirname "$0")/../lib/boot.sh"
debian
image debian-13-modules virtio_blk.ko.xz
module=$image
cd "$scratch"

# The installer's initrd has no disk driver (the installer downloads it). Linux unpacks several archives one after the other.
entry() # NAME FILE: one file of a cpio archive ("newc": a header of hexadecimal numbers, the name, the bytes, each padded to 4)
{
    local size name=$1
    size=$(stat -c %s "$2")
    printf '070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x' 1 $((0100644)) 0 0 1 0 "$size" 0 0 0 0 $((${#name} + 1)) 0
    printf '%s\0' "$name"
    head -c $(((4 - (110 + ${#name} + 1) % 4) % 4)) /dev/zero
    cat "$2"
    head -c $(((4 - size % 4) % 4)) /dev/zero
}
: >empty
{
    entry virtio_blk.ko.xz "$module"
    entry 'TRAILER!!!' empty
} >archive
{
    cat "$initrd"
    head -c $(((4 - $(stat -c %s "$initrd") % 4) % 4)) /dev/zero
    cat archive
} >both

head -c 1048576 < <(seq 1 1000000) >disk
sum=$(sha256sum <disk)
printf 'written by the guest' >after
cat disk >written
dd if=after of=written bs=512 seek=3 conv=notrunc status=none
cat >script <<'END'
expect "~ # "
send "mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs dev /dev\n"
expect "~ # "
send "for i in virtio_mmio virtio_net virtio-rng; do modprobe $i; done\n"
expect "~ # "
send "xzcat virtio_blk.ko.xz >b.ko; insmod b.ko; dmesg | tail -n 3\n"
expect "~ # "
send "dd if=/dev/vda bs=4k | sha256sum; printf 'written by the guest' | dd of=/dev/vda bs=20 seek=1536 oflag=seek_bytes; sync\n"
expect "~ # "
send "echo 3 >/proc/sys/vm/drop_caches; dd if=/dev/vda bs=512 skip=3 count=1 | head -c 20; echo ' is there'\n"
expect "~ # "
send "cat /sys/class/misc/hw_random/rng_current; dd if=/dev/hwrng bs=1 count=64 | wc -c\n"
expect "~ # "
send "ip link set eth0 up; udhcpc -i eth0 -n -q -s /bin/true; ip addr add 10.0.2.15/24 dev eth0; ping -c 2 10.0.2.2\n"
expect "packet loss"
expect "~ # "
send "cat /proc/interrupts; poweroff -f\n"
END
boot devices -m 1G -bios "$opensbi" -kernel "$linux" -initrd both -append "console=ttyS0 rdinit=/bin/sh" \
    -drive file=disk,write=on -device virtio-rng -device virtio-net -netdev user --script script
says devices "[vda] 2048 512-byte logical blocks" "$sum" "written by the guest is there" "virtio_rng.0" \
    "lease of 10.0.2.15 obtained from 10.0.2.2" "2 packets received, 0% packet loss" "reboot: Power down"
tr -d '\r' <devices.out | grep -qx 64 || fail "the generator did not give 64 bytes"
[ "$(tr -d '\r' <devices.out | awk '/PLIC.*virtio[0-9]$/ && $2 > 0' | wc -l)" -eq 3 ] || fail "not all of three devices interrupt"
cmp disk written || fail "what the guest wrote is not in the file"
echo "virtio devices work"
