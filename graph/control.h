// SPDX-License-Identifier: Apache-2.0
//
// How the operands of If, Loop, Scan and Call meet the inputs of their bodies.
//
// A body is a graph of its own and sees nothing but its inputs. What it reads of the graph around it is an
// operand of the node (a captured value: one of the last `captured` operands) and an input of each body. So
// nobody who looks at a graph needs to know of scopes. GraphBuilder and the text form let a body simply name
// outer values, and make the captures.
//
//   node       operands                            inputs of a body                     outputs of a body
//   If         condition, captured                 captured                             results
//   Loop       trip count, condition,              iteration, condition,                condition,
//              carried, captured                   carried, captured                    carried, rows
//   Scan       carried, scanned, captured          carried, elements, captured          carried, rows
//   Call       parameters                          parameters                           results
//
// The symbols of a body are its own: what each stands for follows from the operands. A carried value may
// change its shape from one iteration to the next. The dims that do are symbols that occur in no operand's
// type, and results with such dims, as those of If whose branches differ, have extents that only a run knows
// (InferContext::RunTimeDim).
#ifndef TENFOLD_GRAPH_CONTROL_H_
#define TENFOLD_GRAPH_CONTROL_H_

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tenfold/graph/control_layout.h"
#include "tenfold/graph/graph.h"

namespace tenfold {

// Errors: E0102 if the attributes do not say how `num_inputs` operands are divided, E0103 if there are too
// few.
absl::StatusOr<ControlLayout> LayOutControl(const OpDef& op, size_t num_inputs, const Attrs& attrs);

// What a body is given for an operand of `type` that is scanned along `axis`; nullopt if it has no such axis.
std::optional<TensorType> ElementType(const TensorType& type, int64_t axis);
// The types that the inputs of body operands have by the operands alone: `passed` are those behind the lead.
// nullopt if a scanned operand has no such axis.
std::optional<std::vector<TensorType>> PassedTypes(const ControlLayout& layout,
                                                   std::span<const TensorType> passed);

// Where bodies give a carried value back in another shape than they take it, the dims in question become
// symbols of the body's own, until nothing changes any more. Errors: those of inference in the body, with
// what was relaxed as a note. Differences in dtype or rank are left to the inference of the node.
absl::StatusOr<Bodies> RelaxBodies(const Graph& graph, const OpDef& op, std::span<const ValueId> inputs,
                                   const Attrs& attrs, Bodies bodies);

// An Input of `body` for a value of the graph around it, `graph`, with what is known of its contents.
// It is named as that value, or `name`.
absl::StatusOr<ValueId> AddCapturedInput(Graph& body, const Graph& graph, ValueId outer,
                                         std::string name = "");

// The bodies of a control node of `graph` whose operands may have other types than when they were made.
absl::StatusOr<Bodies> RetypeBodies(const Graph& graph, const Node& node);

// "1 result", "2 results".
std::string CountText(size_t count, absl::string_view what);

// The functions that `graph` and its bodies call, each once, those that another calls before it.
std::vector<std::shared_ptr<const Graph>> FunctionsOf(const Graph& graph);

inline bool IsCall(const OpDef& op) {
  const auto* const control = std::get_if<Control>(&op.computation);
  return control != nullptr && control->kind == ControlKind::kCall;
}
// How many of the last operands of a node are captured values.
size_t NumCaptured(const Node& node);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_CONTROL_H_
