/*
 * Network card without offloads (virtio 1.2, section 5.1). Queue 0 receives, queue 1 transmits; each frame has a 12-byte header
 * in front: all zero, but num_buffers (offset 10) is 1 on receive.
 *
 * Features 5 VIRTIO_NET_F_MAC, 16 VIRTIO_NET_F_STATUS. Configuration: 0 mac[6], 6 status u16 (bit 0: link up).
 * d->arg is the address with its first byte in bits 47:40; 0: 52:54:00:12:34:56.
 *
 * ops->input takes one whole frame a call; a frame that is longer than FRAME_MAX or than the guest's buffer is dropped, and one
 * without a waiting buffer is refused (0), to be offered again.
 */
#include "devices/virtio.h"

#define FRAME_MAX   2048u
#define MAC_DEFAULT UINT64_C(0x525400123456)
#define F_MAC       (UINT64_C(1) << 5)
#define F_STATUS    (UINT64_C(1) << 16)
enum { QUEUE_RX = 0, QUEUE_TX = 1, HEADER = 12, NUM_BUFFERS = 10, CONFIG_SIZE = 8 };

static uint64_t net_features(struct device *d)
{
    (void)d;
    return F_MAC | F_STATUS;
}

static void net_config(struct device *d, uint8_t *config)
{
    uint64_t mac = d->arg ? d->arg : MAC_DEFAULT;
    for (unsigned i = 0; i < 6; i++)
        config[i] = (uint8_t)(mac >> (40 - 8 * i));
    virtio_store(config + 6, 2, 1);
}

static void transmit(struct device *d, unsigned q, struct virtio_chain *c)
{
    uint8_t buf[HEADER + FRAME_MAX];
    (void)q;
    if (c->out_len <= HEADER || c->out_len > sizeof buf)
        return; /* no frame, or longer than the medium takes: dropped */
    size_t n = virtio_get(d, c, buf, sizeof buf);
    if (n == c->out_len)
        device_output(d, buf + HEADER, n - HEADER);
}

static size_t receive(struct device *d, const void *p, size_t n)
{
    uint8_t header[HEADER] = {0};
    struct virtio_chain c;
    if (!n || n > FRAME_MAX)
        return n;
    if (!virtio_pop(d, QUEUE_RX, &c))
        return 0;
    if (c.in_len < HEADER + n) {
        virtio_unpop(d, QUEUE_RX);
        return n;
    }
    virtio_store(header + NUM_BUFFERS, 2, 1);
    if (virtio_put(d, &c, header, sizeof header))
        virtio_put(d, &c, p, n);
    virtio_push(d, QUEUE_RX, &c);
    virtio_flush(d, QUEUE_RX);
    return n;
}

static const struct virtio_backend virtio_net_backend = {
    .id = 1,
    .queues = 2,
    .config_size = CONFIG_SIZE,
    .features = net_features,
    .config = net_config,
    .request = transmit,
    .serves = 1 << QUEUE_TX,
};

VIRTIO_DEVICE(virtio_net, receive);
