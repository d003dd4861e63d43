/* What the parts of the checks share. */
#ifndef TL_DEBUG_CHECK_INTERNAL_H
#define TL_DEBUG_CHECK_INTERNAL_H
#include "debug/check.h"
#include "debug/riscv/sse_forms.h"
#include "debug/riscv/view.h"
#include "machine/trapline.h"

enum {
    QUIRK_NONE = 0,
    QUIRK_STATUS = 1,
    QUIRK_SWAPPED = 2,
    QUIRK_NO_FLAGS = 4,
    QUIRK_NO_MASK = 8,
    QUIRK_READ_ONLY = 16,
    QUIRK_MASK_ERRORS = 32
};
struct check_firmware {
    const char *name, *file;
    bool cached;
    enum sse_form form;
    uint32_t event;
    unsigned line, quirks;
};
const struct check_firmware *check_firmware(enum check_firmware_id id);

struct check_handler {
    const char *name;
    unsigned select;
    enum sse_effect effect;
    bool vector;
    const char *lost, *lost_h;
};
enum check_handler_id {
#define HANDLER(id, ...) CHECK_HANDLER_##id,
#include "debug/check.def"
    CHECK_HANDLERS
};
const struct check_handler *check_handler(enum check_handler_id id);

enum check_scenario_id {
    SCENARIO_s1r,
    SCENARIO_s1_states,
    SCENARIO_s1_flags,
    SCENARIO_s1_lpad,
    SCENARIO_s1_attrs,
    SCENARIO_s1_switch,
    SCENARIO_s1_bare,
    SCENARIO_s1_jump,
    SCENARIO_s1_nested,
    SCENARIO_s1_lcofi, /* other sources */
    SCENARIO_s1_ras,
    SCENARIO_s1_nmi,
    SCENARIO_s1_soft,
    SCENARIO_s1_double,
    SCENARIO_s1_ras_low,
    SCENARIO_s1_g_ras,
    SCENARIO_s1_g_plat,
    SCENARIO_s1_g_low,
    SCENARIO_s1_g_soft,
    SCENARIO_s1_second,
    SCENARIO_s2_states, /* from here on B is asked */
    SCENARIO_s2_kernel,
    SCENARIO_s2_kernel_h,
    SCENARIO_s2_lcofi,
    SCENARIO_s2_second,
    SCENARIO_s2_rate,
    SCENARIOS
};
struct check_scenario {
    const char *name, *title;
    const char *image;   /* payload, %s as in check.def */
    const char *options; /* of -append, besides the event */
    uint32_t event;      /* what its payload registers; 0: the firmware's */
    bool h;              /* on harts with the hypervisor extension */
    const char *nest;    /* a second event, at every boundary of the handling of the first; NULL: none */
    unsigned (*size)(const struct check_job *job);
    bool (*applies)(const struct check_firmware *f);
    bool (*run)(const struct check_job *job, const struct check_env *env, struct check_verdict *out, struct err *e);
    bool (*story)(const struct check_job *job, const struct check_env *env, const char *handler, struct check_number number,
                  FILE *to, struct err *e);
    const char *inject; /* what is injected, when that is not the firmware's line; NULL: it is */
    const char *cpu;    /* options of the cpu for it, each with a comma before it; NULL: none */
    bool is_long;       /* run only when it is named, or everything is asked for */
};
const struct check_scenario *check_scenario(enum check_scenario_id id);

/* ---- a machine whose payload waits in probe_ready ---------------------------------------------------------------------------
 */

enum { RULE_A1, RULE_A2, RULE_E, RULE_A3, RULE_A4, RULE_A5, RULE_A6, RULE_B1, RULE_B2, RULE_B3, RULE_B4, RULE_B5, RULE_B6 };
/* Whether the rules B are asked, too: of what a kernel has. */
bool check_asks_b(const struct check_job *job);

