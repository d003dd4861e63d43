/* sse_probe FIRMWARE [CPU]: supervisor software that uses events in an orderly way under FIRMWARE, with the oracle beside it.
 * Prints each departure, and at the end `rules` and the names of those that were broken, `resumed` and V behind the completion of
 * an event that interrupted HS with SPV=1. */
#include "sse_rig.h"

#include <stdio.h>
#include <string.h>

#define SOFT 0xffff0000u
enum { READ, WRITE, REGISTER, UNREGISTER, ENABLE, DISABLE, COMPLETE, INJECT, UNMASK, MASK };
enum { SPV = 1 << 7, SPVP = 1 << 8 };

static struct rig r;

static void set_hstatus(uint64_t bits)
{
    rig_set(&r, 0, "hstatus", (rig_get(&r, 0, "hstatus") & ~(uint64_t)(SPV | SPVP)) | bits);
}

/* The handler does nothing but complete, with the registers it got. */
static void inject_and_complete(void)
{
    static const char *const arg[] = {"a0", "a1", "a2", "a3", "a4", "a5"};
    uint64_t a[6];
    rig_sse(&r, 0, INJECT, SOFT, 0, 0, 0, 0);
    for (unsigned i = 0; i < 6; i++)
        a[i] = rig_get(&r, 0, arg[i]);
    rig_call(&r, 0, RIG_EID_SSE, COMPLETE, a);
}

int main(int argc, char **argv)
{
    r.show = true;
    if (argc < 2 || !rig_open(&r, argv[1], argc > 2 ? argv[2] : NULL, 1))
        return 2;
    uint64_t buffer = r.base + RIG_BUFFER;
    rig_sse(&r, 0, READ, SOFT, 0, 10, buffer, 0);
    rig_sse(&r, 0, REGISTER, SOFT, r.base + RIG_HANDLER, 0xa5c3, 0, 0);
    rig_sse(&r, 0, ENABLE, SOFT, 0, 0, 0, 0);
    rig_sse(&r, 0, UNMASK, 0, 0, 0, 0, 0);
    puts("SPV=0");
    set_hstatus(0);
    inject_and_complete();
    puts("SPVP=1");
    set_hstatus(SPVP);
    inject_and_complete();
    puts("SPV=1");
    set_hstatus(SPV | SPVP);
    inject_and_complete();
    unsigned v = (unsigned)rig_get(&r, 0, "v");
    puts("attributes");
    set_hstatus(0);
    rig_sse(&r, 0, INJECT, SOFT, 0, 0, 0, 0);
    rig_sse(&r, 0, READ, SOFT, 0, 10, buffer, 0);
    rig_sse(&r, 0, COMPLETE, 0, 0, 0, 0, 0);
    puts("errors");
    rig_sse(&r, 0, UNMASK, 0, 0, 0, 0, 0);
    rig_sse(&r, 0, WRITE, SOFT, SSE_STATUS, 1, buffer, 0);
    rig_sse(&r, 0, DISABLE, SOFT, 0, 0, 0, 0);
    rig_sse(&r, 0, INJECT, SOFT, 0, 0, 0, 0);
    printf("rules");
    for (unsigned i = 0; i < SSE_RULES; i++)
        if (r.by_rule[i])
            printf(" %s", sse_rule_name((enum sse_rule)i));
    printf("\nresumed %u\n", v);
    rig_close(&r);
    return 0;
}
