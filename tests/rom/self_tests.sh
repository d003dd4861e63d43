# Guests that test themselves (src/firmware/riscv/test-*) pass with several configurations and numbers of harts, and on both engines:
# a digest differs from that of the release build's tail-call engine only if an engine is wrong.
# timeout: 300
. "$(dirname "$0")/../lib/env.sh"
roms=$TRAPLINE_SOURCE/roms

# pass IMAGE OPTION...: ends with code 0 and says so; the line of a check that failed is on its console.
pass()
{
    local image=$1 status=0
    shift
    "$TRAPLINE" run "$@" --max-cycles 200000000 "$roms/$image" >"$scratch/out" 2>&1 || status=$?
    [ "$status" -eq 0 ] && grep -q 'all checks hold' "$scratch/out" || fail "$image $*: status $status, $(cat "$scratch/out")"
}

for harts in 1 2 4; do
    for name in selfmod atomics wakeups; do
        pass "test-$name.elf" -smp "$harts"
        pass "test-$name-rv32.elf" -cpu rv32 -smp "$harts"
    done
done
pass test-atomics.elf -smp 4 --quantum 1
pass test-wakeups.elf -smp 4 --quantum 1
pass test-selfmod.elf -smp 2 --quantum 1
for cpu in rv64 rv64,h=off rv64,svadu=on,asid=0 rv64,zicfiss=off,zicfilp=off; do
    pass test-pages.elf -cpu "$cpu"
    pass test-selfmod.elf -cpu "$cpu"
done
pass test-pages-rv32.elf -cpu rv32
pass test-pages-rv32.elf -cpu rv32,h=off
for bits in 64 32; do
    image=test-misaligned$([ $bits = 64 ] || echo -rv32).elf
    pass "$image" -cpu "rv$bits"
    grep -q work "$scratch/out" || fail "misaligned accesses trap although they are on"
    pass "$image" -cpu "rv$bits,misaligned=off"
    grep -q trap "$scratch/out" || fail "misaligned accesses do not trap although they are off"
done
nmi=smrnmi=on,nmi=0x80000400,nmi-exception=0x80000500
for bits in 64 32; do
    suffix=$([ $bits = 64 ] || echo -rv32)
    pass "test-cfi$suffix.elf" -cpu "rv$bits"
    pass "test-cfi$suffix.elf" -cpu "rv$bits,h=off,misaligned=off"
    pass "test-double$suffix.elf" -cpu "rv$bits,$nmi"
    pass "test-double$suffix.elf" -cpu "rv$bits,smdbltrp=on,$nmi"
done
echo "self-testing guests pass"
