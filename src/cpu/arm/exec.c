/*
 * The handlers of the base instruction set, and decoding on first use. The rows are those of insn/core.def; what all files of
 * handlers have in common is exec.inc and rows.inc.
 */
#include "cpu/arm/exec.inc"
#include "cpu/arm/insninfo.h"
#include "cpu/arm/trap.h"
#include "cpu/breaks.h"
#include "cpu/gist.h"

/* ---- where handlers go when something is not as usual ------------------------------------------------------------------- */

void exec_stop_at(struct pe *p, struct uop *op, int64_t left)
{
    p->s.pc = pc_of(p, op);
    STOP(&p->cpu, left);
}

void exec_refetch(struct pe *p, struct uop *op, int64_t left)
{
    p->cpu.refetch = false;
    p->s.pc = pc_of(p, op);
    if (unlikely(p->cpu.engine->insns))
        insn_goes(&p->cpu);
    return go(p, left);
}

static uint32_t insn_at(const uint8_t *page, unsigned offset)
{
    uint32_t insn;
    memcpy(&insn, page + offset, sizeof insn);
    return insn;
}

/* Hypervisors emulate devices by what a stage 2 abort tells of the access, the instruction at op. Nothing of aborts on the walk
   of stage 1 and of external ones (AArch64.FaultSyndrome). */
COLD void add_syndrome(struct pe *p, const struct uop *op)
{
    const uint32_t on_walk = 1u << 7, external = 1u << 4; /* S1PTW; fault status codes 0x10 to 0x1f */
    uint32_t insn = p->slow.insn;
    bool apart = insn_apart(&p->cpu, &insn);
    if (!p->exc.ipa_valid || p->exc.iss & on_walk || (p->exc.iss & 0x30) == external)
        return;
    if (p->cpu.ops != p->cpu.scratch && !apart) {
        const struct code_page *c =
            (const struct code_page *)(const void *)((const char *)p->cpu.ops - offsetof(struct code_page, ops));
        insn = insn_at(mem_page_read(p->cpu.mem, c->pa), (unsigned)(op - p->cpu.ops) * 4);
    }
    p->exc.iss |= a64_access_syndrome(insn);
}

/* The exception in p->exc is taken at op. SVC, HVC and the like have been executed, others not. Or a watchpoint stops before op.
 */
void exec_raise(struct pe *p, struct uop *op, int64_t left)
{
    if (unlikely(p->cpu.watched.now)) {
        p->cpu.watched.now = false;
        return exec_stop_at(p, op, left);
    }
    sync_in(p, op, left);
    if (unlikely(p->exc.ec == EC_DATA_ABORT_LOWER && p->exc.el == 2))
        add_syndrome(p, op);
    take_exception(p, &p->exc);
    p->s.cycle++;
    p->s.idle += !p->exc.next;
    left--;
    if (unlikely(p->cpu.resync) || unlikely(p->debug_step))
        STOP(&p->cpu, left);
#ifdef TL_ENGINE_PLAIN
    /* By way of the loop: a vector whose own fetch faults, again and again, must not nest calls. */
    p->cpu.ops = p->cpu.scratch;
    p->cpu.page_va = p->s.pc;
    p->cpu.scratch[0] = p->cpu.engine->end;
    DISPATCH(&p->cpu, p->cpu.scratch, left);
#else
    return go(p, left);
#endif
}

void exec_undefined(struct pe *p, struct uop *op, int64_t left)
{
    p->exc = (struct arm_exception){.ec = EC_UNKNOWN};
    return exec_raise(p, op, left);
}

void exec_fp_trap(struct pe *p, struct uop *op, int64_t left)
{
    pe_fp_trap(p);
    return exec_raise(p, op, left);
}

/* Arm ARM AArch64.SPAlignmentFault. */
void exec_sp_alignment(struct pe *p, struct uop *op, int64_t left)
{
    p->exc = (struct arm_exception){.ec = EC_SP_ALIGNMENT};
    return exec_raise(p, op, left);
}

void exec_sp_moved(struct pe *p, struct uop *op, int64_t left)
{
    pe_sp_look(p);
    DONE(p, op, left);
}

void exec_debug_changed(struct pe *p, struct uop *op, int64_t left)
{
    pe_mode_changed(p);
    if (p->debug_step)
        left = end_after_this(p, left);
    DONE(p, op, left);
}

/* ---- branches ---------------------------------------------------------------------------------------------------------- */

