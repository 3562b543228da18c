// SPDX-License-Identifier: Apache-2.0
#include "tenfold/tools/compare.h"

#include <bit>
#include <cmath>
#include <limits>
#include <type_traits>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tenfold/graph/half.h"
#include "tenfold/graph/ingest/array_name.h"

namespace tenfold {
namespace {

template <typename T>
constexpr bool kIsFloat = HasNan(DTypeOf<T>());

template <typename T>
double ToDouble(T value) {
  if constexpr (std::is_class_v<T>)
    return ToFloat(value);
  else
    return static_cast<double>(value);
}

// Floats in their order, as integers one apart for neighbours; -0 and +0 are one value.
template <typename T>
__int128 Ordinal(T value) {
  if constexpr (!kIsFloat<T>) {
    return static_cast<__int128>(value);
  } else {
    using Bits = std::conditional_t<
        sizeof(T) == 1, uint8_t,
        std::conditional_t<sizeof(T) == 2, uint16_t, std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>>>;
    const Bits bits = std::bit_cast<Bits>(value);
    const Bits sign = static_cast<Bits>(Bits{1} << (8 * sizeof(T) - 1));
    const __int128 magnitude = static_cast<Bits>(bits & ~sign);
    return (bits & sign) != 0 ? -magnitude : magnitude;
  }
}

struct Judged {
  Difference difference;
  bool passed = false;
  double badness = 0;  // orders differences: how many times the tolerance
};

template <typename T>
Judged Judge(T got, T want, const Tolerance& tolerance) {
  Judged judged;
  const double a = ToDouble(got), b = ToDouble(want);
  const __int128 apart = Ordinal(got) - Ordinal(want);
  judged.difference.ulp = static_cast<uint64_t>(apart < 0 ? -apart : apart);
  if (std::isnan(a) || std::isnan(b)) {
    judged.passed = std::isnan(a) && std::isnan(b) && tolerance.equal_nan;
    judged.difference.absolute = judged.difference.relative = judged.passed ? 0 : NAN;
    judged.badness = judged.passed ? 0 : INFINITY;
    return judged;
  }
  if (apart == 0) return judged.passed = true, judged;
  // Integers beyond 2^53 are not told apart as doubles.
  judged.difference.absolute = kIsFloat<T> ? std::abs(a - b) : static_cast<double>(judged.difference.ulp);
  judged.difference.relative = judged.difference.absolute / std::abs(b);
  const double allowed = tolerance.atol + tolerance.rtol * std::abs(b);
  const bool finite = std::isfinite(a) && std::isfinite(b);
  judged.passed = finite && (judged.difference.absolute <= allowed ||
                             judged.difference.ulp <= static_cast<uint64_t>(tolerance.max_ulp));
  if (!finite)
    judged.badness = INFINITY;
  else if (allowed > 0)
    judged.badness = judged.difference.absolute / allowed;
  else
    judged.badness = static_cast<double>(judged.difference.ulp);
  return judged;
}

template <typename T>
void CompareElements(const Tensor& got, const Tensor& want, const Tolerance& tolerance,
                     Comparison& comparison) {
  double worst_badness = -1;
  bool worst_passed = true;
  for (int64_t i = 0; i < got.num_elements(); ++i) {
    Judged judged = Judge(got.at<T>(i), want.at<T>(i), tolerance);
    if (!judged.passed && comparison.mismatches++ == 0) comparison.first_mismatch = i;
    const bool worse = judged.passed == worst_passed ? judged.badness > worst_badness : worst_passed;
    if (!worse) continue;
    worst_badness = judged.badness;
    worst_passed = judged.passed;
    comparison.worst = std::move(judged.difference);
    comparison.worst.index = i;
  }
}

}  // namespace

std::string Tolerance::ToString() const {
  std::string text;
  const auto add = [&](const std::string& part) { absl::StrAppend(&text, text.empty() ? "" : ", ", part); };
  if (rtol > 0) add(absl::StrFormat("rtol %g", rtol));
  if (atol > 0) add(absl::StrFormat("atol %g", atol));
  if (max_ulp > 0) add(absl::StrFormat("%d ulp", max_ulp));
  return text.empty() ? "exactly" : text;
}

Comparison Compare(const Tensor& got, const Tensor& want, const Tolerance& tolerance) {
  Comparison comparison;
  comparison.dims = got.dims();
  comparison.elements = got.num_elements();
  if (got.dtype() != want.dtype() || got.dims() != want.dims()) {
    comparison.types_differ = absl::StrCat("got ", got.type().ToString(), ", want ", want.type().ToString());
    return comparison;
  }
  VisitDType(got.dtype(), [&]<typename T>(std::type_identity<T>) {
    CompareElements<T>(got, want, tolerance, comparison);
  });
  if (comparison.worst.index >= 0) {
    comparison.worst.got = ElementToString(got, comparison.worst.index);
    comparison.worst.want = ElementToString(want, comparison.worst.index);
  }
  return comparison;
}

std::string Comparison::ToString(absl::string_view name, const Tolerance& tolerance) const {
  if (!types_differ.empty()) return absl::StrCat("compare ", name, ": types differ: ", types_differ);
  const std::string head = absl::StrCat("compare ", name, ": ");
  const std::string at = worst.index < 0 ? "" : ElementAt(dims, worst.index);
  const std::string errors = std::isnan(worst.absolute)
                                 ? "one of them is NaN"
                                 : absl::StrFormat("abs error %.3g, rel error %.3g, %d ulp", worst.absolute,
                                                   worst.relative, worst.ulp);
  if (mismatches > 0) {
    return absl::StrFormat("%s%d of %s outside the tolerance (%s)\n  worst: %s: got %s, want %s; %s", head,
                           mismatches, Count(elements, "element"), tolerance.ToString(), at, worst.got,
                           worst.want, errors);
  }
  std::string text = absl::StrCat(head, Count(elements, "element"), elements == 1 ? " agrees (" : " agree (",
                                  tolerance.ToString(), ")");
  if (worst.ulp > 0 && worst.index >= 0 && !std::isnan(worst.absolute)) {
    absl::StrAppend(&text, "; furthest: ", at, ": got ", worst.got, ", want ", worst.want, "; ", errors);
  }
  return text;
}

}  // namespace tenfold
