/* Whether what a case leaves in memory lies where a handler pushes: close below the interrupted stack pointer. */
#include "debug/sweep_internal.h"
#include "machine/machine.h"

#include <stdio.h>

struct stack stack_below(const struct run *r, const struct context *was)
{
    const struct context_ops *ops = r->s->ops;
    struct stack k = {0};
    uint32_t reg = ops->stack(was, r->taken_to);
    if (reg == UINT32_MAX)
        return k;
    k.found.sp = ops->value(was, reg);
    snprintf(k.found.name, sizeof k.found.name, "%s", ops->name(reg));
    uint64_t va = (k.found.sp - 1) & ~(uint64_t)(MEM_PAGE_SIZE - 1), pa;
    for (; k.found.sp && k.pages < STACK_PAGES && machine_translate(r->m, r->s->c.hart, va, &pa); va -= MEM_PAGE_SIZE) {
        k.page[k.pages].va = va;
        k.page[k.pages++].pa = pa;
    }
    return k;
}

void stack_note(struct stack *k, uint64_t pa)
{
    for (unsigned i = 0; i < k->pages; i++) {
        uint64_t offset = pa - k->page[i].pa, below = k->found.sp - (k->page[i].va + offset);
        if (offset >= MEM_PAGE_SIZE || !below || below > STACK_BYTES)
            continue;
        k->found.start = !k->found.words || pa < k->found.start ? pa : k->found.start;
        k->found.end = pa + 8 > k->found.end ? pa + 8 : k->found.end;
        k->found.words++;
        return;
    }
}
