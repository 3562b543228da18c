// SPDX-License-Identifier: Apache-2.0
//
// All benchmarks in one run, so that ratios compare like with like. Compare the medians that these flags
// give:
//   --benchmark_repetitions=15 --benchmark_enable_random_interleaving=true
//   --benchmark_report_aggregates_only=true
#include "benchmark/benchmark.h"

BENCHMARK_MAIN();
