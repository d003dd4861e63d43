/*
 * Console with one port (virtio 1.2, section 5.3). Queue 0 receives what the host types, queue 1 transmits.
 *
 * Feature 2 VIRTIO_CONSOLE_F_EMERG_WRITE. Configuration: 0 cols u16, 2 rows u16, 4 max_nr_ports u32, 8 emerg_wr u32 (a write
 * sends the low byte even before the driver is set up).
 */
#include "devices/virtio.h"

enum { QUEUE_RX = 0, QUEUE_TX = 1, EMERG_WR = 8, CONFIG_SIZE = 12 };
#define F_EMERG_WRITE (UINT64_C(1) << 2)

static uint64_t console_features(struct device *d)
{
    (void)d;
    return F_EMERG_WRITE;
}

static void console_config(struct device *d, uint8_t *config)
{
    (void)d;
    virtio_store(config + 0, 2, 80);
    virtio_store(config + 2, 2, 25);
    virtio_store(config + 4, 4, 1);
}

static void emergency_write(struct device *d, uint64_t off, unsigned size, uint64_t value)
{
    uint8_t byte = (uint8_t)value;
    (void)size;
    if (off == EMERG_WR)
        device_output(d, &byte, 1);
}

static void transmit(struct device *d, unsigned q, struct virtio_chain *c)
{
    uint8_t buf[1024];
    (void)q;
    for (size_t n; (n = virtio_get(d, c, buf, sizeof buf)) != 0;)
        device_output(d, buf, n);
}

static size_t receive(struct device *d, const void *p, size_t n)
{
    struct virtio_chain c;
    size_t taken = 0;
    for (unsigned i = 0; i < VIRTIO_QUEUE_MAX && taken < n && virtio_pop(d, QUEUE_RX, &c); i++) {
        taken += virtio_put(d, &c, (const uint8_t *)p + taken, n - taken);
        virtio_push(d, QUEUE_RX, &c);
    }
    virtio_flush(d, QUEUE_RX);
    return taken;
}

static const struct virtio_backend virtio_console_backend = {
    .id = 3,
    .queues = 2,
    .config_size = CONFIG_SIZE,
    .features = console_features,
    .config = console_config,
    .config_write = emergency_write,
    .request = transmit,
    .serves = 1 << QUEUE_TX,
};

VIRTIO_DEVICE(virtio_console, receive);
