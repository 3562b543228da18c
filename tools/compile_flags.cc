// SPDX-License-Identifier: Apache-2.0
#include "tenfold/tools/compile_flags.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"

namespace tenfold {
namespace {

// "auto", "cpu", "cuda:3". Whether the device is there is another question.
bool IsDeviceName(absl::string_view text) {
  uint32_t ordinal = 0;
  if (absl::StartsWith(text, "cuda:")) return absl::SimpleAtoi(text.substr(5), &ordinal);
  return text == "auto" || text == "cpu";
}

}  // namespace

void AddCompileFlags(Flags& flags, CompileOptions& options) {
  flags.Custom(
      "device", "auto|cpu|cuda:N",
      absl::StrCat("Where to compute; auto takes a GPU if one is there. Default ", options.device, "."),
      [&options](absl::string_view text) -> std::string {
        if (!IsDeviceName(text)) return "is none of auto, cpu, cuda:0, cuda:1, ...";
        return options.device = std::string(text), "";
      });
  flags.Integer(
      "opt-level", 0, 2, &options.opt_level,
      "0: check types only, and spend little time on the kernels' code; 1: fold constants exactly,\n"
      "merge equal values, remove dead ones; 2: everything (default). -O2 for short.");
  flags.Letter('O', "opt-level");
  flags.Choice<Numerics>(
      "numerics", {{"exact", Numerics::kExact}, {"reassoc", Numerics::kReassoc}, {"fast", Numerics::kFast}},
      &options.numerics,
      "What a rewrite may change: nothing, rounding by identities of real arithmetic (default),\n"
      "or more.");
  flags.List("fetch", "NAME", &options.fetches,
             "A further value to give out, by its name in the source graph. May be given again.");
}

}  // namespace tenfold
