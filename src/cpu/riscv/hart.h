/*
 * One RISC-V hart: its state (plain data, saved and compared as it is) and its caches.
 */
#ifndef TL_CPU_RISCV_HART_H
#define TL_CPU_RISCV_HART_H
#include "cpu/arch.h"
#include "csr/riscv/csr.h"
#include <stddef.h>

/* A synchronous exception or interrupt on its way to take_trap: everything a trap handler's registers get. priv 3.1.15,
 * hypervisor "Traps". */
struct trap {
    uint64_t cause; /* exception code, without the interrupt bit */
    uint64_t tval;  /* mtval / stval / vstval */
    uint64_t tval2; /* mtval2 / htval, already shifted right by 2 for guest physical addresses */
    uint64_t tinst; /* mtinst / htinst */
    bool interrupt;
    bool gva; /* tval is a guest virtual address */
    bool nmi; /* a resumable NMI (Smrnmi) */
};

/* Exception codes: priv table "mcause values". */
enum {
    EXC_INSN_MISALIGNED = 0,
    EXC_INSN_ACCESS = 1,
    EXC_ILLEGAL = 2,
    EXC_BREAKPOINT = 3,
    EXC_LOAD_MISALIGNED = 4,
    EXC_LOAD_ACCESS = 5,
    EXC_STORE_MISALIGNED = 6,
    EXC_STORE_ACCESS = 7,
    EXC_ECALL_U = 8,
    EXC_ECALL_S = 9,
    EXC_ECALL_VS = 10,
    EXC_ECALL_M = 11,
    EXC_INSN_PAGE = 12,
    EXC_LOAD_PAGE = 13,
    EXC_STORE_PAGE = 15,
    EXC_DOUBLE_TRAP = 16,
    EXC_SOFTWARE_CHECK = 18,
    EXC_HARDWARE_ERROR = 19,
    EXC_INSN_GUEST_PAGE = 20,
    EXC_LOAD_GUEST_PAGE = 21,
    EXC_VIRTUAL = 22,
    EXC_STORE_GUEST_PAGE = 23
};

enum access { ACCESS_FETCH, ACCESS_LOAD, ACCESS_STORE };

/* How an access is to be made when it is not the plain one of the current mode. */
struct access_mode {
    uint8_t priv, v;   /* effective privilege (after MPRV, hlv/hsv) */
    bool hlvx;         /* execute permission instead of read */
    bool hlv;          /* made by hlv/hlvx/hsv: MPRV has no effect */
    bool shadow_stack; /* Zicfiss: the access of ssamoswap, sspush, sspopchk */
    bool probe;        /* a debugger's look: no permission matters, and nothing is changed */
    bool cbo; /* made by cbo.clean, cbo.flush, cbo.inval as ACCESS_LOAD: faults are store faults, shadow-stack pages are barred */
};

/* Saved state. Every member is listed in state.def (name, count), from which digests, snapshots and the debugger read it. */
struct rv_state {
    union {
        struct cpu_progress progress;
        struct {
            CPU_PROGRESS; /* waiting: in wfi or wrs; halted: critical error state (Smdbltrp); parked: reserved for debug */
        };
    };
    uint64_t x[33]; /* x[0] is 0; x[32] takes results nobody reads */
    uint64_t f[32]; /* NaN-boxed */
    uint64_t pc;
    uint64_t counter[32]; /* base of counter n: value = base + events since (see counters.c); [1] unused */
    uint64_t time_offset; /* time = cycle / tick_cycles + offset */
    uint64_t lines;       /* interrupt inputs from outside, as mip bits */
    uint64_t pulse;       /* those of them that go low when the interrupt is taken */
    uint64_t hgeip;       /* guest external interrupt inputs */
    uint64_t seed;        /* generator behind Zkr's seed */
    uint64_t res_pa;      /* LR/SC reservation: physical address of its 64-byte set */
    uint64_t hartid;
    uint8_t priv, v;     /* RV_U, RV_S, RV_M; virtualization mode */
    uint8_t elp;         /* Zicfilp: a landing pad is expected */
    uint8_t res_valid;   /* 0 none; else the access size of the LR */
    uint8_t nmi_pending; /* the RNMI input is raised; 2: until the interrupt is taken */
    uint8_t fflags;      /* accrued exceptions while not running */
    uint8_t pad[2];
    struct rv_csrs csr;
};

