/* Any text as an A64 configuration: refused with a sentence and nothing changed, or a configuration whose tables can be built. */
#include "csr/arm/sysreg.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct arm_regs r;
    struct arm_config c, before;
    struct err e = {""};
    char *text = malloc(size + 1);
    if (!text)
        abort();
    memcpy(text, data, size);
    text[size] = '\0';
    arm_config_default(&c);
    before = c;
    if (arm_config_parse(text, &c, &e)) {
        struct sysreg_map *map = sysreg_map_new(&c);
        sysreg_reset(map, &c, &r, 0);
        sysreg_map_free(map);
    } else if (!*e.text || memcmp(&c, &before, sizeof c)) {
        abort();
    }
    free(text);
    return 0;
}
