/*
 * What a GICv3 distributor with its redistributors (a device) and the CPU interface of a PE (in the cpu) say to each other, after
 * the GIC Stream Protocol interface (Arm GIC Architecture Specification, IHI 0069, appendix "GIC Stream Protocol interface").
 * Neither knows the other: device_host.hart_signal and cpu_env.controller carry these messages. All of them take effect at once,
 * so none needs an answer but by the next Set.
 */
#ifndef TL_MEM_GIC_H
#define TL_MEM_GIC_H
#include <stdint.h>

/* Interrupt groups (IHI 0069, 4.6). With one security state (GICD_CTLR.DS 1, or no EL3) there are groups 0 and 1 (Non-secure). */
enum gic_group { GIC_G0, GIC_G1S, GIC_G1NS, GIC_GROUPS };

/* To the CPU interface. */
enum gic_to_cpu {
    GIC_SET,   /* the pending interrupt of highest priority: GIC_PENDING; 0: none (Clear) */
    GIC_STATES /* 1: the distributor knows one security state only (GICD_CTLR.DS) */
};
/* From the CPU interface. */
enum gic_to_distributor {
    GIC_ACTIVATE,   /* value: the INTID last Set is acknowledged */
    GIC_DEACTIVATE, /* value: an INTID; bit 62: by a Non-secure access */
    GIC_SGI,        /* value: as written to ICC_SGI1R_EL1; bits 61:60 the group asked for, bit 62 by a Non-secure access */
    GIC_ENABLES,    /* value: bit per enum gic_group that the interface lets through (Upstream Control) */
    GIC_PPI         /* value: a private input of the redistributor: INTID 16..31, bit 32 its level */
};

/* The value of GIC_SET. */
#define GIC_PENDING(intid, priority, group) \
    (UINT64_C(1) << 63 | (uint64_t)(group) << 40 | (uint64_t)(priority) << 32 | (uint32_t)(intid))
#define GIC_PENDING_NMI (UINT64_C(1) << 42) /* with it: the interrupt is non-maskable */
static inline uint32_t gic_pending_intid(uint64_t set) { return (uint32_t)set; }
static inline uint8_t gic_pending_priority(uint64_t set) { return (uint8_t)(set >> 32); }
static inline int gic_pending_nmi(uint64_t set) { return (set & GIC_PENDING_NMI) != 0; }
static inline enum gic_group gic_pending_group(uint64_t set) { return (enum gic_group)(set >> 40 & 3); }

#define GIC_SGI_GROUP(value) ((enum gic_group)((value) >> 60 & 3))
#define GIC_BY_NS(value)     ((value) >> 62 & 1)

/* Special INTIDs (2.2.1). */
enum { GIC_SPECIAL = 1020, GIC_SECURE_ONLY = 1020, GIC_NS_ONLY = 1021, GIC_NMI = 1022, GIC_NONE = 1023, GIC_LPI = 8192 };
#endif
