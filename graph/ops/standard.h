// SPDX-License-Identifier: Apache-2.0
//
// The standard ops, one file per family. Registration is this explicit list: no static initialisers.
#ifndef TENFOLD_GRAPH_OPS_STANDARD_H_
#define TENFOLD_GRAPH_OPS_STANDARD_H_

#include <vector>

#include "tenfold/graph/op_def.h"

namespace tenfold {

// Elementwise.
std::vector<OpDef> ArithmeticOps();      // arithmetic.cc
std::vector<OpDef> TranscendentalOps();  // transcendental.cc
std::vector<OpDef> ActivationOps();      // activations.cc
std::vector<OpDef> ComparisonOps();      // comparisons.cc
std::vector<OpDef> BitwiseOps();         // bitwise.cc
std::vector<OpDef> ConversionOps();      // conversions.cc

std::vector<OpDef> ReductionOps();         // reductions.cc
std::vector<OpDef> DerivedReductionOps();  // derived_reductions.cc
std::vector<OpDef> ReshapingOps();         // reshape.cc
std::vector<OpDef> TransposingOps();       // transpose.cc
std::vector<OpDef> SlicingOps();           // slicing.cc
std::vector<OpDef> ExpandingOps();         // expanding.cc
std::vector<OpDef> SelectingOps();         // selecting.cc
std::vector<OpDef> ShapeOps();             // shapes.cc
std::vector<OpDef> IndexingOps();          // indexing.cc
std::vector<OpDef> ScatteringOps();        // scattering.cc
std::vector<OpDef> OrderingOps();          // ordering.cc
std::vector<OpDef> ContractionOps();       // contractions.cc
std::vector<OpDef> ConvolutionOps();       // convolutions.cc
std::vector<OpDef> PoolingOps();           // pooling.cc
std::vector<OpDef> GemmOps();              // gemm.cc
std::vector<OpDef> ResizingOps();          // resizing.cc
std::vector<OpDef> EinsumOps();            // einsum.cc
std::vector<OpDef> CompositeOps();         // composites.cc
std::vector<OpDef> ControlOps();           // control.cc
std::vector<OpDef> RecurrentOps();         // recurrent.cc
std::vector<OpDef> NormalizationOps();     // normalizations.cc
std::vector<OpDef> AttentionOps();         // attention.cc
std::vector<OpDef> RotaryEmbeddingOps();   // rotary_embedding.cc
std::vector<OpDef> LossOps();              // losses.cc
std::vector<OpDef> SourceOps();            // sources.cc
std::vector<OpDef> PackingOps();           // packing.cc
std::vector<OpDef> QuantizationOps();      // quantization.cc
std::vector<OpDef> LinearAlgebraOps();     // linear_algebra.cc
std::vector<OpDef> CroppingOps();          // cropping.cc
std::vector<OpDef> UnpoolingOps();         // unpooling.cc
std::vector<OpDef> GridSamplingOps();      // grid_sampling.cc
std::vector<OpDef> RegionOps();            // regions.cc
std::vector<OpDef> StatefulOps();          // stateful.cc
std::vector<OpDef> LinearAttentionOps();   // linear_attention.cc
std::vector<OpDef> FourierOps();           // fourier.cc
std::vector<OpDef> SpectralOps();          // spectral.cc
std::vector<OpDef> RandomOps();            // random.cc
// quantized_contractions.cc
std::vector<OpDef> QuantizedContractionOps();

std::vector<OpDef> StandardOps();

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_OPS_STANDARD_H_
