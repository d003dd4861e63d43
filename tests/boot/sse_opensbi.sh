# Debian's own OpenSBI under an orderly user of software events, judged by the oracle: an event that interrupts HS while
# hstatus.SPV=1 completes into V=1, in all three versions; and what else each of them departs in.
# sanitized: yes
. "$(dirname "$0")/../lib/env.sh"
probe=$TRAPLINE_BUILD/tests/boot/tool_sse_probe

# probe NAME RULES [CPU]
check()
{
    image "$1" fw_dynamic.bin
    "$probe" "$image" ${3:+"$3"} >"$scratch/out" || fail "$1: the probe fails: $(tail -n 3 "$scratch/out")"
    grep -qx "rules $2" "$scratch/out" || fail "$1: $(grep '^rules' "$scratch/out") instead of $2"
    # The fault itself: at the entry SPV stays, at completion V comes from it, and nothing of that with SPV=0.
    grep -qx 'resumed 1' "$scratch/out" || fail "$1 does not resume with V=1"
    [ "$(grep -c '^A3 ' "$scratch/out")" -eq 1 ] || fail "$1: A3 $(grep -c '^A3 ' "$scratch/out") times"
    awk '/^SPV=1$/ {on = 1} /^attributes$/ {on = 0} on' "$scratch/out" >"$scratch/spv"
    grep -q '^A2 .*hstatus.SPV is 0x1, expected 0x0$' "$scratch/spv" || fail "$1: SPV at the entry is not told"
    grep -q '^A3 .*: V is 0x1, expected 0x0$' "$scratch/spv" || fail "$1: V after the completion is not told"
    awk '/^SPVP=1$/ {on = 1} /^SPV=1$/ {on = 0} on' "$scratch/out" |
        grep -q '^A2 .*hstatus.SPVP is 0x0, expected 0x1$' || fail "$1: SPVP at the entry is not told"
}

# 1.9: sse_inject of an event that is not enabled returns INVALID_STATE, which the function's table does not have.
check opensbi-sid "A2 A3 C3"
check opensbi-sid-rv32 "A2 A3 C3" rv32
# 1.6: also all reserved bits of STATUS set, the codes of mask and unmask exchanged, BAD_RANGE for a read-only attribute.
check opensbi-trixie "A2 A3 A5 C1 C3"
check opensbi-trixie-rv32 "A2 A3 A5 C1 C3" rv32
# 1.5.1: also no mask at all, and a6 and a7 exchanged at the entry.
check opensbi-backports "A2 A3 A5 C1 C3 E1"
check opensbi-backports-rv32 "A2 A3 A5 C1 C3 E1" rv32
grep -q '^A2 .*: a6 is 0xa5c3, expected 0x0$' "$scratch/out" || fail "1.5.1: the exchanged registers are not told"
echo "three versions, two widths: the fault is found, and nothing that is not there"
