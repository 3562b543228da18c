// SPDX-License-Identifier: Apache-2.0
#include "tenfold/tests/cases/distance.h"

#include <cmath>
#include <type_traits>

#include "absl/strings/str_cat.h"

namespace tenfold::testing {
namespace {

double ToDouble(double x) { return x; }
double ToDouble(float x) { return x; }
double ToDouble(F16 x) { return ToFloat(x); }
double ToDouble(BF16 x) { return ToFloat(x); }
double ToDouble(F8E4M3FN x) { return ToFloat(x); }
double ToDouble(F8E5M2 x) { return ToFloat(x); }

// Counts up with the value; -0 and +0 are one number.
template <typename T>
int64_t Ordinal(T x) {
  using Bits = std::conditional_t<
      sizeof(T) == 8, uint64_t,
      std::conditional_t<sizeof(T) == 4, uint32_t, std::conditional_t<sizeof(T) == 2, uint16_t, uint8_t>>>;
  const Bits bits = std::bit_cast<Bits>(x);
  constexpr Bits kSign = Bits{1} << (sizeof(T) * 8 - 1);
  const int64_t magnitude = static_cast<int64_t>(bits & ~kSign);
  return (bits & kSign) != 0 ? -magnitude : magnitude;
}

template <typename T>
bool IsNear(T got, T want, const Tolerance& tolerance) {
  if constexpr (std::is_integral_v<T>) {
    return got == want;
  } else {
    const double g = ToDouble(got), w = ToDouble(want);
    if (std::isnan(g) || std::isnan(w)) return std::isnan(g) && std::isnan(w);
    if (std::isinf(g) || std::isinf(w) || (g == 0 && w == 0))
      return g == w && std::signbit(g) == std::signbit(w);
    // Unsigned: the distance of two f64 of opposite signs may not fit.
    const uint64_t a = static_cast<uint64_t>(Ordinal(got)), b = static_cast<uint64_t>(Ordinal(want));
    const uint64_t distance = Ordinal(got) > Ordinal(want) ? a - b : b - a;
    return distance <= static_cast<uint64_t>(tolerance.ulp) || std::fabs(g - w) <= tolerance.absolute;
  }
}

}  // namespace

std::string WhereFar(const Tensor& got, const Tensor& want, const Tolerance& tolerance) {
  if (!(got.type() == want.type())) {
    return absl::StrCat("is of type ", got.type().ToString(), ", not ", want.type().ToString());
  }
  return VisitDType(want.dtype(), [&]<typename T>(std::type_identity<T>) -> std::string {
    for (int64_t i = 0; i < want.num_elements(); ++i) {
      if (IsNear(got.at<T>(i), want.at<T>(i), tolerance)) continue;
      return absl::StrCat("element ", i, " is ", ElementToString(got, i), ", expected ",
                          ElementToString(want, i));
    }
    return "";
  });
}

}  // namespace tenfold::testing
