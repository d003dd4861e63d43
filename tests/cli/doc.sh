# `trapline doc`: registers by name and number, fields of a value, the configuration.
. "$(dirname "$0")/../lib/env.sh"
cd "$scratch"
doc() { "$TRAPLINE" doc "$@"; }
has() { grep -qE -- "$1" out || fail "no '$1' in: $(cat out)"; }

doc hstatus >out
has '^hstatus  0x600  '
has '^  33:32  VSXL '
doc 0x600 >numbered
cmp -s out numbered || fail "0x600 is not hstatus"
doc HSTATUS >numbered
cmp -s out numbered || fail "HSTATUS is not hstatus"
doc hstatus=0x200200180 >out
has '^  33:32  VSXL +0x2 '
has '^  21 +VTW +0x1 '
has '^  8 +SPVP +0x1 '
has '^  7 +SPV +0x1 '
has '^  22 +VTSR +0x0 '
doc mstatus=0x8000000000000001 >out
has '^  63 +SD +0x1 '
has '^Bits no field has: 0x1$'
doc mstatus --xlen 32 >out
has '^  31 +SD '
! grep -q UXL out || fail "mstatus of RV32 has UXL"
doc mstatush --xlen 32 >out
has '^mstatush  0x310  '
doc pmpaddr17 >out
has '^pmpaddr17  0x3c1  '
doc >out
has '^0x300  mstatus '
has '^0x3b0  pmpaddr0\.\.63 '
[ "$(wc -l <out)" -gt 100 ] || fail "the list has $(wc -l <out) rows"

has '^s3_4_c1_c1_0 +hcr_el2 '
has '^s2_0_c0_c0_4 +dbgbvr0\.\.63_el1 '
doc --arch riscv >out
has '^0x300  mstatus '
! grep -q sctlr_el1 out || fail "--arch riscv lists sctlr_el1"
doc --arch arm >out
has '^s3_0_c1_c0_0 +sctlr_el1 '
! grep -q mstatus out || fail "--arch arm lists mstatus"

doc sctlr_el1=0x30d0198d >out
has '^sctlr_el1  s3_0_c1_c0_0  system control \(EL1\)$'
has '^HCR_EL2\.TVM = 1: writes at EL1 trap to EL2, class 0x18$'
has '^from EL2 with HCR_EL2\.E2H = 1: sctlr_el2$'
has '^  12 +I +0x1 '
has '^  19 +WXN +0x0 '
doc S3_0_C1_C0_0=0x30d0198d >numbered
cmp -s out numbered || fail "s3_0_c1_c0_0 is not sctlr_el1"
doc hcr_el2=0x1000000000000 >out
has '^Bits no field has: 0x1000000000000$'
doc dbgbvr15_el1 >out
has '^dbgbvr15_el1  s2_0_c0_c15_4 '
doc tlbi_vae1is >out
has '^HFGITR_EL2\.TLBIVAE1IS = 1: uses at EL1 trap to EL2, class 0x18$'
for bad in sctlr_el4 dbgbvr64_el1 sctlr_el1=x 's3_9_c0_c0_0' '--arch=mips' '--arch=arm mstatus' '--arch=riscv sctlr_el1' '--arch=arm 0x300'; do
    status=0
    doc $bad >out 2>err || status=$?
    [ "$status" -eq 2 ] && [ ! -s out ] && [ "$(wc -l <err)" -eq 1 ] || fail "doc $bad: status $status, $(cat out err)"
