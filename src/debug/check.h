/*
 * The bundled scenarios, run and judged: what `trapline check` does. check.def has the tables: firmware, handlers, and what must
 * come of each scenario. Every case is real machine code on a real machine; models only say what is to be expected of it.
 *
 * A plan is a list of jobs; a job is one scenario on one firmware and XLEN and gives some verdicts, one a handler. Jobs do not
 * depend on each other and a job's verdicts are the same wherever it runs. Nothing here is shared between jobs, so they may run
 * in parallel processes.
 */
#ifndef TL_DEBUG_CHECK_H
#define TL_DEBUG_CHECK_H
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum check_firmware_id {
#define FIRMWARE(id, ...) CHECK_FIRMWARE_##id,
#include "debug/check.def"
    CHECK_FIRMWARES
};

/* Where images are. */
struct check_env {
    const char *roms;  /* folder of the bundled images */
    const char *cache; /* folder of Debian's images; one that is not there makes its jobs be skipped */
    uint64_t events;   /* of each period of s2.rate; 0: 100 */
};

struct check_scenario;
struct check_job {
    const struct check_scenario *scenario;
    enum check_firmware_id firmware;
    unsigned xlen;
    bool full; /* nothing is left out because it takes long */
};

/* A case of a job's handler by its number; second: of s1.nested, the boundary of the handling, else -1. */
struct check_number {
    int64_t first, second;
};

#define CHECK_COUNTS 13               /* of rules: check_rule_name */
#define CHECK_ANY    UINT64_MAX       /* not asked */
#define CHECK_SOME   (UINT64_MAX - 1) /* some, whatever their number */
#define CHECK_TEXT   384

/* What came of one handler in one job. Plain data. */
struct check_verdict {
    char scenario[16], firmware[20], handler[24];
    unsigned xlen;
    bool skipped;     /* the firmware's image is not there */
    bool as_expected; /* every count and every case is what check.def and the model say */
    uint64_t cases;
    uint64_t same; /* boundaries besides at which the event is taken as in one of the cases: done, and not counted again */
    uint64_t departs[CHECK_COUNTS], expected[CHECK_COUNTS]; /* cases that depart from each rule */
    bool has_counts;
    struct check_number first_case; /* the first that departs from a rule: for --show; .first -1: none does */
    char first[CHECK_TEXT];         /* its state, and the first register that differs */
    char why[CHECK_TEXT];           /* not as expected: what is not; skipped: why */
};

/* Scenarios in the order of `trapline check`: 0, 1, …; NULL past the last. */
const char *check_scenario_name(unsigned i, const char **title);
/* Whether it is run only when it is named, or everything is asked for. */
bool check_scenario_is_long(unsigned i);
const char *check_firmware_name(enum check_firmware_id id);
/* "A1" … and what a departure from it is. i < CHECK_COUNTS. */
const char *check_rule_name(unsigned i, const char **what);

/* What is to be run. */
struct check_choice {
    const char *const *names; /* of scenarios; a name without a dot means all of its group ("s1"); none: all */
    unsigned nnames;
    const char *firmware; /* on this alone; NULL: on all */
    unsigned xlen;        /* this alone; 0: both */
    bool full;            /* scenarios that take long, too, and all cases of each */
};
/* The jobs of the choice. Returns a list for free(), *n long; NULL with a sentence for a name that is not there. */
struct check_job *check_plan(const struct check_choice *c, size_t *n, struct err *e);
/* How many verdicts the job gives. */
unsigned check_job_size(const struct check_job *job);
/* Runs it: writes check_job_size verdicts. False with a sentence if it could not be run at all (a bundled image is missing). */
bool check_run(const struct check_job *job, const struct check_env *env, struct check_verdict *out, struct err *e);

/* Writes the story of one case of the job with this handler: each trap and return, each register that changes, calls decoded, the
   rules that it breaks. False with a sentence if there is no such handler or case. */
bool check_story(const struct check_job *job, const struct check_env *env, const char *handler, struct check_number number,
                 FILE *to, struct err *e);
#endif
