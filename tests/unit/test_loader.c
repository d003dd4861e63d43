/* Images into RAM: ELF, Linux Image, gzip, raw; and what a boot puts where. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "image_make.h"
#include "machine/loader.h"

#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#define MIB      (UINT64_C(1) << 20)
#define RAM_SIZE (64 * MIB)

static struct mem *world(uint64_t size)
{
    struct err e;
    struct mem *m = mem_new();
    assert_true(mem_add_ram(m, "rom", 0x1000, 0x1000, true, &e));
    assert_true(mem_add_ram(m, "ram", MAKE_RAM, size, false, &e));
    return m;
}

static uint64_t peek(struct mem *m, uint64_t pa, unsigned n)
{
    uint64_t v = 0;
    assert_true(mem_read(m, pa, &v, n));
    return v;
}

static void count_page(void *ctx, uint64_t pa, const uint8_t *page)
{
    (void)page;
    if (pa >= MAKE_RAM)
        ++*(unsigned *)ctx;
}

static unsigned pages_written(struct mem *m)
{
    unsigned n = 0;
    mem_visit(m, count_page, &n);
    return n;
}

/* Loads bytes (freed) as "x.img" into fresh RAM; returns the RAM, or NULL and the sentence. */
static const struct cpu_kind kinds[2] = {{.arch = &riscv_arch, .name = "rv64", .bits = 64},
                                         {.arch = &riscv_arch, .name = "rv32", .bits = 32}};

static struct mem *load(struct buf b, unsigned xlen, struct symbols *s, struct image *out, struct err *e)
{
    struct mem *m = world(RAM_SIZE);
    struct image_place p = {.mem = m,
                            .ram_base = MAKE_RAM,
                            .ram_size = RAM_SIZE,
                            .kind = &kinds[xlen == 32],
                            .address = MAKE_RAM + 2 * MIB,
                            .symbols = s};
    e->text[0] = '\0';
    bool ok = image_load("x.img", &b, &p, out, e);
    buf_free(&b);
    if (ok)
        return m;
    assert_int_equal(pages_written(m), 0); /* nothing half-written */
    assert_non_null(strstr(e->text, "x.img"));
    mem_free(m);
    return NULL;
}

static void refuses(struct buf b, unsigned xlen, const char *reason)
{
    struct image i;
    struct err e;
    assert_null(load(b, xlen, NULL, &i, &e));
    if (!strstr(e.text, reason))
        fail_msg("'%s' does not say '%s'", e.text, reason);
}

static struct make two_segments(uint64_t second)
{
    struct make m = {.entry = MAKE_RAM, .nseg = 2};
    m.seg[0].va = m.seg[0].pa = MAKE_RAM;
    m.seg[1].va = m.seg[1].pa = second;
    m.seg[0].filesz = m.seg[1].filesz = 64;
    m.seg[0].memsz = m.seg[1].memsz = 4096;
    return m;
}

/* ---- ELF ------------------------------------------------------------------------------------------------------------------ */

static void loads_elf64_segments_and_clears_what_follows_them(void **state)
{
    (void)state;
    struct image i;
    struct err e;
    struct mem *m = load(make_elf(two_segments(MAKE_RAM + MIB)), 64, NULL, &i, &e);
    assert_non_null(m);
    assert_int_equal(peek(m, MAKE_RAM, 4), 0x04030201);
    assert_int_equal(peek(m, MAKE_RAM + MIB, 4), 0x44434241);
    assert_int_equal(peek(m, MAKE_RAM + 64, 8), 0);
    assert_int_equal(i.kind, IMAGE_ELF);
    assert_int_equal(i.start, MAKE_RAM);
    assert_int_equal(i.end, MAKE_RAM + MIB + 4096);
    assert_int_equal(i.entry, MAKE_RAM);
    mem_free(m);
}

