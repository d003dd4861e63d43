/* One event that comes and goes: following it, what is expected of it, and which rules it departs from. */
#include "base/bits.h"
#include "debug/check_internal.h"

#include <inttypes.h>
#include <string.h>

enum { HART = 0, SSE_EID = 0x535345, SSE_READ = 0, ATTR_SEPC = 6 };

void case_predict(const struct check_probe *p, const struct check_firmware *f, struct check_case *o)
{
    sse_context_of(&o->view, &o->x);
    sse_form_run(SSE_FORM_SPEC, &p->has, &o->x, p->entry_pc, p->entry_arg, HART, &o->action, &o->spec);
    sse_form_run(f->form, &p->has, &o->x, p->entry_pc, p->entry_arg, HART, &o->action, &o->form);
    if (f->quirks & QUIRK_SWAPPED) {
        o->form.entry.a6 = p->entry_arg;
        o->form.entry.a7 = HART;
    }
}

static void read_saved(struct check_probe *p, struct check_case *o)
{
    uint64_t word[4];
    const uint64_t a[5] = {p->event, ATTR_SEPC, ARRAY_LEN(word), p->buffer, 0};
    if (probe_sbi(p, SSE_EID, SSE_READ, a))
        o->broken = "READ_ATTR failed in the handler";
    probe_buffer_read(p, word, ARRAY_LEN(word));
    o->real.saved = (struct sse_saved){.sepc = word[0], .flags = word[1], .a6 = word[2], .a7 = word[3]};
}

/* Where in the handler a nested trap's sepc points does not matter. */
static uint64_t same_place(const struct check_probe *p, uint64_t pc)
{
    return pc >= p->handler_start && pc < p->handler_end ? p->handler_start : pc;
}

void case_follow(struct check_probe *p, struct check_case *o)
{
    if (!probe_run_to(p, PHASE_HANDLER)) {
        o->broken = "the handler did not start";
        return;
    }
    sse_context_of(&p->entry, &o->real.entry);
    read_saved(p, o);
    if (!probe_run_to(p, PHASE_RESUMED)) {
        o->broken = "the event did not complete";
        return;
    }
    sse_context_of(&p->resumed, &o->real.resumed);
    o->real.resumed.pc = same_place(p, o->real.resumed.pc);
}

/* ---- judging
 * -------------------------------------------------------------------------------------------------------------------- */

void case_state_text(const struct sse_context *c, char *out, size_t cap)
{
    snprintf(out, cap, "V=%u P=%c SPP=%u SPIE=%u SIE=%u SPV=%u SPVP=%u%s%s%s", c->v, c->s ? 'S' : 'U', c->spp, c->spie, c->sie,
             c->spv, c->spvp, c->spelp ? " SPELP=1" : "", c->sdt ? " SDT=1" : "", c->elp ? " ELP=1" : "");
}

/* A register that differs, in words: what it is, what it must be. False: none does. */
static bool text_context(const char *when, const struct sse_context *is, const struct sse_context *must, char *out, size_t cap)
{
    unsigned i = 0;
    uint64_t a, b;
    const char *name = sse_context_differs(is, must, &i, &a, &b);
    if (name)
        snprintf(out, cap, "%s %s is 0x%" PRIx64 ", must be 0x%" PRIx64, when, name, a, b);
    return name != NULL;
}

static bool text_saved(const struct sse_saved *is, const struct sse_saved *must, char *out, size_t cap)
{
    unsigned i = 0;
    uint64_t a, b;
    const char *name = sse_saved_differs(is, must, &i, &a, &b);
    if (name)
        snprintf(out, cap, "%s is 0x%" PRIx64 ", must be 0x%" PRIx64, name, a, b);
    return name != NULL;
}

/* The rules of a kernel's context. A handler that redirects changes these on purpose. */
static void judge_b(const struct sse_context *x, const struct sse_context *r, const struct sse_action *action, bool *departs)
{
    bool edits = action->effect == SSE_EFFECT_REDIRECT, writes = action->effect == SSE_EFFECT_ATTRIBUTES;
    departs[RULE_B2] = !edits && r->s != x->s;
    departs[RULE_B3] = !edits && r->sie && !x->sie;
    departs[RULE_B1] = !edits && (r->s != x->s || r->sie != x->sie || (!writes && (r->spie != x->spie || r->spp != x->spp)));
    departs[RULE_B4] = writes && (r->spp != (action->flags & 1) || r->spie != (action->flags >> 1 & 1));
    departs[RULE_B5] = departs[RULE_B6] = false; /* the model does not have them: case_conforms looks */
}

