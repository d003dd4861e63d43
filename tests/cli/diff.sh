# trapline diff on the logs that Debian's QEMU prints, gzip-compressed ones among them, and what it says of bad input.
. "$(dirname "$0")/../lib/env.sh"
need qemu-system-riscv64 qemu-system-misc
need python3 python3
cd "$scratch"

# diff STATUS ARGUMENT...
diff()
{
    local want=$1 status=0
    shift
    "$TRAPLINE" diff "$@" >out 2>err </dev/null || status=$?
    [ "$status" -eq "$want" ] || fail "trapline diff $* ended with $status and not $want: $(cat out err)"
}

# The same rom twice in QEMU: with one instruction a block, and with blocks that are not chained.
rom=$TRAPLINE_SOURCE/roms/journey.elf
qemu() { timeout 60 qemu-system-riscv64 -M virt -bios "$rom" -display none -serial none -monitor none -D "$@" >/dev/null 2>&1 || true; }
qemu one.log -d exec,in_asm,int -singlestep
qemu block.log -d exec,in_asm,int,nochain
[ "$(grep -c '^Trace' one.log)" -gt 200 ] || fail "QEMU logged nothing"
diff 0 one.log block.log --prefix # the last block is left in its middle
grep -qE '^hart 0: [0-9]{3,} instructions are equal' out && grep -q '^compared: addresses, encoding, traps$' out || fail "QEMU beside itself: $(cat out)"
gzip -k one.log
diff 0 one.log.gz one.log --json
python3 -c 'import json; d=json.load(open("out")); assert d["same"] and d["harts"][0]["equal"] > 200 and d["logs"][0]["format"] == "qemu"' || fail "$(cat out)"

# A log that differs in one encoding, at a line in its middle.
python3 - <<'PY'
lines = open("one.log").read().split("\n")
at = [i for i, l in enumerate(lines) if l.startswith("0x")]
i = at[len(at) // 2]
pc, rest = lines[i].split(":", 1)
insn = rest.split()[0]
lines[i] = lines[i].replace(insn, "%0*x" % (len(insn), int(insn, 16) ^ 0x80))
open("other.log", "w").write("\n".join(lines))
PY
diff 1 one.log other.log
grep -q '^  then they differ in the instruction: 0x' out && grep -qE '^  A  line [0-9]+' out && grep -qE '^  B  line [0-9]+' out || fail "$(cat out)"
diff 1 one.log other.log --json
python3 -c 'import json; d=json.load(open("out")); assert not d["same"] and d["harts"][0]["differs"] == "insn"' || fail "$(cat out)"
head -n 400 one.log >short.log
diff 1 one.log short.log
grep -q 'the second log ends here, the other goes on' out || fail "$(cat out)"
diff 0 one.log short.log --prefix
diff 0 --formats
grep -q '^whisper ' out || fail "$(cat out)"

# What QEMU 7.2's plugin execlog printed of two of the roms, to their ends: -plugin execlog.so -d plugin -D FILE, -M virt -bios journey.elf and
# -M virt,virtualization=on -cpu max -kernel bench-svc-a64-quick.elf. It has the bytes behind a compressed instruction in its encoding, physical
# addresses, and no traps; of A64 a call is an instruction.
"$TRAPLINE" record -bios none "$rom" -o rv.trace >/dev/null 2>&1
diff 0 rv.trace "$TRAPLINE_SOURCE/tests/cli/logs/journey.execlog.gz" --prefix
grep -q '^hart 0: 3242 instructions are equal, from line 1 of A and 1 of B on$' out || fail "execlog: $(cat out)"
"$TRAPLINE" record -machine virt-arm,virtualization=on "$TRAPLINE_SOURCE/roms/bench-svc-a64-quick.elf" -o a64.trace >/dev/null 2>&1
diff 0 a64.trace "$TRAPLINE_SOURCE/tests/cli/logs/bench-svc-a64-quick.execlog.gz" --prefix
grep -q '^hart 0: 8028 instructions are equal, from line 1 of A and 1 of B on$' out || fail "execlog of A64: $(cat out)"

# What Spike printed of the journey through HS and VS, to its end: --isa=rv64imafdch_zicsr_zifencei_sstc_svinval_zicntr_zihpm_svadu -l
# --log-commits. Its registers are compared as well, those of the system among them.
diff 0 rv.trace "$TRAPLINE_SOURCE/tests/cli/logs/journey.spike.gz" --prefix
grep -q '^hart 0: 3236 instructions are equal, from line 7 of A and 13 of B on$' out && grep -q 'mode, general registers, system registers' out ||
    fail "Spike: $(cat out)"

# The same of Whisper: --csvlog, and misa with H in its configuration.
diff 0 rv.trace "$TRAPLINE_SOURCE/tests/cli/logs/journey.whisper.gz" --prefix
grep -q '^hart 0: 3236 instructions are equal, from line 7 of A and 2 of B on$' out && grep -q 'system registers.*stores, traps$' out ||
    fail "Whisper: $(cat out)"

# Trap by trap: another clock moves the interrupts of a kernel, and nothing else; what else differs is found among them.
for clock in 1G 700M; do
    "$TRAPLINE" record --golden -machine virt-arm "$TRAPLINE_SOURCE/roms/kernel-a64.elf" --clock $clock -o $clock.golden >/dev/null 2>&1
done
diff 1 1G.golden 700M.golden
diff 0 1G.golden 700M.golden --interrupt 50
grep -qE '^  interrupts stepped over: [1-9][0-9]* in A, [1-9][0-9]* in B$' out || fail "$(cat out)"
sed '60s/SVC iss 0x1/SVC iss 0x3/; 61s/SVC iss 0x1/SVC iss 0x3/' 700M.golden >other.golden
! cmp -s 700M.golden other.golden || fail "no call in line 60 or 61"
diff 1 1G.golden other.golden --interrupt 50
grep -q '^  + .*SVC iss 0x3$' out || fail "$(cat out)"
diff 0 1G.golden other.golden --interrupt 50 --mask far,iss --json
python3 -c 'import json; d=json.load(open("out")); assert d["same"] and d["masked"] >= 1 and d["interrupts"][1] > 3' || fail "$(cat out)"
sed '0,/: IRQ/{/: IRQ/d}' 1G.golden >less.golden
diff 1 1G.golden less.golden
diff 0 1G.golden less.golden --interrupt 1

# ---- bad input
says() { grep -qF -- "$1" err && [ "$(wc -l <err)" -eq 1 ] || fail "not '$1': $(cat err)"; }
diff 2 one.log
says 'two logs are compared; only one was given'
diff 2 one.log nowhere.log
says 'nowhere.log: No such file or directory'
diff 2 one.log "$scratch"
says "$scratch: "
: >empty.log
diff 2 empty.log one.log
says 'empty.log: the log is empty'
head -c 2000 /dev/urandom >noise.log
diff 2 noise.log one.log
says 'noise.log: not a log of a format that is known here'
head -c 3000 one.log.gz >cut.log.gz
diff 2 cut.log.gz one.log
says 'cut.log.gz: the compressed file ends too early'
diff 2 one.log other.log --format gdb
says "there is no log format 'gdb'"
diff 2 one.log other.log --mask x99
says "neither architecture has a register 'x99'"
diff 2 one.log other.log --from here
says "--from 'here': a number is expected"
diff 2 one.log other.log --from 0x7
says 'hart 0: 0x7 is not executed in the first log'
diff 2 one.log other.log --mask-loads 9-3
says "--mask-loads '9-3': the range is empty"
echo "logs are compared"