static void clears_bss_that_held_something(void **state)
{
    (void)state;
    struct mem *m = world(RAM_SIZE);
    uint64_t junk = ~UINT64_C(0);
    mem_write(m, MAKE_RAM + 100, &junk, 8);
    struct image_place p = {.mem = m, .ram_base = MAKE_RAM, .ram_size = RAM_SIZE, .kind = &kinds[0]};
    struct buf b = make_elf((struct make){0});
    struct image i;
    struct err e;
    assert_true(image_load("x", &b, &p, &i, &e));
    assert_int_equal(peek(m, MAKE_RAM + 100, 8), 0);
    buf_free(&b);
    mem_free(m);
}

static void a_large_bss_costs_no_memory(void **state)
{
    (void)state;
    struct make k = {.entry = MAKE_RAM, .nseg = 1};
    k.seg[0].va = k.seg[0].pa = MAKE_RAM;
    k.seg[0].filesz = 64;
    k.seg[0].memsz = RAM_SIZE;
    struct image i;
    struct err e;
    struct mem *m = load(make_elf(k), 64, NULL, &i, &e);
    assert_non_null(m);
    assert_int_equal(pages_written(m), 1);
    mem_free(m);
}

static void entry_is_turned_from_virtual_to_physical(void **state)
{
    (void)state;
    struct make k = {.entry = UINT64_C(0xffffffff80000010), .nseg = 1};
    k.seg[0].va = UINT64_C(0xffffffff80000000);
    k.seg[0].pa = MAKE_RAM + 2 * MIB;
    k.seg[0].filesz = k.seg[0].memsz = 64;
    struct image i;
    struct err e;
    struct mem *m = load(make_elf(k), 64, NULL, &i, &e);
    assert_non_null(m);
    assert_int_equal(i.entry, MAKE_RAM + 2 * MIB + 0x10);
    mem_free(m);
}

static void position_independent_elf_outside_ram_is_moved_into_it(void **state)
{
    (void)state;
    struct make k = {.type = ET_DYN, .entry = 8, .nseg = 1, .symbol = "start"};
    k.seg[0].filesz = k.seg[0].memsz = 64;
    struct symbols s = {0};
    struct image i;
    struct err e;
    struct mem *m = load(make_elf(k), 64, &s, &i, &e);
    assert_non_null(m);
    assert_int_equal(i.start, MAKE_RAM + 2 * MIB);
    assert_int_equal(i.entry, MAKE_RAM + 2 * MIB + 8);
    symbols_sort(&s);
    assert_int_equal(symbols_find(&s, "start")->value, MAKE_RAM + 2 * MIB + 12);
    symbols_free(&s);
    mem_free(m);
}

static void loads_elf32_on_rv32(void **state)
{
    (void)state;
    struct image i;
    struct err e;
    struct mem *m = load(make_elf((struct make){.bits = 32}), 32, NULL, &i, &e);
    assert_non_null(m);
    assert_int_equal(peek(m, MAKE_RAM, 4), 0x04030201);
    mem_free(m);
}

static void refuses_the_wrong_class_machine_endianness_and_type(void **state)
{
    (void)state;
    refuses(make_elf((struct make){.bits = 32}), 64, "is a 32-bit ELF image; the cpu is rv64");
    refuses(make_elf((struct make){0}), 32, "is a 64-bit ELF image; the cpu is rv32");
    refuses(make_elf((struct make){.machine = EM_AARCH64}), 64, "is an AArch64 ELF image; this machine is RISC-V");
    refuses(make_elf((struct make){.machine = EM_X86_64}), 64, "is an x86-64 ELF image");
    refuses(make_elf((struct make){.machine = 0x7777}), 64, "machine number 30583");
    refuses(make_elf((struct make){.type = ET_REL}), 64, "was not linked");
    refuses(make_elf((struct make){.type = ET_CORE}), 64, "core dump");
    refuses(make_elf((struct make){.type = 0x1234}), 64, "unknown type 4660");
    struct make k = two_segments(MAKE_RAM + MIB);
    k.seg[1].type = PT_INTERP;
    refuses(make_elf(k), 64, "program for an operating system");
    struct buf big = make_elf((struct make){0});
    big.data[EI_DATA] = ELFDATA2MSB;
    for (unsigned at = 16; at < 64; at += 2) { /* the fields that are read, as a big-endian file has them */
        uint8_t t = big.data[at];
        big.data[at] = big.data[at + 1];
        big.data[at + 1] = t;
    }
    refuses(big, 64, "big-endian");
}