done
# Fields, causes, syndromes, instructions, calls of firmware: each by name, by number, and a value of it decoded.
doc hstatus.spvp >out
has '^hstatus\.SPVP  bit 8$'
has '^privilege before the trap if V was 1'
doc hstatus.VGEIN=3 >out
has '^value  0x3, in the register 0x3000$'
doc SCTLR_EL1.WXN >out
has '^sctlr_el1\.WXN  bit 19$'
doc mcause=0x8000000000000007 >out
has '^interrupt 7  machine timer interrupt$'
doc scause=13 >out
has '^exception 13  load page fault$'
has '^  delegated below M by medeleg\[13\], to VS by hedeleg\[13\]$'
doc mcause=0x80000007 --xlen 32 >out
has '^interrupt 7  machine timer interrupt$'
doc exception:13 >out
doc "load page" >named
cmp -s out named || fail "'load page' is not exception 13"
doc exception:21 >out
has '^  delegated below M by medeleg\[21\], never to VS$'
doc irq:11 >out
has '^  delegated never: it goes to M$'
doc esr_el2=0x5600004a >out
has '^SVC: #0x4a$'
has '^  15:0 +imm16 +0x4a '
doc esr_el1=0x92000047 >out
has '^data abort from a lower level: write, translation fault, level 3$'
has '^  6 +WnR +0x1 +write; '
has '^  5:0 +DFSC +0x7 +translation fault, level 3; '
doc esr_el2=0x62300001 >out
has '^trapped MSR, MRS or system instruction: read of midr_el1$'
doc ec:0x1a >out
has '^EC 0x1a  trapped ERET, ERETAA or ERETAB$'
doc ec >out
[ "$(grep -c '^0x' out)" -gt 40 ] || fail "few exception classes: $(cat out)"
doc psci:cpu_on=0x100,0x40000000,7=-4 >out
has '^0x84000003, 0xc4000003  CPU_ON'
has '^  entry_point_address +0x40000000$'
has '^  returns +ALREADY_ON$'
doc psci:0xc4000003 >named
doc cpu_on >out
cmp -s out named || fail "cpu_on is not 0xc4000003"
doc amoadd.w >out
has '^amoadd_w  Zaamo$'
doc insn:0x00053583 >out
has '^  here +rd x11, rs1 x10, '
doc insn:0xd503207f --arch arm >out
has '^wfi$'
! grep -qE 'rs1|immediate|slow_' out || fail "wfi with fields it does not have: $(cat out)"
# A word of A64 as assembly, with the manual's fields; MRS, MSR and SYS name what they access.
while read -r word want; do
    doc --arch arm "insn:$word" >out
    has "$want"
    ! grep -qE 'slow_|rs1' out || fail "insn:$word shows how it is carried out: $(cat out)"
