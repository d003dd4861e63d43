#include "devices/devices.h"
#include "base/bits.h"
#include <string.h>

#define DEVICE(name, title) const char name##_title[] = title;
#include "devices/devices.def"
#undef DEVICE

static const struct device_ops *const table[] = {
#define DEVICE(name, title) &name##_ops,
#include "devices/devices.def"
#undef DEVICE
};

const struct device_ops *device_list(size_t i) { return i < ARRAY_LEN(table) ? table[i] : NULL; }

const struct device_ops *device_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (!strcmp(table[i]->name, name))
            return table[i];
    return NULL;
}
