/* A64 assembly by capstone; the names of system registers and instructions are those of csr/arm/, and what capstone does not know
 * is printed from the rows of cpu/arm/insn/. */
#include "cpu/arm/arch.h"
#include "cpu/arm/decode.h"
#include "cpu/arm/pe.h"
#include "csr/arm/sysreg.h"
#include "debug/disas.h"

#include <assert.h>
#include <capstone/capstone.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *make(void)
{
    csh *h = malloc(sizeof *h);
    assert(h && cs_open(CS_ARCH_ARM64, CS_MODE_LITTLE_ENDIAN, h) == CS_ERR_OK);
    return h;
}

static void drop(void *kept)
{
    cs_close(kept);
    free(kept);
}

static const char *general(unsigned n, char out[8])
{
    snprintf(out, 8, n == 31 ? "xzr" : "x%u", n);
    return out;
}

/* MRS, MSR, SYS, SYSL: from our rows. False: none of them. */
static bool system_text(const struct sysreg_map *map, uint32_t w, char *out, size_t cap)
{
    char name[48], rt[8];
    if ((w & 0xffc00000) != 0xd5000000 || !(w >> 19 & 3))
        return false;
    unsigned id = sysreg_find(map, w >> 19 & 3, w >> 16 & 7, w >> 12 & 15, w >> 8 & 15, w >> 5 & 7);
    if (id == SR_NONE)
        return false;
    sysreg_name(id, name, sizeof name);
    general(w & 31, rt);
    bool read = w >> 21 & 1;
    char *operation = strchr(name, '_');
    if ((w >> 19 & 3) != 1)
        snprintf(out, cap, read ? "mrs %s, %s" : "msr %s, %s", read ? rt : name, read ? name : rt);
    else if (operation && !read) { /* "tlbi_vae1is": "tlbi vae1is, x0" */
        *operation = ' ';
        snprintf(out, cap, (w & 31) == 31 ? "%s" : "%s, %s", name, rt);
    } else
        return false;
    return true;
}

/* "add_x" with its registers, as the row has them. */
static void row_text(const struct a64_decoder *decoder, uint32_t w, char *out, size_t cap)
{
    struct a64_decoded d = a64_decode(decoder, w);
    if (d.row)
        snprintf(out, cap, "%s (0x%08" PRIx32 ")", d.row->name, w);
    else
        snprintf(out, cap, "0x%08" PRIx32 " (undefined)", w);
}

/* Where B, BL, B.cond, CBZ and TBZ go. */
static uint64_t target_of(uint64_t pc, uint32_t w)
{
    if ((w & 0x7c000000) == 0x14000000)
        return pc + (uint64_t)((int64_t)(int32_t)(w << 6) >> 4);
    if ((w & 0xff000000) == 0x54000000 || (w & 0x7e000000) == 0x34000000)
        return pc + (uint64_t)((int64_t)(int32_t)(w << 8 & 0xffffe000) >> 11);
    if ((w & 0x7e000000) == 0x36000000)
        return pc + (uint64_t)((int64_t)(int32_t)(w << 13 & 0xfffc0000) >> 16);
    return UINT64_MAX;
}

/* What a configuration makes of words. */
struct words {
    const struct sysreg_map *map;
    const struct a64_decoder *decoder;
};

static void word_text(csh h, const struct words *w, uint64_t pc, uint32_t bits, char *out, size_t cap)
{
    const uint8_t code[4] = {(uint8_t)bits, (uint8_t)(bits >> 8), (uint8_t)(bits >> 16), (uint8_t)(bits >> 24)};
    cs_insn *insn = NULL;
    if (system_text(w->map, bits, out, cap))
        return;
    if (cs_disasm(h, code, sizeof code, pc, 1, &insn) == 1)
        snprintf(out, cap, *insn->op_str ? "%s %s" : "%s", insn->mnemonic, insn->op_str);
    else
        row_text(w->decoder, bits, out, cap);
    if (insn)
        cs_free(insn, 1);
}

static void text(void *kept, struct cpu *c, uint64_t pc, uint32_t bits, char *out, size_t cap, uint64_t *target)
{
    const struct pe *p = (const struct pe *)(const void *)c;
    *target = target_of(pc, bits);
    word_text(*(csh *)kept, &(struct words){p->map, p->decoder}, pc, bits, out, cap);
}

void disas_a64(const struct sysreg_map *map, const struct a64_decoder *decoder, uint32_t word, char *out, size_t cap)
{
    csh *h = make();
    word_text(*h, &(struct words){map, decoder}, 0, word, out, cap);
    drop(h);
}

static unsigned length(const uint8_t *p)
{
    (void)p;
    return 4;
}

const struct disas_ops arm_disas = {.arch = &arm_arch, .make = make, .drop = drop, .length = length, .text = text};
