/*
 * The virtio-mmio transport with split virtqueues (Virtual I/O Device specification 1.2, sections 2 and 4.2), shared by the
 * virtio devices. A device is a const struct virtio_backend; its state is struct virtio alone.
 *
 * The guest is not trusted: whatever it puts into rings and descriptors, a request is bounded in length and time, and a mistake
 * sets DEVICE_NEEDS_RESET, after which the device does nothing until the guest resets it.
 */
#ifndef TL_DEVICES_VIRTIO_H
#define TL_DEVICES_VIRTIO_H
#include "devices/devices.h"

#define VIRTIO_MMIO_SIZE 0x1000u
#define VIRTIO_QUEUES    2u   /* most queues a device has */
#define VIRTIO_QUEUE_MAX 256u /* QueueNumMax, and the longest descriptor chain */

/* Feature bits of every device here (section 6). */
#define VIRTIO_F_INDIRECT_DESC (UINT64_C(1) << 28)
#define VIRTIO_F_EVENT_IDX     (UINT64_C(1) << 29)
#define VIRTIO_F_VERSION_1     (UINT64_C(1) << 32)

struct virtio_queue {
    uint64_t desc, driver, device; /* guest physical addresses of the three areas */
    uint32_t num;
    uint32_t ready;
    uint16_t last_avail; /* the next available entry to take */
    uint16_t used;       /* the next used entry to fill */
    uint16_t signalled;  /* `used` as the guest was last told */
    uint16_t pad;
};

struct virtio {
    uint64_t driver_features;
    uint32_t device_features_sel, driver_features_sel, queue_sel;
    uint32_t status, interrupt_status;
    uint32_t pad;
    struct virtio_queue q[VIRTIO_QUEUES];
};

/* One request: a chain of descriptors, those the device reads first. `read` and `written` are how far it got. */
struct virtio_chain {
    uint16_t head;
    unsigned out, in; /* number of device-readable and then device-writable segments */
    uint64_t out_len, in_len;
    uint64_t read, written;
    struct {
        uint64_t addr;
        uint64_t len;
    } seg[VIRTIO_QUEUE_MAX];
};

struct virtio_backend {
    uint32_t id; /* device type, section 5; 0: an empty slot */
    unsigned queues;
    unsigned config_size;
    /* Feature bits beside those every device has. NULL: none. */
    uint64_t (*features)(struct device *d);
    /* Fills the config_size bytes of the configuration space. */
    void (*config)(struct device *d, uint8_t *config);
    /* The guest wrote to the configuration space. NULL: read only. */
    void (*config_write)(struct device *d, uint64_t off, unsigned size, uint64_t value);
    /* Carries out a request of queue q. NULL: see `serves`. */
    void (*request)(struct device *d, unsigned q, struct virtio_chain *c);
    uint32_t serves; /* bit q: requests of queue q are carried out when the guest offers them; else they wait for virtio_pop() */
};

/* The MMIO functions, the event and the reset of a device: its ops call these with its backend. */
void virtio_reset(struct device *d, const struct virtio_backend *b);
bool virtio_read(struct device *d, const struct virtio_backend *b, uint64_t off, unsigned size, uint64_t *value);
bool virtio_write(struct device *d, const struct virtio_backend *b, uint64_t off, unsigned size, uint64_t value);
void virtio_event(struct device *d, const struct virtio_backend *b);
bool virtio_valid(const struct device *d);

/* True if the guest has set the device up, so that queues may be used. */
bool virtio_live(const struct virtio *v);

/* Takes the next chain of queue q; false: there is none (or the device is not live, or the ring is broken). */
bool virtio_pop(struct device *d, unsigned q, struct virtio_chain *c);
/* Puts the chain last popped from q back: the next virtio_pop takes it again. */
void virtio_unpop(struct device *d, unsigned q);
/* Returns a chain to the guest; c->written bytes were written. */
void virtio_push(struct device *d, unsigned q, const struct virtio_chain *c);
/* Makes pushed chains of q visible to the guest and interrupts it if it asked for that. Once after a series of pushes. */
void virtio_flush(struct device *d, unsigned q);

/* The next n bytes of the device-readable part; fewer at its end. Returns how many; 0 also if the memory is bad. */
size_t virtio_get(struct device *d, struct virtio_chain *c, void *p, size_t n);
/* The next n bytes of the device-writable part, likewise. */
size_t virtio_put(struct device *d, struct virtio_chain *c, const void *p, size_t n);

/* Sets DEVICE_NEEDS_RESET (section 2.1.2): the guest broke the rules. */
void virtio_break(struct device *d);
/* False once virtio_break was called. */
bool virtio_ok(const struct device *d);

/* Stores v at p as `size` little-endian bytes. */
void virtio_store(uint8_t *p, unsigned size, uint64_t v);

/* Defines <name>_ops for a backend called <name>_backend; `take` is its input function or NULL. */
#define VIRTIO_DEVICE(name, take)                                                                  \
    static void name##_reset(struct device *d) { virtio_reset(d, &name##_backend); }               \
    static bool name##_read(struct device *d, uint64_t off, unsigned size, uint64_t *value)        \
    {                                                                                              \
        return virtio_read(d, &name##_backend, off, size, value);                                  \
    }                                                                                              \
    static bool name##_write(struct device *d, uint64_t off, unsigned size, uint64_t value)        \
    {                                                                                              \
        return virtio_write(d, &name##_backend, off, size, value);                                 \
    }                                                                                              \
    static void name##_event(struct device *d, unsigned n)                                         \
    {                                                                                              \
        (void)n;                                                                                   \
        virtio_event(d, &name##_backend);                                                          \
    }                                                                                              \
    const struct device_ops name##_ops = {                                                         \
        DEVICE_ROW(name),      .mmio_size = VIRTIO_MMIO_SIZE, .state_size = sizeof(struct virtio), \
        .events = 1,           .reset = name##_reset,         .read = name##_read,                 \
        .write = name##_write, .event = name##_event,         .input = take,                       \
        .valid = virtio_valid,                                                                     \
    }
#endif
