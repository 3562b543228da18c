// SPDX-License-Identifier: Apache-2.0
#include "tenfold/tools/policy_flags.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/ingest/printable.h"
#include "tenfold/graph/text/quote.h"
#include "tenfold/tools/report.h"

namespace tenfold {
namespace {

template <typename Rule>
using ByName = std::map<std::string, Rule, std::less<>>;

// NAME=RULE or RULE. At the last '=' before which no rule's own "axis=" stands, since a name may hold
// anything.
template <typename Rule>
void Declare(Flags& flags, absl::string_view name, absl::string_view rules, std::string doc,
             std::optional<Rule> (*parse)(absl::string_view), ByName<Rule>& out) {
  flags.Custom(std::string(name), absl::StrCat("[NAME=]", rules), std::move(doc),
               [&out, parse, rules = std::string(rules)](absl::string_view text) -> std::string {
                 if (const std::optional<Rule> rule = parse(text)) return out[""] = *rule, "";
                 for (size_t at = text.rfind('='); at != absl::string_view::npos && at > 0;
                      at = text.rfind('=', at - 1)) {
                   const std::optional<Rule> rule = parse(text.substr(at + 1));
                   if (rule) return out[std::string(text.substr(0, at))] = *rule, "";
                 }
                 const absl::string_view last = text.substr(text.rfind('=') + 1);
                 const bool dtype = ParseDType(last) || DTypeOfForeignName(last);
                 return absl::StrCat("is not written ", rules, " or NAME=", rules,
                                     dtype ? "; the dtype is what the graph says" : "");
               });
}

template <typename Rule>
Rule Find(const ByName<Rule>& rules, absl::string_view name) {
  auto found = rules.find(name);
  if (found == rules.end()) found = rules.find("");
  return found == rules.end() ? Rule{} : found->second;
}

}  // namespace

void PolicyFlags::Add(Flags& flags, absl::string_view arrays) {
  Declare<CastRule>(
      flags, "cast", "refuse|exact|nearest|saturate",
      absl::StrCat("How the array ", arrays,
                   " may become another dtype: not at all (default);\n"
                   "if no value changes; rounded, if all are in range; or clamped, too. Without NAME,\n"
                   "for all arrays. What was changed is reported."),
      ParseCastRule, cast_);
  Declare<NanPolicy>(flags, "nan", "keep|refuse|zero|mean|median[:axis=N]",
                     "What becomes of NaN in it: stays (default), refused, 0, or the mean or median of the\n"
                     "finite values along an axis.",
                     ParseNanPolicy, nan_);
  Declare<TextRule>(flags, "text", "refuse|parse",
                    "What becomes of text in it: refused (default), or read as numbers.", ParseTextRule,
                    text_);
  Declare<Storage>(flags, "storage", "auto|copy|mmap",
                   "Where it stays: large files are mapped and others copied (default), or as you say.",
                   ParseStorage, storage_);
}

ArrayPolicy PolicyFlags::PolicyOf(absl::string_view name) const {
  return {Find(text_, name), Find(nan_, name), Find(cast_, name), Find(storage_, name)};
}

PolicyOfConstant PolicyFlags::ForConstants(std::vector<std::string>* asked) const {
  return [this, asked](absl::string_view name) {
    if (asked != nullptr) asked->emplace_back(name);
    return PolicyOf(name);
  };
}

void PolicyFlags::ReportWhatTheyDid(const Graph& graph) const {
  for (NodeId id : graph.nodes()) {
    const IngestRecord& record = graph.node(id).provenance.ingest;
    const std::string name = graph.DisplayName(id);
    if (record.empty() || PolicyOf(name) == ArrayPolicy()) continue;
    ReportRemark(absl::StrCat(QuoteName(name), ": ", record.ToString()));
  }
}

absl::Status PolicyFlags::CheckNames(std::span<const std::string> names) const {
  std::vector<Diagnostic> errors;
  const auto check = [&](absl::string_view flag, const auto& rules) {
    for (const auto& [name, rule] : rules) {
      if (name.empty() || std::find(names.begin(), names.end(), name) != names.end()) continue;
      errors.push_back(NamesNoArray(flag, name, names));
    }
  };
  check("cast", cast_);
  check("nan", nan_);
  check("text", text_);
  check("storage", storage_);
  return ToStatus(std::move(errors));
}

Diagnostic NamesNoArray(absl::string_view flag, absl::string_view name, std::span<const std::string> names) {
  Diagnostic d;
  d.code = "E0325";
  d.message = absl::StrCat("--", flag, " names '", Printable(name), "', and there is no such array");
  const std::string nearest = NearestName(name, names);
  if (!nearest.empty()) d.help.push_back(DidYouMean(nearest));
  return d;
}

}  // namespace tenfold
