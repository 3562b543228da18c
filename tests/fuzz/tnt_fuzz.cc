// SPDX-License-Identifier: Apache-2.0
//
// Text graphs (.tnt).
#include <cstdint>

#include "absl/strings/string_view.h"
#include "tenfold/graph/text/parser.h"
#include "tenfold/graph/text/printer.h"
#include "tenfold/tests/fuzz/exercise.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tenfold;
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  TextOptions options;
  options.limits = fuzz::SmallLimits();
  const absl::StatusOr<Graph> graph = ParseText(text, options);
  fuzz::CheckNotOurBug(graph.status());
  AnnotateText(text, options);
  if (!graph.ok()) return 0;
  // What is printed reads back and prints the same.
  const std::string printed = PrintText(*graph);
  const absl::StatusOr<Graph> again = ParseText(printed);
  if (!again.ok() || PrintText(*again) != printed)
    fuzz::Bug("what was printed does not read back, or prints otherwise", {});
  fuzz::ExerciseGraph(*graph);
  return 0;
}
