// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/ingest/cast.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/float_environment.h"
#include "tenfold/graph/ingest/cast_value.h"

namespace tenfold {
namespace {

constexpr std::pair<CastRule, absl::string_view> kRules[] = {{CastRule::kRefuse, "refuse"},
                                                             {CastRule::kExact, "exact"},
                                                             {CastRule::kNearest, "nearest"},
                                                             {CastRule::kSaturate, "saturate"}};

void Note(int64_t index, int64_t& count, int64_t& first) {
  if (count++ == 0) first = index;
}

// `out` may be null.
template <typename To, typename From>
void CastAll(const From* values, int64_t count, To* out, CastSurvey& survey) {
  for (int64_t i = 0; i < count; ++i) {
    const CastValue<To> cast = CastOne<To>(values[i]);
    if (out != nullptr) out[i] = cast.value;
    switch (cast.outcome) {
      case CastOutcome::kSame:
        break;
      case CastOutcome::kChanged:
        Note(i, survey.changed, survey.first_changed);
        survey.largest_change = std::max(survey.largest_change, Distance(values[i], cast.value));
        break;
      case CastOutcome::kOutside:
        Note(i, survey.outside, survey.first_outside);
        survey.largest_outside = std::max(survey.largest_outside, Distance(values[i], cast.value));
        break;
      case CastOutcome::kNotFinite:
        Note(i, survey.not_finite, survey.first_not_finite);
        break;
    }
  }
}

// Of what is stored; counts of a splat are those of all its elements.
CastSurvey Cast(const Tensor& array, DType target, void* out) {
  const ScopedFloatEnvironment environment;
  CastSurvey survey;
  survey.values = array.num_elements();
  if (IsPacked(array.dtype()) || IsPacked(target)) return survey;  // no rule takes them
  const int64_t stored = array.is_splat() ? std::min<int64_t>(1, array.num_elements()) : array.num_elements();
  VisitDType(array.dtype(), [&]<typename From>(std::type_identity<From>) {
    VisitDType(target, [&]<typename To>(std::type_identity<To>) {
      CastAll(static_cast<const From*>(array.data()), stored, static_cast<To*>(out), survey);
    });
  });
  if (array.is_splat()) {
    for (int64_t* count : {&survey.changed, &survey.outside, &survey.not_finite}) *count *= survey.values;
  }
  return survey;
}

std::string OfAll(int64_t count, const Tensor& array) {
  return absl::StrCat(count, " of ", Count(array.num_elements(), "value"));
}

std::string ElementIs(const Tensor& array, int64_t index) {
  return absl::StrCat(ElementAt(array.dims(), index), " is ", ElementToString(array, index));
}

std::string OutsideText(const Tensor& array, DType target, const CastSurvey& survey) {
  return absl::StrCat(ElementIs(array, survey.first_outside), ", outside the range of ", Name(target), " (",
                      OfAll(survey.outside, array), ")");
}

// How a rule is asked for.
Mend AskFor(const ArrayName& name, CastRule rule, absl::string_view what = "") {
  if (!name.argument.empty()) return MendByFlag(what, "--cast", absl::StrCat(name.argument, "=", Name(rule)));
  return absl::StrCat(what, ".cast = CastRule::k",
                      rule == CastRule::kExact     ? "Exact"
                      : rule == CastRule::kNearest ? "Nearest"
                                                   : "Saturate");
}

absl::Status Refuse(absl::string_view code, std::string message, std::vector<std::string> notes,
                    std::vector<Mend> help) {
  return ToStatus(Diagnostic{std::string(code), std::move(message), "", std::move(notes), std::move(help)});
}

// "'x.npy' is f64[16,64], where f32 is due"
std::string Due(const Tensor& array, DType target, const ArrayName& name) {
  return absl::StrCat(name.ToString(), " is ", array.type().ToString(), ", where ", Name(target), " is due");
}

bool HasInf(const Tensor& array) {
  bool found = false;
  VisitDType(array.dtype(), [&]<typename T>(std::type_identity<T>) {
    if constexpr (HasNan(DTypeOf<T>())) {
      const int64_t stored =
          array.is_splat() ? std::min<int64_t>(1, array.num_elements()) : array.num_elements();
      for (int64_t i = 0; i < stored && !found; ++i)
        found = std::isinf(static_cast<double>(Widest(array.at<T>(i))));
    }
  });
  return found;
}

// What makes numbers of NaN and Inf, and `and_cast`, what is to be asked for besides. No policy touches Inf.
std::vector<Mend> FiniteMend(const Tensor& array, const ArrayName& name, const Mend& and_cast) {
  if (!HasInf(array)) {
    if (name.argument.empty())
      return {absl::StrCat("to put 0 for NaN: .nan = {NanRule::kZero}", and_cast.empty() ? "" : ", ",
                           and_cast.text)};
    Mend both = MendByFlag("to put 0 for NaN: ", "--nan", absl::StrCat(name.argument, "=zero"),
                           absl::StrCat(and_cast.empty() ? "" : " ", and_cast.text));
    both.edits.insert(both.edits.end(), and_cast.edits.begin(), and_cast.edits.end());
    return {both};
  }
  if (name.argument.empty()) return {};
  const bool safetensors = absl::EndsWith(name.file, ".safetensors");
  return {absl::StrCat(
      "to put 0 for NaN and Inf: ",
      safetensors ? SafetensorsCommand(name, "numpy", "__import__(\"numpy\").nan_to_num(d[n], True, 0, 0, 0)",
                                       "finite")
                  : NumpyCommand(name, "np.where(np.isfinite(a), a, 0)", "finite"))};
}

absl::Status RefuseNotFinite(const Tensor& array, DType target, const ArrayName& name,
                             const CastSurvey& survey) {
  return Refuse("E0322",
                absl::StrCat(Due(array, target, name), ": ", ElementIs(array, survey.first_not_finite),
                             ", which ", Name(target), " has not (", OfAll(survey.not_finite, array), ")"),
                {"no cast rule turns NaN or Inf into a number"}, FiniteMend(array, name, ""));
}

}  // namespace

absl::string_view Name(CastRule rule) { return kRules[static_cast<int>(rule)].second; }

std::optional<CastRule> ParseCastRule(absl::string_view name) {
  for (const auto& [rule, rule_name] : kRules) {
    if (rule_name == name) return rule;
  }
  return std::nullopt;
}

CastSurvey SurveyCast(const Tensor& array, DType target) { return Cast(array, target, nullptr); }

std::optional<CastRule> BestRule(const CastSurvey& survey) {
  if (survey.not_finite > 0) return std::nullopt;
  if (survey.outside > 0) return CastRule::kSaturate;
  return survey.changed > 0 ? CastRule::kNearest : CastRule::kExact;
}

std::string DescribeCast(const Tensor& array, DType target, const CastSurvey& survey) {
  if (survey.not_finite > 0) {
    return absl::StrCat(ElementIs(array, survey.first_not_finite), ", which ", Name(target), " has not (",
                        OfAll(survey.not_finite, array), ")");
  }
  if (survey.outside > 0) return OutsideText(array, target, survey);
  if (survey.changed == 0) return absl::StrCat("cast=exact would change none of its values");
  return absl::StrCat("cast=nearest would change ", OfAll(survey.changed, array), ", by ",
                      absl::StrFormat("%.3g", survey.largest_change), " at most");
}

absl::StatusOr<Tensor> CastArray(const Tensor& array, DType target, CastRule rule, const ArrayName& name,
                                 CastSurvey* done) {
  CastSurvey survey;
  survey.values = array.num_elements();
  if (done != nullptr) *done = survey;
  if (array.dtype() == target) return array;
  if (IsPacked(array.dtype()) || IsPacked(target)) {
    return Refuse(
        "E0320", Due(array, target, name), {"no cast rule packs or unpacks arrays"},
        {absl::StrCat("take the array as ", Name(IsPacked(target) ? UnpackedType(target) : array.dtype()),
                      ": Cast(x, to=", Name(target), ") in the graph converts it")});
  }
  if (rule == CastRule::kRefuse) {
    survey = SurveyCast(array, target);
    std::vector<std::string> notes = {DescribeCast(array, target, survey)};
    if (const std::optional<CastRule> best = BestRule(survey)) {
      return Refuse("E0320", Due(array, target, name), std::move(notes), {AskFor(name, *best)});
    }
    CastSurvey finite = survey;  // what is left once no NaN is
    finite.not_finite = 0;
    return Refuse("E0320", Due(array, target, name), std::move(notes),
                  FiniteMend(array, name, AskFor(name, *BestRule(finite))));
  }

  Tensor cast;
  if (array.is_splat()) {
    alignas(8) char element[8] = {};
    survey = Cast(array, target, element);
    TENFOLD_ASSIGN_OR_RETURN(cast, Tensor::Splat(target, array.dims(), element));
  } else {
    TENFOLD_ASSIGN_OR_RETURN(cast, Tensor::Allocate(target, array.dims()));
    survey = Cast(array, target, cast.mutable_data());
  }
  if (survey.not_finite > 0) return RefuseNotFinite(array, target, name, survey);
  if (survey.outside > 0 && rule != CastRule::kSaturate) {
    return Refuse("E0321", absl::StrCat(Due(array, target, name), ": ", OutsideText(array, target, survey)),
                  {}, {AskFor(name, CastRule::kSaturate, "to take the end of the range for it: ")});
  }
  if (survey.changed > 0 && rule == CastRule::kExact) {
    return Refuse("E0321",
                  absl::StrCat(Due(array, target, name), ": ", ElementIs(array, survey.first_changed),
                               ", which no ", Name(target), " equals (", OfAll(survey.changed, array), ")"),
                  {absl::StrFormat("rounded, none would change by more than %.3g", survey.largest_change)},
                  {AskFor(name, CastRule::kNearest, "to round: ")});
  }
  if (done != nullptr) *done = survey;
  return cast;
}

}  // namespace tenfold