SLOW void far_branch(struct pe *p, struct uop *op, int64_t left)
{
    p->s.pc = PC + (uint64_t)(int64_t)op->imm;
    return go(p, left - 1);
}

#define TAKE_NEAR                                                         \
    do {                                                                  \
        struct uop *next_ = (struct uop *)(void *)((char *)op + op->imm); \
        left--;                                                           \
        if (!sure && unlikely(left <= 0))                                 \
            return exec_stop_at(p, next_, left);                          \
        DISPATCH(&p->cpu, next_, left);                                   \
    } while (0)

#define BRANCH(cond)                        \
    if (cond) {                             \
        if (far)                            \
            return far_branch(p, op, left); \
        TAKE_NEAR;                          \
    }
#define BRANCH_ALWAYS                   \
    if (far)                            \
        return far_branch(p, op, left); \
    TAKE_NEAR
#define BRANCH_LINK \
    X(30) = PC + 4; \
    BRANCH_ALWAYS

enum jump_kind { JUMP_BR, JUMP_BLR, JUMP_RET };

/* In aux: the instruction lies in a guarded page. */
#define AUX_GUARDED 1u

/*
 * To an address in a register. BTYPE is 0 again behind the next instruction: it is kept with the cycle at which it is not. Arm
 * ARM "BR", "BLR", "RET"; the check at the target is in exec_fetch_slow, for guarded pages are never found by the fast path.
 */
INLINE void jump(struct pe *p, struct uop *op, int64_t left, uint64_t target, enum jump_kind kind)
{
    if (kind != JUMP_RET) {
        p->btype_at = cpu_now(&p->cpu, left - 1);
        p->btype = kind == JUMP_BLR ? 2 : (op->aux & AUX_GUARDED) && op->imm != 16 && op->imm != 17 ? 3 : 1;
    }
    if (kind == JUMP_BLR)
        X(30) = PC + 4;
    p->s.pc = target;
    return go(p, left - 1);
}

/* ---- conditional comparison ---------------------------------------------------------------------------------------------- */

INLINE void ccmp(struct pe *p, struct uop *op, int64_t left, uint64_t a, uint64_t b, enum flags_kind kind)
{
    if (flags_hold(&p->fl, op->rd)) {
        if (kind == FL_ADD && b) { /* as with adds_imm: usual kinds are cheaper to look at */
            kind = b << 1 ? FL_SUB : FL_ADD;
            b = kind == FL_SUB ? -b : b;
        }
        FLAGS(kind, a, b);
    } else {
        flags_set(&p->fl, (unsigned)op->imm);
    }
    const bool sure = false;
    GO_ON;
}

/* ---- loads and stores ------------------------------------------------------------------------------------------------------ */

#define ALL_LOADS(M)  M(U8) M(U16) M(U32) M(U64) M(S8X) M(S8W) M(S16X) M(S16W) M(S32X) M(VB) M(VH) M(VS) M(VD) M(VQ)
#define ALL_STORES(M) M(U8) M(U16) M(U32) M(U64) M(VB) M(VH) M(VS) M(VD) M(VQ)
ALL_LOADS(SLOW_LOADS)
ALL_STORES(SLOW_STORES)
SLOW_LOAD(U32, load_pair_ordered, 2, false, HOW_ORDERED)
SLOW_LOAD(U64, load_pair_ordered, 2, false, HOW_ORDERED)
SLOW_LOAD(U32, load_pair_ordered_wb, 2, true, HOW_ORDERED)
SLOW_LOAD(U64, load_pair_ordered_wb, 2, true, HOW_ORDERED)
SLOW_STORE(U32, store_pair_ordered, 2, false, HOW_ORDERED)
SLOW_STORE(U64, store_pair_ordered, 2, false, HOW_ORDERED)
SLOW_STORE(U32, store_pair_ordered_wb, 2, true, HOW_ORDERED)
SLOW_STORE(U64, store_pair_ordered_wb, 2, true, HOW_ORDERED)

#include "cpu/arm/atomic.inc"
#include "cpu/arm/system.inc"
#include "cpu/arm/pauth.inc"
#include "cpu/arm/tags.inc"

/* ---- the rows -------------------------------------------------------------------------------------------------------------- */

#define ROWS "cpu/arm/insn/core.def"
#include "cpu/arm/rows.inc"

static void i_undefined(struct cpu *c, struct uop *op, int64_t left) { return exec_undefined((struct pe *)c, op, left); }