/* What PMP permits, derived from pmpcfg, pmpaddr and mseccfg by pmp_refresh: the address space cut at every border of an active
   entry. An access inside one span is decided by that span; one that reaches into a second is only partly matched, and fails
   (priv 3.7.1.3). */
#define PMP_SPANS 129
struct pmp_spans {
    uint32_t count;
    uint32_t widest;           /* the span to look at first */
    uint64_t first[PMP_SPANS]; /* ascending, first[0] = 0 */
    uint64_t last[PMP_SPANS];  /* inclusive; last[count - 1] = UINT64_MAX */
    uint8_t perm[PMP_SPANS];   /* bits 0-2: R, W, X for S and U; bits 3-5: for M */
};

/* What the counters do now, derived from mcountinhibit, the events and filters, and the mode. See counters.c. */
struct hart_counters {
    uint32_t in_mode[8];      /* counters that count in mode (v << 2 | priv) */
    uint32_t running;         /* counters that count now: in_mode of the mode they were last brought up to date for */
    uint32_t cycles, instret; /* of all: those that follow the cycles, the retired instructions */
    uint32_t armed;           /* running ones of these whose overflow is still to come and wanted (Sscofpmf) */
    uint32_t events;          /* bit e: some running counter counts event e */
    uint8_t event[32];        /* enum counter_event of each counter */
};

/* What walks of page tables learnt: where page-table pages are in host memory, and where the G stage puts those of guests. An
   entry is good while no page has lost its mark since it was made (engine.marks): like an entry of the soft TLB it comes from
   marked page-table pages. */
#define WALK_PAGES  512 /* a power of two */
#define WALK_GPAGES 64
struct walk_cache {
    struct walk_page {
        uint64_t page, marks; /* page: its address, with WALK_LAST */
        const uint8_t *host;
    } pte[WALK_PAGES]; /* private RAM that PMP lets S read all of; by walk_page() */
    struct {
        uint64_t gpa, marks, hgatp, page;
    } g[WALK_GPAGES]; /* gpa: page address | 1 | PBMTE and ADUE << 1 */
};

struct hart {
    struct cpu cpu; /* must be first */
    struct rv_state s;

    /* Caches of the architecture, derived from the state by hart_refresh. */
    const struct rv_config *cfg;
    const struct csr_map *map;
    const struct rv_decoder *decoder;
    const struct csr_plain *plain_csr; /* by number */
    struct csr_ctx csr;                /* r, cfg, map, live set; priv/v refreshed with the mode */
    struct tlb_ctx *mode_ctx[8];       /* context of (v << 2 | priv) without MPRV; NULL: look it up */
    struct access_mode plain;          /* how plain loads and stores are made now (MPRV applied) */
    uint8_t lpe;                       /* landing pads are enforced in the current mode (Zicfilp) */
    uint8_t lpe_in;                    /* the modes, as bits (v << 2 | priv), in which they are */
    uint8_t fp_ready; /* 0: an FP instruction must look first; else fp_host: FS, and vsstatus.FS if V, are Dirty */
    uint8_t fp_host;  /* 2: the host can round by frm; 1: it can't (RMM, reserved) */
    uint8_t frm;
    uint8_t ialign16;     /* instructions may lie at 2 mod 4 (Zca) */
    uint8_t xlen;         /* of the current mode */
    uint8_t count_active; /* some counter counts in one mode and not in another: mode changes need counters_mode */
    uint8_t executing; /* set while instructions run: the current one ends at s.cycle + 1, and counter writes take effect there */
    struct hart_counters count;
    uint64_t stip_due, vstip_due; /* cycle from which stimecmp, vstimecmp make STIP, VSTIP pending (by hart_deadline) */
    uint64_t deadline; /* cycle at which a timer compare or counter overflow of this hart is next due; UINT64_MAX none */
    struct pmp_spans pmp;
    struct walk_cache walk;
    uint64_t access_va; /* address of the load or store that went the slow path last */
    /* Results of the slow path: handlers keep no addressable locals, which would cost them their tail calls. */
    struct {
        uint64_t value, pa;
        uint8_t *host;
        struct access_mode mode;
        uint32_t insn;
    } slow;
    struct trap trap; /* the exception a slow path raised */
};

