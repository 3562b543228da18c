// SPDX-License-Identifier: Apache-2.0
//
// OpDef: one op as data. Name, inputs, attributes, dtype rule, shape inference, computation, documentation;
// inference, builder, text form, documentation, interpreter, folder and code generators all read this one
// definition.
#ifndef TENFOLD_GRAPH_OP_DEF_H_
#define TENFOLD_GRAPH_OP_DEF_H_

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tenfold/graph/attrs.h"
#include "tenfold/graph/control_layout.h"
#include "tenfold/graph/dtype.h"
#include "tenfold/graph/host_kernel.h"
#include "tenfold/graph/scalar/scalar.h"
#include "tenfold/graph/shape.h"

namespace tenfold {

class InferContext;
class Value;

// How many values stand for a port.
enum class Arity : uint8_t {
  kRequired,
  kOptional,  // an input that may be absent
  kVariadic,  // the last port: any number of values, `least` or more
};

// An input or output. Those with the same `type_var` have the same dtype; its set is `dtypes`.
struct PortDef {
  std::string name;
  std::string type_var;  // "T"; an output's must be an input's, or name a dtype-valued attribute, or `dtypes`
                         // has the one member
  DTypeSet dtypes;
  std::string doc;
  Arity arity = Arity::kRequired;
  int least = 1;  // of a variadic port
  // The result's shape follows from its values, so they must be known while the graph is built.
  bool known = false;
};

struct AttrDef {
  std::string name;
  AttrKind kind;
  std::optional<AttrValue> default_value;  // none: the attribute must be given
  std::string doc;
  std::vector<std::string> choices = {};  // of a string
  bool is_optional = false;               // may be absent though it has no default
};

// A formula over scalars: a captureless function of one, two or three Scalars, or of all inputs and the
// attributes. f16 and bf16 inputs arrive as f32 or f64, and the result is rounded once.
class Formula {
 public:
  using General = Scalar (*)(std::span<const Scalar>, const Attrs&);

  constexpr Formula() = default;
  template <typename F>
    requires std::convertible_to<F, Scalar (*)(Scalar)>
  constexpr Formula(F f) : unary_(f) {}  // NOLINT: a row is written as a lambda
  template <typename F>
    requires std::convertible_to<F, Scalar (*)(Scalar, Scalar)>
  constexpr Formula(F f) : binary_(f) {}  // NOLINT
  template <typename F>
    requires std::convertible_to<F, Scalar (*)(Scalar, Scalar, Scalar)>
  constexpr Formula(F f) : ternary_(f) {}  // NOLINT
  template <typename F>
    requires std::convertible_to<F, General>
  constexpr Formula(F f) : general_(f) {}  // NOLINT

  // 0 for a general formula.
  constexpr int arity() const { return unary_ ? 1 : binary_ ? 2 : ternary_ ? 3 : 0; }
  // `in` holds arity() values, or all inputs of a general formula.
  Scalar operator()(std::span<const Scalar> in, const Attrs& attrs) const;

