/* What the payloads of the firmware share: configuration, SBI calls, report, events, page tables, one injection that is checked.
 */
#ifndef FIRMWARE_RISCV_COMMON_PAYLOAD_H
#define FIRMWARE_RISCV_COMMON_PAYLOAD_H
#include "riscv/common/asm.h"
#include "riscv/common/slot.h"

#define READ(csr)                                      \
    ({                                                 \
        ulong v_;                                      \
        __asm__ volatile("csrr %0, " #csr : "=r"(v_)); \
        v_;                                            \
    })
#define WRITE(csr, v) __asm__ volatile("csrw " #csr ", %0" ::"r"((ulong)(v)) : "memory")
#define SET(csr, v)   __asm__ volatile("csrs " #csr ", %0" ::"r"((ulong)(v)) : "memory")
#define CLEAR(csr, v) __asm__ volatile("csrc " #csr ", %0" ::"r"((ulong)(v)) : "memory")

/* ---- configuration: the words of -append (config.c) ---------------------------------------------------------------------- */

enum mode { MODE_RUN, MODE_PROBE, MODE_S1R };
#define EVENT_DEFAULT 0xfffffffful /* the first of 0x4000, 0x10000 and 0xffff0000 that the firmware has */
#define EVENT_NONE    0xfffffffeul

enum lpad { LPAD_OFF, LPAD_ON /* by FWFT */, LPAD_ENTRY /* and one at the handlers' entry */ };

struct config {
    uint handler, flavour, mode;
    uint paging; /* 1: page tables for every stage; the default but with mode=probe and mode=s1r */
    uint rounds; /* 2 */
    uint inject; /* software injections of the own event, one before each round */
    uint dte;    /* 1: double traps of S-mode on (FWFT) */
    uint lpad;   /* landing pads in S-mode: enum lpad */
    uint timer;  /* ticks between timer interrupts (kernel); 0: none */
    uint pmu;    /* instructions between counter overflows (event 0x10000); 0: none */
    ulong event, event2;
};
extern struct config config;

/* Reads /chosen/bootargs of the flattened tree at fdt. A word that means nothing ends the run with a sentence. */
void config_read(const void *fdt);
const char *handler_name(uint handler);

/* ---- report (report.c) ------------------------------------------------------------------------------------------------------
 */

void put_text(const char *s);
void put_hex(ulong v);
void put_decimal(ulong v);
/* " name=0x…" */
void put_value(const char *name, ulong v);
/* "N overflows, N mismatches": how the last line of a report ends. */
void put_report_end(void);
/* 0: by the firmware's shutdown (SBI v3.0 chapter SRST); codes of asm.h: by the finisher. */
_Noreturn void finish(uint code);
/* A sentence about why the run ends, and the end. */
_Noreturn void finish_with(uint code, const char *sentence, const char *what);

/* What a payload tells those who look at it from outside. */
struct verdict {
    ulong magic, rounds, mismatches, injections;
};
#define VERDICT_MAGIC 0x76657264ul
extern volatile struct verdict verdict;
/* Counts a mismatch and says so. */
void mismatch(const char *what, ulong got, ulong expected);

/* ---- SBI (sbi.c) --------------------------------------------------------------------------------------------------------------
 */

struct sbiret {
    long error;
    ulong value;
};
struct sbiret sbi(ulong eid, ulong fid, ulong a0, ulong a1, ulong a2, ulong a3, ulong a4);

enum {
    EID_BASE = 0x10,
    EID_TIME = 0x54494d45,
    EID_HSM = 0x48534d,
    EID_SRST = 0x53525354,
    EID_DBCN = 0x4442434e,
    EID_FWFT = 0x46574654,
};
enum { SBI_SUCCESS = 0, SBI_NOT_SUPPORTED = -2, SBI_INVALID_PARAM = -3 };
enum { SSE_REGISTER = 2, SSE_ENABLE = 4, SSE_UNMASK = 8, ATTR_PRIORITY = 1 };
enum { EVENT_PLATFORM = 0x4000, EVENT_PMU = 0x10000 };
#define EVENT_SOFTWARE        0xffff0000ul
#define EVENT_SOFTWARE_GLOBAL 0xffff8000ul

/* ---- the hart and its events (events.c) ------------------------------------------------------------------------------------ */

extern uint have_h; /* the hypervisor extension; known after hart_probe */
/* Finds out what the hart has, starts the other harts so that they wait in remote_park, and turns on what the configuration says.
 */
void hart_setup(ulong hart);
/* Registers, enables and unmasks; task: tp while handlers run. The first event gets a lower priority than the second. */
void events_setup(ulong hart, ulong task);
extern char *entry_pc; /* what it registered */
void probe_pass(void); /* handlers.S: returns unless mode=probe */

/* ---- one injection, checked (inject.c, inject_call.S) -------------------------------------------------------------------------
 */

/* Injects the event into this hart by an SBI call, and compares all that the interrupted code owns. with: bits set in hstatus
   before. Returns the number of registers that differ from what the handler should have left; each is printed. */
uint inject_checked(ulong with_hstatus);

/* ---- page tables (pages.c)
 * ------------------------------------------------------------------------------------------------------ */

enum { PTE_V = 1, PTE_R = 2, PTE_W = 4, PTE_X = 8, PTE_U = 16, PTE_A = 64, PTE_D = 128, PTE_RWX = PTE_R | PTE_W | PTE_X };

struct tables {
    ulong *root;
    unsigned char *pool; /* zeroed pages for further tables */
    uint free;           /* how many are left */
    uint second_stage;   /* the root index has two bits more (priv, "Two-Stage Address Translation") */
};
/* Maps the page of 4 KiB (level 0) or more at va to pa. Identity and smaller than 4 GiB but for pa. */
void pages_map(struct tables *t, ulong va, unsigned long long pa, uint level, ulong flags);
/* The value of satp, hgatp or vsatp for it: Sv39, Sv39x4, Sv32, Sv32x4; VMID 1 or ASID 0. */
ulong pages_atp(const struct tables *t);
/* Identity for what the payload itself needs: its own memory (pages of a user program apart) and the devices. */
void pages_map_host(struct tables *t);
#define PAGE        4096ul
#define REGION_SIZE (__riscv_xlen == 64 ? 0x200000ul : 0x400000ul) /* a page of level 1 */

/* ---- symbols
 * ----------------------------------------------------------------------------------------------------------------------- */

extern char payload_base[], host_text_start[], host_text_end[], handler_text_start[], handler_text_end[], handler_entry[],
    handler_entry_pad[], handler_entry_swapped[];
extern char lower_s_start[], lower_s_end[], lower_u_start[], lower_u_end[], lower_data_start[], lower_data_end[];
extern char scratch_start[], scratch_end[], remote_entry[], normal_vector[];
extern uint probe_hold;
extern char probe_buffer[];

/* The payload: called on the first hart with everything above still to be done. */
void payload_main(ulong hart);
#endif
