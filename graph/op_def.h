// SPDX-License-Identifier: Apache-2.0
//
// OpDef: one op as data. Name, inputs, attributes, dtype rule, shape inference, computation, documentation;
// inference, builder, text form, documentation, interpreter, folder and code generators all read this one
// definition.
#ifndef TENFOLD_GRAPH_OP_DEF_H_
#define TENFOLD_GRAPH_OP_DEF_H_

#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tenfold/graph/attrs.h"
#include "tenfold/graph/dtype.h"
#include "tenfold/graph/scalar/scalar.h"
#include "tenfold/graph/shape.h"

namespace tenfold {

class InferContext;
class Value;

// An input or output. Those with the same `type_var` have the same dtype; its set is `dtypes`.
struct PortDef {
  std::string name;
  std::string type_var;  // "T"; an output's must be an input's, or name a dtype-valued attribute, or `dtypes`
                         // has the one member
  DTypeSet dtypes;
  std::string doc;
};

struct AttrDef {
  std::string name;
  AttrKind kind;
  std::optional<AttrValue> default_value;  // none: the attribute must be given
  std::string doc;
  std::vector<std::string> choices = {};  // of a string
};

// A formula over scalars: a captureless function of one, two or three Scalars, or of all inputs and the
// attributes. f16 and bf16 inputs arrive as f32, and the result is rounded once.
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

// Output element o is input 0's element at sum(o[d] * strides[d]): no arithmetic, payloads kept.
struct Movement {
  // One stride an output dim, in elements of the row-major input. Row-major strides of the output's own
  // shape: an alias, free at run time.
  using Strides = std::vector<Dim> (*)(const Shape& input, const Shape& output, const Attrs& attrs);
  Strides strides = nullptr;
};

// [batch..., m, k] x [batch..., k, n]: out = sum over k ascending of lhs * rhs, by fma from 0 (integers
// wrap).
struct Contraction {};

// A function over other ops, written with GraphBuilder. Half inputs are cast to f32 before it and the results
// back after it, so it rounds once.
struct Composite {
  using Build = Value (*)(std::span<const Value> inputs, const Attrs& attrs);
  Build build = nullptr;
};

// Input and Const: a value that comes from outside.
struct Source {};

// A group of nodes that the compiler made one kernel; the node's body is the group.
struct FusedBody {};

using Computation = std::variant<Elementwise, Reduction, Movement, Contraction, Composite, Source, FusedBody>;

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
  // Never folded, merged or moved across: OptimizationBarrier.
  bool is_barrier = false;
  // Made by the compiler; neither built by users nor listed in the documentation.
  bool is_internal = false;

  template <typename T>
  bool Is() const {
    return std::holds_alternative<T>(computation);
  }
  const AttrDef* FindAttr(absl::string_view name) const;
};

// "elementwise", "reduction", ...
absl::string_view FamilyName(const OpDef& op);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_OP_DEF_H_
