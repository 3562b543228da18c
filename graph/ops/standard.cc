// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/ops/standard.h"

#include <iterator>
#include <utility>

namespace tenfold {
namespace {

// clang-format off: a line for each file
constexpr std::vector<OpDef> (*kFamilies[])() = {
    SourceOps,
    ArithmeticOps,
    TranscendentalOps,
    ActivationOps,
    ComparisonOps,
    BitwiseOps,
    ConversionOps,
    ReductionOps,
    DerivedReductionOps,
    ReshapingOps,
    TransposingOps,
    SlicingOps,
    ExpandingOps,
    ShapeOps,
    IndexingOps,
    ScatteringOps,
    SelectingOps,
    OrderingOps,
    ResizingOps,
    CroppingOps,
    GridSamplingOps,
    RegionOps,
    ContractionOps,
    GemmOps,
    LinearAlgebraOps,
    EinsumOps,
    ConvolutionOps,
    PoolingOps,
    UnpoolingOps,
    CompositeOps,
    PackingOps,
    QuantizationOps,
    QuantizedContractionOps,
    NormalizationOps,
    AttentionOps,
    RotaryEmbeddingOps,
    LossOps,
    LinearAttentionOps,
    StatefulOps,
    FourierOps,
    SpectralOps,
    RandomOps,
    ControlOps,
    RecurrentOps,
};
// clang-format on

}  // namespace

std::vector<OpDef> StandardOps() {
  std::vector<OpDef> all;
  for (auto* family : kFamilies) {
    std::vector<OpDef> ops = family();
    all.insert(all.end(), std::make_move_iterator(ops.begin()), std::make_move_iterator(ops.end()));
  }
  return all;
}

}  // namespace tenfold
