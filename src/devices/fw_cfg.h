/* Items of the firmware configuration device: added by the machine before the run, kept across resets. */
#ifndef TL_DEVICES_FW_CFG_H
#define TL_DEVICES_FW_CFG_H
#include "devices/devices.h"

#define FW_CFG_ITEMS    32u
#define FW_CFG_NAME_MAX 55u   /* bytes in a file's name */
#define FW_CFG_FILES    0x20u /* the key of the first file; others follow in the order they were added */

/*
 * Adds a file: `size` bytes of the device's backing store (host->disk_read) from byte `off` on. False: no room, the name is empty
 * or too long, or it exists. d is a fw_cfg device.
 */
bool fw_cfg_add_file(struct device *d, const char *name, uint64_t off, uint32_t size);

/* Adds item `key` (below FW_CFG_FILES) with `size` bytes of the backing store from `off` on. False: no room, or it exists. */
bool fw_cfg_add_item(struct device *d, uint16_t key, uint64_t off, uint32_t size);

/* Adds item `key` (below FW_CFG_FILES) whose contents are the low `size` bytes (1..8) of value, little-endian. */
bool fw_cfg_add_value(struct device *d, uint16_t key, uint64_t value, uint32_t size);
#endif
