/*
 * One A64 processing element: its state (plain data, saved and compared as it is) and its caches.
 */
#ifndef TL_CPU_ARM_PE_H
#define TL_CPU_ARM_PE_H
#include "cpu/arm/decode.h"
#include "cpu/arm/flags.h"
#include "cpu/arm/pstate.h"
#include "cpu/arm/stage.h"
#include "cpu/engine.h"
#include "cpu/fp/soft.h"
#include "csr/arm/sysreg.h"

/* What an exception is of; the offset in the vector is made from it. Arm ARM D1.3.1. */
enum arm_exception_type { EXCEPTION_SYNCHRONOUS, EXCEPTION_IRQ, EXCEPTION_FIQ, EXCEPTION_SERROR };

/* Exception classes: ESR_ELx.EC. */
enum {
    EC_UNKNOWN = 0x00,
    EC_WFX = 0x01,
    EC_FP_ACCESS = 0x07,
    EC_PAUTH = 0x09,
    EC_LS64 = 0x0a,
    EC_BTI = 0x0d,
    EC_ILLEGAL_STATE = 0x0e,
    EC_SVC = 0x15,
    EC_HVC = 0x16,
    EC_SMC = 0x17,
    EC_SYSREG = 0x18,
    EC_SVE = 0x19,
    EC_ERET = 0x1a,
    EC_PAC_FAIL = 0x1c,
    EC_INSN_ABORT_LOWER = 0x20,
    EC_INSN_ABORT = 0x21,
    EC_PC_ALIGNMENT = 0x22,
    EC_DATA_ABORT_LOWER = 0x24,
    EC_DATA_ABORT = 0x25,
    EC_SP_ALIGNMENT = 0x26,
    EC_MOPS = 0x27,
    EC_FP_TRAPPED = 0x2c,
    EC_SERROR = 0x2f,
    EC_BREAKPOINT_LOWER = 0x30,
    EC_SOFTWARE_STEP_LOWER = 0x32,
    EC_WATCHPOINT_LOWER = 0x34,
    EC_BRK = 0x3c,
    EC_PROFILING = 0x3d
};

/*
 * An exception on its way to take_exception: everything a handler's registers get. Arm ARM "ExceptionRecord".
 *
 * el is the level it is taken to; 0: by the general rules (EL1, or EL2 from EL0 with HCR_EL2.TGE).
 */
struct arm_exception {
    uint8_t type; /* enum arm_exception_type */
    uint8_t ec;   /* of the class for a lower level where there are two: take_exception adds 1 for the same level */
    uint8_t el;
    bool next;      /* the preferred return address is the next instruction (SVC, HVC; SMC is not) */
    bool far_valid; /* FAR_ELx gets far */
    bool ipa_valid; /* HPFAR_EL2 gets ipa */
    bool ns;        /* the IPA is in the Non-secure address space */
    bool virtual;   /* of IRQ, FIQ, SError: a virtual one */
    bool pa_valid;  /* PFAR_ELx gets pa */
    bool as_serror; /* a synchronous external abort that is taken to the vector of SError: SCR_EL3.EASE */
    uint32_t iss;   /* ESR_ELx.ISS, 25 bits */
    uint32_t iss2;
    uint64_t far, ipa;
    uint64_t pa; /* bit 63: in the Non-secure space */
};

enum access { ACCESS_FETCH, ACCESS_LOAD, ACCESS_STORE };

/* What an access has to do with allocation tags: data, whose tags may be compared; data, whose tags are not; the tags themselves.
 */
enum tag_use { TAGS_OF_DATA, TAGS_UNUSED, TAGS_ACCESSED };

