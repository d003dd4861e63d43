/*
 * Any bytes as an image or a device tree: loaded or refused with a sentence, never a crash, a hang or memory without end.
 * seconds: 60
 */
#include "machine/fdt.h"
#include "machine/image.h"
#include <stdlib.h>
#include <string.h>

#define RAM      UINT64_C(0x80000000)
#define RAM_SIZE (UINT64_C(8) << 20)

static const struct cpu_kind kinds[2] = {{.arch = &riscv_arch, .name = "rv64", .bits = 64},
                                         {.arch = &riscv_arch, .name = "rv32", .bits = 32}};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first byte chooses: bit 0 the width of the cpu, bit 1 a device tree instead of an image. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size)
        return 0;
    struct err e = {""};
    struct symbols symbols = {0};
    struct buf b = {0};
    struct image out;
    struct mem *m = mem_new();
    if (!mem_add_ram(m, "ram", RAM, RAM_SIZE, false, &e))
        abort();
    buf_put(&b, data + 1, size - 1);
    bool ok;
    if (data[0] & 2) {
        struct fdt_chosen chosen = {"console=ttyS0", RAM, RAM + 4096};
        ok = fdt_check("x.dtb", &b, &e) && fdt_patch("x.dtb", &b, &chosen, &e);
    } else {
        struct image_place place = {.mem = m,
                                    .ram_base = RAM,
                                    .ram_size = RAM_SIZE,
                                    .kind = &kinds[data[0] & 1],
                                    .address = RAM + (2 << 20),
                                    .symbols = &symbols};
        ok = image_load("x.img", &b, &place, &out, &e);
        if (ok && (out.start < RAM || out.end > RAM + RAM_SIZE || out.entry < out.start || out.entry >= out.end))
            abort();
        symbols_sort(&symbols);
        symbols_find(&symbols, "tohost");
        symbols_at(&symbols, RAM);
    }
    /* A refusal says which file. */
    if (!ok && !strstr(e.text, "x."))
        abort();
    symbols_free(&symbols);
    buf_free(&b);
    mem_free(m);
    return 0;
}
