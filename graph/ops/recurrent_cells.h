// SPDX-License-Identifier: Apache-2.0
//
// Recurrent ops as other ops: what they are built from, once inference has admitted their operands.
#ifndef TENFOLD_GRAPH_OPS_RECURRENT_CELLS_H_
#define TENFOLD_GRAPH_OPS_RECURRENT_CELLS_H_

#include <cstdint>
#include <span>
#include <vector>

#include "tenfold/graph/attrs.h"
#include "tenfold/graph/graph_builder.h"
#include "tenfold/graph/shape.h"

namespace tenfold {

// The ports; the last two are LSTM's alone.
enum RecurrentInput { kX, kW, kR, kB, kSequenceLens, kInitialH, kInitialC, kP };

// What tells the three ops apart, but for their steps.
struct CellKind {
  int gates;                               // w and r are so many matrices
  std::span<const char* const> functions;  // of one direction, by default
  int most_functions;                      // admitted of one direction
  int states;
};

inline constexpr const char* kRnnFunctions[] = {"Tanh"};
inline constexpr const char* kGruFunctions[] = {"Sigmoid", "Tanh"};
inline constexpr const char* kLstmFunctions[] = {"Sigmoid", "Tanh", "Tanh"};
// The specification's own default of RNN has two names, one for a direction that need not be there.
inline constexpr CellKind kRnn = {1, kRnnFunctions, 2, 1}, kGru = {3, kGruFunctions, 2, 1},
                          kLstm = {4, kLstmFunctions, 3, 2};

int NumDirections(const Attrs& attrs);
// The attribute, or what r says.
int64_t HiddenSize(const Attrs& attrs, const Shape& r);

// The outputs: y, y_h, and of LSTM y_c.
std::vector<Value> BuildRnn(std::span<const Value> in, const Attrs& attrs);
std::vector<Value> BuildGru(std::span<const Value> in, const Attrs& attrs);
std::vector<Value> BuildLstm(std::span<const Value> in, const Attrs& attrs);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_OPS_RECURRENT_CELLS_H_
