/* Any bytes as the option of a monitor: taken or refused with a sentence; what was taken starts on a machine, or is refused. */
#include "debug/riscv/monitor.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct machine *m;
    static struct monitor o;
    struct monitor_config c = {0};
    struct err e = {""};
    char *text = malloc(size + 1);
    if (!m)
        m = machine_new(&(struct machine_config){.bios = "none", .kernel = TL_SOURCE_DIR "/roms/journey.elf"}, &e);
    if (!text || !m)
        abort();
    memcpy(text, data, size);
    text[size] = '\0';
    bool taken = monitor_parse(&c, text, &e) && monitor_start(&o, &c, m, &e);
    if (!taken && !*e.text)
        abort();
    if (taken)
        monitor_end(&o);
    free(text);
    return 0;
}
