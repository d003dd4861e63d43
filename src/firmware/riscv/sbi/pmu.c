/* The counts of firmware events (SBI v3.0, chapter PMU). */
#include "fw.h"

void pmu_count(struct hart *h, uint code)
{
    for (uint i = 0; i < PMU_FW_COUNTERS; i++)
        if ((h->pmu_started >> i & 1) && h->pmu_fw_event[i] == code)
            h->pmu_fw_value[i]++;
}
