// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/fourier_transform.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <numbers>
#include <vector>

namespace tenfold {
namespace {

constexpr auto kNeverStop = [] { return false; };

std::vector<Complex> Signal(int64_t length) {
  std::vector<Complex> signal;
  uint32_t state = 1;
  const auto next = [&] {
    state = state * 1664525 + 1013904223;
    return static_cast<double>(state) / 4294967296.0 - 0.5;
  };
  for (int64_t i = 0; i < length; ++i) {
    const double real = next();
    signal.push_back({real, next()});
  }
  return signal;
}

std::vector<Complex> Transformed(const std::vector<Complex>& signal) {
  const absl::StatusOr<FourierTransform> fourier =
      FourierTransform::Create(static_cast<int64_t>(signal.size()), kNeverStop);
  EXPECT_TRUE(fourier.ok()) << fourier.status();
  std::vector<Complex> result(signal.size()), work(fourier->work_size());
  fourier->Run(signal.data(), result.data(), work.data(), kNeverStop);
  return result;
}

TEST(FourierTransform, RootsOfUnityAreExactAtQuartersAndWithinOneUlpElsewhere) {
  for (const int64_t n : {4, 8, 100}) {
    EXPECT_EQ(RootOfUnity(0, n).real, 1) << n;
    EXPECT_EQ(RootOfUnity(n / 4, n).real, 0) << n;
    EXPECT_EQ(RootOfUnity(n / 4, n).imaginary, -1) << n;
    EXPECT_EQ(RootOfUnity(n / 2, n).real, -1) << n;
    EXPECT_EQ(RootOfUnity(n / 2, n).imaginary, 0) << n;
    EXPECT_EQ(RootOfUnity(3 * n / 4, n).imaginary, 1) << n;
  }
  for (const int64_t n : {1, 2, 3, 5, 7, 97, 1000, 4096}) {
    for (int64_t k = 0; k < n; ++k) {
      const long double angle = 2 * std::numbers::pi_v<long double> * k / n;
      const Complex root = RootOfUnity(k, n);
      EXPECT_NEAR(root.real, static_cast<double>(cosl(angle)), 1.5e-16) << k << " of " << n;
      EXPECT_NEAR(root.imaginary, static_cast<double>(-sinl(angle)), 1.5e-16) << k << " of " << n;
    }
  }
}

// Every length up to 130, which has all the ways, and long ones, against the sum that defines it.
TEST(FourierTransform, EveryLengthIsTheSum) {
  std::vector<int64_t> lengths;
  for (int64_t n = 1; n <= 130; ++n) lengths.push_back(n);
  lengths.insert(lengths.end(), {1009, 1024, 31 * 31, 1458, 2 * 509});
  for (const int64_t n : lengths) {
    const std::vector<Complex> signal = Signal(n), result = Transformed(signal);
    for (int64_t k = 0; k < n; k += n > 200 ? 97 : 1) {
      long double real = 0, imaginary = 0;
      for (int64_t j = 0; j < n; ++j) {
        const long double angle = -2 * std::numbers::pi_v<long double> * (j * k % n) / n;
        real += signal[j].real * cosl(angle) - signal[j].imaginary * sinl(angle);
        imaginary += signal[j].real * sinl(angle) + signal[j].imaginary * cosl(angle);
      }
      const double bound = 4e-16 * std::sqrt(static_cast<double>(n)) * std::log2(static_cast<double>(n) + 1);
      EXPECT_NEAR(result[k].real, static_cast<double>(real), bound) << k << " of " << n;
      EXPECT_NEAR(result[k].imaginary, static_cast<double>(imaginary), bound) << k << " of " << n;
    }
  }
}

TEST(FourierTransform, StopsWhenItIsAskedTo) {
  const int64_t n = int64_t{1} << 18;
  const absl::StatusOr<FourierTransform> fourier = FourierTransform::Create(n, kNeverStop);
  ASSERT_TRUE(fourier.ok());
  const std::vector<Complex> signal = Signal(n);
  std::vector<Complex> result(n);
  int64_t asked = 0;
  fourier->Run(signal.data(), result.data(), nullptr, [&] { return ++asked > 0; });
  EXPECT_GT(asked, 4);
  asked = 0;
  EXPECT_TRUE(FourierTransform::Create(n, [&] { return ++asked > 0; }).ok());
  EXPECT_EQ(asked, 1);
}

}  // namespace
}  // namespace tenfold
