# Debian's Linux under GDB: by caught traps to a breakpoint in the kernel, and back.
# timeout: 280
. "$(dirname "$0")/../lib/env.sh"
. "$(dirname "$0")/../lib/boot.sh"
need gdb-multiarch gdb-multiarch
debian
cd "$scratch"

# The exception vector is found by stvec once the kernel has set it: the first instruction page fault is the one by which the kernel
# turns its MMU on.
{
    printf 'set pagination off\nset confirm off\nset width 0\nset architecture riscv:rv64\n'
    printf 'target remote | %s gdb --stdio -m 256M -smp 2 -bios %s -kernel %s -append "console=ttyS0 rdinit=/bin/sh"\n' "$TRAPLINE" \
        "$opensbi" "$linux"
    cat <<'END'
tbreak *0x80200000
continue
printf "entry in mode %d\n", $priv
monitor catch trap instruction-page-fault
continue
printf "vector %d\n", $pc == ($stvec & ~3)
monitor catch off
monitor catch trap supervisor-timer-interrupt
continue
set $vector = $pc
printf "kernel %d, vector %d\n", (long)$pc < 0, $pc == ($stvec & ~3)
x/2i $pc
monitor catch off
break *$vector
continue
continue
monitor where
reverse-stepi
printf "mode %d at the trap\n", $priv
reverse-continue
printf "again %d\n", $pc == $vector
monitor where
reverse-continue
monitor where
kill
END
} >session.gdb
timeout $((250 * TRAPLINE_SLOW)) gdb-multiarch -nx -batch -x session.gdb >out 2>&1 </dev/null || true
for want in '^entry in mode 1$' 'instruction page fault \(cause 12\)' '^vector 1$' 'supervisor timer interrupt \(cause 5\)' '^kernel 1, vector 1$' \
    'Breakpoint 2' '^mode [01] at the trap$' '^again 1$'; do
    grep -qaE -- "$want" out || fail "no '$want': $(cat out)"
done
# The two ways back from the third stop lead to the second and the first, in the order of time.
mapfile -t cycles < <(sed -n 's/^cycle \([0-9]*\),.*/\1/p' out)
[ "${#cycles[@]}" -eq 3 ] && [ "${cycles[0]}" -gt "${cycles[1]}" ] && [ "${cycles[1]}" -gt "${cycles[2]}" ] || fail "cycles: ${cycles[*]}, $(cat out)"
echo "Linux stops at a breakpoint of its kernel, and goes back"
