/* The table of all devices, made from devices.def. */
#ifndef TL_DEVICES_DEVICES_H
#define TL_DEVICES_DEVICES_H
#include "mem/device.h"

#define DEVICE(name, title)                    \
    extern const struct device_ops name##_ops; \
    extern const char name##_title[];
#include "devices/devices.def"
#undef DEVICE

/* The first line of a device's ops: name and title as its row in devices.def says. */
#define DEVICE_ROW(row) .name = #row, .title = row##_title

/* Most harts a device keeps state for; a device ignores harts beyond it. */
#define DEVICES_HARTS_MAX 32u

/* The device called `name` ("ns16550"), or NULL. */
const struct device_ops *device_find(const char *name);

/* Device number i (0, 1, ...) in the order of devices.def, or NULL past the last. */
const struct device_ops *device_list(size_t i);
#endif
