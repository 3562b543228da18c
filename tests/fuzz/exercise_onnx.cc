// SPDX-License-Identifier: Apache-2.0
#include "tenfold/tests/fuzz/exercise_onnx.h"

#include <algorithm>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/onnx/import.h"
#include "tenfold/tests/fuzz/exercise.h"

namespace tenfold::fuzz {
namespace {

constexpr char kPlace[] = "fuzz.onnx";

// Whether `d` is about the model as a whole: no message, or too large.
bool IsAboutTheFile(const Diagnostic& d) {
  return d.code == "E0901" || d.code == "E0402" || d.code == "E0907";
}

// A node or another place in the model, or a name in it.
bool NamesAPlace(const Diagnostic& d) {
  if (absl::StartsWith(d.location, absl::StrCat(kPlace, ": "))) return true;
  const auto names = [](const std::string& text) {
    return absl::StrContains(text, "'") || absl::StrContains(text, " place");
  };
  return names(d.message) || std::any_of(d.notes.begin(), d.notes.end(), names);
}

}  // namespace

void ExerciseOnnxBytes(absl::string_view bytes) {
  const absl::StatusOr<Graph> graph = ImportOnnxBytes(bytes, kPlace, {.limits = SmallLimits()});
  CheckNotOurBug(graph.status());
  if (graph.ok()) return ExerciseGraph(*graph);
  for (const Diagnostic& d : DiagnosticsOf(graph.status())) {
    if (!absl::StartsWith(d.location, kPlace)) Bug(absl::StrCat("no location: ", d.ToString()), {});
    if (!IsAboutTheFile(d) && !NamesAPlace(d)) Bug(absl::StrCat("says not where: ", d.ToString()), {});
  }
}

}  // namespace tenfold::fuzz