/* How an access is to be made. */
struct access_mode {
    uint8_t el;       /* exception level it is made as: 0 for unprivileged loads and stores */
    uint8_t regime;   /* translation regime: 1 EL1&0, 2 EL2 or EL2&0, 3 EL3 */
    bool pan;         /* PSTATE.PAN */
    bool unpriv;      /* LDTR, STTR */
    bool atomic;      /* reads and writes: a fault for want of either */
    bool exclusive;   /* exclusive or acquire-release: alignment is asked for */
    bool cm;          /* cache maintenance: ESR_ELx.CM */
    bool zva;         /* DC ZVA and its like: an alignment fault in Device memory */
    bool at;          /* address translation instruction: the second stage only if asked for */
    bool stage1;      /* the first stage alone */
    uint8_t tags;     /* enum tag_use */
    bool probe;       /* a debugger's look: no permission matters, and nothing is changed */
    bool checked;     /* tags of Tagged memory are compared, and it matters (tags.c) */
    uint8_t number;   /* of the context: below PE_MODES */
    bool any : 1;     /* no permission of stage 1 is asked for: AT S1E1A and the like */
    bool rcw : 1;     /* RCW instructions: stage 2 has permissions of their own */
    bool ordered : 1; /* acquire or release, and not exclusive: SCTLR_ELx.nAA counts */
    uint8_t cmow;     /* CMOW_ bits: of cache maintenance that needs permission to write */
};

/* Of access_mode.cmow: permission of stage 1, of stage 2. IC: for want of permission to read it does not fault. */
enum { CMOW_S1 = 1, CMOW_S2 = 2, CMOW_IC = 4 };

/* Of a vector register, the low 128 bits are in use; the rest is for SVE. */
union arm_vector {
    uint64_t d[32];
    uint32_t s[64];
    uint16_t h[128];
    uint8_t b[256];
};

#define ARM_COUNTERS 31 /* event counters of the performance monitors */

/* What an event counter makes of the value its event has in a cycle (counters.c). */
struct pmu_shape {
    uint8_t kind;
    bool meets[2];         /* by value: it meets the threshold condition */
    uint8_t idle, retired; /* value of a cycle that retires nothing, of one that retires an instruction */
};

/* Saved state. Every member is listed in state.def (name, count), from which digests, snapshots and the debugger read it. */
struct arm_state {
    uint64_t cycle;  /* machine cycle this PE has reached; current only while it is not running */
    uint64_t idle;   /* cycles that retired no instruction */
    uint8_t waiting; /* in WFI (1) or WFE (2) */
    uint8_t halted;  /* not used */
    uint8_t parked;  /* off, until PSCI or the machine starts it */
    uint8_t event;   /* the Event Register of WFE */
    uint8_t serror;  /* a physical SError is pending */
    uint8_t monitor; /* exclusive monitor: 0 open, else the bytes of the load */
    uint8_t timers;  /* outputs of the timers as the outside was last told: bit per enum arm_timer */
    uint8_t stepped; /* what the software step is to tell of the last instruction (debug.c) */
    uint64_t x[34];  /* 31: the current SP; 32 is 0; 33 takes results nobody reads */
    uint64_t sp[4];  /* SP_EL0 to SP_EL3; that of the current one only while the PE is not running */
    uint64_t pc;
    uint64_t pstate; /* as SPSR_ELx has it; NZCV and BTYPE only while the PE is not running */
    uint64_t fpcr, fpsr;
    uint64_t time_offset; /* physical counter = cycle / tick_cycles + offset */
    uint64_t lines;       /* interrupt inputs: LINE_IRQ and the like; LINE_INJECTED, LINE_PULSE */
    uint64_t stream_from; /* count up to which the event stream's events are in `event` */
    uint64_t wait_until;  /* WFIT, WFET: the virtual counter's value that ends it; UINT64_MAX none */
    uint64_t trap_at;     /* WFE, WFET: the cycle at which the trap of it comes that is delayed; 0 none */
    uint64_t trap_iss;    /* and its syndrome */
    uint64_t monitor_pa;  /* what the exclusive monitor watches */
    uint64_t serror_iss;  /* syndrome of the pending SError */
    uint64_t seed;        /* generator behind RNDR */
    uint64_t affinity;    /* MPIDR_EL1 */
    uint64_t counter[33]; /* PMEVCNTR<n>_EL0, 31: PMCCNTR_EL0, 32: PMICNTR_EL0, as they were at cycle count_cycle (counters.c) */
    uint64_t count_cycle, count_idle;
    uint64_t count_last, count_done; /* by counters with thresholds: the cycle before met the condition; this cycle is counted */
    struct {
        uint64_t set; /* the distributor's last Set: mem/gic.h */
        uint8_t enables, maintenance, one_state, pad[5];
    } gic;             /* CPU interface of the GIC: gic_cpuif.c */
    uint8_t pmu_level; /* the overflow interrupt as the outside was last told */
    uint8_t pad[7];
    union arm_vector v[32];
    struct arm_regs regs;
};

