// SPDX-License-Identifier: Apache-2.0
//
// Prints a table of op x dtype: what was fed, how many executors were compared, how many elements differed.
//
//   same_bits_program [--random=10000000] [--op=Exp,Softmax] [--dtype=f32] [--threads=1,2,3,8] [--seed=1]
//
// Exit status: 0 same bits everywhere, 1 a mismatch or an error, 2 wrong usage.
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "tenfold/tests/bits/same_bits.h"

namespace tenfold::testing {
namespace {

bool ParseFlag(absl::string_view arg, SameBitsOptions& options) {
  if (absl::ConsumePrefix(&arg, "--random=")) return absl::SimpleAtoi(arg, &options.random_elements);
  if (absl::ConsumePrefix(&arg, "--seed=")) return absl::SimpleAtoi(arg, &options.seed);
  if (absl::ConsumePrefix(&arg, "--op=")) return options.ops = absl::StrSplit(arg, ','), true;
  if (absl::ConsumePrefix(&arg, "--dtype=")) return options.dtypes = absl::StrSplit(arg, ','), true;
  if (!absl::ConsumePrefix(&arg, "--threads=")) return false;
  options.threads.clear();
  for (absl::string_view text : absl::StrSplit(arg, ',')) {
    int threads = 0;
    if (!absl::SimpleAtoi(text, &threads) || threads < 1) return false;
    options.threads.push_back(threads);
  }
  return true;
}

double Seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

int Main(int argc, char** argv) {
  SameBitsOptions options;
  for (int i = 1; i < argc; ++i) {
    if (ParseFlag(argv[i], options)) continue;
    std::fprintf(stderr,
                 "usage: %s [--random=N] [--op=A,B] [--dtype=f32,i8] [--threads=1,2,3,8] [--seed=N]\n",
                 argv[0]);
    return 2;
  }
  std::printf("%-20s %-5s %9s %11s %10s %15s %11s %8s\n", "op", "dtype", "special", "random", "executors",
              "compared", "mismatches", "seconds");
  int64_t mismatches = 0;
  double last = Seconds();
  const auto rows = CompareBits(options, [&](const SameBitsRow& row) {
    const double now = Seconds();
    std::printf("%-20s %-5s %9lld %11lld %10d %15lld %11lld %8.1f\n", row.op.c_str(),
                std::string(Name(row.dtype)).c_str(), static_cast<long long>(row.special),
                static_cast<long long>(row.random), row.executors, static_cast<long long>(row.results),
                static_cast<long long>(row.mismatches), now - last);
    for (const std::string& text : row.first_mismatches) std::printf("    %s\n", text.c_str());
    std::fflush(stdout);
    mismatches += row.mismatches;
    last = Seconds();
  });
  if (!rows.ok()) {
    std::fprintf(stderr, "%s\n", std::string(rows.status().message()).c_str());
    return 1;
  }
  std::printf("%zu cases, %lld mismatches\n", rows->size(), static_cast<long long>(mismatches));
  return mismatches == 0 ? 0 : 1;
}

}  // namespace
}  // namespace tenfold::testing

int main(int argc, char** argv) { return tenfold::testing::Main(argc, argv); }
