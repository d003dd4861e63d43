/* The story of a case: each trap and return in a line, under it what changed for the software below M since the line before. */
#ifndef TL_DEBUG_CHECK_STORY_H
#define TL_DEBUG_CHECK_STORY_H
#include "debug/check_internal.h"

/* Begins with the interrupted context. */
void story_begin(struct check_probe *p, const struct rv_view *x);
/* Tells of a change, when p->story is not NULL; of another hart's in one line. */
void story_change(struct check_probe *p, struct machine *m, const struct machine_change *c);
#endif
