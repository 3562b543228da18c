// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/fourier_transform.h"

#include <algorithm>
#include <array>
#include <numbers>
#include <utility>

#include "absl/status/status.h"
#include "tenfold/graph/diagnostic.h"

namespace tenfold {
namespace {

// The largest factor that is combined directly, at a cost of its square.
constexpr int64_t kLargestFactor = 31;
// Numbers that are computed without asking whether to stop.
constexpr int64_t kBetweenPolls = int64_t{1} << 14;

Complex operator+(Complex a, Complex b) { return {a.real + b.real, a.imaginary + b.imaginary}; }
Complex operator-(Complex a, Complex b) { return {a.real - b.real, a.imaginary - b.imaginary}; }
Complex operator*(Complex a, Complex b) {
  return {a.real * b.real - a.imaginary * b.imaginary, a.real * b.imaginary + a.imaginary * b.real};
}
Complex Swapped(Complex a) { return {a.imaginary, a.real}; }
Complex TimesMinusI(Complex a) { return {a.imaginary, -a.real}; }

std::span<const Complex> NumbersOf(const Tensor& table) {
  return {static_cast<const Complex*>(table.data()), static_cast<size_t>(table.num_elements() / 2)};
}

// `count` numbers; their memory may not be had.
absl::StatusOr<Tensor> Numbers(int64_t count) { return Tensor::Allocate(DType::kF64, Dims{count, 2}); }
std::span<Complex> Writable(Tensor& table) {
  return {static_cast<Complex*>(table.mutable_data()), static_cast<size_t>(table.num_elements() / 2)};
}

// The Taylor series about 0, whose next terms are below 1e-19 within [0, pi/4].
Complex CosAndMinusSin(double angle) {
  const double square = angle * angle;
  double cos = 0, sin = 0;
  for (int n = 18; n > 0; n -= 2) {
    cos = (1 + cos) * -square / static_cast<double>(n * (n - 1));
    sin = (1 + sin) * -square / static_cast<double>(n * (n + 1));
  }
  return {1 + cos, -(angle + angle * sin)};
}

}  // namespace

Complex RootOfUnity(int64_t k, int64_t n) {
  const int64_t quarter = 4 * k / n, rest = 4 * k % n;
  const bool upper = 2 * rest > n;  // nearer to the next quarter
  const double part = static_cast<double>(upper ? n - rest : rest) / static_cast<double>(n);
  Complex root = CosAndMinusSin(std::numbers::pi / 2 * part);
  if (upper) root = {-root.imaginary, -root.real};
  for (int64_t q = 0; q < quarter; ++q) root = TimesMinusI(root);
  return root;
}

absl::StatusOr<FourierTransform> FourierTransform::Create(int64_t length,
                                                          absl::FunctionRef<bool()> should_stop) {
  FourierTransform t;
  t.length_ = length;
  int64_t rest = length;
  for (int64_t factor = 4; factor <= kLargestFactor; factor = factor == 4   ? 2
                                                              : factor == 2 ? 3
                                                                            : factor + 2) {
    for (; rest % factor == 0; rest /= factor) t.factors_.push_back(factor);
  }
  TENFOLD_ASSIGN_OR_RETURN(Tensor roots, Numbers(length));
  const std::span<Complex> root = Writable(roots);
  if (rest == 1) {
    for (int64_t k = 0; k < length; ++k) {
      if (k % kBetweenPolls == kBetweenPolls - 1 && should_stop()) break;
      root[k] = RootOfUnity(k, length);
    }
    t.roots_ = std::make_shared<const Tensor>(std::move(roots));
    return t;
  }
  // jk = (j^2 + k^2 - (k - j)^2) / 2 makes the sum a convolution with exp(pi i j^2 / length).
  t.factors_.clear();
  int64_t square = 0;  // k^2 mod 2 * length
  for (int64_t k = 0; k < length; ++k) {
    if (k % kBetweenPolls == kBetweenPolls - 1 && should_stop()) break;
    root[k] = RootOfUnity(square, 2 * length);
    square = (square + 2 * k + 1) % (2 * length);
  }
  int64_t padded = 1;
  while (padded < 2 * length - 1) padded *= 2;
  TENFOLD_ASSIGN_OR_RETURN(FourierTransform helper, Create(padded, should_stop));
  TENFOLD_ASSIGN_OR_RETURN(Tensor wave, Numbers(padded));
  TENFOLD_ASSIGN_OR_RETURN(Tensor kernel, Numbers(padded));
  const std::span<Complex> w = Writable(wave);
  std::fill(w.begin(), w.end(), Complex{});
  for (int64_t k = 0; k < length; ++k) {
    w[k] = {root[k].real, -root[k].imaginary};
    w[(padded - k) % padded] = w[k];
  }
  helper.Run(w.data(), Writable(kernel).data(), nullptr, should_stop);
  t.roots_ = std::make_shared<const Tensor>(std::move(roots));
  t.helper_ = std::make_shared<const FourierTransform>(std::move(helper));
  t.kernel_ = std::make_shared<const Tensor>(std::move(kernel));
  return t;
}

void FourierTransform::Run(const Complex* in, Complex* out, Complex* work,
                           absl::FunctionRef<bool()> should_stop) const {
  if (helper_ != nullptr) return Convolve(in, out, work, should_stop);
  RunStage(in, 1, out, length_, 0, should_stop);
}

// out[0, length) is the transform of every `stride`th number of `in`.
void FourierTransform::RunStage(const Complex* in, int64_t stride, Complex* out, int64_t length, size_t stage,
                                absl::FunctionRef<bool()> should_stop) const {
  if (length == 1) {
    out[0] = in[0];
    return;
  }
  const int64_t parts = factors_[stage], each = length / parts;
  for (int64_t p = 0; p < parts; ++p) {
    RunStage(in + p * stride, stride * parts, out + p * each, each, stage + 1, should_stop);
  }
  if (length < kBetweenPolls || !should_stop()) Combine(out, parts, each, stride);
}

// The transforms of `parts` interleaved sequences, `each` long, one behind the other, become that of all of
// them.
void FourierTransform::Combine(Complex* out, int64_t parts, int64_t each, int64_t stride) const {
  const std::span<const Complex> root = NumbersOf(*roots_);
  std::array<Complex, kLargestFactor> t;
  for (int64_t k = 0; k < each; ++k) {
    t[0] = out[k];
    for (int64_t p = 1; p < parts; ++p) t[p] = out[k + p * each] * root[p * k * stride];
    if (parts == 2) {
      out[k] = t[0] + t[1];
      out[k + each] = t[0] - t[1];
    } else if (parts == 4) {
      const Complex even = t[0] + t[2], odd = t[1] + t[3], even_rest = t[0] - t[2],
                    odd_rest = TimesMinusI(t[1] - t[3]);
      out[k] = even + odd;
      out[k + each] = even_rest + odd_rest;
      out[k + 2 * each] = even - odd;
      out[k + 3 * each] = even_rest - odd_rest;
    } else {
      const int64_t turn = length_ / parts;
      for (int64_t r = 0; r < parts; ++r) {
        Complex sum = t[0];
        for (int64_t p = 1; p < parts; ++p) sum = sum + t[p] * root[p * r % parts * turn];
        out[k + r * each] = sum;
      }
    }
  }
}

void FourierTransform::Convolve(const Complex* in, Complex* out, Complex* work,
                                absl::FunctionRef<bool()> should_stop) const {
  const std::span<const Complex> root = NumbersOf(*roots_), kernel = NumbersOf(*kernel_);
  const int64_t padded = helper_->length_;
  Complex *const a = work, *const b = work + padded;
  for (int64_t k = 0; k < padded; ++k) a[k] = k < length_ ? in[k] * root[k] : Complex{};
  helper_->Run(a, b, nullptr, should_stop);
  // The inverse is the transform with both parts exchanged, before and after.
  for (int64_t k = 0; k < padded; ++k) a[k] = Swapped(b[k] * kernel[k]);
  helper_->Run(a, b, nullptr, should_stop);
  const double scale = 1 / static_cast<double>(padded);  // a power of two
  for (int64_t k = 0; k < length_; ++k) {
    const Complex sum = Swapped(b[k]);
    out[k] = Complex{sum.real * scale, sum.imaginary * scale} * root[k];
  }
}

}  // namespace tenfold
