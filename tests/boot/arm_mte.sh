# Debian's arm64 kernel finds FEAT_MTE2 and FEAT_MTE3, and a program that asks for it gets a SIGSEGV for a wrong tag: at once
# (SEGV_MTESERR) in synchronous mode, at the next entry to the kernel (SEGV_MTEAERR) in asynchronous mode. Arm ARM D10.
# timeout: 300
. "$(dirname "$0")/../lib/env.sh"
. "$(dirname "$0")/../lib/boot.sh"
command -v aarch64-linux-gnu-gcc >/dev/null || { echo "no cross compiler: the program cannot be made"; exit 77; }
image debian-13-arm64 linux
kernel=$image
cd "$scratch"

cat >init.c <<'END'
typedef unsigned long u64;
/* Linux: 64 write, 134 rt_sigaction, 142 reboot, 167 prctl, 172 getpid, 222 mmap. */
static long call(long n, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f)
{
    register u64 x8 asm("x8") = n, x0 asm("x0") = a, x1 asm("x1") = b, x2 asm("x2") = c, x3 asm("x3") = d, x4 asm("x4") = e,
                 x5 asm("x5") = f;
    asm volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
    return x0;
}
static void say(const char *what, u64 v)
{
    char line[64], *p = line;
    while (*what)
        *p++ = *what++;
    for (int s = 60; s >= 0; s -= 4)
        *p++ = "0123456789abcdef"[v >> s & 15];
    *p++ = '\n';
    call(64, 1, (u64)line, p - line, 0, 0, 0);
}
/* The faulting instruction is stepped over where there is one. */
static void handler(int sig, const u64 *info, u64 *context)
{
    unsigned code = (unsigned)info[1];
    say("signal code ", code);
    if (code == 9) {
        say("signal address ", info[2]);
        context[55] += 4; /* uc_mcontext.pc */
    }
}
/* PR_SET_TAGGED_ADDR_CTRL with every tag but 0. */
static void mode(u64 how) { say("prctl ", call(167, 55, how | 1 | 0xfffeul << 3, 0, 0, 0, 0)); }
static void run(const u64 *sp)
{
    u64 action[4] = {(u64)handler, 4};
    const u64 *p = sp + 1 + sp[0] + 1;
    while (*p++)
        ;
    for (; p[0]; p += 2)
        if (p[0] == 26) /* AT_HWCAP2: MTE, MTE3 */
            say("hwcap2 mte ", p[1] >> 18 & 0x11);
    call(134, 11, (u64)action, 0, 8, 0, 0);
    mode(1 << 1);
    char *page = (char *)call(222, 0x10000000, 4096, 3 | 0x20, 0x32, -1, 0), *tagged;
    asm volatile("irg %0, %1" : "=r"(tagged) : "r"(page));
    asm volatile("stg %0, [%0]\n stg %0, [%0, #16]" : : "r"(tagged) : "memory");
    *(volatile u64 *)tagged = 42;
    say("value ", *(volatile u64 *)tagged);
    say("neighbour ", *(volatile u64 *)(page + 32));
    page[0] = 1; /* tag 0 is not the granule's */
    mode(1 << 2);
    page[0] = 2;
    call(172, 0, 0, 0, 0, 0, 0);
    say("async value ", *(volatile u64 *)tagged);
    call(167, 55, 0, 0, 0, 0, 0);
    page[0] = 3;
    say("off value ", *(volatile u64 *)tagged);
    call(142, 0xfee1dead, 672274793, 0x4321fedc, 0, 0, 0);
    for (;;)
        ;
}
void start(const u64 *sp) { run(sp); }
asm(".global _start\n_start: mov x0, sp\n b start\n");
END
aarch64-linux-gnu-gcc -march=armv8.5-a+memtag -O1 -static -nostdlib -ffreestanding -fno-pie -no-pie -o init init.c

entry() # NAME MODE FILE: of a cpio archive ("newc")
{
    local size=0
    [ -z "$3" ] || size=$(stat -c %s "$3")
    printf '070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s\0' 0 "$2" 0 0 1 0 "$size" 0 0 0 0 $((${#1} + 1)) 0 "$1"
    head -c $(((4 - (110 + ${#1} + 1) % 4) % 4)) /dev/zero
    [ -z "$3" ] || { cat "$3"; head -c $(((4 - size % 4) % 4)) /dev/zero; }
}
{
    entry init $((0100755)) init
    entry 'TRAILER!!!' 0 ''
} >initrd

boot mte -machine virt-arm -kernel "$kernel" -initrd initrd -append console=ttyAMA0 -m 256M
says mte "detected: Memory Tagging Extension" "hwcap2 mte 0000000000000011" "prctl 0000000000000000" "value 000000000000002a" \
    "neighbour 0000000000000000" "signal code 0000000000000009" "signal address 0000000010000000" "signal code 0000000000000008" \
    "async value 0000000000000002" "off value 0000000000000003"
echo "tag faults reach the program"