/* Bits of lines; SUPER: the interrupt beside it has Superpriority; PROFILING, from inside: the performance monitors ask for an
   exception. */
enum {
    LINE_IRQ = 1,
    LINE_FIQ = 2,
    LINE_IRQ_SUPER = 1 << 3,
    LINE_VIRQ = 1 << 4,
    LINE_VFIQ = 1 << 5,
    LINE_VIRQ_SUPER = 1 << 6,
    LINE_PROFILING = 1 << 7
};
/* The same bits further up: inputs that were raised from outside, beside what the GIC drives; and which of those go low when the
   interrupt is taken. */
enum { LINE_INJECTED = 8, LINE_PULSE = 16 };
static inline uint64_t lines_high(uint64_t lines) { return (lines | lines >> LINE_INJECTED) & 0xff; }
enum { WAITING_WFI = 1, WAITING_WFE = 2 };

enum arm_timer {
    TIMER_PHYS,
    TIMER_VIRT,
    TIMER_HYP_PHYS,
    TIMER_HYP_VIRT,
    TIMER_SECURE,
    TIMER_SEC_HYP_PHYS,
    TIMER_SEC_HYP_VIRT,
    TIMER_COUNT
};

/* Contexts of the modes: exception level, PSTATE.PAN, whether tags are checked. */
#define PE_MODES    16
#define MODE_PAN    4u
#define MODE_TAGGED 8u

/* What a translation depends on besides bases and level, and its number in keys. */
#define REGIME_WORDS 16
#define REGIMES      32
struct regime_set {
    uint64_t of[REGIMES][REGIME_WORDS];
    unsigned count;
};

/* Where page-table pages are in host memory, and where stage 2 puts those of guests, as walks learnt it. An entry is good while
   no page has lost its mark since it was made (engine.marks): like an entry of the soft TLB it comes from marked pages. */
#define WALK_PAGES  1024
#define WALK_GPAGES 256
#define WALK_TABLES 64
struct walk_table { /* a table of the last level of stage 1, of 4 KiB, in Non-secure state; good as long as first[] of its half */
    uint64_t prefix, marks; /* address bits above those it resolves */
    uint64_t vttbr, control;
    uint64_t at, pa; /* where it is, before and behind stage 2 */
    uint64_t limits; /* what the tables above it took away */
};
struct walk_cache {
    struct {
        uint64_t page, marks; /* page: its address, with bit 0: as a table of the last level of a translation of one stage */
        const uint8_t *host;
    } pte[WALK_PAGES];
    struct {
        uint64_t ipa, marks, vttbr, control, page;
    } g[WALK_GPAGES];
    struct stage1_memo first[2]; /* by the half of the addresses */
    struct walk_table table[2][WALK_TABLES];
    struct walk_table table2[WALK_TABLES]; /* of stage 2, likewise; at, limits: 0 */
    struct stage2_memo second;
};

/* What a translation regime makes of pointers with authentication codes: a function of `key` and `tcr`. See pauth.c. */
#define PAC_SHAPE_EL0  4u /* the regime has an EL0, and so two halves */
#define PAC_SHAPE_MADE 8u
struct pac_shape {
    uint64_t tcr;      /* TCR_ELx of the regime */
    unsigned key;      /* the regime's level | PAC_SHAPE_ */
    uint8_t bottom[2]; /* the lowest bit of a code, by the half */
    bool mtx[2];       /* bits 59:56 of pointers to data are a tag: by the half */
    bool tbi[2][2];    /* the top byte is ignored: by whether it is a pointer to data, and the half */
};

/* Pointer authentication codes computed lately. They are functions of their operands alone. */
#define PAC_MEMO 4096
struct pac_memo {
    struct pac_shape shape;
    struct {
        uint64_t data, modifier, key0, key1, pac;
    } entry[PAC_MEMO];
};

