/* One line a trap, return, injection or input: docs/export.md has the columns. */
#include "base/bits.h"
#include "debug/export/timeline.h"
#include "debug/trace.h"

#include <inttypes.h>
#include <string.h>

static void *begin(const struct timeline_info *i, struct buf *out)
{
    const struct trace_ops *ops = trace_ops(i->m);
    buf_printf(out, "cycle,hart,event,from,to,epc,epc_symbol,pc,pc_symbol,cause,cause_name,");
    for (size_t k = 0; k < ARRAY_LEN(ops->values) && ops->values[k]; k++)
        buf_printf(out, "%s,", ops->values[k]);
    buf_printf(out, "call,call_cycle\n");
    return (void *)(uintptr_t)ops; /* constant: only read as such */
}

/* A field by the rules of RFC 4180: quoted where it must be. */
static void field(struct buf *out, const char *text)
{
    bool quoted = strpbrk(text, ",\"\n\r") != NULL;
    if (quoted)
        buf_put_u8(out, '"');
    for (const char *p = text; *p; p++)
        buf_put(out, *p == '"' ? "\"\"" : p, *p == '"' ? 2 : 1);
    if (quoted)
        buf_put_u8(out, '"');
}

static void item(void *ctx, const struct timeline_item *i, struct buf *out)
{
    static const char *const name[] = {"return", "exception", "interrupt", "call", "inject", "input"};
    bool outside = i->kind == TIMELINE_INJECT || i->kind == TIMELINE_INPUT, trap = !outside && i->kind != TIMELINE_RETURN;
    if (i->before)
        return;
    buf_printf(out, "%" PRIu64 ",%u,%s,%s,%s,", i->cycle, i->hart, name[i->kind], i->from_name, i->to_name);
    if (!outside)
        buf_printf(out, "0x%" PRIx64, i->epc);
    buf_put_u8(out, ',');
    field(out, i->epc_text);
    buf_put_u8(out, ',');
    if (!outside)
        buf_printf(out, "0x%" PRIx64, i->pc);
    buf_put_u8(out, ',');
    field(out, i->pc_text);
    buf_put_u8(out, ',');
    if (trap)
        buf_printf(out, "0x%" PRIx64, i->cause);
    buf_put_u8(out, ',');
    field(out, i->cause_text);
    const struct trace_ops *ops = ctx;
    const uint64_t value[] = {i->tval, i->tval2, i->tinst};
    buf_put_u8(out, ',');
    for (size_t k = 0; k < ARRAY_LEN(value) && ops->values[k]; k++)
        buf_printf(out, trap ? "0x%" PRIx64 "," : ",", value[k]);
    field(out, i->call);
    buf_put_u8(out, ',');
    if (i->kind == TIMELINE_RETURN && *i->call)
        buf_printf(out, "%" PRIu64, i->call_cycle);
    buf_put_u8(out, '\n');
}

static void end(void *ctx, const struct timeline_info *i, struct buf *out)
{
    (void)ctx;
    (void)i;
    (void)out;
}

const struct timeline_form timeline_csv = {begin, item, end};
