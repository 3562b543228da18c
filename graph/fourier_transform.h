// SPDX-License-Identifier: Apache-2.0
//
// The discrete Fourier transform of any length, in f64 and in O(n log n) steps: the same bits on every
// machine, since it is made of additions and multiplications alone, its factors, too.
//
// A length whose prime factors are small is taken apart by Cooley and Tukey's algorithm
// (https://doi.org/10.1090/S0025-5718-1965-0178586-1); any other is made a convolution, which transforms of a
// power of two compute (Bluestein, https://doi.org/10.1109/TAU.1970.1162132).
#ifndef TENFOLD_GRAPH_FOURIER_TRANSFORM_H_
#define TENFOLD_GRAPH_FOURIER_TRANSFORM_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "tenfold/graph/tensor.h"

namespace tenfold {

struct Complex {
  double real = 0, imaginary = 0;
};

// exp(-2 pi i k / n), each part within 1 ULP, exact at the multiples of a quarter. 0 <= k < n < 2^60.
Complex RootOfUnity(int64_t k, int64_t n);

// A transform of one length: immutable, thread-safe.
class FourierTransform {
 public:
  // `length` is at least 1. E0402 if there is no memory for the factors. Once `should_stop` says so, the
  // transform must not be used for more than being asked to stop.
  static absl::StatusOr<FourierTransform> Create(int64_t length, absl::FunctionRef<bool()> should_stop);

  int64_t length() const { return length_; }
  // How many numbers `work` must hold.
  int64_t work_size() const { return helper_ == nullptr ? 0 : 2 * helper_->length_; }

  // out[k] = sum over j of in[j] exp(-2 pi i j k / length). `in`, `out` and `work` do not overlap. Once
  // `should_stop` says so, the rest may be left undone.
  void Run(const Complex* in, Complex* out, Complex* work, absl::FunctionRef<bool()> should_stop) const;

 private:
  void RunStage(const Complex* in, int64_t stride, Complex* out, int64_t length, size_t stage,
                absl::FunctionRef<bool()> should_stop) const;
  void Combine(Complex* out, int64_t parts, int64_t each, int64_t stride) const;
  void Convolve(const Complex* in, Complex* out, Complex* work, absl::FunctionRef<bool()> should_stop) const;

  int64_t length_ = 1;
  std::vector<int64_t> factors_;
  std::shared_ptr<const Tensor>
      roots_;  // RootOfUnity(k, length), or exp(-pi i k^2 / length) where there is a helper
  std::shared_ptr<const FourierTransform> helper_;
  std::shared_ptr<const Tensor> kernel_;  // the helper's transform of what is convolved with
};

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_FOURIER_TRANSFORM_H_
