/* Inside cpu/arm: address translation split in the walk of translation tables (walk.c) and the rest (mmu.c). */
#ifndef TL_CPU_ARM_WALK_H
#define TL_CPU_ARM_WALK_H
#include "cpu/arm/regime.h"

enum { PERM_R = 1, PERM_W = 2, PERM_X = 4 };

/* Descriptors one translation can read: five levels of stage 1, each behind five of stage 2 and behind five more to be updated,
   and five for the page itself. */
#define WALK_READS  60
#define WALK_LEVELS 6

/* Fault status codes but for the level. Arm ARM EncodeLDFSC. */
enum {
    FSC_ADDRESS_SIZE = 0x00,
    FSC_TRANSLATION = 0x04,
    FSC_ACCESS_FLAG = 0x08,
    FSC_PERMISSION = 0x0c,
    FSC_EXTERNAL = 0x10,
    FSC_TAG_CHECK = 0x11,
    FSC_EXTERNAL_ON_WALK = 0x14,
    FSC_ALIGNMENT = 0x21,
    FSC_DEBUG = 0x22,
    FSC_EXCLUSIVE = 0x35
};

/* Of descriptors, and the level whose descriptors are of pages. Arm ARM D8.3. */
#define DESC_VALID  1u
#define DESC_TABLE  2u
#define DESC_AP1    (1u << 6)
#define DESC_AP2    (1u << 7) /* read-only; in stage 2 bit 7 permits writes */
#define DESC_AF     (1u << 10)
#define DESC_UXN    (UINT64_C(1) << 54)
#define DESC_INDEX3 (UINT64_C(1) << 59) /* FEAT_AIE: bit 3 of the attribute index */
#define S2_READ     (1u << 6)
#define S2_WRITE    (1u << 7)
#define FINAL_LEVEL 3
#define PTE_LAST    1u /* in an address of walk.pte and walk.pte_page: desc_read's `last` */

/* Of ESR_ELx.ISS2. */
#define ISS2_DIRTY        (1u << 5)
#define ISS2_OVERLAY      (1u << 6)
#define ISS2_ASSURED      (1u << 7)
#define ISS2_TAG          (1u << 9)  /* TagAccess */
#define ISS2_TAG_NOT_DATA (1u << 10) /* TnD */
/* Of ESR_ELx.ISS. */
#define ISS_TOPLEVEL (1u << 21)

/* A translation under way. */
struct walk {
    struct pe *p;
    uint64_t va;
    enum access access;
    struct access_mode m;
    bool write;      /* ESR_ELx.WnR of faults */
    bool el0_regime; /* the regime has an EL0 */
    bool s2;         /* there is a second stage */
    bool secure;     /* made from Secure state */
    bool desc_ns;    /* the descriptor to be read is in the Non-secure space */
    bool ipa_ns;     /* in Secure state: the intermediate address of stage 2 is */
    bool unaligned;
    uint64_t marks; /* of the engine when the walk began */
    struct stage s2stage;
    bool s2modelled;    /* more than descriptors decides what stage 2 permits */
    bool notag;         /* stage 1 says Tagged, and stage 2 forbids the use of tags */
    bool assured;       /* FEAT_THE: the table that is looked at belongs to an assured translation */
    bool assured_below; /* and what it leads to does */
    bool mro;           /* stage 2 lets only the MMU and RCW instructions write there */
    uint8_t top;        /* 1: the first table of TTBR0_EL1 is looked at, 2: of TTBR1_EL1 */
    bool s2bad;         /* VTCR_EL2 makes no sense: every access faults */
    bool s2ns;          /* s2stage is that of Non-secure intermediate addresses */
    uint64_t s2control; /* what stage 2 of a table depends on besides VTTBR_EL2, for p->walk; 0: not remembered */
    uint32_t from;      /* xlate.from */
    unsigned reads, gs; /* what p->walk did not know */
    uint64_t pte_page[WALK_READS];
    struct {
        uint64_t ipa, page;
    } g[WALK_LEVELS];
    struct walk_table *slot, *slot2; /* where `table`, of stage 1, and `table2` are to be remembered; NULL: they are not */
    struct walk_table table, table2;
};

/* Where a stage ended: a 4 KiB page, what its whole extent permits, its memory. */
struct leaf {
    uint64_t page;
    unsigned perm; /* PERM_ bits for the level the access is made as */
    uint8_t attr;  /* as MAIR_ELx has it */
    uint8_t sh;
    bool ns, guarded;
    bool canonical; /* xlate.canonical: of stage 1 */
    int8_t level;
};

/* Stage 1 of w->va. False: p->exc is set. */
bool ttw_first(struct walk *w, const struct stage *s, const struct s1_range *r, struct leaf *out);
/* Stage 2 of an intermediate physical address the instruction itself accesses. s1: the attributes of stage 1; out: those of both.
 */
bool ttw_second(struct walk *w, uint64_t ipa, const struct leaf *s1, struct leaf *out);
/* Sets w->s2stage, w->s2bad, w->s2control by the registers. */
void ttw_second_setup(struct walk *w);
/* Marks every page descriptors were read from and remembers them. False: the translation must not be cached, for marks were
   dropped meanwhile. */
bool ttw_mark(struct walk *w);

/* Raise the abort of stage 1, or of stage 2 at an ipa; always false. level: -1 to 3. */
void ttw_raise(struct walk *w, unsigned fsc, int level);
void ttw_raise2(struct walk *w, unsigned fsc, int level, uint64_t ipa, bool on_walk);
static inline bool ttw_fault(struct walk *w, unsigned fsc, int level)
{
    ttw_raise(w, fsc, level);
    return false;
}
static inline bool ttw_fault2(struct walk *w, unsigned fsc, int level, uint64_t ipa, bool on_walk)
{
    ttw_raise2(w, fsc, level, ipa, on_walk);
    return false;
}

#define ATTR_NO_TAG    0xe0 /* as PAR_EL1 tells of Tagged memory the tags of which stage 2 forbids */
#define ATTR_NORMAL_NC 0x44
#define ATTR_TAGGED    0xf0 /* Tagged Normal, Write-Back: MAIR_ELx with FEAT_MTE2 */

static inline bool attr_is_device(uint8_t attr) { return (attr & 0xf0) == 0; }

/* Device memory takes no unaligned access, nor DC ZVA. Arm ARM AArch64.S1HasAlignmentFault, AArch64.S2HasAlignmentFault. */
static inline bool ttw_misaligned(const struct walk *w, uint8_t attr)
{
    return w->access != ACCESS_FETCH && attr_is_device(attr) && (w->unaligned || w->m.zva);
}

/* Bits of a physical address by a PS or IPS field. Arm ARM AArch64.PhysicalAddressSize. */
unsigned ttw_oasize(const struct pe *p, unsigned ps, enum granule g);
#endif
