/*
 * What supervisor software sees of a RISC-V hart, taken at once: the registers that an event which comes and goes must leave as
 * they were. Plain data.
 */
#ifndef TL_DEBUG_RISCV_VIEW_H
#define TL_DEBUG_RISCV_VIEW_H
#include <stdbool.h>
#include <stdint.h>

struct machine;

enum view_csr {
#define VIEW(name, how) VIEW_##name,
#include "debug/riscv/view.def"
    VIEW_CSRS
};

struct rv_view {
    uint64_t x[32]; /* XLEN-wide, zero-extended, as everything here */
    uint64_t f[32]; /* NaN-boxed */
    uint64_t csr[VIEW_CSRS];
    uint64_t pc;
    uint8_t priv, v; /* 0 U, 1 S, 3 M; virtualization mode */
    uint8_t elp;     /* a landing pad is expected */
    uint8_t pad[5];
};

/* What supervisor software of a hart has. */
struct rv_features {
    uint8_t xlen;
    uint8_t h;             /* hypervisor extension */
    uint8_t zicfilp;       /* SPELP exists */
    uint8_t ssdbltrp;      /* menvcfg.DTE can be set */
    uint8_t lpe, dte;      /* menvcfg.LPE, DTE now: landing pads in S, double traps of S */
    uint8_t lpe_u, lpe_vs; /* senvcfg.LPE, henvcfg.LPE now */
    uint8_t zca;           /* instructions may be at 2 mod 4: sepc holds bit 1 */
};

/* Bits of the status registers as S sees them, for both XLENs. */
enum {
    VIEW_SIE = 1 << 1,
    VIEW_SPIE = 1 << 5,
    VIEW_SPP = 1 << 8,
    VIEW_SPELP = 1 << 23,
    VIEW_SDT = 1 << 24,
    VIEW_SPV = 1 << 7,
    VIEW_SPVP = 1 << 8,
};

/* The hart as it is. In M: priv and v are M's, elp is that of M. */
void view_take(struct rv_view *v, struct machine *m, unsigned hart);
/* The hart as it was before the trap into M that has just been taken: pc, mode and elp from mepc and mstatus (or, rnmi, from
   mnepc and mnstatus); everything else a trap into M leaves alone. */
void view_take_trapped(struct rv_view *v, struct machine *m, unsigned hart, bool rnmi);
/* False: the machine's harts are of another architecture. */
bool view_features(struct rv_features *f, struct machine *m, unsigned hart);

/* Whether a landing pad is expected (Zicfilp): state of the hart that no register shows. Returns what it was. */
bool view_set_elp(struct machine *m, unsigned hart, bool elp);

/* Whether S may read (or write) n bytes of physical memory. */
enum view_access {
    VIEW_REFUSED, /* PMP forbids it now, or there is nothing */
    VIEW_GRANTED, /* RAM */
    VIEW_UNUSUAL  /* a device's registers, or memory that cannot be written */
};
enum view_access view_accessible(struct machine *m, unsigned hart, uint64_t pa, uint64_t n, bool write);

/* Walks the differences: i counts registers (begin with 0, go on with what came back plus 1); UINT32_MAX: no more. */
uint32_t view_differs(const struct rv_view *a, const struct rv_view *b, uint32_t i);
/* Of register i of view_differs: its name and its value. */
const char *view_name(uint32_t i);
uint64_t view_value(const struct rv_view *v, uint32_t i);
/* Register numbers of view_differs: x0, f0, … and the csrs begin at these. */
enum { VIEW_X = 0, VIEW_F = 32, VIEW_CSR = 64, VIEW_PC = VIEW_CSR + VIEW_CSRS, VIEW_PRIV, VIEW_V, VIEW_ELP, VIEW_COUNT };
#endif
