// SPDX-License-Identifier: Apache-2.0
#include "tenfold/runtime/size_checks.h"

#include <algorithm>
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

std::string Valued(const Dim& dim, std::optional<int64_t> value) {
  if (dim.is_constant()) return dim.ToString();
  return absl::StrCat(dim.ToString(), " = ", value ? absl::StrCat(*value) : "nothing");
}

absl::Status Disagree(const Plan& plan, const PlanCheck& check, const SymbolValues& symbols) {
  const std::optional<int64_t> is = check.is.Evaluate(symbols), must = check.must.Evaluate(symbols);
  Diagnostic d;
  d.code = "E0616";
  d.message = absl::StrCat(check.node, ": ", check.what, " is ", Valued(check.is, is), ", and must be ",
                           Valued(check.must, must));
  d.location = check.location;
  std::vector<std::string> names;
  check.is.CollectSymbols(names);
  check.must.CollectSymbols(names);
  d.notes.push_back(
      absl::StrCat("in this run ", absl::StrJoin(names, ", ", [&](std::string* out, const auto& name) {
                     *out += DescribeSymbol(plan, name, symbols);
                   })));
  // The other pattern of a broadcast than the one that was compiled.
  const Dim& one = is == 1 ? check.is : check.must;
  const bool broadcasts = (is == 1) != (must == 1) && is && must && *is > 0 && *must > 0;
  if (broadcasts && one.symbol()) {
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
    const std::optional<int64_t> is = check.is.Evaluate(symbols);
    if (!is || is != check.must.Evaluate(symbols)) return Disagree(plan, check, symbols);
  }
  return absl::OkStatus();
}

}  // namespace tenfold