/* Only branches by an immediate know that they reach out of their page. */
#define FAR_ROWS                                                                                                            \
    ROW(b)                                                                                                                  \
    ROW(bl)                                                                                                                 \
    ROW(cbz_x)                                                                                                              \
    ROW(cbz_w)                                                                                                              \
    ROW(cbnz_x)                                                                                                             \
    ROW(cbnz_w)                                                                                                             \
    ROW(tbz)                                                                                                                \
    ROW(tbnz) ROW(b_eq) ROW(b_ne) ROW(b_cs) ROW(b_cc) ROW(b_mi) ROW(b_pl) ROW(b_vs) ROW(b_vc) ROW(b_hi) ROW(b_ls) ROW(b_ge) \
        ROW(b_lt) ROW(b_gt) ROW(b_le)
#define ROW(name) HANDLER(f_, name, true, UOP_IMM, false)
FAR_ROWS
#undef ROW
/* Immediates of 64 bits that are no sign-extended 32: one run of ones, rotated (rs2, imm), or a pattern of 32 bits, twice. */
#define WIDE_ROWS  \
    ROW(and_imm_x) \
    ROW(orr_imm_x) ROW(eor_imm_x) ROW(ands_imm_x) ROW(tst_imm_x) ROW(and_imm_x_sp) ROW(orr_imm_x_sp) ROW(eor_imm_x_sp)
#define ROW(name)                                                                        \
    HANDLER(w_, name, false, bit_ror(~UINT64_C(0) >> op->rs2, (unsigned)op->imm), false) \
    HANDLER(r_, name, false, (uint64_t)(uint32_t)op->imm *UINT64_C(0x100000001), false)
WIDE_ROWS
#undef ROW

uop_fn *const exec_core_handlers[A64_OP_COUNT] = {
    [OP_undefined] = i_undefined,
#define INSN(name, feat, pattern, format, cost, ...) [OP_##name] = i_##name,
#include ROWS
#undef INSN
};
static uop_fn *const far_handlers[A64_OP_COUNT] = {
#define ROW(name) [OP_##name] = f_##name,
    FAR_ROWS
#undef ROW
};
static uop_fn *const wide_handlers[A64_OP_COUNT][2] = {
#define ROW(name) [OP_##name] = {r_##name, w_##name},
    WIDE_ROWS
#undef ROW
};

#include "cpu/arm/fuse.inc"

/* ---- decoding on first use ----------------------------------------------------------------------------------------------------
 */

static uop_fn *handler_of(enum a64_op op) { return exec_core_handlers[op] ? exec_core_handlers[op] : exec_simd_handlers[op]; }

/* Makes the micro-op of insn and returns its row. in_page: the slot lies in a decoded page at byte `offset`, so that near
   branches are possible. */
SLOW enum a64_op make_uop(struct pe *p, struct uop *u, uint32_t insn, bool in_page, unsigned offset, bool guarded)
{
    struct a64_decoded d = a64_decode(p->decoder, insn);
    int64_t target = (int64_t)offset + d.imm;
    *u = (struct uop){.fn = handler_of(d.op), .imm = (int32_t)d.imm, .rd = d.rd, .rs1 = d.rs1, .rs2 = d.rs2, .aux = d.aux};
    if (far_handlers[d.op]) {
        if (in_page && target >= 0 && target < MEM_PAGE_SIZE)
            u->imm = (int32_t)d.imm * 4;
        else
            u->fn = far_handlers[d.op];
    } else if (wide_handlers[d.op][0] && d.imm != u->imm) {
        bool run = insn >> 22 & 1;
        u->fn = wide_handlers[d.op][run];
        u->imm = run ? d.aux : (int32_t)d.imm;
    } else if (d.op == OP_br || d.op == OP_blr || d.op == OP_braa || d.op == OP_brab || d.op == OP_braaz || d.op == OP_brabz) {
        u->aux = guarded ? AUX_GUARDED : 0;
    } else if (d.op == OP_mrs || d.op == OP_msr || d.op == OP_sys || d.op == OP_sysl) {
        sysreg_uop(p, u, &d, insn);
    }
    return d.op;
}

/* A breakpoint is at s.pc: the run ends before it. */
SLOW bool stops_here(struct pe *p, int64_t left) { return cpu_break_here(&p->cpu, p->s.pc, cpu_now(&p->cpu, left)); }

/* ---- instruction traces ------------------------------------------------------------------------------------------------- */

/* A gist knows of no addresses what instructions do: relative ones are told as such. */
static uint64_t trace_pc(const struct pe *p, uint64_t pc) { return p->cpu.engine->insns->gist ? 0 : pc; }

