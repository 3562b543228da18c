// SPDX-License-Identifier: Apache-2.0
//
// What a host kernel is given: its node's inputs and outputs as views, its attributes, and somebody who runs
// the blocks that it cuts its work into. Interpreter, folder and executor call the one function of an op with
// a context of their own.
//
// The rules of a kernel: every output element is written by one block, blocks follow from the dims alone, and
// a value that is none (an index outside its dim) is an error, the first in order of blocks. So bits and
// errors do not depend on who runs it, or on how many threads.
#ifndef TENFOLD_GRAPH_KERNEL_CONTEXT_H_
#define TENFOLD_GRAPH_KERNEL_CONTEXT_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tenfold/graph/attrs.h"
#include "tenfold/graph/dtype.h"
#include "tenfold/graph/fused/kernel_abi.h"
#include "tenfold/graph/host_kernel.h"
#include "tenfold/graph/mend.h"
#include "tenfold/graph/shape.h"

namespace tenfold {

// An input or an output: row-major, element-aligned, every element stored.
struct KernelTensor {
  DType dtype = DType::kF32;
  Dims dims;
  int64_t count = 0;  // the product of the dims
  void* data = nullptr;
  bool absent = false;  // an input that is not given; an output that nobody reads, and may stay unwritten

  int rank() const { return static_cast<int>(dims.size()); }
  int64_t element_size() const { return static_cast<int64_t>(SizeOf(dtype)); }
  // Extents of the dims before and behind `axis`, multiplied.
  int64_t Outer(int axis) const;
  int64_t Inner(int axis) const;
  template <typename T>
  std::span<const T> values() const {
    return {static_cast<const T*>(data), static_cast<size_t>(count)};
  }
  template <typename T>
  std::span<T> mutable_values() const {
    return {static_cast<T*>(data), static_cast<size_t>(count)};
  }
  const char* bytes() const { return static_cast<const char*>(data); }
  char* mutable_bytes() const { return static_cast<char*>(data); }
};

// Runs blocks: one after the other, or on a thread pool.
class BlockRunner {
 public:
  virtual ~BlockRunner() = default;
  // Calls body(block, scratch) for all blocks in [0, blocks), which are taken in ascending order; `scratch`
  // is as large as the kernel asked for, 64-byte aligned, and the call's own.
  virtual void Run(int64_t blocks, absl::FunctionRef<void(int64_t block, void* scratch)> body) = 0;
  // Polled between blocks and within long ones: nobody wants the result any more.
  virtual bool ShouldStop() = 0;
};

// Gives memory to outputs whose extents the kernel alone knows.
class OutputPlacer {
 public:
  virtual ~OutputPlacer() = default;
  // Of one that has none yet: so many bytes, aligned as tensors are. E0402 or E0404 if there is no memory.
  virtual absl::StatusOr<void*> Place(size_t output, std::span<const int64_t> dims, int64_t bytes) = 0;
};

class KernelContext {
 public:
  // `node` is for messages: "Gather 'y'". Attributes and runner must stay.
  KernelContext(std::string node, std::string location, const Attrs& attrs)
      : node_(std::move(node)), location_(std::move(location)), attrs_(attrs) {}

  std::vector<KernelTensor> inputs;  // at least one for each port, absent ones marked
  std::vector<KernelTensor> outputs;
  BlockRunner* runner = nullptr;
  OutputPlacer* placer = nullptr;  // only for a kernel that places outputs

  const KernelTensor& input(size_t i) const { return inputs[i]; }
  const KernelTensor& output(size_t i = 0) const { return outputs[i]; }
  bool has(size_t i) const { return i < inputs.size() && !inputs[i].absent; }
  const Attrs& attrs() const { return attrs_; }
  // The attribute `name` as an axis of `tensor`; inference has checked it.
  int Axis(absl::string_view name, const KernelTensor& tensor) const;

  bool ShouldStop() const { return runner->ShouldStop(); }

  // Calls body(begin, end, scratch) for ranges that make up [0, units), a unit being `cost` operations. The
  // status is that of the first range that fails, whoever ran it.
  using Body = absl::FunctionRef<absl::Status(int64_t begin, int64_t end, void* scratch)>;
  absl::Status ForEachRange(int64_t units, int64_t cost, Body body) const;

  // Says the extents of output `i`, which is then there to be written. An output that nobody reads, too.
  absl::Status PlaceOutput(size_t i, Dims dims);

  // "Gather 'y': <message>".
  absl::Status Fail(absl::string_view code, absl::string_view message, Mend help = {}) const;
  // E0615: element `position` of input `i`, called `what` ("indices"), is `value`, outside [low, high).
  absl::Status OutOfRange(size_t i, absl::string_view what, int64_t position, int64_t value, int64_t low,
                          int64_t high) const;

 private:
  const std::string node_;
  const std::string location_;
  const Attrs& attrs_;
};

// Runs the kernel, unless no output has an element: then nothing is computed, and no value looked at.
absl::Status CallKernel(const HostKernel& kernel, KernelContext& context);

// Runs blocks one after the other on this thread, with the scratch that it is given.
class SerialRunner final : public BlockRunner {
 public:
  SerialRunner(const KernelInterrupt* interrupt, void* scratch) : interrupt_(interrupt), scratch_(scratch) {}
  void Run(int64_t blocks, absl::FunctionRef<void(int64_t block, void* scratch)> body) override {
    for (int64_t b = 0; b < blocks && !ShouldStop(); ++b) body(b, scratch_);
  }
  bool ShouldStop() override { return StopRequested(interrupt_); }

 private:
  const KernelInterrupt* const interrupt_;
  void* const scratch_;
};

// Element `i` of a tensor that arithmetic is done on.
inline double FloatAt(const KernelTensor& tensor, int64_t i) {
  return VisitComputed(tensor.dtype, [&]<typename T>(std::type_identity<T>) {
    return static_cast<double>(Widen(tensor.values<T>()[i]));
  });
}

// Element `i` of a tensor of i32 or i64.
inline int64_t IndexAt(const KernelTensor& tensor, int64_t i) {
  return tensor.dtype == DType::kI32 ? tensor.values<int32_t>()[i] : tensor.values<int64_t>()[i];
}

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_KERNEL_CONTEXT_H_
