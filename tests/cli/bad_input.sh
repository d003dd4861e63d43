# A user's mistake is one sentence on stderr that names the file and the reason, status 2, and nothing half-written.
. "$(dirname "$0")/../lib/env.sh"
tool=$TRAPLINE_BUILD/tests/cli/tool_image
cd "$scratch"

# refuse SENTENCE ARGUMENT...: `trapline ARGUMENT...` prints exactly this, ends with 2, prints nothing on stdout.
cases=0
refuse()
{
    local want="trapline: $1" status=0
    shift
    "$TRAPLINE" "$@" >out 2>err </dev/null || status=$?
    [ "$status" -eq 2 ] || fail "trapline $* ended with $status: $(cat err)"
    [ "$(cat err)" = "$want" ] || fail "trapline $*
says:    $(cat err)
and not: $want"
    [ ! -s out ] || fail "trapline $* printed on stdout: $(head -c 200 out)"
    cases=$((cases + 1))
}

for kind in hello elf32 aarch64 object outside huge entry; do
    "$tool" $kind $kind.elf
done
head -c 40 hello.elf >header.elf
head -c 100 hello.elf >phdrs.elf
head -c 4100 hello.elf >segment.elf
: >empty.elf
mkdir folder
head -c 3000000 /dev/zero >zeros.bin
cp hello.elf zeros.elf
gzip -9c hello.elf | head -c 60 >cut.gz
ram='RAM is 0x80000000..0x88000000 (128 MiB; see -m)'

# Images
refuse "missing.elf: No such file or directory" run missing.elf
refuse "folder is a directory, not an image" run folder
refuse "empty.elf is empty" run empty.elf
mkfifo pipe
refuse "pipe is a pipe, which can be read once only: name a regular file" run pipe
refuse "pipe is a pipe, which can be read once only: name a regular file" run -machine virt-arm -bios pipe
refuse "header.elf is a truncated ELF image: its header ends behind the 40 bytes of the file" run header.elf
refuse "phdrs.elf is a truncated ELF image: its program headers end at byte 120, the file at 100" run phdrs.elf
size=$("$TRAPLINE" run hello.elf >/dev/null && od -An -t u8 -j 96 -N 8 hello.elf | tr -d ' ')
refuse "segment.elf is a truncated ELF image: segment 0 has 0x$(printf %x "$size") bytes at byte 0x1000, the file has 0x1004 bytes" run segment.elf
refuse "elf32.elf is a 32-bit ELF image; the cpu is rv64 (see -cpu)" run elf32.elf
refuse "hello.elf is a 64-bit ELF image; the cpu is rv32 (see -cpu)" run hello.elf -cpu rv32
refuse "aarch64.elf is an AArch64 ELF image; this machine is RISC-V" run -machine virt aarch64.elf
refuse "hello.elf is a RISC-V ELF image; this machine is AArch64" run -machine virt-arm hello.elf
refuse "hello.elf is a RISC-V ELF image; this machine is AArch64" run -machine virt-arm -bios hello.elf
# Linux images have their magic number at byte 56 (Documentation/arch/{arm64,riscv}/boot*): named from both sides, wherever they go.
{ head -c 56 /dev/zero && printf 'ARM\x64' && head -c 200 /dev/zero; } >linux-arm64
{ head -c 56 /dev/zero && printf 'RSC\005' && head -c 200 /dev/zero; } >linux-riscv
# One with a PE header (at 64; one section, 100 bytes from 200 on), whole and cut off.
{
    printf 'MZ' && head -c 54 /dev/zero && printf 'ARM\x64\x40\0\0\0PE\0\0\x64\xaa\1\0' && head -c 12 /dev/zero && printf '\0\0\0\0'
    head -c 16 /dev/zero && printf '\x64\0\0\0\xc8\0\0\0' && head -c 188 /dev/zero
} >linux-whole
[ "$(wc -c <linux-whole)" -eq 300 ] || fail "the image is not what it is to be"
# cut BYTES NEEDED: the first of them are refused; what they have of the headers says how many are needed.
cut()
{
    head -c "$1" linux-whole >linux-cut
    refuse "linux-cut is a truncated Linux image: its headers and sections take $2 bytes, the file has $1" \
        run -machine virt-arm -kernel linux-cut
}
cut 299 300
cut 127 128 # in the section table
cut 87 88   # in the PE header
cut 64 88
cut 60 64
{ head -c 104 linux-whole && printf '\0\0\0\0\xff\xff\0\0' && head -c 188 /dev/zero; } >linux-bss # no bytes, wherever
for file in linux-whole linux-bss; do
    "$TRAPLINE" run -machine virt-arm -kernel $file --max-cycles 10 >/dev/null 2>&1 || fail "$file, which is whole, is refused"