/* What an exception level makes of the registers that control it. */
struct pe_level {
    struct access_mode plain[2], unpriv_mode; /* plain: without and with PSTATE.PAN */
    bool fp_ready, big_endian, strict, unpriv;
    uint8_t sp_check, pac_on;
    uint8_t checks; /* CHECKS_ bits */
};
enum { CHECKS_PLAIN = 1, CHECKS_UNPRIV = 2 }; /* tags of its own accesses; of LDTR and STTR */

struct pe_env;

struct pe {
    struct cpu cpu; /* must be first */
    struct arm_state s;

    /* Caches of the architecture, derived from the state by pe_refresh. */
    struct flags fl;        /* PSTATE.NZCV while running */
    uint64_t btype_at;      /* the cycle at which PSTATE.BTYPE is `btype`; at any other it is 0 */
    struct tlb_entry *utlb; /* what LDTR and STTR use */
    uint64_t sp_check;      /* 15 if a misaligned SP faults, else 0 */
    uint8_t btype;
    uint8_t el;         /* PSTATE.EL */
    uint8_t fp_ready;   /* FP and Advanced SIMD instructions do not trap */
    uint8_t fp_host;    /* and FPCR lets the host's FPU do them */
    uint8_t fp_exact;   /* tests: the host's FPU does nothing */
    uint8_t no_fast;    /* reasons (enum pe_no_fast) why loads and stores may not take the fast path */
    uint8_t big_endian; /* data accesses of this level are */
    uint8_t strict;     /* SCTLR_ELx.A: every unaligned access faults */
    uint8_t pac_on;     /* SCTLR_ELx.EnIA, EnIB, EnDA, EnDB of this level as bits 0 to 3 */
    uint8_t executing;
    uint8_t levels;     /* bit el: level[el] is true to the registers */
    uint8_t counting;   /* some performance counter is enabled */
    uint8_t pended;     /* the instruction that is run alone has set PSTATE.PPEND */
    uint8_t count_step; /* the next instruction may set PSTATE.PPEND, or what it does is counted: each is run alone */
    uint8_t models[4];  /* by regime: what permissions of stage 1 come from besides descriptors (perms.h); 0: nothing */
    uint8_t debug_step; /* the software step state machine or hardware breakpoints need a look at every instruction */
    uint64_t count_cycles, count_retired, count_chain; /* counters that count these here */
    uint64_t count_each;                               /* those that count what instructions do, */
    uint8_t count_how[ARM_COUNTERS];                   /* and what that is (enum pmu_how) */
    uint64_t count_shaped;                             /* those that have thresholds */
    uint64_t count_wide;                               /* counters that overflow from bit 63 */
    uint64_t count_freeze;                             /* those whose overflow stops counters */
    uint64_t count_sync; /* of those that count instructions here, those whose overflow raises a synchronous exception */
    struct pmu_shape count_shape[ARM_COUNTERS];
    enum sysreg_mode mode;
    struct pe_level level[4];
    uint64_t armed;            /* sysreg_armed */
    uint64_t entry_sets;       /* bits of PSTATE that every exception sets, besides DAIF and SP */
    uint64_t spsr_fields;      /* what an exception return takes from SPSR_ELx, of what this PE has */
    struct access_mode plain;  /* how plain loads and stores are made now */
    struct access_mode unpriv; /* how LDTR and STTR are */
    const struct arm_config *cfg;
    const struct sysreg_map *map;
    const struct a64_decoder *decoder;
    const struct sysreg_plain *plain_reg;
    struct sysreg_ctx ctx;
    struct tlb_ctx *mode_ctx[PE_MODES]; /* NULL: look it up */
    uint64_t deadline;                  /* cycle at which a timer, counter or time-out of this PE is next due; UINT64_MAX none */
    uint64_t tick_cycles;               /* machine cycles in one tick of the counter */
    struct regime_set regimes;
    struct walk_cache walk;
    struct pac_memo pac;
    /* Results of the slow path: handlers keep no addressable locals, which would cost them their tail calls. */
    struct {
        uint8_t data[32], elements[64];
        uint64_t value, pa;
        uint8_t *host;
        struct access_mode mode;
        uint32_t insn, effects;
        struct fp_env fp;
        bool exact, guarded;
    } slow;
    struct arm_exception exc; /* the exception a slow path raised */
    const struct pe_env *env;
    void *env_ctx;
};