static void refuses_segments_outside_ram_or_on_each_other(void **state)
{
    (void)state;
    refuses(make_elf(two_segments(0x1000)), 64, "segment 1 needs 0x1000 bytes from 0x1000, RAM is 0x80000000..0x84000000");
    refuses(make_elf(two_segments(MAKE_RAM + RAM_SIZE - 64)), 64, "does not fit");
    refuses(make_elf(two_segments(UINT64_MAX - 100)), 64, "does not fit");
    refuses(make_elf(two_segments(MAKE_RAM + 0xfff)), 64,
            "its segments 0 (0x80000000..0x80001000) and 1 (0x80000fff..0x80001fff) overlap");
    struct make k = two_segments(MAKE_RAM + MIB);
    k.seg[1].filesz = 5000;
    refuses(make_elf(k), 64, "more bytes in the file (0x1388) than in memory (0x1000)");
    k = two_segments(MAKE_RAM + MIB);
    k.seg[1].memsz = UINT64_MAX;
    refuses(make_elf(k), 64, "does not fit");
}

static void refuses_an_entry_outside_the_segments(void **state)
{
    (void)state;
    refuses(make_elf((struct make){.entry = MAKE_RAM + 4096}), 64, "its entry point 0x80001000 is in none of its segments");
    refuses(make_elf((struct make){.entry = MAKE_RAM + 1}), 64, "is odd");
}

static void refuses_elf_with_nothing_to_load(void **state)
{
    (void)state;
    struct make k = two_segments(MAKE_RAM + MIB);
    k.seg[0].type = k.seg[1].type = PT_NOTE;
    refuses(make_elf(k), 64, "without a PT_LOAD segment");
    struct buf b = make_elf((struct make){0});
    b.data[56] = b.data[57] = 0; /* e_phnum */
    refuses(b, 64, "without program headers");
    b = make_elf((struct make){0});
    b.data[54] = 55; /* e_phentsize */
    refuses(b, 64, "a program header has 55 bytes instead of 56");
    k = (struct make){.entry = MAKE_RAM, .nseg = 66};
    for (unsigned i = 0; i < 66; i++) {
        k.seg[i].va = k.seg[i].pa = MAKE_RAM + i * 0x100;
        k.seg[i].filesz = k.seg[i].memsz = 16;
    }
    refuses(make_elf(k), 64, "more than 64 segments");
}

/* Every proper beginning of an image is refused, until only bytes that no segment has are missing. */
static void refuses_elf_cut_off_anywhere(void **state)
{
    (void)state;
    for (unsigned n = 4; n < MAKE_CODE + 64; n += n < 200 || n > MAKE_CODE - 8 ? 1 : 97) {
        struct buf b = make_elf((struct make){.symbol = "main"});
        b.len = n;
        refuses(b, 64, "truncated");
    }
    struct image i;
    struct err e;
    struct buf b = make_elf((struct make){.symbol = "main"});
    b.len -= 100; /* within the symbol table: fewer names, but it runs */
    struct symbols s = {0};
    struct mem *m = load(b, 64, &s, &i, &e);
    assert_non_null(m);
    symbols_free(&s);
    mem_free(m);
}

/* ---- symbols -------------------------------------------------------------------------------------------------------------- */

