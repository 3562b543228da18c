// SPDX-License-Identifier: Apache-2.0
//
// usage: mutations [--mutations=N] [--seed=S] [CORPUS]
//
// Prints for each file of the corpus how many inputs were tried, and the worst of them.
#include <cstdio>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "tenfold/tests/fuzz/mutations.h"

int main(int argc, char** argv) {
  using namespace tenfold::fuzz;
  MutationOptions options;
  options.mutations = 10'000;
  options.findings = ".";
  std::string corpus = "tests/fuzz/corpus";
  for (int i = 1; i < argc; ++i) {
    absl::string_view argument = argv[i];
    bool good = true;
    if (absl::ConsumePrefix(&argument, "--mutations=")) {
      good = absl::SimpleAtoi(argument, &options.mutations);
    } else if (absl::ConsumePrefix(&argument, "--seed=")) {
      good = absl::SimpleAtoi(argument, &options.seed);
    } else {
      corpus = std::string(argument);
      good = argument[0] != '-';
    }
    if (!good) {
      std::fprintf(stderr, "usage: mutations [--mutations=N] [--seed=S] [CORPUS]\n");
      return 2;
    }
  }
  int64_t inputs = 0, growth = 0;
  double seconds = 0;
  int files = 0, valid = 0, findings = 0;
  std::printf("%-28s %7s %10s %14s %12s\n", "file", "bytes", "inputs", "slowest, ms", "growth, MiB");
  for (const std::string& file : FilesOf(corpus)) {
    const FileReport r = MutateFile(corpus, file, options);
    const bool is_valid = IsValid(corpus, file);
    std::printf("%-28s %7ld %10ld %14.2f %12.2f%s%s\n", file.c_str(), r.bytes, r.inputs,
                r.slowest_seconds * 1e3, static_cast<double>(r.largest_growth) / (1 << 20),
                r.finding.empty() ? "" : "  FOUND: ", r.finding.c_str());
    std::fflush(stdout);
    inputs += r.inputs;
    growth = std::max(growth, r.largest_growth);
    seconds = std::max(seconds, r.slowest_seconds);
    ++files;
    valid += is_valid;
    findings += !r.finding.empty();
  }
  std::printf(
      "%d files, %d of them valid; %ld inputs; the slowest took %.2f ms, the largest %.2f MiB; %d found\n",
      files, valid, inputs, seconds * 1e3, static_cast<double>(growth) / (1 << 20), findings);
  return findings == 0 ? 0 : 1;
}