struct check_probe {
    struct machine *base, *m; /* as it was at probe_ready, and a fork of it to work with */
    unsigned xlen, line;
    uint32_t event;
    struct sse_hart_has has;
    uint64_t entry_pc, entry_arg; /* of the event */
    uint64_t sled, call, call_done, buffer, select, arg, handler_start, handler_end, complete, inject;

    /* What the watcher has seen of the present case. */
    struct rv_view interrupted; /* by a call of inject_call's: what goes on behind it */
    struct rv_view entry, resumed;
    enum check_phase { PHASE_BEFORE, PHASE_HANDLER, PHASE_COMPLETING, PHASE_RESUMED } phase;
    FILE *story;         /* NULL: none is told */
    bool quiet;          /* nothing is told before the call of inject_call's */
    bool until_trap;     /* after the case: the next trap is told, and the machine stops behind it */
    struct rv_view told; /* story: the context that was shown last */
    uint64_t call_a[8];  /* story: the call that is under way */
    bool calling;
};

/* Boots the job's firmware with its payload in mode=probe. False with a sentence. *missing: the firmware's image is not there. */
bool probe_open(struct check_probe *p, const struct check_job *job, const struct check_env *env, bool *missing, struct err *e);
void probe_close(struct check_probe *p);
/* Back to probe_ready. */
void probe_restart(struct check_probe *p);
/* Runs until the phase is reached. False: it is not within the cycles of a case. */
bool probe_run_to(struct check_probe *p, enum check_phase phase);
/* Looks again at what the hart of p->base has. */
void probe_features(struct check_probe *p);
/* An SBI call by the hart itself where it is, by real code; afterwards it is where it was. Returns a0; -1000 if it did not
 * return. */
int64_t probe_sbi(struct check_probe *p, uint64_t eid, uint64_t fid, const uint64_t a[5]);
/* The words of the buffer of READ_ATTR. */
void probe_buffer_read(struct check_probe *p, uint64_t *word, unsigned n);
void probe_buffer_write(struct check_probe *p, const uint64_t *word, unsigned n);
/* Writes word i of an array of the payload's. */
void probe_poke(struct check_probe *p, uint64_t at, unsigned i, uint64_t value);

/* ---- a case: one event that comes and goes (check_case.c) --------------------------------------------------------------------
 */

struct check_case {
    struct rv_view view; /* what is interrupted, and the part of it that the model has */
    struct sse_context x;
    struct sse_action action;
    struct sse_outcome real, spec, form; /* seen; specified; what the firmware's form is known to do */
    const char *broken;                  /* not NULL: the case did not come to its end */
};

/* From o->view and o->action: x, spec, form. */
void case_predict(const struct check_probe *p, const struct check_firmware *f, struct check_case *o);
/* The event has been raised: runs until it has completed, fills in o->real. */
void case_follow(struct check_probe *p, struct check_case *o);
/* Which rules the case departs from; text: of the first one, in words, "" if none. a3: that rule is asked. */
void case_judge(const struct check_case *o, bool a3, bool departs[CHECK_COUNTS], char *text, size_t cap);
/* Everything that was seen is what the firmware's form is known to do, and of other registers only those of h have changed. False
   with a sentence. */
bool case_conforms(const struct check_probe *p, const struct check_handler *h, const struct check_case *o, char *why, size_t cap);
/* "V=0 P=S SPP=1 …" */
void case_state_text(const struct sse_context *c, char *out, size_t cap);
/* The rules that are broken, each with its section. */
void case_tell(const struct check_probe *p, const struct check_handler *h, const struct check_case *o, FILE *to);

/* Fills in the names. */
void verdict_begin(struct check_verdict *v, const struct check_job *job, const char *handler);
/* Compares what departed with what must: a number that is neither makes it not as expected, with a sentence. */
void check_counts(struct check_verdict *v);
/* Paths of the job's images. */
void check_paths(const struct check_job *job, const struct check_env *env, char *bios, char *kernel, size_t cap);
#endif