done
refuse "linux-arm64 is an AArch64 Linux image; this machine is RISC-V" run -machine virt -kernel linux-arm64
refuse "linux-arm64 is an AArch64 Linux image; this machine is RISC-V" run -machine virt -bios linux-arm64
refuse "linux-riscv is a RISC-V Linux image; this machine is AArch64" run -machine virt-arm -kernel linux-riscv
refuse "linux-riscv is for RISC-V; this machine is AArch64" run -machine virt-arm -bios linux-riscv
refuse "linux-riscv is for RISC-V; this machine is AArch64" run -machine virt-arm -bios zeros.bin -kernel linux-riscv
refuse "hello.elf is for RISC-V; this machine is AArch64" run -machine virt-arm -drive if=pflash,file=zeros.bin -kernel hello.elf
refuse "aarch64.elf is an ELF image; a flash drive is raw bytes (an ELF image is run with -bios or -kernel)" \
    run -machine virt-arm -drive if=pflash,file=aarch64.elf
refuse "missing: No such file or directory" run -machine virt-arm -bios zeros.bin -kernel zeros.bin -initrd missing
refuse "zeros.bin: an initrd needs a kernel (-kernel)" run -machine virt-arm -bios zeros.bin -initrd zeros.bin
refuse "-machine virt-arm,smm=on: 'smm=on' is not known; the board virt-arm has virtualization=on|off and secure=on|off" \
    run -machine virt-arm,smm=on aarch64.elf
refuse "-drive if=pflash: hello.elf: the board has no flash" run hello.elf -drive if=pflash,file=hello.elf
refuse "-drive if=pflash,unit=2,file=x: unit=2: flash banks are 0 and 1" run -machine virt-arm -drive if=pflash,unit=2,file=x
refuse "-drive if=pflash: b: flash bank 0 is taken already" \
    run -machine virt-arm -drive if=pflash,unit=0,file=a -drive if=pflash,unit=0,file=b
refuse "hello.elf and x are both to be in the first flash: give one of -bios and -drive if=pflash" \
    run -machine virt-arm -bios hello.elf -drive if=pflash,file=x
refuse "object.elf is an ELF object file that was not linked; it has no addresses to be loaded at" run object.elf
refuse "outside.elf does not fit: segment 0 needs 0x1000 bytes from 0x40000000, $ram" run outside.elf
refuse "huge.elf does not fit: segment 0 needs 0x10000000000 bytes from 0x80000000, $ram" run huge.elf
refuse "entry.elf: its entry point 0x1234 is in none of its segments" run entry.elf
refuse "zeros.bin does not fit: the raw image needs 0x2dc6c0 bytes from 0x80000000, RAM is 0x80000000..0x80200000 (2 MiB; see -m)" \
    run zeros.bin -m 2
refuse "cut.gz: the gzip data ends early" run cut.gz
refuse "missing: No such file or directory" run -bios none -kernel missing
refuse "missing: No such file or directory" run -bios missing
refuse "-bios default: there is no default firmware for the board virt-arm; name a file, or 'none'" \
    run -machine virt-arm -bios default -kernel linux-whole
