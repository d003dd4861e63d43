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

# JSON that a parser accepts, where there is one; no colour without a terminal.
for args in 'hstatus=0x180' '--cpu' ''; do
    doc $args --json >json
    ! command -v python3 >/dev/null || python3 -m json.tool json >/dev/null || fail "doc $args --json is not JSON"
    doc $args >out
    ! grep -q $'\033' out || fail "colour without a terminal"
done
"$TRAPLINE" --version | grep -qE '^trapline [0-9]+\.[0-9]+\.[0-9]+$' || fail "--version says $("$TRAPLINE" --version)"
echo "doc as told"
