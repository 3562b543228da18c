// SPDX-License-Identifier: Apache-2.0
//
// What a caller may ask of one run.
#ifndef TENFOLD_RUNTIME_RUN_OPTIONS_H_
#define TENFOLD_RUNTIME_RUN_OPTIONS_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/ingest/array_name.h"
#include "tenfold/runtime/step_work.h"

namespace tenfold {

// Where a feed comes from, for the errors of one that does not fit.
struct FeedOrigin {
  std::string input;               // which input it feeds
  std::string text;                // "'x.npy'", "sensor 7"
  std::optional<ArrayName> array;  // the file, if it is one: mends are commands that write another
};

struct StepProfile {
  int64_t begin = 0;  // nanoseconds since the run began
  int64_t nanoseconds = 0;
  StepWork work;
};

// Where the time of a run went, for `tenfold-run --profile`.
struct RunProfile {
  std::vector<StepProfile> steps;  // by index
  int64_t nanoseconds = 0;         // of the whole run
};

// What happens with feeds that are not as the contracts of the graph's inputs say.
enum class ContractMode : uint8_t {
  kOff,      // they are not looked at
  kWarn,     // the run goes on; RunOptions::warnings says what was wrong
  kEnforce,  // the run is refused before it begins: E0612, E0613
};

struct RunOptions {
  // At most this many threads, the caller's included; 0: all of the executable's.
  int threads = 0;
  // The run ends with E0610 soon after this has passed: it is looked at between steps, between blocks of a
  // step and inside long blocks, at most some milliseconds of work apart. A kernel that a GPU computes is
  // waited for.
  std::optional<std::chrono::steady_clock::time_point> deadline = std::nullopt;
  // The run ends with E0611 once this is true. Checked as the deadline is.
  const std::atomic<bool>* cancelled = nullptr;
  // What `deadline` is compared with; null: steady_clock. Called by several threads at once.
  using Clock = std::chrono::steady_clock::time_point (*)();
  Clock clock = nullptr;
  // The run is refused (E0404) before it begins if it would hold more bytes: see ExecutableOptions.
  int64_t memory_limit = std::numeric_limits<int64_t>::max();
  // Costs nothing where the graph has no contract.
  ContractMode contract = ContractMode::kEnforce;
  // With kWarn: what kEnforce would have said is added here. Null: feeds are not looked at.
  std::vector<Diagnostic>* warnings = nullptr;
  // Of feeds by name, as far as the caller knows; must live until Run has returned.
  std::span<const FeedOrigin> origins = {};
  // Filled in if given; costs two clock readings a step, and counting its work.
  RunProfile* profile = nullptr;
};

}  // namespace tenfold

#endif  // TENFOLD_RUNTIME_RUN_OPTIONS_H_