_Static_assert(offsetof(struct hart, s) == sizeof(struct cpu), "cpu_progress finds the state behind struct cpu");

void hart_init(struct hart *h, struct engine *e, const struct rv_config *cfg, const struct csr_map *map,
               const struct rv_decoder *dec, uint64_t hartid);
/* A hart of the same kind and in the same state as `from`, on another engine (a fork). Cheaper than a reset. */
void hart_init_copy(struct hart *h, struct engine *e, const struct hart *from);
void hart_reset(struct hart *h);
/* After the state was changed from outside (reset, snapshot, debugger): recomputes every cache. */
void hart_refresh(struct hart *h);

/* The hart's state becomes *s. Cheaper than a refresh: what the difference does not touch stays as it was derived. */
void hart_rewind(struct hart *h, const struct rv_state *s);

/* Runs until cycle `until` (absolute) or another reason to stop. The state is complete on return. */
enum cpu_stop hart_run(struct hart *h, uint64_t until);
/* Sets interrupt input `irq` (mip bit number). Safe from inside a device access of a running hart. */
void hart_line(struct hart *h, unsigned irq, bool level);

/* ---- inject.c: what happens to a hart from outside
 * ---------------------------------------------------------------------------------------------- */

/* The interrupt t is about to be taken: lowers the input that was raised for it alone. */
void hart_taken(struct hart *h, const struct trap *t);

/* ---- trap.c: traps, returns, interrupts --------------------------------------------------------------------------------------
 */

/* Takes trap t at s.pc: routes it (medeleg, hedeleg, …), writes the registers, changes mode and sets s.pc. The only function that
   turns a trap into state. priv 3.1.8, 3.4; hypervisor "Trap entry"; smdbltrp, ssdbltrp, smrnmi, cfi. */
void take_trap(struct hart *h, const struct trap *t);
/* The interrupt to take now, by priority and delegation, into t. False if none. priv 3.1.9, 3.2.. hypervisor "Interrupts". */
bool interrupt_pending(struct hart *h, struct trap *t);
/* True if any enabled interrupt is pending locally regardless of global enables: what ends wfi (priv 3.3.3). */
bool interrupt_wakes(struct hart *h);
/* mret, sret, mnret: permission checks, then the return; s.pc is set. False: h->trap holds the exception. */
bool do_mret(struct hart *h);
bool do_sret(struct hart *h);
bool do_mnret(struct hart *h);
/* ecall: fills h->trap. */
void do_ecall(struct hart *h);
/* wfi, wrs.nto, wrs.sto: true if the hart may wait or go on; false: h->trap holds the exception. The time limit of TW and VTW is
   0: where they apply the instruction always traps. priv 3.1.6.6, 3.3.3; hypervisor 9.2.1; unpriv Zawrs. */
enum wait_kind { WAIT_WFI, WAIT_WRS_NTO, WAIT_WRS_STO };
bool do_wfi(struct hart *h, enum wait_kind kind);
/* The value of mip: stored bits, outside lines, timers. */
uint64_t hart_mip(struct hart *h);
/* Changes the mode; keeps csr.priv/v, contexts, plain, lpe, fp_ready and counters right. */
void hart_set_mode(struct hart *h, uint8_t priv, uint8_t v);
/* Recomputes plain, lpe, fp_ready and the contexts, after a write to a register they depend on (mstatus, vsstatus, mseccfg, the
   envcfg registers). */
void hart_mode_changed(struct hart *h);
/* Does what is due (counter overflows: OF, LCOFIP) and recomputes h->deadline, stip_due, vstip_due from stimecmp, vstimecmp, time
   and the counters. To be called when one of those changed, and at an instruction boundary when s.cycle >= h->deadline, also
   before hart_run returns; after it interrupts must be looked at. */