enum pe_no_fast {
    NO_FAST_SP = 1,     /* SP is misaligned and that faults */
    NO_FAST_ENDIAN = 2, /* data is big-endian */
    NO_FAST_WATCH = 4,  /* a watchpoint is on */
    NO_FAST_ANY = 7,    /* no load or store may */
    NO_FAST_TAGS = 8,   /* those of Tagged memory may not: tags are checked */
};

/* A change of the exception level or the like, as pe_env.trapped is told of it; what it led to is in the PE. */
struct pe_was {
    const struct arm_exception *exc; /* NULL: a return */
    uint64_t pc;                     /* where it happened */
    uint64_t pstate;                 /* before it */
};

/* What the machine provides to a PE; all optional (NULL: absent). */
struct pe_env {
    /* HLT #0xF000. True: handled (x0 holds the result). Arm semihosting 2. */
    bool (*semihost)(void *ctx, struct pe *p);
    /* HVC or SMC with a function identifier of PSCI or SMCCC in x0. True: handled (x0.. hold results). */
    bool (*firmware)(void *ctx, struct pe *p, bool smc);
    /* Every exception and every return from one, after the state changed. */
    void (*trapped)(void *ctx, struct pe *p, const struct pe_was *was);
    /* A timer's output changed. */
    void (*timer)(void *ctx, struct pe *p, enum arm_timer t, bool level);
    /* The overflow interrupt of the performance monitors changed. */
    void (*pmu)(void *ctx, struct pe *p, bool level);
    /* The GIC's CPU interface: sysreg_live.gic_read, gic_write. */
    uint64_t (*gic_read)(void *ctx, struct pe *p, unsigned id);
    uint32_t (*gic_write)(void *ctx, struct pe *p, unsigned id, uint64_t value);
    /* Its registers, the level or the security state changed. */
    void (*gic_changed)(void *ctx, struct pe *p);
};

void pe_init(struct pe *p, struct engine *e, const struct arm_config *cfg, const struct sysreg_map *map,
             const struct a64_decoder *dec, uint64_t affinity, uint64_t tick_cycles);
/* A PE of the same kind and in the same state as `from`, on another engine (a fork). Cheaper than a reset. */
void pe_init_copy(struct pe *p, struct engine *e, const struct pe *from);
/* Cold reset: the highest exception level, at cfg->rvbar. Arm ARM D1.3 "Reset", AArch64.TakeReset. */
void pe_reset(struct pe *p);
/* After a reset: continues at pc in exception level el (at most the highest), handler mode, everything masked, as firmware of the
   levels above would hand over: they permit what they can and route nothing to themselves. */
void pe_start_at(struct pe *p, unsigned el, uint64_t pc);
/* After the state was changed from outside (reset, snapshot, debugger): recomputes every cache. */
void pe_refresh(struct pe *p);

/* Runs until cycle `until` (absolute) or another reason to stop. The state is complete on return. */
enum cpu_stop pe_run(struct pe *p, uint64_t until);
/* Sets interrupt input `line` (a bit number of s.lines). Safe from inside a device access of a running PE. */
void pe_line(struct pe *p, unsigned line, bool level);
/* Sets the Event Register. */
void pe_event(struct pe *p);
/* True if something ends the waiting of a PE in WFI or WFE now. */
bool pe_wakes(struct pe *p);

/* ---- trap.c, xret.c ----------------------------------------------------------------------------------------------------------
 */

/* Takes exception e at s.pc: routes it, writes ESR, FAR, HPFAR, ELR, SPSR, changes level and PSTATE and sets s.pc. The only
   function that turns an exception into state. Arm ARM AArch64.TakeException. */
