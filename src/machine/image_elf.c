#include "base/bits.h"
#include "machine/image.h"
#include <assert.h>
#include <gelf.h>
#include <inttypes.h>
#include <libelf.h>
#include <string.h>

/* One PT_LOAD segment. */
struct segment {
    uint64_t va, pa, offset, filesz, memsz;
    unsigned number;
};

struct elf_file {
    const char *name;
    Elf *elf;
    GElf_Ehdr ehdr;
    const struct buf *bytes;
    struct segment seg[64];
    unsigned segs;
    uint64_t bias; /* added to every address of a position-independent image */
};

static const char *machine_name(unsigned em)
{
    static const struct {
        uint16_t em;
        const char *name;
    } row[] = {
        {EM_386, "an x86"},           {EM_X86_64, "an x86-64"}, {EM_ARM, "an Arm"},
        {EM_AARCH64, "an AArch64"},   {EM_MIPS, "a MIPS"},      {EM_PPC, "a PowerPC"},
        {EM_PPC64, "a PowerPC 64"},   {EM_S390, "an s390"},     {EM_SPARC, "a SPARC"},
        {EM_SPARCV9, "a SPARC V9"},   {EM_68K, "an m68k"},      {EM_SH, "a SuperH"},
        {EM_IA_64, "an Itanium"},     {EM_BPF, "a BPF"},        {EM_RISCV, "a RISC-V"},
        {EM_OPENRISC, "an OpenRISC"}, {EM_XTENSA, "an Xtensa"}, {EM_MICROBLAZE, "a MicroBlaze"},
        {258, "a LoongArch"},
    };
    for (size_t i = 0; i < ARRAY_LEN(row); i++)
        if (row[i].em == em)
            return row[i].name;
    return NULL;
}

static bool check_header(const struct elf_file *f, const struct image_place *p, struct err *e)
{
    const GElf_Ehdr *h = &f->ehdr;
    if (h->e_machine != p->kind->arch->elf_machine) {
        const char *other = machine_name(h->e_machine);
        if (other)
            return err_set(e, "%s is %s ELF image; this machine is %s", f->name, other, p->kind->arch->title);
        return err_set(e, "%s is an ELF image for machine number %u; this machine is %s (%u)", f->name, h->e_machine,
                       p->kind->arch->title, p->kind->arch->elf_machine);
    }
    if (h->e_ident[EI_DATA] != ELFDATA2LSB)
        return err_set(e, "%s is a big-endian ELF image; this machine is little-endian", f->name);
    unsigned bits = h->e_ident[EI_CLASS] == ELFCLASS32 ? 32 : 64;
    if (bits != p->kind->bits)
        return err_set(e, "%s is a %u-bit ELF image; the cpu is %s (see -cpu)", f->name, bits, p->kind->name);
    if (h->e_type == ET_REL)
        return err_set(e, "%s is an ELF object file that was not linked; it has no addresses to be loaded at", f->name);
    if (h->e_type == ET_CORE)
        return err_set(e, "%s is an ELF core dump, not an executable", f->name);
    if (h->e_type != ET_EXEC && h->e_type != ET_DYN)
        return err_set(e, "%s is an ELF image of unknown type %u, not an executable", f->name, h->e_type);
    return true;
}

/* libelf reads the header through a copy; what it points to is checked here, because libelf's messages name neither file nor
 * reason. */
static bool check_tables(const struct elf_file *f, struct err *e)
{
    const GElf_Ehdr *h = &f->ehdr;
    uint64_t want = f->ehdr.e_ident[EI_CLASS] == ELFCLASS32 ? sizeof(Elf32_Phdr) : sizeof(Elf64_Phdr);
    if (!h->e_phnum)
        return err_set(e, "%s is an ELF image without program headers: there is nothing to load", f->name);
    if (h->e_phentsize != want)
        return err_set(e, "%s is a damaged ELF image: a program header has %u bytes instead of %" PRIu64, f->name, h->e_phentsize,
                       want);
    if (h->e_phoff > f->bytes->len || h->e_phnum * want > f->bytes->len - h->e_phoff)
        return err_set(e, "%s is a truncated ELF image: its program headers end at byte %" PRIu64 ", the file at %zu", f->name,
                       h->e_phoff + h->e_phnum * want, f->bytes->len);
    return true;
}

