// SPDX-License-Identifier: Apache-2.0
//
// An Invocation: one set of buffers for running an Executable again and again. A Run allocates nothing, takes
// no lock and looks nothing up as long as the shapes of the inputs stay what they were.
//
// Not thread-safe; make one for each thread. Keeps the executable alive.
#ifndef TENFOLD_RUNTIME_INVOCATION_H_
#define TENFOLD_RUNTIME_INVOCATION_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tenfold/graph/dtype.h"
#include "tenfold/graph/tensor.h"
#include "tenfold/runtime/run_options.h"

namespace tenfold {

struct ExecutableState;

// A result in the Invocation's memory (or the caller's, after SetOutput). Valid until the next Run or
// SetInput.
struct TensorView {
  DType dtype = DType::kF32;
  std::span<const int64_t> dims;
  const void* data = nullptr;
  int64_t num_elements = 0;

  // T must be the dtype's C++ type; an empty span otherwise.
  template <typename T>
  std::span<const T> values() const {
    if (DTypeOf<T>() != dtype) return {};
    return {static_cast<const T*>(data), static_cast<size_t>(num_elements)};
  }
  // A copy of its own.
  absl::StatusOr<Tensor> ToTensor() const;
};

class Invocation {
 public:
  Invocation(Invocation&&) noexcept;
  Invocation& operator=(Invocation&&) noexcept;
  ~Invocation();

  // --- Inputs, by index in the plan's order. A refusal leaves the input as it was. ---

  // Reads `values` in place: they must stay as they are until Run has returned. The shape follows from the
  // count, which must leave at most one symbol open (f32[N,64] and 128 values: N is 2).
  template <typename T>
  absl::Status SetInput(int i, std::span<const T> values) {
    return SetInputData(i, DTypeOf<T>(), values.data(), static_cast<int64_t>(values.size()));
  }
  // A vector, an array.
  template <typename Range>
    requires requires(const Range& r) { std::span(r.data(), r.size()); } &&
             (!requires(const Range& r) { r.is_splat(); })
  absl::Status SetInput(int i, const Range& values) {
    return SetInput(i, std::span<const typename Range::value_type>(values.data(), values.size()));
  }
  // With its shape. `dims` may point anywhere; the values are read in place.
  absl::Status SetInput(int i, DType dtype, std::span<const int64_t> dims, const void* data);
  // Shares the tensor's memory; a splat is written out first.
  absl::Status SetInput(int i, const Tensor& tensor);

  // --- Outputs ---

  // Writes output `i` into the caller's memory from now on: at least the output's element count, aligned to
  // its element, overlapping no input. An empty span: the Invocation's own memory again.
  template <typename T>
  absl::Status SetOutput(int i, std::span<T> memory) {
    return SetOutputData(i, DTypeOf<T>(), memory.data(), static_cast<int64_t>(memory.size()));
  }
  // The value of output `i` after a Run that was OK.
  TensorView Output(int i) const;

  absl::Status Run() { return Run(default_options_); }
  absl::Status Run(const RunOptions& options);

 private:
  friend class Executable;
  friend class BodyRun;
  struct Impl;
  explicit Invocation(std::unique_ptr<Impl> impl);
  static absl::Status CheckIndex(int i, size_t count, const char* what);
  absl::Status SetInputData(int i, DType dtype, const void* data, int64_t count);
  absl::Status SetOutputData(int i, DType dtype, void* data, int64_t count);

  std::unique_ptr<Impl> impl_;
  RunOptions default_options_;
};

}  // namespace tenfold

#endif  // TENFOLD_RUNTIME_INVOCATION_H_
