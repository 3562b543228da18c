// SPDX-License-Identifier: Apache-2.0
//
// The combination of a reduction over arrays of accumulators.
#ifndef TENFOLD_GRAPH_FUSED_COMBINE_H_
#define TENFOLD_GRAPH_FUSED_COMBINE_H_

#include <cstddef>
#include <optional>

#include "tenfold/graph/scalar/interpreter.h"
#include "tenfold/graph/scalar/scalar_program.h"

namespace tenfold {

// Compiled loops for a combination that is one primitive, else null.
struct CombineLoops {
  using Loop = void (*)(void* accumulators, const void* values, int count);
  Loop combine = nullptr;  // element by element
  Loop fold = nullptr;     // `count` groups of kReduceLanes values into kReduceLanes accumulators
};

// accumulators[i] = combine(accumulators[i], values[i]). A combination that is one primitive runs as one
// loop; any other through BlockInterpreter. The bits are the same, but for NaN payloads.
class Combiner {
 public:
  // `level` as for BlockInterpreter.
  explicit Combiner(const ScalarProgram& combine, std::optional<IsaLevel> level = std::nullopt);

  int element_size() const { return element_size_; }
  // True if `values` may have any alignment and length. Otherwise both arrays are 64-byte aligned with
  // BlockInterpreter::kBlock elements behind each, and `spare` is another such.
  bool takes_any_array() const { return loops_.combine != nullptr; }
  size_t WorkspaceBytes() const { return program_.WorkspaceBytes(); }

  // At most kBlock elements.
  void Combine(void* accumulators, const void* values, int count, void* spare, void* workspace) const;
  // Value i into accumulator i mod kReduceLanes, in ascending order of i.
  void CombineLanes(void* accumulators, const void* values, int count, void* spare, void* workspace) const;

 private:
  BlockInterpreter program_;
  CombineLoops loops_;
  int element_size_;
};

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_FUSED_COMBINE_H_
