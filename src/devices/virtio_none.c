/* An empty virtio-mmio slot: magic, version and vendor read as always, DeviceID is 0 (virtio 1.2, 4.2.2.2), the rest 0. */
#include "devices/virtio.h"

static const struct virtio_backend virtio_none_backend = {0};

VIRTIO_DEVICE(virtio_none, NULL);