static void symbols_are_found_by_name_and_by_address(void **state)
{
    (void)state;
    struct symbols s = {0};
    assert_null(symbols_find(&s, "main"));
    assert_null(symbols_at(&s, 0));
    symbols_add(&s, "main", 0x100, 0x10, false);
    symbols_add(&s, "edge", 0x110, 0, false);
    symbols_add(&s, "low", 0x40, 0x8, false);
    symbols_add(&s, "alias", 0x100, 0, false);
    symbols_add(&s, "number", 0x20, 0, true);
    symbols_add(&s, "inside", 0x108, 0, true);
    symbols_sort(&s);
    assert_int_equal(symbols_find(&s, "main")->value, 0x100);
    assert_null(symbols_find(&s, "mai"));
    assert_null(symbols_at(&s, 0x3f));
    assert_string_equal(symbols_at(&s, 0x47)->name, "low");
    assert_null(symbols_at(&s, 0x48));
    assert_string_equal(symbols_at(&s, 0x10f)->name, "main");
    assert_null(symbols_at(&s, 0x21)); /* nothing lies behind a number */
    assert_string_equal(symbols_at(&s, 0x20)->name, "number");
    assert_string_equal(symbols_at(&s, 0x108)->name, "inside");
    assert_string_equal(symbols_at(&s, 0x9999)->name, "edge");
    symbols_free(&s);
}

static void elf_symbols_are_collected(void **state)
{
    (void)state;
    struct symbols s = {0};
    struct image i;
    struct err e;
    struct mem *m = load(make_elf((struct make){.symbol = "tohost"}), 64, &s, &i, &e);
    assert_non_null(m);
    symbols_sort(&s);
    assert_int_equal(s.count, 1);
    assert_int_equal(symbols_find(&s, "tohost")->value, MAKE_RAM + 4);
    symbols_free(&s);
    mem_free(m);
}

/* ---- other formats -------------------------------------------------------------------------------------------------------- */

static struct buf linux_image(uint64_t text_offset, uint64_t image_size, size_t bytes)
{
    struct buf b = {0};
    uint8_t h[64] = {0x13, 0, 0, 0};
    memcpy(h + 8, &text_offset, 8);
    memcpy(h + 16, &image_size, 8);
    memcpy(h + 48, "RISCV\0\0\0RSC\005", 12);
    buf_put(&b, h, sizeof h);
    while (b.len < bytes)
        buf_put_u8(&b, 0xaa);
    return b;
}

static void linux_image_goes_to_its_text_offset_and_owns_its_size(void **state)
{
    (void)state;
    struct image i;
    struct err e;
    struct mem *m = load(linux_image(2 * MIB, 3 * MIB, 5000), 64, NULL, &i, &e);
    assert_non_null(m);
    assert_int_equal(i.kind, IMAGE_LINUX);
    assert_int_equal(i.entry, MAKE_RAM + 2 * MIB);
    assert_int_equal(i.end, MAKE_RAM + 5 * MIB);
    assert_int_equal(peek(m, MAKE_RAM + 2 * MIB + 4999, 2), 0xaa);
    mem_free(m);
    refuses(linux_image(2 * MIB, 63 * MIB, 5000), 64, "does not fit: the Linux image needs 0x3f00000 bytes");
    refuses(linux_image(UINT64_MAX - 5, MIB, 5000), 64, "text_offset");
    refuses(linux_image(2 * MIB, UINT64_MAX - 5, 5000), 64, "does not fit");
}

static struct buf gzip(struct buf b)
{
    z_stream z = {0};
    struct buf out = {.data = malloc(b.len + 1000), .len = 0, .cap = b.len + 1000};
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = b.data;
    z.avail_in = (uInt)b.len;
    z.next_out = out.data;
    z.avail_out = (uInt)out.cap;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    out.len = out.cap - z.avail_out;
    deflateEnd(&z);
    buf_free(&b);
    return out;
}

static void gzip_is_unpacked_first(void **state)
{
    (void)state;
    struct image i;
    struct err e;
    struct mem *m = load(gzip(linux_image(2 * MIB, 3 * MIB, 5000)), 64, NULL, &i, &e);
    assert_non_null(m);
    assert_int_equal(i.kind, IMAGE_LINUX);
    mem_free(m);
    m = load(gzip(make_elf((struct make){0})), 64, NULL, &i, &e);
    assert_non_null(m);
    assert_int_equal(i.kind, IMAGE_ELF);
    mem_free(m);
}

