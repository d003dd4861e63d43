/* The scenarios' functions, for the table in check.c. */
#ifndef TL_DEBUG_CHECK_PARTS_H
#define TL_DEBUG_CHECK_PARTS_H
#include "debug/check_internal.h"

#define CHECK_PART(name)                                                                                                         \
    unsigned name##_size(const struct check_job *job);                                                                           \
    bool name##_run(const struct check_job *job, const struct check_env *env, struct check_verdict *out, struct err *e);         \
    bool name##_story(const struct check_job *job, const struct check_env *env, const char *handler, struct check_number number, \
                      FILE *to, struct err *e)
CHECK_PART(states); /* check_states.c */
CHECK_PART(attrs);  /* check_attrs.c */
CHECK_PART(s1r);    /* check_s1r.c */
CHECK_PART(switch); /* check_sweep.c */
CHECK_PART(rate);   /* check_rate.c */

/* s1.flags needs a firmware whose FLAGS have SPELP and SDT. */
bool states_flags_apply(const struct check_firmware *f);
#endif