static bool add_segment(struct elf_file *f, const GElf_Phdr *p, unsigned i, struct err *e)
{
    if (p->p_filesz > p->p_memsz)
        return err_set(
            e, "%s is a damaged ELF image: segment %u has more bytes in the file (0x%" PRIx64 ") than in memory (0x%" PRIx64 ")",
            f->name, i, p->p_filesz, p->p_memsz);
    if (p->p_offset > f->bytes->len || p->p_filesz > f->bytes->len - p->p_offset)
        return err_set(
            e, "%s is a truncated ELF image: segment %u has 0x%" PRIx64 " bytes at byte 0x%" PRIx64 ", the file has 0x%zx bytes",
            f->name, i, p->p_filesz, p->p_offset, f->bytes->len);
    if (f->segs == ARRAY_LEN(f->seg))
        return err_set(e, "%s is an ELF image with more than %zu segments", f->name, ARRAY_LEN(f->seg));
    f->seg[f->segs++] = (struct segment){p->p_vaddr, p->p_paddr, p->p_offset, p->p_filesz, p->p_memsz, i};
    return true;
}

static bool read_segments(struct elf_file *f, struct err *e)
{
    for (unsigned i = 0; i < f->ehdr.e_phnum; i++) {
        GElf_Phdr p;
        if (!gelf_getphdr(f->elf, (int)i, &p))
            return err_set(e, "%s is a damaged ELF image: program header %u cannot be read (%s)", f->name, i, elf_errmsg(-1));
        if (p.p_type == PT_INTERP)
            return err_set(e, "%s is a program for an operating system (it names an interpreter), not a bare-metal image",
                           f->name);
        if (p.p_type == PT_LOAD && p.p_memsz && !add_segment(f, &p, i, e))
            return false;
    }
    return f->segs || err_set(e, "%s is an ELF image without a PT_LOAD segment: there is nothing to load", f->name);
}

/* A position-independent image (ET_DYN) that is not linked to lie in RAM is moved to where raw images go. */
static void choose_bias(struct elf_file *f, const struct image_place *p)
{
    uint64_t low = UINT64_MAX;
    for (unsigned i = 0; i < f->segs; i++)
        low = f->seg[i].pa < low ? f->seg[i].pa : low;
    if (f->ehdr.e_type == ET_DYN && (low < p->ram_base || low - p->ram_base >= p->ram_size))
        f->bias = p->address - low;
    for (unsigned i = 0; i < f->segs; i++)
        f->seg[i].pa += f->bias;
}

static bool check_segments(const struct elf_file *f, const struct image_place *p, struct err *e)
{
    uint64_t ram_end = p->ram_base + p->ram_size;
    for (unsigned i = 0; i < f->segs; i++) {
        const struct segment *s = &f->seg[i];
        bool more = s->pa - p->more_base < p->more_size && s->memsz <= p->more_size - (s->pa - p->more_base);
        if (!more && (s->pa < p->ram_base || s->pa > ram_end || s->memsz > ram_end - s->pa))
            return err_set(e,
                           "%s does not fit: segment %u needs 0x%" PRIx64 " bytes from 0x%" PRIx64 ", RAM is 0x%" PRIx64
                           "..0x%" PRIx64 " (%" PRIu64 " MiB; see -m)",
                           f->name, s->number, s->memsz, s->pa, p->ram_base, ram_end, p->ram_size >> 20);
        for (unsigned j = 0; j < i; j++) {
            const struct segment *t = &f->seg[j];
            if (s->pa < t->pa + t->memsz && t->pa < s->pa + s->memsz)
                return err_set(e,
                               "%s: its segments %u (0x%" PRIx64 "..0x%" PRIx64 ") and %u (0x%" PRIx64 "..0x%" PRIx64 ") overlap",
                               f->name, t->number, t->pa, t->pa + t->memsz, s->number, s->pa, s->pa + s->memsz);
        }
    }
    return true;
}