/* False: it has another handler now, and is done alone. */
static bool trace_slot(struct pe *p, struct uop *op, uint32_t insn)
{
    struct insn_info s;
    if (gist_known(&p->cpu, insn))
        return true;
    unsigned status, more = a64_insn_info(p, insn, trace_pc(p, pc_of(p, op)), &s, &status);
    return insn_slot_set(&p->cpu, op, &s, more, status);
}

/* Whether it may be done together with the one before. */
SLOW bool trace_knows(struct pe *p, uint32_t insn)
{
    struct insn_info s;
    if (gist_known(&p->cpu, insn))
        return true;
    unsigned status, more = a64_insn_info(p, insn, 0, &s, &status);
    return gist_knows(&p->cpu, &s, more);
}

SLOW void trace_scratch(struct pe *p, int64_t left)
{
    struct insn_info s;
    unsigned status, more = a64_insn_info(p, p->slow.insn, trace_pc(p, p->s.pc), &s, &status);
    insn_note(&p->cpu, &s, more, status, p->s.pc, left);
}

/* Raises p->exc at s.pc, where no instruction could be fetched. */
COLD void raise_at_pc(struct pe *p, int64_t left)
{
    p->cpu.ops = p->cpu.scratch;
    p->cpu.page_va = p->s.pc;
    p->cpu.scratch[0] = p->cpu.engine->end;
    if (unlikely(p->cpu.engine->insns))
        gist_no_insn(&p->cpu);
    return exec_raise(p, p->cpu.scratch, left);
}

/* Whether the instruction a branch arrived at in a guarded page accepts this BTYPE. Arm ARM BTypeCompatible_BTI, _PACIXSP. */
static bool landing_ok(const struct pe *p, uint32_t insn, unsigned btype)
{
    if ((insn & 0xffffff3f) == 0xd503241f) /* bti */
        return (insn >> 6 & 3) == 3 || ((insn >> 6 & 3) == 1 && btype != 3) || ((insn >> 6 & 3) == 2 && btype != 2);
    if (insn == 0xd503233f || insn == 0xd503237f) { /* paciasp, pacibsp: SCTLR_ELx.BT0, BT1 say whether 3 is refused */
        if (!arm_has(p->cfg, FEAT_PAuth))
            return false;
        return btype != 3 || !pe_bt_strict(p);
    }
    return (insn & 0xffe0001f) == 0xd4200000 || (insn & 0xffe0001f) == 0xd4400000; /* brk, hlt */
}

/* Whether a branch that left a BTYPE has just arrived at s.pc. */
static bool has_landed(const struct pe *p, int64_t left) { return p->btype_at == cpu_now(&p->cpu, left) && p->btype; }

/* Of an instruction in a guarded page at which one has. False: it may not arrive there, p->exc. */
static bool lands(struct pe *p, uint32_t insn)
{
    if (landing_ok(p, insn, p->btype))
        return true;
    p->exc = (struct arm_exception){.ec = EC_BTI, .iss = p->btype};
    return false;
}

/* One instruction outside any decoded page: its page can't be cached, or a breakpoint may be at it. */
SLOW void run_scratch(struct pe *p, int64_t left)
{
    struct cpu *c = &p->cpu;
    if (unlikely(c->engine->breaks) && stops_here(p, left))
        STOP(c, left);
    c->ops = c->scratch;
    c->page_va = p->s.pc;
    c->scratch[0] = c->scratch[1] = c->engine->end;
    if (!pe_fetch(p, p->s.pc, &p->slow.insn))
        return raise_at_pc(p, left);
    if (p->slow.guarded && has_landed(p, left) && !lands(p, p->slow.insn))
        return raise_at_pc(p, left);
    make_uop(p, c->scratch, p->slow.insn, false, 0, p->slow.guarded);
    if (unlikely(c->engine->insns))
        trace_scratch(p, left);
    DISPATCH(c, c->scratch, left);
}

/* The fast path did not find s.pc: the translation or the decoded page is to be made, the page is guarded, or the pc is
 * misaligned. */
