// SPDX-License-Identifier: Apache-2.0
//
// The activation functions of recurrent ops, as their attributes name them.
#ifndef TENFOLD_GRAPH_OPS_RECURRENT_ACTIVATIONS_H_
#define TENFOLD_GRAPH_OPS_RECURRENT_ACTIVATIONS_H_

#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "tenfold/graph/attrs.h"
#include "tenfold/graph/graph_builder.h"
#include "tenfold/graph/op_def.h"

namespace tenfold {

struct ActivationKind;

struct RecurrentActivation {
  const ActivationKind* kind = nullptr;
  double alpha = 0, beta = 0;  // of a kind that has them

  Value operator()(Value x) const;
};

// The attributes activations, activation_alpha and activation_beta; `defaults` is what `doc` says of the
// first.
std::vector<AttrDef> ActivationAttrs(const char* doc);

// The functions of `directions` directions, one after the other, each as many as `defaults` has, which stand
// where `activations` is empty. Names may be in either case. Those that have an alpha or a beta take the next
// one that is listed, or their own default. More functions than needed are admitted up to `most`. The status
// of a refusal has a message alone.
absl::StatusOr<std::vector<RecurrentActivation>> ReadActivations(const Attrs& attrs,
                                                                 std::span<const char* const> defaults,
                                                                 int directions, int most);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_OPS_RECURRENT_ACTIVATIONS_H_
