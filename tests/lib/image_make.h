/* ELF images made in memory, for the loader's tests. */
#ifndef TL_TESTS_IMAGE_MAKE_H
#define TL_TESTS_IMAGE_MAKE_H
#include "base/buf.h"
#include <elf.h>
#include <stdint.h>
#include <string.h>

#define MAKE_RAM  UINT64_C(0x80000000)
#define MAKE_CODE 0x1000 /* file offset of the first segment's bytes */

/* What an image is; zero members take the default of a good 64-bit bare-metal executable. */
struct make {
    unsigned bits;          /* 64 */
    uint16_t machine, type; /* EM_RISCV, ET_EXEC */
    uint8_t data;           /* ELFDATA2LSB */
    uint64_t entry;         /* MAKE_RAM */
    unsigned nseg;          /* 1 */
    struct {
        uint64_t va, pa, filesz, memsz;
        uint32_t type;
    } seg[70];          /* seg 0: MAKE_RAM, MAKE_RAM, 64, 4096 */
    const void *code;   /* bytes of segment 0, filesz of them; NULL: counted up from 1 */
    const char *symbol; /* a name of a global symbol; NULL: no symbol table */
    uint64_t symbol_at; /* entry + 4 */
};

static inline void make_defaults(struct make *m)
{
    m->bits = m->bits ? m->bits : 64;
    m->machine = m->machine ? m->machine : EM_RISCV;
    m->type = m->type ? m->type : ET_EXEC;
    m->data = m->data ? m->data : ELFDATA2LSB;
    if (!m->nseg) {
        m->nseg = 1;
        m->entry = m->entry ? m->entry : MAKE_RAM;
        m->seg[0].va = m->seg[0].pa = MAKE_RAM;
        m->seg[0].filesz = 64;
        m->seg[0].memsz = 4096;
    }
}

static inline void make_phdrs(const struct make *m, struct buf *b)
{
    for (unsigned i = 0; i < m->nseg; i++) {
        uint32_t type = m->seg[i].type ? m->seg[i].type : PT_LOAD;
        uint64_t at = MAKE_CODE + i * 0x100;
        if (m->bits == 64) {
            Elf64_Phdr p = {.p_type = type,
                            .p_flags = PF_R | PF_X,
                            .p_offset = at,
                            .p_vaddr = m->seg[i].va,
                            .p_paddr = m->seg[i].pa,
                            .p_filesz = m->seg[i].filesz,
                            .p_memsz = m->seg[i].memsz};
            buf_put(b, &p, sizeof p);
        } else {
            Elf32_Phdr p = {.p_type = type,
                            .p_flags = PF_R | PF_X,
                            .p_offset = (uint32_t)at,
                            .p_vaddr = (uint32_t)m->seg[i].va,
                            .p_paddr = (uint32_t)m->seg[i].pa,
                            .p_filesz = (uint32_t)m->seg[i].filesz,
                            .p_memsz = (uint32_t)m->seg[i].memsz};
            buf_put(b, &p, sizeof p);
        }
    }
}

/* Section headers (64-bit only): nothing, .symtab, .strtab; behind everything else. */
static inline uint64_t make_symbols(const struct make *m, struct buf *b)
{
    Elf64_Sym sym[2] = {{0},
                        {.st_name = 1,
                         .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC),
                         .st_shndx = SHN_ABS - 1,
                         .st_value = m->symbol_at ? m->symbol_at : m->entry + 4}};
    uint64_t symtab = b->len;
    buf_put(b, sym, sizeof sym);
    uint64_t strtab = b->len;
    buf_put_u8(b, 0);
    buf_put(b, m->symbol, strlen(m->symbol) + 1);
    while (b->len % 8)
        buf_put_u8(b, 0);
    uint64_t shdrs = b->len;
    Elf64_Shdr sh[3] = {{0},
                        {.sh_type = SHT_SYMTAB,
                         .sh_offset = symtab,
                         .sh_size = sizeof sym,
                         .sh_link = 2,
                         .sh_info = 1,
                         .sh_addralign = 8,
                         .sh_entsize = sizeof *sym},
                        {.sh_type = SHT_STRTAB, .sh_offset = strtab, .sh_size = strlen(m->symbol) + 2, .sh_addralign = 1}};
    buf_put(b, sh, sizeof sh);
    return shdrs;
}

/* The bytes of the image. Byte i of segment s is (uint8_t)(s * 64 + i + 1). */
static inline struct buf make_elf(struct make m)
{
    struct buf b = {0};
    uint8_t zero[sizeof(Elf64_Ehdr)] = {0};
    make_defaults(&m);
    unsigned head = m.bits == 64 ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr);
    buf_put(&b, zero, head);
    make_phdrs(&m, &b);
    while (b.len < MAKE_CODE)
        buf_put_u8(&b, 0);
    for (unsigned s = 0; s < m.nseg; s++)
        for (unsigned i = 0; i < 0x100; i++)
            buf_put_u8(&b, (uint8_t)(s * 64 + i + 1));
    if (m.code)
        memcpy(b.data + MAKE_CODE, m.code, m.seg[0].filesz);
    uint64_t shdrs = m.symbol ? make_symbols(&m, &b) : 0;
    if (m.bits == 64) {
        Elf64_Ehdr h = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, m.data, EV_CURRENT},
                        .e_type = m.type,
                        .e_machine = m.machine,
                        .e_version = EV_CURRENT,
                        .e_entry = m.entry,
                        .e_phoff = head,
                        .e_shoff = shdrs,
                        .e_ehsize = (uint16_t)head,
                        .e_phentsize = sizeof(Elf64_Phdr),
                        .e_phnum = (uint16_t)m.nseg,
                        .e_shentsize = sizeof(Elf64_Shdr),
                        .e_shnum = shdrs ? 3 : 0};
        memcpy(b.data, &h, sizeof h);
    } else {
        Elf32_Ehdr h = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS32, m.data, EV_CURRENT},
                        .e_type = m.type,
                        .e_machine = m.machine,
                        .e_version = EV_CURRENT,
                        .e_entry = (uint32_t)m.entry,
                        .e_phoff = head,
                        .e_ehsize = (uint16_t)head,
                        .e_phentsize = sizeof(Elf32_Phdr),
                        .e_phnum = (uint16_t)m.nseg};
        memcpy(b.data, &h, sizeof h);
    }
    return b;
}
#endif