static void refuses_gzip_cut_off_or_damaged(void **state)
{
    (void)state;
    size_t whole = SIZE_MAX;
    for (size_t n = 2; n < whole; n++) {
        struct buf b = gzip(linux_image(2 * MIB, 3 * MIB, 5000));
        whole = b.len;
        b.len = n;
        refuses(b, 64, "gzip data ends early");
    }
    struct buf b = gzip(linux_image(2 * MIB, 3 * MIB, 5000));
    b.data[b.len - 6] ^= 1; /* the checksum */
    refuses(b, 64, "gzip data is damaged");
}

static void refuses_gzip_that_unpacks_without_end(void **state)
{
    (void)state;
    struct buf b = {0};
    struct err e;
    for (unsigned i = 0; i < 3 * MIB / 8; i++)
        buf_put_u64(&b, 0);
    b = gzip(b);
    assert_false(image_unpack("x.gz", &b, 2 * MIB, &e));
    assert_non_null(strstr(e.text, "x.gz unpacks to more than the 2 MiB of RAM"));
    buf_free(&b);
}

static void raw_bytes_go_to_the_place_given(void **state)
{
    (void)state;
    struct buf b = {0};
    struct image i;
    struct err e;
    buf_put_u64(&b, 0x1122334455667788);
    struct mem *m = load(b, 64, NULL, &i, &e);
    assert_non_null(m);
    assert_int_equal(peek(m, MAKE_RAM + 2 * MIB, 8), 0x1122334455667788);
    assert_int_equal(i.end, MAKE_RAM + 2 * MIB + 8);
    mem_free(m);
    b = (struct buf){.data = calloc(1, RAM_SIZE), .len = RAM_SIZE - 2 * MIB + 1, .cap = RAM_SIZE};
    refuses(b, 64, "does not fit: the raw image needs 0x3e00001 bytes from 0x80200000, RAM is 0x80000000..0x84000000 (64 MiB");
}

static void names_foreign_kernels(void **state)
{
    (void)state;
    struct buf b = {0};
    buf_put(&b, "MZ", 2);
    while (b.len < 0x300)
        buf_put_u8(&b, 0);
    memcpy(b.data + 56, "ARM\x64", 4);
    refuses(b, 64, "is an AArch64 Linux image; this machine is RISC-V");
    b = (struct buf){0};
    while (b.len < 0x300)
        buf_put_u8(&b, 0);
    memcpy(b.data + 0x202, "HdrS", 4);
    refuses(b, 64, "is an x86 Linux image");
}

/* ---- a boot --------------------------------------------------------------------------------------------------------------- */

static char folder[] = "/tmp/loader.XXXXXX";

static const char *file(const char *name, struct buf b)
{
    static char path[8][64];
    static unsigned at;
    char *p = path[at++ % 8];
    snprintf(p, sizeof path[0], "%s/%s", folder, name);
    FILE *f = fopen(p, "wb");
    assert_non_null(f);
    if (b.len)
        assert_int_equal(fwrite(b.data, 1, b.len, f), b.len);
    fclose(f);
    buf_free(&b);
    return p;
}

static struct buf bytes(size_t n)
{
    struct buf b = {0};
    while (b.len < n)
        buf_put_u8(&b, (uint8_t)(b.len + 1));
    return b;
}

struct boot_world {
    struct mem *mem;
    struct cpu_kind *kind;
    struct fdt_board board;
    struct loader_config c;
    struct loader l;
    struct err e;
};

static void boot_world(struct boot_world *w, unsigned xlen, uint64_t ram)
{
    *w = (struct boot_world){.mem = world(ram)};
    w->kind = riscv_arch.kind_new(&(struct cpu_choice){.text = xlen == 32 ? "rv32" : "rv64", .tick_cycles = 1}, &w->e);
    assert_non_null(w->kind);
    w->board = (struct fdt_board){
        .tree = fdt_virt, .kind = w->kind, .harts = 2, .ram_base = MAKE_RAM, .ram_size = ram, .tick_hz = 10000000};
    w->c = (struct loader_config){.boot = boot_virt, .mem = w->mem, .board = &w->board, .rom_base = 0x1000, .rom_size = 0x1000};
}