/* Which rules the case departs from; text: of the first one, in words. */
void case_judge(const struct check_case *o, bool a3, bool departs[CHECK_COUNTS], char *text, size_t cap)
{
    char scrap[CHECK_TEXT];
    *text = '\0';
    departs[RULE_A1] = text_saved(&o->real.saved, &o->spec.saved, text, cap);
    departs[RULE_A2] =
        text_context("at the handler's start", &o->real.entry, &o->spec.entry, *text ? scrap : text, *text ? sizeof scrap : cap);
    departs[RULE_E] = departs[RULE_A1] || departs[RULE_A2];
    departs[RULE_A3] =
        text_context("resumed:", &o->real.resumed, &o->x, *text || !a3 ? scrap : text, *text || !a3 ? sizeof scrap : cap);
    departs[RULE_A4] =
        text_context("resumed:", &o->real.resumed, &o->spec.resumed, *text ? scrap : text, *text ? sizeof scrap : cap);
    departs[RULE_A5] = false;
    departs[RULE_A6] = o->real.resumed.v != o->x.v;
    judge_b(&o->x, &o->real.resumed, &o->action, departs);
}

/* Bits of the two status registers that the model has. */
static uint64_t modelled(uint32_t i)
{
    switch (i) {
    case VIEW_X + 16:
    case VIEW_X + 17:
    case VIEW_CSR + VIEW_sepc:
    case VIEW_PC:
    case VIEW_PRIV:
    case VIEW_V:
    case VIEW_ELP: return UINT64_MAX;
    case VIEW_CSR + VIEW_sstatus: return VIEW_SIE | VIEW_SPIE | VIEW_SPP | VIEW_SPELP | VIEW_SDT;
    case VIEW_CSR + VIEW_hstatus: return VIEW_SPV | VIEW_SPVP;
    default: return 0;
    }
}

/* The registers beyond the model in which b differs from a, "scause stval". */
static void text_others(const struct rv_view *a, const struct rv_view *b, char *out, size_t cap)
{
    size_t n = 0;
    *out = '\0';
    for (uint32_t i = view_differs(a, b, 0); i != UINT32_MAX; i = view_differs(a, b, i + 1))
        if ((view_value(a, i) ^ view_value(b, i)) & ~modelled(i) && n < cap)
            n += (size_t)snprintf(out + n, cap - n, "%s%s", n ? " " : "", view_name(i));
}

/* Everything that was seen against what the firmware's form is known to do. False with a sentence. */
bool case_conforms(const struct check_probe *p, const struct check_handler *h, const struct check_case *o, char *why, size_t cap)
{
    char others[CHECK_TEXT], known[CHECK_TEXT];
    if (o->broken) {
        snprintf(why, cap, "%s", o->broken);
        return false;
    }
    if (text_saved(&o->real.saved, &o->form.saved, why, cap) ||
        text_context("at the handler's start", &o->real.entry, &o->form.entry, why, cap) ||
        text_context("resumed:", &o->real.resumed, &o->form.resumed, why, cap))
        return false;
    text_others(&o->view, &p->entry, others, sizeof others);
    if (*others) {
        snprintf(why, cap, "at the handler's start these have changed: %.200s", others);
        return false;
    }
    text_others(&o->view, &p->resumed, others, sizeof others);
    snprintf(known, sizeof known, "%s%s%s", h->lost, *h->lost && p->has.h && *h->lost_h ? " " : "", p->has.h ? h->lost_h : "");
    if (!strcmp(others, known))
        return true;
    snprintf(why, cap, "beyond the model '%.80s' came back changed, known is '%.80s'", others, known);
    return false;
}

/* ---- in words for the user --------------------------------------------------------------------------------------------------
 */

void case_tell(const struct check_probe *p, const struct check_handler *h, const struct check_case *o, FILE *to)
{
    char text[CHECK_TEXT];
    unsigned n = 0;
    if (o->broken)
        fprintf(to, "The case did not come to its end: %s.\n", o->broken);
    if (text_saved(&o->real.saved, &o->spec.saved, text, sizeof text) && ++n)
        fprintf(to,
                "Rule A1 is broken (SBI v3.0 SSE, \"Software Event Injection\": the attributes are those of the interrupted "
                "context):\n  %s\n",
                text);
    if (text_context("at the handler's start", &o->real.entry, &o->spec.entry, text, sizeof text) && ++n)
        fprintf(to,
                "Rule A2 is broken (SBI v3.0 SSE, \"Software Event Injection\": the context the handler starts with):\n  %s\n",
                text);
    if (text_context("resumed:", &o->real.resumed, &o->spec.resumed, text, sizeof text) && ++n)
        fprintf(
            to,
            "Rule A4 is broken (SBI v3.0 SSE, \"Software Event Completion\": what goes on, from the handler's registers and the "
            "attributes):\n  %s\n",
            text);
    if (h->effect < SSE_EFFECT_ATTRIBUTES && text_context("resumed:", &o->real.resumed, &o->x, text, sizeof text) && ++n)
        fprintf(to, "Rule A3 is broken (what was interrupted comes back as it was):\n  %s\n", text);
    if (o->real.resumed.v != o->x.v && h->effect < SSE_EFFECT_ATTRIBUTES)
        fprintf(to,
                "Rule A6 is broken (no code goes on in the other virtualization mode): V was %u and is %u, at pc 0x%" PRIx64
                ".\n",
                o->x.v, o->real.resumed.v, p->resumed.pc);
    if (!n && !o->broken)
        fprintf(to, "No rule is broken.\n");
}
