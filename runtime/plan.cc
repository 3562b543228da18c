// SPDX-License-Identifier: Apache-2.0
#include "tenfold/runtime/plan.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/runtime/plan_memory.h"
#include "tenfold/runtime/symbols.h"

namespace tenfold {
namespace {

template <typename... F>
struct Overloaded : F... {
  using F::operator()...;
};

absl::Status Bug(const Plan& plan, const std::string& what) {
  return MakeError("E9001", absl::StrCat("plan '", plan.name, "': ", what));
}

std::string StorageText(const Plan& plan, const PlanValue& value) {
  switch (value.storage) {
    case StorageKind::kInput:
      return absl::StrCat("input ", value.index);
    case StorageKind::kConstant:
      return value.constant.is_splat() ? "constant splat" : "constant";
    case StorageKind::kArena:
      return "arena";
    case StorageKind::kOutput:
      return absl::StrCat("output ", value.index);
    case StorageKind::kAlias:
      return absl::StrCat(
          "alias of ", plan.values[value.index].name,
          value.offset == Dim(0) ? "" : absl::StrCat(" from element ", value.offset.ToString(), " on"));
    case StorageKind::kStep:
      return "its step's";
  }
  return "";
}

std::string Names(const Plan& plan, const std::vector<int>& values) {
  return absl::StrJoin(values, ", ", [&](std::string* out, int v) { *out += plan.values[v].name; });
}

std::string DimList(const std::vector<Dim>& dims) {
  return absl::StrCat(
      "[", absl::StrJoin(dims, ",", [](std::string* out, const Dim& d) { *out += d.ToString(); }), "]");
}

// "strides=[1,3]" of a view; else what the output is made of.
std::string LayoutText(const Plan& plan, const CopyStep& copy) {
  if (const Piece* view = AsView(copy.layout, plan.values[copy.out].type.shape)) {
    const bool whole = view->from == Dim(0);
    return absl::StrCat("strides=", DimList(view->from_strides),
                        whole ? "" : absl::StrCat(" from=", view->from.ToString()));
  }
  const size_t pieces = copy.layout.pieces.size();
  const std::string fill = copy.layout.fill == Layout::kNoFill ? ""
                           : copy.layout.fill == Layout::kZeros
                               ? " fill=0"
                               : absl::StrCat(" fill=", plan.values[copy.in[copy.layout.fill]].name);
  return absl::StrCat("pieces=", pieces, fill);
}

// "y = if(c, x) then, else".
std::string ControlText(const Plan& plan, const ControlStep& step) {
  static constexpr const char* kNames[] = {"if", "loop", "scan", "call"};
  return absl::StrCat(Names(plan, step.outputs), " = ", kNames[static_cast<int>(step.layout.kind)], "(",
                      Names(plan, step.inputs), ") ",
                      absl::StrJoin(step.bodies, ", ", [](std::string* out, const auto& body) {
                        absl::StrAppend(out, "{", body->name, "}");
                      }));
}

std::string WorkText(const Plan& plan, const PlanStep& step) {
  return std::visit(Overloaded{[&](const FusedStep& s) {
                                 return absl::StrCat(Names(plan, s.outputs), " = kernel ", s.kernel.name, "(",
                                                     Names(plan, s.inputs), ")");
                               },
                               [&](const MatMulStep& s) {
                                 std::string text =
                                     absl::StrCat(plan.values[s.out].name, " = matmul ", Name(s.dtype), "(",
                                                  plan.values[s.lhs].name, ", ", plan.values[s.rhs].name,
                                                  ") m=", s.layout.m.ToString(), " k=", s.layout.k.ToString(),
                                                  " n=", s.layout.n.ToString());
                                 if (!s.layout.batch.empty())
                                   absl::StrAppend(&text, " batch=", DimList(s.layout.batch));
                                 return text;
                               },
                               [&](const CopyStep& s) {
                                 return absl::StrCat(plan.values[s.out].name, " = copy(", Names(plan, s.in),
                                                     ") ", LayoutText(plan, s));
                               },
                               [&](const KernelStep& s) {
                                 return absl::StrCat(Names(plan, s.outputs),
                                                     s.convolution ? " = convolution(" : " = host kernel(",
                                                     Names(plan, s.inputs), ")");
                               },
                               [&](const ShapeStep& s) {
                                 return absl::StrCat(plan.values[s.out].name, " = shape ", DimList(s.values));
                               },
                               [&](const ControlStep& s) { return ControlText(plan, s); }},
                    step.work);
}

absl::Status CheckOperand(const Plan& plan, const FusedKernel& kernel, const FusedKernel::Operand& operand,
                          int value) {
  if (plan.values[value].type.dtype == operand.dtype) return absl::OkStatus();
  return Bug(plan, absl::StrCat("kernel ", kernel.name, " takes ", plan.values[value].name, " as ",
                                Name(operand.dtype), ", it is ", plan.values[value].type.ToString()));
}

absl::Status CheckCopy(const Plan& plan, const CopyStep& copy) {
  const auto exists = [&](int i) { return i >= 0 && i < static_cast<int>(copy.in.size()); };
  for (int in : copy.in) {
    if (plan.values[in].type.dtype != plan.values[copy.out].type.dtype)
      return Bug(plan, "a copy changes the dtype");
  }
  if (copy.layout.fill >= 0 && !exists(copy.layout.fill)) return Bug(plan, "a copy fills with no value");
  for (const Piece& piece : copy.layout.pieces) {
    if (!exists(piece.input)) return Bug(plan, "a copy reads no value");
    if (piece.from_strides.size() != piece.extents.size() || piece.to_strides.size() != piece.extents.size())
      return Bug(plan, "a copy's strides do not match its extents");
  }
  return absl::OkStatus();
}

absl::Status CheckControl(const Plan& plan, const ControlStep& step) {
  const ControlLayout& layout = step.layout;
  if (step.bodies.size() != (layout.kind == ControlKind::kIf ? 2u : 1u))
    return Bug(plan, "a control step has another number of bodies");
  if (step.canonicalize_nans.size() != step.outputs.size())
    return Bug(plan, "a control step does not say which results are observed");
  if (static_cast<int>(step.operands.size()) != layout.lead + layout.num_passed())
    return Bug(plan, "a control step's operands are not as it lays them out");
  for (size_t i = 0; i < step.operands.size(); ++i) {
    const int operand = step.operands[i];
    const bool may_be_absent = layout.kind == ControlKind::kLoop && i < 2;
    if (operand >= static_cast<int>(step.inputs.size()) || (operand < 0 && !may_be_absent))
      return Bug(plan, "a control step's operand is none");
  }
  for (const auto& body : step.bodies) {
    if (static_cast<int>(body->inputs.size()) != layout.body_lead + layout.num_passed() ||
        body->outputs.size() != step.outputs.size() + layout.output_lead)
      return Bug(plan, absl::StrCat("body '", body->name, "' does not fit its step"));
    for (int i = 0; i < layout.num_passed(); ++i) {
      const int outer = step.inputs[step.operands[layout.lead + i]];
      const int inner = body->inputs[layout.body_lead + i].value;
      if (plan.values[outer].type.dtype != body->values[inner].type.dtype)
        return Bug(plan, absl::StrCat("body '", body->name, "' takes another dtype"));
    }
    for (size_t i = 0; i < step.outputs.size(); ++i) {
      const int inner = body->outputs[layout.output_lead + i].value;
      if (plan.values[step.outputs[i]].type.dtype != body->values[inner].type.dtype)
        return Bug(plan, absl::StrCat("body '", body->name, "' gives another dtype"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckWork(const Plan& plan, const PlanStep& step) {
  if (const auto* fused = std::get_if<FusedStep>(&step.work)) {
    const FusedKernel& kernel = fused->kernel;
    TENFOLD_RETURN_IF_ERROR(kernel.Verify());
    if (kernel.inputs.size() != fused->inputs.size() || kernel.outputs.size() != fused->outputs.size()) {
      return Bug(plan, absl::StrCat("kernel ", kernel.name, " has other operands than its step"));
    }
    for (size_t i = 0; i < kernel.inputs.size(); ++i) {
      TENFOLD_RETURN_IF_ERROR(CheckOperand(plan, kernel, kernel.inputs[i], fused->inputs[i]));
    }
    for (size_t i = 0; i < kernel.outputs.size(); ++i) {
      TENFOLD_RETURN_IF_ERROR(CheckOperand(plan, kernel, kernel.outputs[i].operand, fused->outputs[i]));
    }
    return absl::OkStatus();
  }
  if (const auto* matmul = std::get_if<MatMulStep>(&step.work)) {
    for (int v : {matmul->lhs, matmul->rhs, matmul->out}) {
      if (plan.values[v].type.dtype != matmul->dtype) return Bug(plan, "a matmul's operands differ in dtype");
    }
    if (IsBool(matmul->dtype)) return Bug(plan, "a matmul of bool");
    const MatMulLayout& layout = matmul->layout;
    if (layout.batch.size() != layout.lhs_strides.size() ||
        layout.batch.size() != layout.rhs_strides.size()) {
      return Bug(plan, "a matmul's batch strides do not match its batch dims");
    }
    Dim elements = layout.m * layout.n;
    for (const Dim& b : layout.batch) elements = elements * b;
    if (!(elements == plan.values[matmul->out].type.shape.num_elements())) {
      return Bug(plan, absl::StrCat("matmul writes ", elements.ToString(), " elements into ",
                                    plan.values[matmul->out].type.ToString()));
    }
    return absl::OkStatus();
  }
  if (const auto* copy = std::get_if<CopyStep>(&step.work)) return CheckCopy(plan, *copy);
  if (const auto* kernel = std::get_if<KernelStep>(&step.work)) {
    if (kernel->kernel.run == nullptr) return Bug(plan, "a host kernel has no function");
    if (kernel->canonicalize_nans.size() != kernel->outputs.size())
      return Bug(plan, "a host kernel does not say which results are observed");
    if (kernel->unread.size() != kernel->outputs.size())
      return Bug(plan, "a host kernel does not say which results are read");
    for (int operand : kernel->operands) {
      if (operand >= static_cast<int>(kernel->inputs.size()))
        return Bug(plan, "a host kernel's operand is none");
    }
    return absl::OkStatus();
  }
  if (const auto* control = std::get_if<ControlStep>(&step.work)) return CheckControl(plan, *control);
  const auto& shape = std::get<ShapeStep>(step.work);
  const TensorType& type = plan.values[shape.out].type;
  if (type.dtype != DType::kI64 ||
      !(type.shape.num_elements() == Dim(static_cast<int64_t>(shape.values.size()))))
    return Bug(plan, "a shape does not have its type");
  return absl::OkStatus();
}

// What is wrong with the alias `v` of `root`, which runs check if it is a view; empty if nothing is.
std::string FindAliasFault(const Plan& plan, int v, int root, bool is_view) {
  const TensorType& a = plan.values[v].type;
  const TensorType& b = plan.values[root].type;
  const Dim offset = plan.OffsetOf(v), end = offset + a.shape.num_elements();
  const bool leaves =
      end.is_constant() && b.shape.num_elements().is_constant() &&
      (end.constant() > b.shape.num_elements().constant() || (offset.is_constant() && offset.constant() < 0));
  // A packed element has no address of its own.
  const bool addressable = !IsPacked(a.dtype);
  if (a.dtype == b.dtype && (plan.IsWhole(v) || (is_view && addressable && offset.valid() && !leaves))) {
    return "";
  }
  return absl::StrCat(plan.values[v].name, " ", a.ToString(), " is an alias of ", plan.values[root].name, " ",
                      b.ToString(),
                      offset == Dim(0) ? "" : absl::StrCat(" from element ", offset.ToString(), " on"));
}

// Every value's storage names something that exists and points back where it must.
absl::Status CheckValues(const Plan& plan) {
  const int count = static_cast<int>(plan.values.size());
  for (const PlanValue& v : plan.values) {
    if (!v.type.shape.has_rank()) return Bug(plan, absl::StrCat(v.name, " has no rank"));
    int limit = 1;
    if (v.storage == StorageKind::kInput) limit = static_cast<int>(plan.inputs.size());
    if (v.storage == StorageKind::kOutput) limit = static_cast<int>(plan.outputs.size());
    if (v.storage == StorageKind::kAlias) limit = count;
    if (v.index < 0 || v.index >= limit) {
      return Bug(plan, absl::StrCat(v.name, " has storage index ", v.index));
    }
    if (v.storage == StorageKind::kConstant && !(v.constant.type() == v.type)) {
      return Bug(plan, absl::StrCat(v.name, " is ", v.type.ToString(), ", its constant ",
                                    v.constant.type().ToString()));
    }
  }
  std::vector<bool> is_view(plan.values.size());
  for (const PlanView& view : plan.views) {
    if (view.value < 0 || view.value >= count) return Bug(plan, "a view is no value");
    is_view[view.value] = true;
  }
  for (int v = 0; v < count; ++v) {
    int root = v;
    for (int hops = 0; plan.values[root].storage == StorageKind::kAlias; root = plan.values[root].index) {
      if (++hops > count) return Bug(plan, absl::StrCat(plan.values[v].name, " is an alias of itself"));
    }
    if (root == v) continue;
    if (const std::string fault = FindAliasFault(plan, v, root, is_view[v]); !fault.empty())
      return Bug(plan, fault);
  }
  for (size_t i = 0; i < plan.inputs.size(); ++i) {
    const int v = plan.inputs[i].value;
    if (v < 0 || v >= count || plan.values[v].storage != StorageKind::kInput ||
        plan.values[v].index != static_cast<int>(i)) {
      return Bug(plan, absl::StrCat("input '", plan.inputs[i].name, "' and its value do not agree"));
    }
    if (!plan.inputs[i].contract) continue;
    const std::string fault = FindContractFault(*plan.inputs[i].contract, plan.values[v].type);
    if (!fault.empty())
      return Bug(plan, absl::StrCat("the contract of '", plan.inputs[i].name, "': ", fault));
  }
  for (size_t i = 0; i < plan.outputs.size(); ++i) {
    const int v = plan.outputs[i].value;
    if (v < 0 || v >= count || plan.values[v].storage != StorageKind::kOutput ||
        plan.values[v].index != static_cast<int>(i)) {
      return Bug(plan, absl::StrCat("output '", plan.outputs[i].name, "' and its value do not agree"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckSymbols(const Plan& plan) {
  std::vector<std::string> used;
  for (const PlanValue& v : plan.values) {
    for (const Dim& d : v.type.shape.dims()) d.CollectSymbols(used);
  }
  for (const std::string& name : used) {
    const bool bound = std::any_of(plan.symbols.begin(), plan.symbols.end(),
                                   [&](const PlanSymbol& s) { return s.name == name; });
    if (!bound) return Bug(plan, absl::StrCat("symbol ", name, " is not bound"));
  }
  for (const PlanSymbol& s : plan.symbols) {
    if (s.from == PlanSymbol::From::kAround) continue;
    if (s.from == PlanSymbol::From::kStep) {
      const std::vector<int> outputs = s.step >= 0 && s.step < static_cast<int>(plan.steps.size())
                                           ? StepOutputs(plan.steps[s.step])
                                           : std::vector<int>();
      if (s.input < 0 || s.input >= static_cast<int>(outputs.size()) ||
          plan.values[outputs[s.input]].storage != StorageKind::kStep || s.dim < 0 ||
          s.dim >= plan.values[outputs[s.input]].type.shape.rank())
        return Bug(plan, absl::StrCat("symbol ", s.name, " is given by no step"));
      continue;
    }
    if (s.input < 0 || s.input >= static_cast<int>(plan.inputs.size()) || s.dim < 0 ||
        s.dim >= plan.values[plan.inputs[s.input].value].type.shape.rank()) {
      return Bug(plan, absl::StrCat("symbol ", s.name, " is bound to a dim that does not exist"));
    }
  }
  return absl::OkStatus();
}

// Which values have contents, step by step.
class Written {
 public:
  explicit Written(const Plan& plan) : plan_(plan), written_(plan.values.size()), parts_(plan.values.size()) {
    for (size_t v = 0; v < plan.values.size(); ++v) {
      const StorageKind kind = plan.values[v].storage;
      written_[v] = kind == StorageKind::kInput || kind == StorageKind::kConstant;
    }
  }

  // Values are read that a step has written, or that are made of such: views of them, and what they are parts
  // of.
  bool CanRead(int v) const {
    return AnyAround(v, [this](int around) { return written_[around] || parts_[around] > 0; });
  }

  // False if it is written already: itself, or what it lies within, or a part of it.
  bool Write(int v) {
    if (parts_[v] > 0 || AnyAround(v, [this](int around) { return written_[around]; })) return false;
    written_[v] = true;
    for (int whole = v; plan_.values[whole].storage == StorageKind::kAlias;) {
      whole = plan_.values[whole].index;
      ++parts_[whole];
    }
    return true;
  }

 private:
  // Whether it holds for the value or for one that it lies within.
  template <typename Condition>
  bool AnyAround(int v, Condition condition) const {
    while (!condition(v) && plan_.values[v].storage == StorageKind::kAlias) v = plan_.values[v].index;
    return condition(v);
  }

  const Plan& plan_;
  std::vector<bool> written_;
  std::vector<int> parts_;  // how many values that lie within it steps have written
};

}  // namespace

Dim Plan::OffsetOf(int value) const {
  Dim offset = 0;
  for (; values[value].storage == StorageKind::kAlias; value = values[value].index) {
    offset = offset + values[value].offset;
  }
  return offset;
}

bool Plan::IsWhole(int value) const {
  const int root = Root(value);
  return value == root || (OffsetOf(value) == Dim(0) &&
                           values[value].type.shape.num_elements() == values[root].type.shape.num_elements());
}

std::vector<int> StepInputs(const PlanStep& step) {
  return std::visit(
      Overloaded{[](const FusedStep& s) { return s.inputs; },
                 [](const MatMulStep& s) { return std::vector<int>{s.lhs, s.rhs}; },
                 [](const CopyStep& s) { return s.in; }, [](const KernelStep& s) { return s.inputs; },
                 [](const ShapeStep&) { return std::vector<int>(); },
                 [](const ControlStep& s) { return s.inputs; }},
      step.work);
}

std::vector<int> StepOutputs(const PlanStep& step) {
  return std::visit(Overloaded{[](const FusedStep& s) { return s.outputs; },
                               [](const MatMulStep& s) { return std::vector<int>{s.out}; },
                               [](const CopyStep& s) { return std::vector<int>{s.out}; },
                               [](const KernelStep& s) { return s.outputs; },
                               [](const ShapeStep& s) { return std::vector<int>{s.out}; },
                               [](const ControlStep& s) { return s.outputs; }},
                    step.work);
}

bool HasDeviceForm(const Plan& plan, const PlanStep& step) {
  if (std::holds_alternative<FusedStep>(step.work)) return true;
  const auto* copy = std::get_if<CopyStep>(&step.work);
  return copy != nullptr && !IsPacked(plan.values[copy->out].type.dtype) &&
         AsView(copy->layout, plan.values[copy->out].type.shape) != nullptr;
}

absl::Status VerifyPlan(const Plan& plan) {
  TENFOLD_RETURN_IF_ERROR(CheckValues(plan));
  TENFOLD_RETURN_IF_ERROR(CheckSymbols(plan));
  Written written(plan);
  for (size_t s = 0; s < plan.steps.size(); ++s) {
    const PlanStep& step = plan.steps[s];
    const auto stage =
        static_cast<int>(std::upper_bound(plan.stages.begin(), plan.stages.end(), static_cast<int>(s)) -
                         plan.stages.begin() - 1);
    if (step.nodes.empty()) return Bug(plan, "a step computes no node");
    for (const std::vector<int>& operands : {StepInputs(step), StepOutputs(step)}) {
      for (int v : operands) {
        if (v < 0 || v >= static_cast<int>(plan.values.size()))
          return Bug(plan, "a step's operand is no value");
        const PlanValue& value = plan.values[v];
        if (value.storage == StorageKind::kStep) continue;
        const int root = plan.Root(v);
        const bool placed =
            plan.values[root].storage == StorageKind::kStep || plan.StageOf(plan.values[root].type) <= stage;
        if (plan.StageOf(value.type) > stage || !placed)
          return Bug(plan, absl::StrCat(value.name, " is there before its size is known"));
      }
    }
    for (int v : StepInputs(step)) {
      if (!written.CanRead(v)) {
        return Bug(plan, absl::StrCat(plan.values[v].name, " is read before it is written"));
      }
    }
    for (int v : StepOutputs(step)) {
      if (!written.Write(v)) return Bug(plan, absl::StrCat(plan.values[v].name, " is written again"));
    }
    TENFOLD_RETURN_IF_ERROR(CheckWork(plan, step));
  }
  for (const PlanOutput& output : plan.outputs) {
    if (!written.CanRead(output.value))
      return Bug(plan, absl::StrCat("output '", output.name, "' is never written"));
  }
  return absl::OkStatus();
}

namespace {

// Bodies of the plan's steps, and of theirs, each once, behind those that they have themselves.
void CollectBodies(const Plan& plan, std::vector<const Plan*>& out) {
  for (const PlanStep& step : plan.steps) {
    const auto* control = std::get_if<ControlStep>(&step.work);
    if (control == nullptr) continue;
    for (const auto& body : control->bodies) {
      if (std::find(out.begin(), out.end(), body.get()) != out.end()) continue;
      CollectBodies(*body, out);
      out.push_back(body.get());
    }
  }
}

std::string TextOf(const Plan& plan, const char* keyword) {
  std::string text = absl::StrCat(keyword, " ", plan.name, "\n");
  for (const PlanSymbol& s : plan.symbols) {
    if (s.from != PlanSymbol::From::kInput) {
      absl::StrAppend(&text, "symbol ", s.name,
                      s.from == PlanSymbol::From::kStep
                          ? absl::StrCat(" = dim ", s.dim, " of result ", s.input, " of step ", s.step, "\n")
                          : std::string(" of the plan around\n"));
      continue;
    }
    absl::StrAppend(&text, "symbol ", s.name, " = dim ", s.dim, " of input '", plan.inputs[s.input].name,
                    "'");
    if (s.bounds.min != 0 || s.bounds.max) absl::StrAppend(&text, ", in ", BoundsToString(s.bounds));
    absl::StrAppend(&text, "\n");
  }
  for (const PlanInput& input : plan.inputs) {
    if (!input.contract) continue;
    absl::StrAppend(&text, "contract of '", input.name, "': ", input.contract->ToString(), "\n");
  }
  for (const PlanCheck& check : plan.checks) {
    absl::StrAppend(&text, "check ", check.size.is.ToString(), " == ", check.size.must.ToString(), ": ",
                    check.size.what, " in ", check.node, "\n");
  }
  absl::StrAppend(&text, "values:\n");
  for (const PlanValue& v : plan.values) {
    absl::StrAppend(&text, "  ", v.name, ": ", v.type.ToString(), "  ", StorageText(plan, v), "\n");
  }
  absl::StrAppend(&text, "steps:\n");
  for (size_t i = 0; i < plan.steps.size(); ++i) {
    absl::StrAppend(&text, "  ", i, ": ", WorkText(plan, plan.steps[i]), "  # ",
                    absl::StrJoin(plan.steps[i].nodes, ", ",
                                  [](std::string* out, const PlanNode& n) {
                                    absl::StrAppend(out, n.op, " '", n.name, "'");
                                  }),
                    "\n");
  }
  absl::StrAppend(&text, "memory:\n", MemoryTable(plan));
  return text;
}

}  // namespace

std::vector<const Plan*> BodiesOf(const Plan& plan) {
  std::vector<const Plan*> bodies;
  CollectBodies(plan, bodies);
  return bodies;
}

std::string ToString(const Plan& plan) {
  std::string text;
  for (const Plan* body : BodiesOf(plan)) absl::StrAppend(&text, TextOf(*body, "body"), "\n");
  return absl::StrCat(text, TextOf(plan, "plan"));
}

}  // namespace tenfold