/* e_entry is a virtual address; the hart starts with translation off, so it is turned into the physical one. */
static bool find_entry(const struct elf_file *f, uint64_t *entry, struct err *e)
{
    uint64_t va = f->ehdr.e_entry;
    for (unsigned i = 0; i < f->segs; i++) {
        if (va - f->seg[i].va < f->seg[i].memsz) {
            *entry = va - f->seg[i].va + f->seg[i].pa;
            if (*entry & 1)
                return err_set(e, "%s: its entry point 0x%" PRIx64 " is odd; instructions are at even addresses", f->name, va);
            return true;
        }
    }
    return err_set(e, "%s: its entry point 0x%" PRIx64 " is in none of its segments", f->name, va);
}

/* Symbols are a convenience: a damaged table gives fewer names, never a refusal. */
static void read_symbols(const struct elf_file *f, struct symbols *out)
{
    Elf_Scn *scn = NULL;
    while ((scn = elf_nextscn(f->elf, scn))) {
        GElf_Shdr sh;
        if (!gelf_getshdr(scn, &sh) || sh.sh_type != SHT_SYMTAB)
            continue;
        Elf_Data *data = elf_getdata(scn, NULL);
        size_t one = gelf_fsize(f->elf, ELF_T_SYM, 1, EV_CURRENT);
        for (size_t i = 1; data && one && i < data->d_size / one; i++) {
            GElf_Sym sym;
            if (!gelf_getsym(data, (int)i, &sym))
                break;
            unsigned type = GELF_ST_TYPE(sym.st_info);
            const char *name = elf_strptr(f->elf, sh.sh_link, sym.st_name);
            if (!name || !*name || name[0] == '$' || sym.st_shndx == SHN_UNDEF || type == STT_FILE || type == STT_SECTION)
                continue;
            bool absolute = sym.st_shndx == SHN_ABS;
            symbols_add(out, name, sym.st_value + (absolute ? 0 : f->bias), sym.st_size, absolute);
        }
    }
}

static bool load_checked(struct elf_file *f, const struct image_place *p, struct image *out, struct err *e)
{
    uint64_t entry = 0;
    if (!check_header(f, p, e) || !check_tables(f, e) || !read_segments(f, e))
        return false;
    choose_bias(f, p);
    if (!check_segments(f, p, e) || !find_entry(f, &entry, e))
        return false;
    *out = (struct image){.kind = IMAGE_ELF, .start = UINT64_MAX, .entry = entry};
    for (unsigned i = 0; i < f->segs; i++) {
        const struct segment *s = &f->seg[i];
        bool ok = !s->filesz || mem_write(p->mem, s->pa, f->bytes->data + s->offset, s->filesz);
        assert(ok);
        image_zero(p->mem, s->pa + s->filesz, s->memsz - s->filesz);
        out->start = s->pa < out->start ? s->pa : out->start;
        out->end = s->pa + s->memsz > out->end ? s->pa + s->memsz : out->end;
    }
    if (p->symbols)
        read_symbols(f, p->symbols);
    return true;
}

bool image_load_elf(const char *name, const struct buf *bytes, const struct image_place *place, struct image *out, struct err *e)
{
    struct elf_file f = {.name = name, .bytes = bytes};
    *out = (struct image){0};
    elf_version(EV_CURRENT);
    bool bits64 = bytes->len > EI_CLASS && bytes->data[EI_CLASS] == ELFCLASS64;
    if (bytes->len < (bits64 ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr)))
        return err_set(e, "%s is a truncated ELF image: its header ends behind the %zu bytes of the file", name, bytes->len);
    f.elf = elf_memory((char *)bytes->data, bytes->len);
    bool ok = f.elf && elf_kind(f.elf) == ELF_K_ELF && gelf_getehdr(f.elf, &f.ehdr);
    if (!ok)
        err_set(e, "%s is a damaged ELF image: %s", name, elf_errmsg(-1));
    ok = ok && load_checked(&f, place, out, e);
    elf_end(f.elf);
    return ok;
}
