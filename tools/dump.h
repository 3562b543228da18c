// SPDX-License-Identifier: Apache-2.0
//
// What tenfold-dump prints.
#ifndef TENFOLD_TOOLS_DUMP_H_
#define TENFOLD_TOOLS_DUMP_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tenfold/compiler/compile.h"
#include "tenfold/graph/text/parser.h"

namespace tenfold {

enum class DumpFormat : uint8_t { kText, kJson, kDot };

struct DumpOptions {
  Stage stage = Stage::kSource;
  DumpFormat format = DumpFormat::kText;
  // The remarks of the passes up to the stage.
  bool explain = false;
  // All elements of every constant, so that text reads back; else the first few.
  bool full = false;
  // Where each node was built.
  bool locations = false;
};

// The graph at a stage, or the plan.
absl::StatusOr<std::string> Dump(const Graph& graph, const CompileOptions& compile,
                                 const DumpOptions& options);

// A text graph (.tnt) that does not parse, with its errors in place; nullopt for a file that parses, is no
// text or cannot be read.
std::optional<AnnotatedText> AnnotateFile(absl::string_view path, const Limits& limits = {});

}  // namespace tenfold

#endif  // TENFOLD_TOOLS_DUMP_H_