void take_exception(struct pe *p, const struct arm_exception *e);
/* The whole of PSTATE now, as an exception would save it. */
uint64_t pe_pstate(const struct pe *p);
/* Changes PSTATE but for NZCV and BTYPE (EL and SP included), and keeps what depends on it right. */
void pe_set_pstate(struct pe *p, uint64_t pstate);
/* Exception return to `target` (ELR_ELx, for ERETAA and ERETAB authenticated) with SPSR_ELx. Arm ARM AArch64.ExceptionReturn. */
void pe_eret(struct pe *p, uint64_t target);
enum eret_kind { ERET_PLAIN, ERET_AUTHENTICATED };
/* Whether an ERET here is trapped; then p->exc is set. Arm ARM AArch64.CheckForERetTrap. */
bool pe_eret_trapped(struct pe *p, enum eret_kind kind, bool key_b);
/* Arm ARM IllegalExceptionReturn. */
bool eret_illegal(const struct pe *p, uint64_t spsr);
/* What a return takes from SPSR_ELx, of what the PE has. */
uint64_t eret_fields(const struct arm_config *c);
/* FPCR and FPSR now; while the PE runs, flags and rounding mode are the host's, too (cpu/fp/fp.h). */
uint64_t pe_fpsr(const struct pe *p);
void pe_set_fpsr(struct pe *p, uint64_t fpsr);
void pe_set_fpcr(struct pe *p, uint64_t fpcr);
/* After a write to a register that level, routing, contexts or traps depend on: recomputes what this level caches. */
void pe_mode_changed(struct pe *p);

/* ---- irq.c -------------------------------------------------------------------------------------------------------------------
 */

/* The asynchronous exception to take now, by masking, routing and priority, into e. False if none. Arm ARM D1.3.6. */
bool pe_pending(struct pe *p, struct arm_exception *e);
/* Does what is due and recomputes p->deadline, from timers, event stream, time-outs and counters. To be called when one of those
   changed and at an instruction boundary when s.cycle >= p->deadline. */
void pe_deadline(struct pe *p);
/* An interrupt or SError was taken: what was only there until then is pending no more. */
void pe_took(struct pe *p, const struct arm_exception *e);
uint64_t pe_count(const struct pe *p); /* the physical counter now, by s.cycle */
extern const struct sysreg_live pe_live;

/* ---- mmu.c, walk.c ------------------------------------------------------------------------------------------------------------
 */

struct xlate {
    uint64_t pa;
    uint64_t page_bits; /* 12: the translation and its permissions hold for the whole aligned 4 KiB page, it may be cached; 0: for
                           this access only */
    bool read, write, exec; /* with page_bits: permitted on the whole page for this access mode */
    bool device;            /* Device memory: unaligned accesses fault */
    bool guarded;           /* BTI applies to instructions there */
    bool tagged;            /* Normal Tagged memory */
    bool canonical;         /* Canonically Tagged memory: each of its tags is what bit 55 of the address makes of it */
    bool ns;                /* in the Non-secure physical address space */
    uint8_t attr;           /* memory attributes as MAIR_ELx has them, of both stages together */
    uint8_t sh;             /* shareability as descriptors have it */
    uint32_t from;          /* for the soft TLB: tlb_from() of the table the page descriptor is in, or TLB_FROM_MANY */
};

/* Translates va for an access of `size` bytes that does not cross a 4 KiB page, checks every permission, updates AF and dirty
   state where hardware does. False: p->exc holds the abort, complete but for the instruction's part of the ISS. */
bool pe_translate(struct pe *p, uint64_t va, unsigned size, enum access a, const struct access_mode *m, struct xlate *out);
/* The short way of the usual plain load or store (ACCESS_LOAD, ACCESS_STORE) of RAM by p->plain, while nothing is in the way of
   the fast path: last-level tables that earlier walks found, and descriptors that permit it as they are, of Normal memory. The
   physical address of the page, which a load may also read and a store also load from; *from: xlate.from. PE_UNKNOWN: ask
   pe_translate. */
uint64_t pe_quick(const struct pe *p, uint64_t va, enum access a, uint32_t *from);
#define PE_UNKNOWN UINT64_MAX
/* The key of the translation context for an access mode: everything pe_translate's outcome depends on but memory. */
void pe_translation_key(struct pe *p, const struct access_mode *m, uint64_t key[4]);
/* The address a branch to `target` goes to: the tag is removed where TBI says so. Arm ARM AArch64.BranchAddr. */
uint64_t pe_branch_address(const struct pe *p, uint64_t target);
#endif