done <<'END'
0xd5384241 ^mrs x1, currentel$
0xd5384241 ^  names +currentel, 
0xd5384241 ^  15:12 +CRn +0x4$
0xd5384241 ^  4:0 +Rt +0x1$
0xd5087800 ^at s1e1r, x0$
0xd5087800 ^  names +at_s1e1r, 
0x91004020 ^add x0, x1, #0x10$
0x91004020 ^  21:10 +imm12 +0x10$
0xd4000142 ^  20:5 +imm16 +0xa$
0xf9400441 ^ldr x1, \[x2, #8\]$
0xf9400441 ^  4:0 +Rt +0x1$
END
while read -r insn operation; do
    for query in "$insn" "insn:$insn"; do
        doc "$query" >out
        has " ${insn}_$operation "
    done
    doc "${insn}_$operation" >named
    for query in "$insn $operation" "insn:$insn $operation"; do
        doc "$query" >out
        cmp -s out named || fail "$query is not ${insn}_$operation"
    done
done <<'END'
at s1e1r
tlbi vae1is
dc civac
ic ialluis
END
# A word is RISC-V's if it is an instruction there, else A64's, bare or behind insn:; --arch forces one of them.
while read -r word want; do
    for query in "$word" "insn:$word"; do
        doc "$query" >out 2>&1 || true
        has "$want"
    done
done <<'END'
0xd69f03e0 ^eret
0xd503207f ^wfi
0x10200073 ^sret
0x14000003 ^lb .*
0x14000003 ^It is an instruction of A64, too: `trapline doc --arch arm 0x14000003`
0xffffffff no instruction of rv64, and none of A64
END
doc --arch arm 0x14000003 >out
has '^b '
for bad in insn:0xd69f03e0 0xd69f03e0 0xd503207f; do
    status=0
    doc --arch riscv $bad >out 2>err || status=$?
    [ "$status" -eq 2 ] && [ ! -s out ] && grep -q 'no instruction of rv64' err || fail "$bad of RISC-V: $(cat out err)"
done
doc sse_inject >out
doc sbi:sse_inject >named
cmp -s out named || fail "sse_inject is not sbi:sse_inject"
if command -v python3 >/dev/null; then
    doc esr_el1=0x92000047 --json | python3 -c 'import json, sys
s = json.load(sys.stdin)["syndrome"]
assert s["ec"] == 0x24
assert [f["says"] for f in s["iss"] if f["name"] == "DFSC"] == ["translation fault, level 3"]' || fail "the syndrome in JSON"
    doc exception:13 --json | python3 -c 'import json, sys
c = json.load(sys.stdin)
assert c["code"] == 13 and c["delegated_to_vs"] and not c["interrupt"]' || fail "a cause in JSON"
fi
# What is close to it is suggested.
for pair in hstatsu:hstatus sctrl_el1:sctlr_el1 amodd_w:amoadd_w; do
    status=0
    doc "${pair%:*}" >out 2>err || status=$?
    [ "$status" -eq 2 ] && grep -q "did you mean .*${pair#*:}" err || fail "${pair%:*}: $(cat err)"
done
for bad in hstatus.FOO hstatus.SPVP=2 hstatus.SPVP=x cause:99 ec:0x02 psci:fly insn:0xffffffff insn: xyzzyq; do
    status=0
    doc $bad >out 2>err || status=$?
    [ "$status" -eq 2 ] && [ ! -s out ] && [ "$(wc -l <err)" -eq 1 ] || fail "doc $bad: status $status, $(cat out err)"
done

doc --cpu cortex-a76,mte=on >out
head -n 1 out | grep -qx cortex-a76 || fail "the first line is not the core: $(head -n 1 out)"
has '^MTE2 +on +8\.5 '
has '^BTI +off '
has '^id_aa64isar0_el1 +0x0000100010211120$'
doc --arch arm --cpu >out
head -n 1 out | grep -qx max || fail "--arch arm --cpu is not max: $(head -n 1 out)"
status=0
doc --cpu max,sve=on >out 2>err || status=$?
[ "$status" -eq 2 ] && grep -q '"sve"' err || fail "an unknown feature: status $status, $(cat err)"

# The cores are named where one is looked for.
cores='max, cortex-a53, cortex-a76, neoverse-v1'
doc --cpu max >out
has "^The first word of -cpu may be a core: $cores\.$"
has "^EL2 and EL3 are the board's choice unless "
"$TRAPLINE" run --help | tr -s ' \n' ' ' | grep -qF "Cores of virt-arm: $cores" || fail "run --help does not name the cores"
status=0
doc --arch arm --cpu cortex-a57 >out 2>err || status=$?
[ "$status" -eq 2 ] && grep -q "core or setting \"cortex-a57\"; the cores are $cores\$" err || fail "an unknown core: $(cat err)"
for word in cortex-a57 cortex-a57,mte=on; do
    status=0
    doc --cpu $word >out 2>err || status=$?
    [ "$status" -eq 2 ] && grep -q "no configuration '$word': .*for AArch64 with a core: $cores\$" err || fail "$word: $(cat err)"
done

doc --cpu >out
head -n 1 out | grep -q '^rv64imafdch_' || fail "the first line is not the ISA string: $(head -n 1 out)"
has '^H +on +hypervisor'
has '^Smdbltrp +off '
doc --cpu rv64,h=off >out
has '^H +off +hypervisor'
! head -n 1 out | cut -d_ -f1 | grep -q h || fail "h=off leaves an h: $(head -n 1 out)"
doc --cpu rv32 >out
head -n 1 out | grep -q '^rv32imafdch_' || fail "rv32: $(head -n 1 out)"
status=0
doc --cpu rv64,frob=on >out 2>err || status=$?
[ "$status" -eq 2 ] && grep -q frob err || fail "an unknown extension: status $status, $(cat err)"

doc sbi >out
has '^0x00535345  SSE '
doc sbi:sse >out
has '^  0x535345/7 +sse_inject '
has '^  0xffff0000 +local software'
doc sbi:SSE >numbered
cmp -s out numbered || fail "sbi:SSE is not sbi:sse"
doc sbi:0x535345 >numbered
cmp -s out numbered || fail "sbi:0x535345 is not sbi:sse"
doc sbi:0x535345/7 >out
has '^sse_inject  0x535345/7  SSE \(SBI 3\.0\)$'
has '^  a1 +hart_id +a hart id$'
has '^  -1 +SBI_ERR_FAILED '
! grep -q INVALID_STATE out || fail "sse_inject lists INVALID_STATE, which its table does not have"
doc sbi:sbi_sse_inject >numbered
cmp -s out numbered || fail "sbi:sbi_sse_inject is not sbi:0x535345/7"
doc sbi:sse_inject=0xffff0000,0=0 >out
has '^sse_inject\(event 0xffff0000 "local software", hart 0\) = 0$'
doc sbi:0x535345/4=0x4000=-10 >out
has '^sse_enable\(event 0x4000 "platform local"\) = -10 SBI_ERR_INVALID_STATE$'
doc sbi:hart_get_status=3=0,4 >out
has '^hart_get_status\(hart 3\) = 0, 4 "SUSPENDED"$'
doc sbi:cppc_write=5,1,2 --xlen 32 >out
has '\(cppc_reg 0x5 "DesiredPerformanceRegister", val 0x200000001\)$'
doc sbi:0x1=65=0 >out
has '^legacy console_putchar\(ch 0x41\) = 0$'
doc sbi:0xfffffffff0000007/2=1 >out
has '^unknown 0xfffffffff0000007/2\(0x1, 0x0, 0x0, 0x0, 0x0, 0x0\)$'
doc sbi:sse_flags=0x43 >out
has '^0x43 \{SPIE SPP reserved 0x40\}$'
doc sbi:rules >out
has '^A2  .* \(SSE, Software Event Injection'
has '^A6  .* \(needs ranges\)$'
doc sbi:error=-10 >out
has '^ -10  SBI_ERR_INVALID_STATE '
for bad in sbi:frob sbi:0x999 sbi:0x535345/99 sbi:sse_inject=x sbi:sse_inject=1,2,3,4,5,6,7 sbi:sse_inject=1=y sbi:sse_flags=z \
    sbi:error=7 sbi:sse/7; do
    status=0
    doc "$bad" >out 2>err || status=$?
    [ "$status" -eq 2 ] && [ ! -s out ] && [ "$(wc -l <err)" -eq 1 ] || fail "doc $bad: status $status, $(cat out err)"
done

# Fields by their names, numbers in any base, and of anything that has one; = for : where that is meant.
while read -r query want; do
    doc "$query" >out 2>&1 || true
    has "$want"
done <<'END'
MPP ^mstatus.MPP +bits 12:11
tsc ^hcr_el2.TSC +bit 19
breakpoint ^exception 3 +breakpoint$
cause=13 ^exception 13 +load page fault$
causes ^exception 15 +store/AMO page fault$
ec=0x24 ^EC 0x24 +data abort from a lower level$
irq=5 ^interrupt 5 +supervisor timer
0b1100000000 ^mstatus +0x300
mstatus=0b1100000000000 MPP +0x3
0x10200073 ^sret
0xd69f03e0 ^eret
eret=0xd69f03e0 ^eret
csrrw=0x30529073 immediate 773
0x84000003 CPU_ON
0x48534d ^HSM
sbi=-3 SBI_ERR_INVALID_PARAM
sbi:spi did you mean IPI
mcause=0x80000005 XLEN 32 .* interrupt 5, supervisor timer
13 did you mean cause:13, irq:13 or ec:13
sctlr did you mean sctlr_el1
cpsr spsr_el1 shows
END

# JSON that a parser accepts, where there is one; no colour without a terminal.
for args in 'hstatus=0x180' '--cpu' '' '--arch arm' 'hcr_el2=0x1' tlbi_alle3 '--cpu max' sbi sbi:sse sbi:sse_inject sbi:set_timer sbi:sse_inject=0xffff0000,0=0 sbi:sse_event \
    sbi:sse_event=1 sbi:error sbi:rules SPV; do
    doc $args --json >json
    ! command -v python3 >/dev/null || python3 -m json.tool json >/dev/null || fail "doc $args --json is not JSON"
    doc $args >out
    ! grep -q $'\033' out || fail "colour without a terminal"
done
"$TRAPLINE" --version | grep -qE '^trapline [0-9]+\.[0-9]+\.[0-9]+$' || fail "--version says $("$TRAPLINE" --version)"
echo "doc as told"