void hart_deadline(struct hart *h);

/* ---- counters.c
 * ---------------------------------------------------------------------------------------------------------------- */
extern const struct csr_live hart_csr_live;
/* Counting control changed (mcountinhibit, mcyclecfg, minstretcfg, mhpmevent): brings the counters up to date by what held until
   now, then goes on by what the registers say. Call hart_deadline after it. Mode changes need no call: hart_set_mode does it. */
void counters_sync(struct hart *h);
/* After a reset or a snapshot: takes over registers and bases as they are. */
void counters_refresh(struct hart *h);
/* The same where counting control is as it was. */
void counters_restart(struct hart *h);

/* ---- mmu.c, walk.c, pmp.c
 * ---------------------------------------------------------------------------------------------------------- */

struct xlate {
    uint64_t pa;
    uint64_t page_bits; /* 12: the translation and its permissions hold for the whole aligned 4 KiB page, it may be cached; 0: for
                           this access only */
    bool read, write, exec; /* with page_bits: permitted on the whole page for this access mode; D is already set if write */
    uint8_t pbmt;           /* memory type of both stages: 0 PMA, 1 NC, 2 IO (svpbmt) */
    uint32_t from;          /* for the soft TLB: tlb_from() of the table the page's entry is in, or TLB_FROM_MANY */
};

/* The mode loads and stores use now: MPRV applied. priv 3.1.6.3; smrnmi: not while mnstatus.NMIE is 0. */
struct access_mode data_mode(const struct hart *h);
/* Translates va (XLEN-wide, before pointer masking) for an access of `size` bytes that does not cross a 4 KiB page, checks every
   permission (both stages, PMP), updates A/D when Svadu does. False: h->trap holds the exception, complete but for tinst: not 0,
   it is the pseudoinstruction of an implicit access and stays (hypervisor "Transformed Instruction or Pseudoinstruction"); 0, the
   caller may put the transformed instruction there if a load or store was explicit. Uses h->s.pc for nothing. */
bool mmu_translate(struct hart *h, uint64_t va, unsigned size, enum access a, const struct access_mode *m, struct xlate *out);
/* The address after pointer masking (zpm) of a load or store at va: what tval must show for faults raised outside mmu_translate.
 */
uint64_t mmu_address(const struct hart *h, uint64_t va, const struct access_mode *m);
/* The key of the translation context for an access mode: everything mmu_translate's outcome depends on but memory and PMP, whose
   changes flush. Fetch and plain data of one mode share a context, so `fetch` makes no difference. */
void mmu_key(const struct hart *h, const struct access_mode *m, bool fetch, uint64_t key[4]);
/* The short way of the usual plain load or store (ACCESS_LOAD, ACCESS_STORE) on RV64: last-level tables that earlier walks found,
   and an entry that permits it as it is. The physical address of the page, | 1 if it may also be stored to; MMU_UNKNOWN: ask
   mmu_translate. */
uint64_t mmu_quick(const struct hart *h, uint64_t va, enum access a);
#define MMU_UNKNOWN      UINT64_MAX
#define MMU_REGION_SHIFT 21 /* what a last-level table of RV64 maps */
/* PMP and physical address width check of a physical access by itself. priv 3.7, smepmp. *whole_page (may be NULL): the 4 KiB
   page is under one PMP entry, so the answer holds for all of it. */
bool pmp_check(const struct hart *h, uint64_t pa, uint64_t size, enum access a, uint8_t priv, bool *whole_page);
/* Recomputes h->pmp. Call after every change of pmpcfg, pmpaddr or mseccfg (they raise CSR_FX_FLUSH) and from hart_refresh. */
void pmp_refresh(struct hart *h);

/* ---- access.c: loads and stores outside the fast path -------------------------------------------------------------------------
 */

/* Load/store of 1, 2, 4, 8 or 16 bytes at va through translation, any alignment the configuration permits. False: h->trap is set.
 */
bool hart_load(struct hart *h, uint64_t va, unsigned size, const struct access_mode *m, uint64_t *value);
bool hart_store(struct hart *h, uint64_t va, unsigned size, const struct access_mode *m, uint64_t value);
#endif
