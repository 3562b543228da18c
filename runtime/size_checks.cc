// SPDX-License-Identifier: Apache-2.0
#include "tenfold/runtime/size_checks.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/ingest/printable.h"

namespace tenfold {
namespace {

// "N is 3 in 'x'", where it is read from an input.
std::string DescribeSymbol(const Plan& plan, const std::string& name, const SymbolValues& symbols) {
  const auto value = symbols.find(name);
  std::string text = absl::StrCat(Dim::Symbol(name).ToString(), " is ",
                                  value == symbols.end() ? "unknown" : absl::StrCat(value->second));
  for (const PlanSymbol& symbol : plan.symbols) {
    if (symbol.name == name && symbol.from == PlanSymbol::From::kInput)
      absl::StrAppend(&text, " in '", plan.inputs[symbol.input].name, "'");
  }
  return text;
}

absl::Status Disagree(const Plan& plan, const PlanCheck& check, const SymbolValues& symbols) {
  const auto& [is, must] = std::pair(check.size.is, check.size.must);
  Diagnostic d = SizesDisagree(check.size, check.node, check.location, symbols);
  std::vector<std::string> names;
  is.CollectSymbols(names);
  must.CollectSymbols(names);
  d.notes.push_back(
      absl::StrCat("in this run ", absl::StrJoin(names, ", ", [&](std::string* out, const auto& name) {
                     *out += DescribeSymbol(plan, name, symbols);
                   })));
  // The other pattern of a broadcast than the one that was compiled.
  const Dim& one = is.Evaluate(symbols) == 1 ? is : must;
  if (one.symbol() && one.Evaluate(symbols) == 1) {
    d.help.push_back(absl::StrCat("what is 1 is broadcast only where the graph says so: declare ",
                                  one.ToString(), " as 1 (of an ONNX model: --dim ",
                                  ShellQuote(absl::StrCat(*one.symbol(), "=1")), ")"));
  } else {
    d.help.push_back("feed sizes for which they agree");
  }
  return ToStatus(std::move(d));
}

}  // namespace

absl::Status CheckSizes(const Plan& plan, int stage, const SymbolValues& symbols) {
  for (const PlanCheck& check : plan.checks) {
    if (plan.StageOf(check) != stage) continue;
    const std::optional<int64_t> is = check.size.is.Evaluate(symbols);
    if (!is || is != check.size.must.Evaluate(symbols)) return Disagree(plan, check, symbols);
  }
  return absl::OkStatus();
}

}  // namespace tenfold