 private:
  Scalar (*unary_)(Scalar) = nullptr;
  Scalar (*binary_)(Scalar, Scalar) = nullptr;
  Scalar (*ternary_)(Scalar, Scalar, Scalar) = nullptr;
  General general_ = nullptr;
};

// --- The kinds of computation ------------------------------------------------------------------------------

// Applied to each element of the broadcast inputs.
struct Elementwise {
  Formula formula;
  // The 16-bit dtypes that are computed in f64: where a result in f32, rounded again, is not always the
  // nearest.
  DTypeSet in_f64 = {};
};

// map each element, combine in the order of FusedKernel. Half types accumulate in f32 and round at the end.
struct Reduction {
  Formula map;      // unary
  Formula combine;  // binary: accumulator, value
  // Of the accumulator's type, as a value: a true identity of combine, bit for bit; what an empty reduction
  // gives.
  uint64_t (*identity)(DType accumulator) = nullptr;
  uint64_t (*empty)(DType accumulator) = nullptr;
};

// Elements are moved, and nothing is computed: payloads are kept. Inference says where each output element
// comes from (InferContext::SetLayout), since that and the shape follow from the same numbers.
struct Movement {};

// [batch..., m, k] x [batch..., k, n]: out = sum over k ascending of lhs * rhs, by fma from 0 (integers
// wrap).
struct Contraction {};

// A function over other ops, written with GraphBuilder. Half inputs are cast to f32 before it and the results
// back after it, so it rounds once. An absent input is a Value without a builder.
struct Composite {
  using Build = Value (*)(std::span<const Value> inputs, const Attrs& attrs);
  using BuildSeveral = std::vector<Value> (*)(std::span<const Value> inputs, const Attrs& attrs);
  Build build = nullptr;
  BuildSeveral build_several = nullptr;  // instead, for several outputs
  // Its parts compute nothing, or widen and round halves themselves: halves stay halves.
  bool only_moves = false;
};

// The outputs follow from the shapes of the inputs alone: inference says their values (SetContents).
struct FromShapes {};

// Input and Const: a value that comes from outside.
struct Source {};

// A group of nodes that the compiler made one kernel; the node's body is the group.
struct FusedBody {};

// A node's bodies are computed: one of two, one again and again, or one that several nodes share. How
// operands meet a body's inputs is said in graph/control.h.
struct Control {
  ControlKind kind = ControlKind::kIf;
  size_t num_bodies() const { return kind == ControlKind::kIf ? 2 : 1; }
};

using Computation = std::variant<Elementwise, Reduction, Movement, Contraction, Composite, HostKernel,
                                 FromShapes, Source, FusedBody, Control>;

struct OpDef {
  std::string name = {};
  std::vector<PortDef> inputs = {};
  std::vector<AttrDef> attrs = {};
  std::vector<PortDef> outputs = {};
  std::string doc = {};    // one sentence or a few; the first line stands in listings
  std::string bound = {};  // accuracy, where the result is not exact: "At most 1 ULP (f32)."
  // Shapes of the outputs, once dtypes have been checked and attributes completed.
  absl::Status (*infer)(InferContext& context) = nullptr;
  Computation computation = Source{};
  // What stands for the op where an operand or the result is packed (i4, u4), so that its elements have no
  // addresses: over operands that were unpacked, with a result that is packed after it. Null: the op itself.
  Composite::Build packed = nullptr;
  // Never folded, merged or moved across: OptimizationBarrier.
  bool is_barrier = false;
  // Made by the compiler; neither built by users nor listed in the documentation.
  bool is_internal = false;

  template <typename T>
  bool Is() const {
    return std::holds_alternative<T>(computation);
  }
  // How many graphs a node of it owns.
  size_t NumBodies() const {
    const auto* const control = std::get_if<Control>(&computation);
    return control != nullptr ? control->num_bodies() : Is<FusedBody>() ? 1 : 0;
  }
  const AttrDef* FindAttr(absl::string_view name) const;
  // The port of input or output `i`: a variadic one takes all that follow. The op must have ports.
  const PortDef& InputPort(size_t i) const { return inputs[std::min(i, inputs.size() - 1)]; }
  const PortDef& OutputPort(size_t i) const { return outputs[std::min(i, outputs.size() - 1)]; }
  bool TakesAnyNumber() const { return !inputs.empty() && inputs.back().arity == Arity::kVariadic; }
  bool GivesAnyNumber() const { return !outputs.empty() && outputs.back().arity == Arity::kVariadic; }
  // Whether it may have `count` inputs, absent ones counted.
  bool TakesInputs(size_t count) const;
  // "2 inputs", "2 to 4 inputs", "at least 1 input"; with `what` for "input".
  std::string InputCountText(absl::string_view what) const;
};

// "elementwise", "reduction", ...
absl::string_view FamilyName(const OpDef& op);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_OP_DEF_H_
