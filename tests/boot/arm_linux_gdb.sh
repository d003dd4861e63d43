# Debian's arm64 Linux under GDB, in EL2 on four PEs: by a caught interrupt to breakpoints in the kernel and a watchpoint, and back; then it
# is where it is without GDB.
# timeout: 280
. "$(dirname "$0")/../lib/env.sh"
need gdb-multiarch gdb-multiarch
image debian-13-arm64 linux && linux=$image
cd "$scratch"
machine=(-machine virt-arm,virtualization=on -smp 4 -m 512M -kernel "$linux" -append console=ttyAMA0)

"$TRAPLINE" run "${machine[@]}" --max-cycles=83400000 --digest </dev/null >plain.out 2>plain.err || fail "the plain run: $(cat plain.err)"
digest=$(sed -n 's/^digest *\([0-9a-f]*\).*/\1/p' plain.err)
{
    printf 'set pagination off\nset confirm off\nset width 0\nset architecture aarch64\n'
    printf 'target remote | %s gdb --stdio' "$TRAPLINE"
    printf ' %q' "${machine[@]}"
    printf '\n'
    cat <<'END'
monitor catch trap IRQ
continue
printf "kernel %d, level %d, vector %d\n", (long)$pc < 0, $el, ((long)$pc & ~0x7ff) == $vbar_el1
monitor catch off
break *$pc
continue
continue
monitor where
reverse-stepi
printf "interrupted %d\n", $pc != 0
reverse-continue
monitor where
watch *(long *)($sp - 0x150)
continue
delete
monitor seek 83400000
monitor digest
kill
END
} >session.gdb
timeout $((250 * TRAPLINE_SLOW)) gdb-multiarch -nx -batch -x session.gdb >out 2>&1 </dev/null || true
for want in 'hart [0-3]: IRQ, EL2 -> EL2' '^kernel 1, level 2, vector 1$' 'hit Breakpoint 1' '^interrupted 1$' "^$digest at cycle 83400000"; do
    grep -qaE -- "$want" out || fail "no '$want': $(cat out)"
done
mapfile -t cycles < <(sed -n 's/^cycle \([0-9]*\),.*/\1/p' out)
[ "${#cycles[@]}" -ge 2 ] && [ "${cycles[0]}" -gt "${cycles[1]}" ] || fail "cycles: ${cycles[*]}, $(cat out)"
echo "Linux stops at a breakpoint of its kernel, goes back, and is the same"
