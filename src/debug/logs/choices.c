#include "debug/logs/choices.h"

#include <string.h>

static size_t slot(uint64_t doubleword)
{
    return (size_t)(doubleword * UINT64_C(0x9e3779b97f4a7c15) >> 54) & (CHOICES_STORES - 1);
}

/* LR.W/D (unpriv "Zalrsc"); LDXR, LDAXR, LDXP, LDAXP (Arm ARM C4.1 "Load/store exclusive register" and "pair"). */
static bool reserves(const struct log_step *s, bool arm)
{
    if (arm)
        return (s->insn & 0x3fc00000) == 0x08400000 && (s->insn >> 31 || !(s->insn >> 21 & 1));
    return s->insn_bytes == 4 && (s->insn & 0xf800007f) == 0x1000002f;
}

bool choices_conditional(const struct log_step *s, bool arm, unsigned *rd)
{
    *rd = arm ? s->insn >> 16 & 31 : s->insn >> 7 & 31;
    if (s->insn_bytes != 4)
        return false;
    if (arm) /* pairs are of 32 and 64 bits; the other sizes of theirs are CASP */
        return (s->insn & 0x3fc00000) == 0x08000000 && (s->insn >> 31 || !(s->insn >> 21 & 1));
    return (s->insn & 0xf800007f) == 0x1800002f;
}

/* FENCE.I (unpriv "Zifencei"); ISB, the last of the sequence that A64 wants (Arm ARM B2.4.4 "Concurrent modification and
   execution of instructions"). */
static bool fences(const struct log_step *s, bool arm)
{
    return s->insn_bytes == 4 && (arm ? (s->insn & 0xfffff0ff) == 0xd50330df : (s->insn & 0x707f) == 0x100f);
}

void choices_note(struct choices *c, const struct log_step *s, bool arm)
{
    unsigned rd;
    if (s->kind != LOG_RETIRED)
        return;
    if (reserves(s, arm))
        c->used = false;
    if (choices_conditional(s, arm, &rd)) {
        c->could = !c->used;
        c->used = true;
    }
    if (fences(s, arm))
        memset(c->stored, 0, sizeof c->stored);
    for (unsigned i = 0; i < s->nmems; i++) {
        const struct log_mem *m = &s->mem[i];
        uint64_t last = m->address + (m->bytes ? m->bytes : 8u) - 1;
        for (uint64_t at = m->address >> 3; m->store && at <= last >> 3; at++)
            c->stored[slot(at)] = at + 1;
    }
}

enum choices_outcome choices_outcome(const struct log_step *s, bool arm, unsigned has)
{
    unsigned rd;
    if (!choices_conditional(s, arm, &rd))
        return CHOICES_UNTOLD;
    for (unsigned i = 0; i < s->nregs; i++)
        if (s->reg[i].class == LOG_X && s->reg[i].number == rd)
            return s->reg[i].value[0] ? CHOICES_FAILED : CHOICES_SUCCEEDED;
    for (unsigned i = 0; i < s->nmems; i++)
        if (s->mem[i].store)
            return CHOICES_SUCCEEDED;
    return has & LOG_HAS_STORES ? CHOICES_FAILED : CHOICES_UNTOLD;
}

bool choices_unfenced(const struct choices *c, uint64_t pc)
{
    for (uint64_t at = pc >> 3; at <= (pc + 3) >> 3; at++)
        if (c->stored[slot(at)] == at + 1)
            return true;
    return false;
}
