// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/ops/standard.h"

#include <iterator>
#include <utility>

namespace tenfold {

std::vector<OpDef> StandardOps() {
  std::vector<OpDef> all;
  for (auto* family :
       {SourceOps,     ArithmeticOps,  TranscendentalOps,   ActivationOps, ComparisonOps,  BitwiseOps,
        ConversionOps, ReductionOps,   DerivedReductionOps, ReshapingOps,  TransposingOps, SlicingOps,
        ExpandingOps,  ShapeOps,       IndexingOps,         ScatteringOps, OrderingOps,    ContractionOps,
        GemmOps,       ConvolutionOps, PoolingOps,          ResizingOps,   SelectingOps,   CompositeOps,
        ControlOps}) {
    std::vector<OpDef> ops = family();
    all.insert(all.end(), std::make_move_iterator(ops.begin()), std::make_move_iterator(ops.end()));
  }
  return all;
}

}  // namespace tenfold
