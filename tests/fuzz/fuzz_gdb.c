/* Any bytes as what a GDB sends: no packet crashes the server or makes it stop answering. */
#include "debug/gdb_internal.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_send(void *ctx, const void *p, size_t n)
{
    const uint8_t *b = p;
    size_t *sent = ctx;
    *sent += n;
    if (n > 1 && (b[0] != '$' || b[n - 3] != '#'))
        abort();
}

/* One small machine for all inputs. */
static struct machine *guest(void)
{
    static struct machine *first;
    struct err e;
    if (!first)
        first = machine_new(
            &(struct machine_config){.kernel = TL_SOURCE_DIR "/roms/journey.elf", .bios = "none", .harts = 2, .ram = 2 << 20},
            &e);
    if (!first)
        abort();
    return machine_fork(first);
}

static void packet(struct gdb *g, const uint8_t *p, size_t n)
{
    struct gdb_link l = {0};
    gdb_link_packet(&l, p, n);
    gdb_receive(g, l.out.data, l.out.len);
    gdb_link_free(&l);
}

/* The first byte chooses: 0 a stream as it is, else lines that become packets with right checksums. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t sent = 0;
    if (!size)
        return 0;
    struct machine *m = guest();
    struct gdb *g = gdb_new(m, &(struct gdb_host){.ctx = &sent, .send = on_send});
    const uint8_t *p = data + 1, *end = data + size;
    if (!data[0])
        gdb_receive(g, p, (size_t)(end - p));
    for (unsigned i = 0; data[0] && p < end && i < 40; i++) {
        const uint8_t *line = memchr(p, '\n', (size_t)(end - p));
        size_t n = line ? (size_t)(line - p) : (size_t)(end - p);
        packet(g, p, n);
        gdb_go(g, 2000);
        gdb_receive(g, "\x03", 1);
        gdb_go(g, 2000);
        p += n + 1;
    }
    gdb_connect(g);
    size_t before = sent;
    gdb_receive(g, "$qC#b4", 6);
    if (gdb_state(g) != GDB_STOPPED || sent == before)
        abort();
    gdb_free(g);
    machine_free(m);
    return 0;
}
