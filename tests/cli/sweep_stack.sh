# trapline sweep: a handler that pushes onto the stack of what it interrupts leaves words below its stack pointer. They are differences
# like any other, and the report says what they are and which --ignore passes over them; what else differs is still found.
. "$(dirname "$0")/../lib/env.sh"
need python3 python3
for compiler in aarch64-linux-gnu-gcc riscv64-unknown-elf-gcc; do
    command -v "$compiler" >/dev/null || skip "no cross compiler: the guests cannot be made"
done
cd "$scratch"

# The window calls a function that uses the stack. COUNT: the handler counts in memory that nobody ignores, too.
cat >a64.S <<'EOF'
.globl _start, window_start, window_end
_start:
    adr x0, stack_top
    mov sp, x0
    adr x0, vectors
    msr vbar_el1, x0
    msr daifclr, #2
window_start:
    mov x1, #1
    stp x1, x30, [sp, #-16]!
    bl double
    ldp x2, x30, [sp], #16
window_end:
    b .
double:
    add x1, x1, x1
    ret
.balign 2048
vectors:
.org vectors + 0x280
    stp x0, x1, [sp, #-16]!
#ifdef COUNT
    ldr x0, =count
    ldr x1, [x0]
    add x1, x1, #1
    str x1, [x0]
#endif
    ldp x0, x1, [sp], #16
    eret
.ltorg
.data
.globl count, count_end
count: .quad 0
count_end:
.balign 16
.space 8192
stack_top:
EOF
cat >riscv.S <<'EOF'
.globl _start, window_start, window_end
_start:
    la sp, stack_top
    la t0, handler
    csrw mtvec, t0
    li t0, 8
    csrw mie, t0
    csrs mstatus, t0
window_start:
    li a1, 1
    addi sp, sp, -16
    sd a1, 0(sp)
    ld a2, 0(sp)
    addi sp, sp, 16
window_end:
    j .
.balign 4
handler:
    addi sp, sp, -16
    sd t0, 0(sp)
    csrr t0, mcause
    sd t0, 8(sp)
    ld t0, 0(sp)
    addi sp, sp, 16
    mret
.data
.balign 16
.space 8192
stack_top:
EOF
link=(-nostdlib -static -Wl,--build-id=none,-N)
aarch64-linux-gnu-gcc "${link[@]}" -Wl,-Ttext=0x40200000 a64.S -o a64.elf
aarch64-linux-gnu-gcc "${link[@]}" -Wl,-Ttext=0x40200000 -DCOUNT a64.S -o count.elf
riscv64-unknown-elf-gcc -march=rv64g_zicsr -mabi=lp64 "${link[@]}" -Wl,-Ttext=0x80000000 riscv.S -o riscv.elf

# sweep STATUS ARGUMENT...
sweep()
{
    local want=$1 status=0
    shift
    "$TRAPLINE" sweep "$@" >out 2>err </dev/null || status=$?
    [ "$status" -eq "$want" ] || fail "trapline sweep $* ended with $status and not $want: $(cat out err)"
}
below='below the interrupted'
# ignored STATUS ARGUMENT...: with the range of the report's last line.
ignored()
{
    local want=$1 range
    shift
    range=$(sed -n "s/.* cases differ $below stack pointer, .* of them nowhere else: --ignore \(.*\) passes over that$/\1/p" out)
    [ -n "$range" ] || fail "no range for all cases: $(cat out)"
    sweep "$want" "$@" --ignore "$range"
}

sweep 1 -machine virt-arm a64.elf --event nirq --json a64.json
grep -qE "^    nothing but memory $below sp_el1 0x[0-9a-f]+, as what a handler pushes there: --ignore 0x[0-9a-f]+\.\.0x[0-9a-f]+$" out ||
    fail "the stack is not told: $(cat out)"
[ "$(python3 -c 'import json; print(*{(k["register"], k["words"], k["all"], int(k["value"], 16) - int(k["end"], 16))
for c in json.load(open("a64.json"))["failing"] for k in [c["below_stack"]] if c["boundary"] == 1})')" = "('sp_el1', 2, True, 0)" ] ||
    fail "the stack in JSON: $(cat a64.json)"
ignored 0 -machine virt-arm a64.elf --event nirq

# A word elsewhere is no stack, whatever else is one.
sweep 1 -machine virt-arm count.elf --event nirq
grep -qE "^6 cases differ $below stack pointer, 0 of them nowhere else: " out || fail "the sum: $(cat out)"
grep -qE "^    2 of the words $below sp_el1 0x[0-9a-f]+: --ignore 0x[0-9a-f]+\.\.0x[0-9a-f]+$" out && ! grep -q 'nothing but' out ||
    fail "a word elsewhere: $(cat out)"
sweep 1 -machine virt-arm count.elf --event nirq --ignore count..count_end
ignored 0 -machine virt-arm count.elf --event nirq --ignore count..count_end

# Shards carry it.
for i in 1 2; do
    sweep 0 -machine virt-arm a64.elf --event nirq --shard "$i/2" --out "part.$i"
done
sweep 1 --merge part.1 part.2 --json merged.json
cmp -s a64.json merged.json || fail "two shards tell something else: $(diff a64.json merged.json)"

sweep 1 riscv.elf --event msip
grep -qE "^    nothing but memory $below sp 0x" out || grep -qE "^    nothing but memory $below x2 0x" out || fail "RISC-V: $(cat out)"
ignored 0 riscv.elf --event msip
echo "stacks are told"
