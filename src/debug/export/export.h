/* A recorded run, executed again and written in the form of another tool: forms.def. */
#ifndef TL_DEBUG_EXPORT_EXPORT_H
#define TL_DEBUG_EXPORT_EXPORT_H
#include "debug/replay.h"

enum export_form {
#define FORM(name, timeline, steps, arch, title) EXPORT_##name,
#include "debug/export/forms.def"
#undef FORM
    EXPORT_FORMS
};

struct export_row {
    const char *name, *title;
    const struct timeline_form *timeline; /* of traps */
    const struct steps_form *steps;       /* of instructions; neither: golden text */
    char arch;                            /* 'r', 'a', 0: any */
};
/* Form number i; NULL: there is none. */
const struct export_row *export_form_at(unsigned i);

/* The form of steps for another process of this program (debug/logs/steps.c). */
extern const struct export_row export_steps;

/* Takes what is written, piece by piece. */
typedef void export_put_fn(void *ctx, const void *p, size_t n);

/* Executes the trace in m, as replay_run with the images of the recording, and writes what happens in the cycles [first, last].
   What is equal to the recording until a divergence is written. False with a sentence: the form is not for this architecture, or
   the trace's contents make no sense. The result's text is the caller's to free. */
bool export_run(struct replay *r, struct machine *m, const struct export_row *form, uint64_t first, uint64_t last,
                export_put_fn *put, void *ctx, struct replay_result *out, struct err *e);
#endif