static void boot_end(struct boot_world *w)
{
    loader_free(&w->l);
    riscv_arch.kind_free(w->kind);
    mem_free(w->mem);
}

static void boot_puts_kernel_behind_firmware_and_initrd_behind_kernel(void **state)
{
    (void)state;
    struct boot_world w;
    boot_world(&w, 64, RAM_SIZE);
    w.c.bios = file("bios", bytes(100000));
    w.c.kernel = file("kernel", bytes(5000));
    w.c.initrd = file("initrd", bytes(7001));
    w.c.append = "console=ttyS0";
    assert_true(loader_boot(&w.c, &w.l, &w.e));
    assert_int_equal(w.l.start, MAKE_RAM);
    assert_int_equal(w.l.kernel.entry, MAKE_RAM + 2 * MIB);
    assert_int_equal(w.l.initrd_start, MAKE_RAM + 2 * MIB + RAM_SIZE / 2);
    assert_int_equal(w.l.initrd_end - w.l.initrd_start, 7001);
    assert_int_equal(peek(w.mem, w.l.initrd_start, 2), 0x0201);
    assert_int_equal(w.l.dtb_start, MAKE_RAM + RAM_SIZE - 2 * MIB);
    assert_int_equal(peek(w.mem, w.l.dtb_start, 4), 0xedfe0dd0);
    int chosen = fdt_path_offset(w.l.dtb.data, "/chosen");
    assert_string_equal(fdt_getprop(w.l.dtb.data, chosen, "bootargs", NULL), "console=ttyS0");
    const fdt64_t *start = fdt_getprop(w.l.dtb.data, chosen, "linux,initrd-start", NULL);
    assert_int_equal(fdt64_ld(start), w.l.initrd_start);
    boot_end(&w);
}

static void kernel_goes_to_4_mib_on_rv32(void **state)
{
    (void)state;
    struct boot_world w;
    boot_world(&w, 32, RAM_SIZE);
    w.c.bios = file("bios", bytes(100000));
    w.c.kernel = file("kernel", bytes(5000));
    assert_true(loader_boot(&w.c, &w.l, &w.e));
    assert_int_equal(w.l.kernel.entry, MAKE_RAM + 4 * MIB);
    assert_int_equal(peek(w.mem, 0x100c, 4), 0x0202a583);         /* lw a1, 32(t0) */
    assert_int_equal(peek(w.mem, 0x1028, 4), 0x4942534f);         /* magic */
    assert_int_equal(peek(w.mem, 0x1030, 4), MAKE_RAM + 4 * MIB); /* next_addr */
    boot_end(&w);
}

static void reset_code_enters_firmware_with_tree_and_next_stage(void **state)
{
    (void)state;
    static const uint32_t code[] = {0x00000297, 0x02828613, 0xf1402573, 0x0202b583, 0x0182b283, 0x00028067};
    struct boot_world w;
    boot_world(&w, 64, RAM_SIZE);
    w.c.bios = file("bios", bytes(100000));
    w.c.kernel = file("kernel", bytes(5000));
    assert_true(loader_boot(&w.c, &w.l, &w.e));
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(peek(w.mem, 0x1000 + 4 * i, 4), code[i]);
    const uint64_t data[] = {MAKE_RAM, w.l.dtb_start, 0x4942534f, 2, MAKE_RAM + 2 * MIB, 1, 0, 0};
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(peek(w.mem, 0x1018 + 8 * i, 8), data[i]);
    boot_end(&w);
}

