// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/ingest/ingest.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/ingest/array_reference.h"

namespace tenfold {
namespace {

std::string OriginOf(const ArrayName& name) {
  return ReferenceName(absl::string_view(name.file).substr(name.file.rfind('/') + 1), name.member);
}

// `was_text`: the array is what was read in text.
absl::StatusOr<IngestedArray> Apply(const Tensor& array, const ArrayName& name, const IngestOptions& options,
                                    bool was_text) {
  const ArrayPolicy& policy = options.policy;
  IngestedArray result{array, {}, OriginOf(name)};
  IngestRecord& record = result.record;
  std::vector<std::string> rules;
  if (was_text) rules.push_back("text=parse");
  if (policy.nan.rule != NanRule::kKeep && HasNan(array.dtype())) {
    TENFOLD_ASSIGN_OR_RETURN(result.tensor,
                             ReplaceNans(result.tensor, policy.nan, name, &record.nans_replaced));
    rules.push_back(absl::StrCat("nan=", policy.nan.ToString()));
  }
  const DType target = options.dtype.value_or(array.dtype());
  if (target != array.dtype()) {
    CastSurvey done;
    TENFOLD_ASSIGN_OR_RETURN(result.tensor, CastArray(result.tensor, target, policy.cast, name, &done));
    record.changed = done.changed + done.outside;
    record.largest_change = std::max(done.largest_change, done.largest_outside);
    rules.push_back(absl::StrCat("cast=", Name(policy.cast)));
  }
  record.source = was_text ? "text" : std::string(Name(array.dtype()));
  record.policy = absl::StrJoin(rules, " ");
  record.values = array.num_elements();
  return result;
}

}  // namespace

absl::string_view Name(TextRule rule) { return rule == TextRule::kParse ? "parse" : "refuse"; }

std::optional<TextRule> ParseTextRule(absl::string_view name) {
  if (name == "parse") return TextRule::kParse;
  if (name == "refuse") return TextRule::kRefuse;
  return std::nullopt;
}

absl::StatusOr<IngestedArray> Ingest(const Tensor& array, const ArrayName& name,
                                     const IngestOptions& options) {
  return Apply(array, name, options, false);
}

absl::StatusOr<IngestedArray> IngestLoaded(const ArrayName& name, const IngestOptions& options,
                                           ArrayLoader load) {
  TextAs text_as{options.dtype.value_or(DType::kF64)};
  const bool parse = options.policy.text == TextRule::kParse;
  TENFOLD_ASSIGN_OR_RETURN(const Tensor array, load(parse ? &text_as : nullptr));
  return Apply(array, name, options, text_as.used);
}

absl::StatusOr<IngestedArray> IngestFile(const ArrayName& name, const IngestOptions& options) {
  return IngestLoaded(name, options, [&](TextAs* text_as) {
    return LoadArray(name, {options.policy.storage, options.limits}, text_as);
  });
}

}  // namespace tenfold
