/*
 * Entropy source (virtio 1.2, section 5.4): queue 0 takes buffers and fills them from the machine's seeded generator, so a run
 * with the same seed gets the same bytes. A request gets at most RNG_MOST bytes; the driver asks again.
 */
#include "devices/virtio.h"

#define RNG_MOST 4096u

static void fill(struct device *d, unsigned q, struct virtio_chain *c)
{
    (void)q;
    while (c->written < c->in_len && c->written < RNG_MOST) {
        uint8_t b[8];
        virtio_store(b, 8, d->host->rng(d));
        if (!virtio_put(d, c, b, sizeof b))
            break;
    }
}

static const struct virtio_backend virtio_rng_backend = {.id = 4, .queues = 1, .request = fill, .serves = 1};

VIRTIO_DEVICE(virtio_rng, NULL);