refuse "missing: No such file or directory" run hello.elf -initrd missing
refuse "missing: No such file or directory" run hello.elf -dtb missing
refuse "hello.elf is not a usable device tree blob: FDT_ERR_BADMAGIC" run hello.elf -dtb hello.elf
refuse "missing: No such file or directory" run hello.elf --load missing
refuse "missing: No such file or directory" run hello.elf --script missing
refuse "missing: No such file or directory" run hello.elf --input-file missing
refuse "missing: No such file or directory" run hello.elf -cpu @missing
refuse "hello.elf: an initrd needs a kernel (-kernel)" run -bios hello.elf -initrd hello.elf

refuse "hello.elf (0x80000000..0x80001000) and zeros.elf (0x80000000..0x80001000) overlap in memory; a bare-metal image is run with -bios none" \
    run -bios hello.elf -kernel zeros.elf

# Options
refuse "nothing to run: name an image, or -kernel FILE, or -bios FILE; see \`trapline run --help\`" run
refuse "one image is run at a time: 'hello.elf' and 'entry.elf' were given" run hello.elf entry.elf
refuse "'hello.elf' and -kernel 'entry.elf' both name what to run" run hello.elf -kernel entry.elf
refuse "-append 'x': a command line needs a kernel (-kernel)" run -bios hello.elf -append x
refuse "-m 0: a machine with 0 bytes of RAM cannot run anything" run hello.elf -m 0
refuse "-m 1000B: RAM comes in pages of 4096 bytes" run hello.elf -m 1000B
refuse "-m much: 'much' is not a size; write 512M or 1G" run hello.elf -m much
refuse "-m -1: '-1' is not a size; write 512M or 1G" run hello.elf -m -1
refuse "-m 99999999999T: '99999999999T' is not a size; write 512M or 1G" run hello.elf -m 99999999999T
refuse "-smp 0: a machine has 1 to 8 harts" run hello.elf -smp 0
refuse "-smp 9: a machine has 1 to 8 harts" run hello.elf -smp 9
refuse "-smp 'two' is not a number; write 1000000, 0x10, 5e7 or 20M" run hello.elf -smp two
refuse "-machine pc: there is no board 'pc'; the boards are: virt, virt-arm" run hello.elf -machine pc
refuse "-machine virt,virtualization=on: the board virt (RISC-V) has no options; the AArch64 board is virt-arm" \
    run aarch64.elf -machine virt,virtualization=on
both='there is an EL2, or there is none'
refuse "-machine says virtualization=on and -cpu el2=off: $both" run aarch64.elf -M virt-arm,virtualization=on -cpu max,el2=off
refuse "-machine says virtualization=off and -cpu el2=on: $both" run aarch64.elf -M virt-arm,virtualization=off -cpu EL2=on
printf '# no el3=off\nmax # nor here\nFEAT_EL3=yes\n' >cpu.conf
refuse "-machine says secure=off and -cpu el3=on: there is an EL3, or there is none" \
    run aarch64.elf -M virt-arm,secure=off -cpu @cpu.conf
refuse "-netdev tap: only 'user' is there" run hello.elf -netdev tap
refuse "-netdev user: hostfwd 'tcp:80' is not tcp:[address]:port-[guest]:port" run hello.elf -netdev user,hostfwd=tcp:80
refuse "--max-cycles 'soon' is not a number; write 1000000, 0x10, 5e7 or 20M" run hello.elf --max-cycles soon
refuse "--max-cycles '1e20' is not a number; write 1000000, 0x10, 5e7 or 20M" run hello.elf --max-cycles 1e20
refuse "--max-cycles '0.5' is not a number; write 1000000, 0x10, 5e7 or 20M" run hello.elf --max-cycles 0.5
refuse "--timeout 'never' is not a number of seconds" run hello.elf --timeout never
refuse "--quantum 0: a hart runs at least 1 cycle" run hello.elf --quantum 0
refuse "--exit-on: the text is empty" run hello.elf --exit-on ''
refuse "--exit-on: a backslash is followed by none of n r t e \\ \" xHH" run hello.elf --exit-on '\q'
refuse "--expect 'x': write TEXT=>SEND" run hello.elf --expect x
refuse "there is no verb 'frob'; \`trapline --help\` lists them" frob
refuse "there is no register 'frob', and no instruction, cause or call; \`trapline doc\` lists registers" doc frob
refuse "there is no register with number 0xfff" doc 0xfff
refuse "'x' is not a value of mstatus; write it as 0x180, 384 or 0b110000000" doc mstatus=x
refuse "0x100000000 does not fit into the 32 bits of mstatus" doc mstatus=0x100000000 --xlen 32
refuse "--xlen '16': a hart is 32 or 64 bits wide" doc --xlen 16
printf 'expect "x"\nsned "y"\n' >typo
refuse "typo:2: 'sned' is not a step; the steps are: expect \"text\", send \"text\", end" run hello.elf --script typo
printf '\n# comment\nexpect x\n' >quotes
refuse "quotes:3: the text of expect must be in double quotes" run hello.elf --script quotes

