#include "common/bench_start.S"
