#include "sched/sched.h"

#include <assert.h>

static void find_first(struct sched *s)
{
    s->next = SCHED_NEVER;
    s->first = 0;
    for (uint32_t i = 0; i < s->count; i++) {
        if (s->when[i] == SCHED_NEVER)
            continue;
        if (s->next == SCHED_NEVER || s->when[i] < s->next || (s->when[i] == s->next && s->priority[i] < s->priority[s->first])) {
            s->next = s->when[i];
            s->first = i;
        }
    }
}

void sched_init(struct sched *s)
{
    *s = (struct sched){.next = SCHED_NEVER};
    for (int i = 0; i < SCHED_MAX; i++)
        s->when[i] = SCHED_NEVER;
}

int sched_add(struct sched *s, uint8_t priority)
{
    if (s->count == SCHED_MAX)
        return -1;
    s->priority[s->count] = priority;
    return (int)s->count++;
}

void sched_arm(struct sched *s, int id, uint64_t when)
{
    assert(id >= 0 && (uint32_t)id < s->count);
    s->when[id] = when;
    find_first(s);
}

void sched_cancel(struct sched *s, int id) { sched_arm(s, id, SCHED_NEVER); }

bool sched_pop(struct sched *s, uint64_t now, int *id)
{
    if (s->next == SCHED_NEVER || s->next > now)
        return false;
    *id = (int)s->first;
    s->when[s->first] = SCHED_NEVER;
    find_first(s);
    return true;
}
