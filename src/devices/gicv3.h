/*
 * Inside the GICv3 device (gicv3.c: what it is and has).
 */
#ifndef TL_DEVICES_GICV3_H
#define TL_DEVICES_GICV3_H
#include "devices/devices.h"
#include "mem/gic.h"

/* Frames, from the device's base: the place of each is that of QEMU's `virt` board. */
#define GICD_FRAME  0x00000u
#define GITS_FRAME  0x80000u /* 64 KiB of registers, 64 KiB with GITS_TRANSLATER */
#define GICR_FRAME  0xa0000u /* for each PE 64 KiB RD_base, 64 KiB SGI_base */
#define GICR_STRIDE 0x20000u
#define FRAME_SIZE  0x10000u
#define GIC_PES     8u
#define GIC_SIZE    (GICR_FRAME + GIC_PES * GICR_STRIDE)

#define GIC_INTIDS   288u /* 32 private ones, 256 SPIs */
#define GIC_WORDS    (GIC_INTIDS / 32)
#define GIC_ID_BITS  16u
#define GIC_PRIORITY 0xf8u /* priorities have 5 bits */
#define GIC_IIDR     0x43bu

/* GICD_CTLR as the Secure state sees it; with DS, bits 0, 1 and 6 are there, and bit 4 reads 1. */
enum { CTLR_G0 = 1, CTLR_G1NS = 2, CTLR_G1S = 4, CTLR_ARE_S = 0x10, CTLR_ARE_NS = 0x20, CTLR_DS = 0x40 };

/* One 32-interrupt word of state: INTIDs 32n to 32n + 31 (of word 0 each PE has its own). */
struct gic_word {
    uint32_t group;  /* IGROUPR */
    uint32_t mod;    /* IGRPMODR */
    uint32_t enable; /* ISENABLER */
    uint32_t latch;  /* pending by an edge or by software */
    uint32_t line;   /* the input lines */
    uint32_t active; /* ISACTIVER */
    uint32_t edge;   /* ICFGR: edge-triggered */
    uint32_t nmi;    /* INMIR: non-maskable, of those of group 1 */
    uint8_t priority[32];
    uint64_t nsacr; /* 2 bits each */
};

struct gic_redistributor {
    struct gic_word word;
    uint64_t propbaser, pendbaser;
    uint64_t set; /* what the CPU interface was told last */
    uint32_t ctlr;
    uint32_t groups;      /* bit per enum gic_group that the CPU interface lets through */
    uint32_t lpis;        /* how many LPIs are pending in the table */
    uint32_t lpi;         /* the pending, enabled LPI of highest priority, 0: none */
    uint8_t lpi_priority; /* its */
    uint8_t asleep;       /* WAKER.ProcessorSleep */
    uint8_t pad[6];
};

struct gic_its {
    uint64_t cbaser, cwriter, creadr;
    uint64_t baser[2]; /* devices, collections */
    uint32_t enabled;
    uint32_t stalled; /* a command could not be carried out (CREADR.Stalled) */
};

struct gicv3 {
    uint32_t ctlr;
    uint32_t secure;                 /* 1: the PEs have EL3, so there are two security states unless CTLR.DS is set */
    struct gic_word word[GIC_WORDS]; /* [0] unused */
    uint32_t route[GIC_INTIDS];      /* IROUTER: Aff3.Aff2.Aff1.Aff0 */
    struct gic_redistributor pe[GIC_PES];
    struct gic_its its;
};

static inline struct gicv3 *gic_of(const struct device *d) { return d->state; }
static inline unsigned gic_pes(const struct device *d) { return d->harts < GIC_PES ? d->harts : GIC_PES; }
/* PE n's affinity: Aff3.Aff2.Aff1.Aff0, as its MPIDR_EL1 has it: 16 PEs a cluster. */
static inline uint32_t gic_affinity(unsigned n) { return n / 16 << 8 | n % 16; }

/* Whether the access sees what belongs to the Secure state: it is Secure, or there is one security state only. */
static inline bool gic_sees_all(const struct gicv3 *g, bool secure) { return secure || (g->ctlr & CTLR_DS); }

