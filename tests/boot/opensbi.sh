# OpenSBI of four Debian releases, RV64 and RV32: the banner with the extensions it found by reading registers and the device
# tree, on two harts, then a supervisor-mode program of ours that prints by an SBI call and powers off.
# timeout: 120
# sanitized: yes
. "$(dirname "$0")/../lib/env.sh"
. "$(dirname "$0")/../lib/boot.sh"
cd "$scratch"

# The program. Every instruction is the same in RV32 and RV64.
word()
{
    local shift
    for shift in 0 8 16 24; do
        printf "\\x$(printf %02x $(($1 >> shift & 255)))"
    done
}
a0=10 a1=11 a6=16 a7=17
li() { word $((($2 & 0xfff) << 20 | $1 << 7 | 0x13)); }
ecall() { word 0x73; }
{
    for c in $(printf 'payload runs\n' | od -An -v -t u1); do
        li $a7 1 # SBI: console putchar
        li $a0 "$c"
        ecall
    done
    word $((0x53525 << 12 | a7 << 7 | 0x37))              # lui a7: "SRST"
    word $((0x354 << 20 | a7 << 15 | a7 << 7 | 0x13))     # addi a7
    li $a6 0
    li $a0 0 # shutdown
    li $a1 0 # without a reason
    ecall
} >payload

# release VERSION IMAGE FILE CPU EXTENSIONS: "EXTENSIONS..." is the beginning of the list, for versions that cut it off.
release()
{
    local version=$1 cpu=$4 extensions=$5 name=$2-$3-$4
    image "$2" "$3"
    boot "$name" -bios "$image" -kernel payload -cpu "$cpu" -smp 2
    local base=${cpu%%,*}
    local isa=${base}imafdcb
    [[ $cpu == *h=off* ]] || isa=${isa}h
    says "$name" "OpenSBI v$version" 'payload runs' 'aclint-mtimer @ 10000000Hz' 'uart8250'
    local line
    line() { grep -aE "^(Boot HART|Platform) $1 *:" "$name.out" | sed 's/.*: *//' | tr -d '\r'; }
    [ "$(line 'HART Count')" = 2 ] || fail "$name: harts: $(line 'HART Count')"
    [ "$(line 'Base ISA')" = "$isa" ] || fail "$name: base ISA $(line 'Base ISA'), not $isa"
    [ "$(line 'PMP Count')" = 64 ] || fail "$name: PMP count $(line 'PMP Count')"
    line=$(line 'ISA Extensions')
    case $extensions in
    *...) [[ $line == "${extensions%...}"* ]] ;;
    *) [[ $line == "$extensions" ]] ;;
    esac || fail "$name: extensions $line, not $extensions"
}
early=smepmp,smstateen,sscofpmf,sstc,zicntr,zihpm,zkr,smcntrpmf,zicboz,zicbom
late=smcsrind,smcdeleg,sscsrind,ssccfg,svade,svadu
release 1.1 opensbi-bookworm fw_dynamic.elf rv64 sscofpmf,time,smstateen,sstc
release 1.1 opensbi-bookworm fw_jump.bin rv64 sscofpmf,time,smstateen,sstc
release 1.5 opensbi-backports fw_dynamic.bin rv64 $early,svpbmt,$late
release 1.6 opensbi-trixie fw_dynamic.bin rv64 "$early,svpbmt,$late,..."
release 1.9 opensbi-sid fw_dynamic.bin rv64 $early,svpbmt,$late,smnpm,zicfilp,zicfiss,ssdbltrp,ssstateen,f,d
release 1.9 opensbi-sid fw_jump.elf rv64 $early,svpbmt,$late,smnpm,zicfilp,zicfiss,ssdbltrp,ssstateen,f,d
release 1.5 opensbi-backports-rv32 fw_dynamic.bin rv32 $early,$late
release 1.6 opensbi-trixie-rv32 fw_dynamic.bin rv32 "$early,$late,zicfilp,..."
release 1.9 opensbi-sid-rv32 fw_dynamic.bin rv32 $early,$late,zicfilp,zicfiss,ssdbltrp,ssstateen,f,d
# What is off is not found.
release 1.9 opensbi-sid fw_dynamic.bin rv64,sstc=off "${early/sstc,/},svpbmt,$late,smnpm,zicfilp,zicfiss,ssdbltrp,ssstateen,f,d"
release 1.9 opensbi-sid fw_dynamic.bin rv64,h=off,svadu=off,zicfilp=off \
    "$early,svpbmt,${late/,svadu/},smnpm,zicfiss,ssdbltrp,ssstateen,f,d"
release 1.9 opensbi-sid fw_dynamic.bin rv64,zkr=off,smstateen=off,ssstateen=off,ssdbltrp=off,zicfiss=off,ssnpm=off,smnpm=off \
    smepmp,sscofpmf,sstc,zicntr,zihpm,smcntrpmf,zicboz,zicbom,svpbmt,$late,zicfilp,f,d
echo "OpenSBI 1.1, 1.5.1, 1.6 and 1.9 boot"
