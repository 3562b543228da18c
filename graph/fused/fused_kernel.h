// SPDX-License-Identifier: Apache-2.0
//
// FusedKernel: ScalarPrograms under loops. The one form for elementwise chains, reductions over any axes,
// softmax and the normalisations. It is interpreted (graph/fused/interpret.h), compiled for the CPU and
// compiled for the GPU (kernels/), each with the same bits.
//
// The iteration space is `extents`: `parallel_rank` parallel dims, then the reduced dims, outermost first.
// A *row* is one point of the parallel space; a row's elements are the points of the reduced space, numbered
// row-major 0 .. n-1. Without reduced dims a row has exactly one element.
//
// Stages run in order. A map stage computes a value for each element (or, `per_row`, one for each row). A
// reduce stage maps each element to a value and combines those of a row into one:
//
//   1. The row is cut into chunks of kReduceChunk elements (the last may be short).
//   2. In a chunk, kReduceLanes accumulators start at `identity`; element i of the chunk is combined into
//      accumulator i mod kReduceLanes, in ascending order of i: acc = combine(acc, x).
//   3. The accumulators are combined by halving: for h = 32, 16, 8, 4, 2, 1: acc[j] = combine(acc[j],
//      acc[j + h]) for j < h. acc[0] is the chunk's value.
//   4. Chunk values are combined in pairs: adjacent pairs, then pairs of those, and so on; an odd one out
//      passes up unchanged. (For 5: ((c0 c1) (c2 c3)) c4.)
//   5. A row without elements gives `empty`.
//
// `identity` is a true identity of combine, bit for bit (-0.0 for a float sum), so lanes past the end may be
// filled with it. This order is part of every reduction's meaning (docs/numerics.md): any executor must give
// the bits that it gives.
#ifndef TENFOLD_GRAPH_FUSED_FUSED_KERNEL_H_
#define TENFOLD_GRAPH_FUSED_FUSED_KERNEL_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "tenfold/graph/dim.h"
#include "tenfold/graph/dtype.h"
#include "tenfold/graph/scalar/scalar_program.h"

namespace tenfold {

inline constexpr int kReduceLanes = 64;
inline constexpr int64_t kReduceChunk = 4096;

struct FusedKernel {
  // A buffer and how the iteration space walks it: element offset = sum of index[d] * strides[d]. A stride
  // that is the constant 0 broadcasts. One stride an iteration dim; for an output of a per-row value the
  // strides of the reduced dims are 0.
  // Where the element of index 0 lies, `offset` says in elements; KernelCall has its address, so that kernels
  // need not know.
  struct Operand {
    DType dtype;
    std::vector<Dim> strides;
    Dim offset = {};
    bool operator==(const Operand&) const = default;
  };

  // Where a stage input or a kernel output comes from: kernel input `index`, or output `output` of stage
  // `index`'s program (a reduce stage has the one output 0).
  struct Source {
    enum Kind : uint8_t { kInput, kStage } kind = kInput;
    int index = 0;
    int output = 0;
    bool operator==(const Source&) const = default;
  };

  struct Stage {
    enum Kind : uint8_t { kMap, kReduce } kind = kMap;
    // A map whose inputs are all per row (earlier reductions, per-row maps, kernel inputs whose strides in
    // every reduced dim are 0) and which is computed once a row. Always false without reduced dims.
    bool per_row = false;
    ScalarProgram program;       // reduce: the value of an element before combining, one output
    std::vector<Source> inputs;  // one per program input
    // Reduce only.
    ScalarProgram combine;  // (accumulator, value) -> accumulator; associative up to rounding
    uint64_t identity = 0;  // bit patterns of the accumulator's type
    uint64_t empty = 0;
    bool operator==(const Stage&) const = default;
  };

  struct Output {
    Operand operand;
    Source source;                   // always a stage; its type is operand.dtype
    bool canonicalize_nans = false;  // stores NaNs as the canonical NaN: the value is observed
    bool operator==(const Output&) const = default;
  };

  std::string name;  // for people and symbols: "softmax.3"
  std::vector<Dim> extents;
  int parallel_rank = 0;
  std::vector<Operand> inputs;
  std::vector<Stage> stages;
  std::vector<Output> outputs;

  int rank() const { return static_cast<int>(extents.size()); }
  int reduced_rank() const { return rank() - parallel_rank; }
  // How many int64 values KernelCall::dims holds for this kernel: extents, then the strides of each input,
  // then of each output.
  int num_dims() const { return rank() * (1 + static_cast<int>(inputs.size() + outputs.size())); }
  // Those, as expressions, in that order.
  std::vector<Dim> DimExpressions() const;
  DType SourceType(const Source& source) const;
  // True if `source` has one value a row: a reduction, a per-row map, or an input that the reduced dims
  // broadcast.
  bool IsPerRow(const Source& source) const;

  absl::Status Verify() const;
  // Readable text, for dumps (`tenfold-dump --stage fused --kernels ...`) and tests.
  std::string ToString() const;
};

// How the stages of a kernel are grouped into loops over a row: consecutive stages share a loop unless one
// needs, for its elements, a per-row value that a reduction in the same loop produces. Softmax: {max},
// {exp, sum}, {divide}. Element values read by a later loop than their own are kept in scratch.
struct LoopSchedule {
  struct Loop {
    int begin_stage;
    int end_stage;  // stages [begin, end) ; per_row maps between loops form a loop of their own
    bool per_row;   // a group of per-row maps: executed once a row, no loop over elements
  };
  std::vector<Loop> loops;
  // (stage, output) pairs of element values that cross loops, in the order of their rows in scratch.
  std::vector<FusedKernel::Source> kept;
};
LoopSchedule ScheduleLoops(const FusedKernel& kernel);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_FUSED_FUSED_KERNEL_H_
