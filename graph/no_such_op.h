// SPDX-License-Identifier: Apache-2.0
//
// What is said of an op that the registry does not have: which one was meant, if that can be known.
#ifndef TENFOLD_GRAPH_NO_SUCH_OP_H_
#define TENFOLD_GRAPH_NO_SUCH_OP_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "tenfold/graph/op_registry.h"

namespace tenfold {

// E0101. The mend carries an edit only where the name can mean nothing else: another op in its place would be
// another function. A name of ONNX is not taken for a slip of one of ours.
absl::Status NoSuchOp(absl::string_view name, const OpRegistry& registry);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_NO_SUCH_OP_H_