static void bare_metal_elf_starts_at_its_entry_and_tells_htif(void **state)
{
    (void)state;
    struct boot_world w;
    boot_world(&w, 64, RAM_SIZE);
    w.c.kernel = file("rom.elf", make_elf((struct make){.symbol = "tohost"}));
    assert_true(loader_boot(&w.c, &w.l, &w.e));
    assert_int_equal(w.l.start, MAKE_RAM);
    assert_int_equal(w.l.tohost, MAKE_RAM + 4);
    assert_int_equal(w.l.fromhost, 0);
    boot_end(&w);
    boot_world(&w, 64, RAM_SIZE);
    w.c.bios = file("fw.elf", make_elf((struct make){.symbol = "tohost"}));
    assert_true(loader_boot(&w.c, &w.l, &w.e));
    assert_int_equal(w.l.tohost, 0); /* firmware's own symbols are no sign of HTIF here */
    boot_end(&w);
}

static void equal_boots_have_equal_digests(void **state)
{
    (void)state;
    uint64_t digest[3];
    for (unsigned i = 0; i < 3; i++) {
        struct boot_world w;
        boot_world(&w, 64, RAM_SIZE);
        w.c.kernel = file("kernel", bytes(5000));
        w.c.append = i == 2 ? "b" : "a";
        assert_true(loader_boot(&w.c, &w.l, &w.e));
        digest[i] = w.l.digest;
        boot_end(&w);
    }
    assert_int_equal(digest[0], digest[1]);
    assert_int_not_equal(digest[0], digest[2]);
}

/* Fails with a sentence that has all these words. */
static void boot_fails(struct boot_world *w, const char *name, const char *reason)
{
    assert_false(loader_boot(&w->c, &w->l, &w->e));
    if (!strstr(w->e.text, name) || !strstr(w->e.text, reason))
        fail_msg("'%s' does not say '%s' and '%s'", w->e.text, name, reason);
    assert_null(w->l.dtb.data);
    boot_end(w);
}

static void boot_failures_name_file_and_reason(void **state)
{
    (void)state;
    struct boot_world w;
    boot_world(&w, 64, RAM_SIZE);
    w.c.kernel = "/nonexistent/kernel";
    boot_fails(&w, "/nonexistent/kernel", "No such file");
    boot_world(&w, 64, RAM_SIZE);
    w.c.kernel = "/tmp";
    boot_fails(&w, "/tmp", "is a directory");
    boot_world(&w, 64, RAM_SIZE);
    w.c.kernel = "/dev/zero";
    boot_fails(&w, "/dev/zero", "neither a file nor a pipe");
    boot_world(&w, 64, RAM_SIZE);
    w.c.kernel = file("empty", (struct buf){0});
    boot_fails(&w, "/empty", "is empty");
    boot_world(&w, 64, RAM_SIZE);
    w.c.initrd = file("initrd", bytes(10));
    boot_fails(&w, "/initrd", "needs a kernel");
    boot_world(&w, 64, RAM_SIZE);
    w.c.kernel = file("kernel", bytes(10));
    w.c.initrd = file("initrd", bytes(RAM_SIZE));
    boot_fails(&w, "/initrd", "does not fit");
    boot_world(&w, 64, RAM_SIZE);
    w.c.kernel = file("kernel", bytes(10));
    w.c.dtb = file("tree", bytes(100));
    boot_fails(&w, "/tree", "not a usable device tree");
    boot_world(&w, 64, RAM_SIZE);
    w.c.bios = file("bios", bytes(10));
    w.c.kernel = file("kernel.elf", make_elf((struct make){0})); /* linked to where the firmware is */
    boot_fails(&w, "/kernel.elf", "overlap in memory");
}

static void small_ram_still_boots_and_tight_ram_is_refused(void **state)
{
    (void)state;
    struct boot_world w;
    boot_world(&w, 64, MIB);
    w.c.kernel = file("kernel", bytes(1000));
    assert_true(loader_boot(&w.c, &w.l, &w.e));
    assert_true(w.l.dtb_start + w.l.dtb.len <= MAKE_RAM + MIB && w.l.dtb_start >= MAKE_RAM + 1000);
    boot_end(&w);
    boot_world(&w, 64, MIB);
    w.c.kernel = file("kernel", bytes(MIB - 100));
    boot_fails(&w, "the device tree", "leave no room");
}

