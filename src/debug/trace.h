/* Traps and returns in a line for people, of a machine of any architecture. */
#ifndef TL_DEBUG_TRACE_H
#define TL_DEBUG_TRACE_H
#include "machine/trapline.h"

#define TRACE_LINE 768

struct trace_ops {
    /* The mode that a change came from or led to: "HS", "EL2", "S-EL1". */
    const char *(*mode)(struct machine *m, unsigned hart, uint8_t priv, uint8_t v);
    /* A trap's cause: "load page fault", "HVC", "IRQ"; scratch has room for one without a name. */
    const char *(*cause)(const struct machine_change *c, char scratch[32]);
    /* The change in a line: cycle, hart, from where to where, the cause and what the handler's registers get. */
    void (*line)(struct machine *m, const struct machine_change *c, char line[TRACE_LINE]);
    const char *values[3]; /* what tval, tval2 and tinst of a change are there; NULL: nothing */
    /* The registers that the entry of a trap into a mode writes, those first that say what it is; NULL ends them. mode: as
       machine_mode names it. */
    const char *const *(*written)(const char *mode);
    bool aliases; /* assembly calls registers by their other names: a0, not x10 */
};

/* Of a machine's harts. */
const struct trace_ops *trace_ops(const struct machine *m);
#endif