/* ---- gicv3.c */

/* The word of `intid` as PE n has it. */
struct gic_word *gic_word_of(struct gicv3 *g, unsigned n, uint32_t intid);
enum gic_group gic_group_of(const struct gicv3 *g, const struct gic_word *w, unsigned bit);
/* The bits of w that are of group 1, and of those the non-maskable ones: others cannot be (GICD_INMIR<n>). */
static inline uint32_t gic_group1_of(const struct gicv3 *g, const struct gic_word *w)
{
    return g->ctlr & CTLR_DS ? w->group : w->group | w->mod;
}
static inline uint32_t gic_nmi_of(const struct gicv3 *g, const struct gic_word *w) { return w->nmi & gic_group1_of(g, w); }
/* The bits of w that are pending: by level or latch. */
static inline uint32_t gic_pending_of(const struct gic_word *w) { return w->latch | (w->line & ~w->edge); }
/* Recomputes what is pending at PE n, or at all, and tells the CPU interfaces. */
void gic_update_pe(struct device *d, unsigned n);
void gic_update(struct device *d);
/* Tells the CPU interfaces whether there is one security state. */
void gic_tell_states(struct device *d);

/* An interrupt as distributor and redistributor of PE n have it: what explains why it is, or is not, forwarded to that PE. */
struct gic_view {
    bool line, enabled, active;
    bool group_on; /* GICD_CTLR lets its group through */
    bool here;     /* GICD_IROUTER<n> names the PE, or the interrupt is private */
    bool awake;    /* GICR_WAKER.ProcessorSleep is 0 */
    enum gic_group group;
    uint32_t route;    /* of an SPI: Aff3.Aff2.Aff1.Aff0 */
    unsigned priority; /* 0: the highest */
};
/* The first pending interrupt of INTID `from` on, and its view: private ones of PE n, SPIs. GIC_INTIDS: there is none. */
uint32_t gic_view_next(struct device *d, unsigned n, uint32_t from, struct gic_view *view);

/* ---- gicv3_regs.c: what distributor and redistributors have alike, and the distributor's own */

/* Registers of one word by their offset in SGI_base or the distributor (0x080 to 0xe7f, minus the word's place). False: off is
   none of them. secure: the access is. */
bool gic_word_read(struct device *d, struct gic_word *w, unsigned index, uint64_t off, bool secure, uint32_t *value);
bool gic_word_write(struct device *d, struct gic_word *w, unsigned index, uint64_t off, bool secure, uint32_t value,
                    uint32_t mask);
uint32_t gicd_read(struct device *d, uint64_t off, bool secure);
void gicd_write(struct device *d, uint64_t off, bool secure, uint32_t value, uint32_t mask);

/* ---- gicv3_redist.c */

/* off is from PE n's RD_base. */
uint32_t gicr_read(struct device *d, unsigned n, uint64_t off, bool secure);
void gicr_write(struct device *d, unsigned n, uint64_t off, bool secure, uint32_t value, uint32_t mask);
/* Makes LPI `intid` of PE n pending or not. */
void gicr_set_lpi(struct device *d, unsigned n, uint32_t intid, bool pending);
/* The configuration of LPIs may have changed. */
void gicr_look(struct device *d, unsigned n);
/* Moves all pending LPIs from PE n to PE `to`. */
void gicr_move_all(struct device *d, unsigned n, unsigned to);
/* Makes the LPI not pending. False: it was not. */
bool gicr_take_lpi(struct device *d, unsigned n, uint32_t intid);

/* ---- gicv3_its.c */

/* off is from the ITS's base. */
uint32_t gits_read(struct device *d, uint64_t off);
void gits_write(struct device *d, uint64_t off, uint32_t value, uint32_t mask);
/* Goes on with the command queue. */
void gits_event(struct device *d, unsigned n);
/* A message of device `id` with event `event`. */
void gits_translate(struct device *d, uint32_t id, uint32_t event);
/* What the registers start with. */
void gits_reset(struct gic_its *its);
#endif