void exec_fetch_slow(struct pe *p, int64_t left)
{
    uint64_t given = p->s.pc, pc = pe_branch_address(p, given);
    p->s.cycle = cpu_now(&p->cpu, left);
    p->s.pc = pc;
    if (unlikely(p->cpu.engine->insns)) {
        insn_goes(&p->cpu);
        if (pc != given)
            gist_pc(&p->cpu);
    }
    if (unlikely(pc & 3)) { /* Arm ARM AArch64.PCAlignmentFault */
        p->exc = (struct arm_exception){.ec = EC_PC_ALIGNMENT, .far_valid = true, .far = pc};
        return raise_at_pc(p, left);
    }
    struct ftlb_entry *e = &p->cpu.ftlb[(pc >> MEM_PAGE_SHIFT) & (FTLB_SIZE - 1)];
    uint64_t page_va = pc & PAGE_MASK;
    if ((e->tag & FETCH_TAG & ~UINT64_C(3)) != page_va || e->tag == TLB_NONE) {
        struct code_page *page = pe_fetch_page(p, pc);
        if (!page)
            return p->slow.value ? raise_at_pc(p, left) : run_scratch(p, left);
    }
    struct code_page *page = e->page;
    if (page->kind == CODE_GUARDED && has_landed(p, left)) {
        const uint8_t *bytes = mem_page_read(p->cpu.mem, page->pa);
        if (!lands(p, insn_at(bytes, (unsigned)(pc & (MEM_PAGE_SIZE - 1)))))
            return raise_at_pc(p, left);
    }
    p->cpu.ops = page->ops;
    p->cpu.page_va = page_va;
    struct uop *op = page->ops + ((pc & (MEM_PAGE_SIZE - 1)) >> 2);
    DISPATCH(&p->cpu, op, left);
}

/*
 * Lets the handler of op, of row `first`, do the next instruction too, if there is such a pair. That one's slot gets its operands
 * but, if it was not decoded yet, stays to be decoded when it is jumped to, so that it can begin a pair itself. A store to either
 * undecodes both (engine.c).
 */
static void try_fuse(struct pe *p, struct uop *op, enum a64_op first, const uint8_t *page, unsigned offset, bool guarded)
{
    struct uop *next = op + 1, second;
    if (offset + 4 >= MEM_PAGE_SIZE || op->fn != handler_of(first) ||
        (unlikely(p->cpu.engine->breaks) && engine_break_offset(p->cpu.engine, offset + 4)))
        return;
    enum a64_op row = make_uop(p, &second, insn_at(page, offset + 4), true, offset + 4, guarded);
    if (second.fn != handler_of(row) || (unlikely(p->cpu.engine->insns) && !trace_knows(p, insn_at(page, offset + 4))))
        return;
    uop_fn *fn = second.rs1 == op->rd ? fused(first, row, FORWARD) : NULL;
    if (!fn)
        fn = fused(first, row, APART);
    if (!fn)
        return;
    second.fn = next->fn;
    *next = second;
    op->fn = fn;
}

/* The decoded page being executed. */
static struct code_page *current_page(const struct pe *p)
{
    return (struct code_page *)(void *)((char *)p->cpu.ops - offsetof(struct code_page, ops));
}

/* Holds the slot of a breakpoint, in whatever page: looks, then does the instruction apart. */
static void break_slot(struct cpu *c, struct uop *op, int64_t left)
{
    struct pe *p = (struct pe *)c;
    p->s.pc = pc_of(p, op);
    return run_scratch(p, left);
}

/* Decodes the instruction at slot op of the current page. */
SLOW void decode_at(struct pe *p, struct uop *op)
{
    struct code_page *c = current_page(p);
    unsigned offset = (unsigned)(op - p->cpu.ops) * 4;
    if (unlikely(p->cpu.engine->breaks) && engine_break_offset(p->cpu.engine, offset)) {
        op->fn = break_slot;
        return;
    }
    const uint8_t *page = mem_page_read(p->cpu.mem, c->pa);
    bool guarded = c->kind == CODE_GUARDED;
    enum a64_op row = make_uop(p, op, insn_at(page, offset), true, offset, guarded);
    if (likely(!p->cpu.engine->insns) || trace_slot(p, op, insn_at(page, offset)))
        try_fuse(p, op, row, page, offset, guarded);
}

/* What an undecoded slot holds: decodes it, then does it. */
void exec_decode_slot(struct cpu *c, struct uop *op, int64_t left)
{
    struct pe *p = (struct pe *)c;
    decode_at(p, op);
    DISPATCH(c, op, left);
}

/* The sentinel, and every slot of a dropped page: goes on by address. */
void exec_page_end(struct cpu *c, struct uop *op, int64_t left)
{
    struct pe *p = (struct pe *)c;
    p->s.pc = pc_of(p, op);
    return go(p, left);
}

void exec_enter(struct pe *p, int64_t left) { return go(p, left); }