# A word that is no option is named whole, and one of QEMU's with what there is in its place.
refuse "there is no option '-frob'; \`trapline run --help\` lists them" run hello.elf -frob
refuse "there is no option '-x'; \`trapline step --help\` lists them" step hello.elf -x
refuse "there is no option '-s': \`trapline gdb\` serves a machine to GDB" run hello.elf -s
refuse "there is no option '-S': \`trapline gdb\` serves a machine to GDB, which starts it" run hello.elf -S -s
refuse "there is no option '-gdb': \`trapline gdb\` serves a machine to GDB" run hello.elf -gdb tcp::1234
traces='--trace sbi and --trace calls every call'
refuse "there is no option '-d': \`trapline run --trace traps\` tells every trap and return, $traces" run hello.elf -d int
refuse "there is no option '-semihosting-config': --semihosting answers semihosting calls" run hello.elf -semihosting-config enable=on
refuse "there is no option '-mon': the console is stdin and stdout" run hello.elf -mon chardev=c
refuse "there is no option '-monitor': the console is stdin and stdout; \`trapline step\` has commands" step hello.elf -monitor none
refuse "there is no option '-accel': it is not needed, every run is deterministic" run hello.elf -accel tcg
refuse "there is no option '-icount': it is not needed, every run is deterministic" run hello.elf -icount shift=0
refuse "there is no option '-no-reboot': a reset starts the machine again; --exit-on, --max-cycles and --timeout end a run" \
    run hello.elf -no-reboot
refuse "-display gtk: there is no display, the console is stdin and stdout" run hello.elf -display gtk
refuse "-serial pty: the console is stdin and stdout; only stdio and mon:stdio are accepted" run hello.elf -serial pty

# Options argp refuses itself: a sentence and a hint, status 2.
for option in --frob --max-cycles; do
    status=0
    "$TRAPLINE" run hello.elf $option >out 2>err || status=$?
    [ "$status" -eq 2 ] || fail "$option: status $status"
    [ ! -s out ] && [ -s err ] || fail "$option: no sentence"
    cases=$((cases + 1))
done

# Files that cannot be written: found out before the run, and nothing is left behind.
refuse "folder/no/state: folder/no/: No such file or directory" run hello.elf --save folder/no/state
refuse "--save '' names no file" run hello.elf --save ''
status=0
"$TRAPLINE" run hello.elf -dumpdtb folder/no/tree 2>err || status=$?
[ "$status" -eq 2 ] || fail "-dumpdtb into a missing folder: status $status"
grep -q '^trapline: folder/no/tree.*No such file' err || fail "-dumpdtb into a missing folder says: $(cat err)"
if [ -w /dev/full ]; then
    status=0
    "$TRAPLINE" run hello.elf >/dev/full 2>err || status=$?
    [ "$status" -eq 2 ] || fail "a full disk: status $status"
    [ "$(cat err)" = "trapline: standard output: No space left on device" ] || fail "a full disk: $(cat err)"
    status=0
    "$TRAPLINE" --help >/dev/full 2>err || status=$?
    [ "$status" -eq 2 ] || fail "--help on a full disk: status $status"
    cases=$((cases + 2))
fi
[ -z "$(find folder -mindepth 1)" ] || fail "something was left behind: $(find folder)"
echo "$cases mistakes"