static void more_than_3_gib_keeps_the_tree_in_reach(void **state)
{
    (void)state;
    struct boot_world w;
    boot_world(&w, 64, UINT64_C(4) << 30);
    w.c.kernel = file("kernel", bytes(1000));
    w.c.initrd = file("initrd", bytes(1000));
    assert_true(loader_boot(&w.c, &w.l, &w.e));
    assert_int_equal(w.l.dtb_start, 3072 * MIB - 2 * MIB);
    assert_int_equal(w.l.initrd_start, MAKE_RAM + 512 * MIB);
    boot_end(&w);
}

static void a_tree_from_a_file_gets_the_command_line(void **state)
{
    (void)state;
    struct boot_world w;
    boot_world(&w, 64, RAM_SIZE);
    w.c.kernel = file("kernel", bytes(1000));
    assert_true(loader_boot(&w.c, &w.l, &w.e));
    struct buf tree = {0};
    buf_put(&tree, w.l.dtb.data, w.l.dtb.len);
    buf_put_u64(&tree, 0); /* bytes behind the tree do no harm */
    boot_end(&w);
    boot_world(&w, 64, RAM_SIZE);
    w.c.kernel = file("kernel", bytes(1000));
    w.c.dtb = file("tree", tree);
    w.c.append = "quiet";
    assert_true(loader_boot(&w.c, &w.l, &w.e));
    assert_string_equal(fdt_getprop(w.l.dtb.data, fdt_path_offset(w.l.dtb.data, "/chosen"), "bootargs", NULL), "quiet");
    boot_end(&w);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    char command[64];
    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loads_elf64_segments_and_clears_what_follows_them),
        cmocka_unit_test(clears_bss_that_held_something),
        cmocka_unit_test(a_large_bss_costs_no_memory),
        cmocka_unit_test(entry_is_turned_from_virtual_to_physical),
        cmocka_unit_test(position_independent_elf_outside_ram_is_moved_into_it),
        cmocka_unit_test(loads_elf32_on_rv32),
        cmocka_unit_test(refuses_the_wrong_class_machine_endianness_and_type),
        cmocka_unit_test(refuses_segments_outside_ram_or_on_each_other),
        cmocka_unit_test(refuses_an_entry_outside_the_segments),
        cmocka_unit_test(refuses_elf_with_nothing_to_load),
        cmocka_unit_test(refuses_elf_cut_off_anywhere),
        cmocka_unit_test(symbols_are_found_by_name_and_by_address),
        cmocka_unit_test(elf_symbols_are_collected),
        cmocka_unit_test(linux_image_goes_to_its_text_offset_and_owns_its_size),
        cmocka_unit_test(gzip_is_unpacked_first),
        cmocka_unit_test(refuses_gzip_cut_off_or_damaged),
        cmocka_unit_test(refuses_gzip_that_unpacks_without_end),
        cmocka_unit_test(raw_bytes_go_to_the_place_given),
        cmocka_unit_test(names_foreign_kernels),
        cmocka_unit_test(boot_puts_kernel_behind_firmware_and_initrd_behind_kernel),
        cmocka_unit_test(kernel_goes_to_4_mib_on_rv32),
        cmocka_unit_test(reset_code_enters_firmware_with_tree_and_next_stage),
        cmocka_unit_test(bare_metal_elf_starts_at_its_entry_and_tells_htif),
        cmocka_unit_test(equal_boots_have_equal_digests),
        cmocka_unit_test(boot_failures_name_file_and_reason),
        cmocka_unit_test(small_ram_still_boots_and_tight_ram_is_refused),
        cmocka_unit_test(more_than_3_gib_keeps_the_tree_in_reach),
        cmocka_unit_test(a_tree_from_a_file_gets_the_command_line),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
