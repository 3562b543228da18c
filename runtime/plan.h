// SPDX-License-Identifier: Apache-2.0
//
// The Plan: what the compiler hands to the runtime. Plain data: which values there are and where each lives,
// which steps compute them in which order, and how large everything is as expressions over the symbols.
#ifndef TENFOLD_RUNTIME_PLAN_H_
#define TENFOLD_RUNTIME_PLAN_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "tenfold/graph/attrs.h"
#include "tenfold/graph/contract.h"
#include "tenfold/graph/control_layout.h"
#include "tenfold/graph/convolution_layout.h"
#include "tenfold/graph/dim.h"
#include "tenfold/graph/fused/fused_kernel.h"
#include "tenfold/graph/host_kernel.h"
#include "tenfold/graph/layout.h"
#include "tenfold/graph/matmul_layout.h"
#include "tenfold/graph/shape.h"
#include "tenfold/graph/size_assumption.h"
#include "tenfold/graph/tensor.h"

namespace tenfold {

// Where the bytes of a value are.
enum class StorageKind : uint8_t {
  kInput,     // what the caller feeds as input `index`
  kConstant,  // PlanValue::constant
  kArena,     // the run's own memory, at the offset that the memory plan gives it
  kOutput,    // the memory of output `index`, which may be the caller's
  kAlias,  // a run of the elements of value `index`, from element `offset` on, or all of them under another
           // shape. Either way round: made from that value, which a step has written (Reshape, Slice), or
           // written by a step for that value to be made of (the operands of a Concat)
  kStep,   // memory of the step that computes it, which alone knows how large it is
};

struct PlanValue {
  std::string name;  // for messages and dumps
  TensorType type;   // of known rank; every symbol is one of the plan's
  StorageKind storage = StorageKind::kArena;
  int index = 0;    // see StorageKind
  Tensor constant;  // kConstant only; may be a splat
  Dim offset = {};  // kAlias only
};

// A symbol, and where its value comes from. Most often that is a dim of an input, which is the symbol itself
// or an expression that is affine in this one symbol (`2*N + 1`). Every other dim of every input is checked
// against the values.
struct PlanSymbol {
  enum class From : uint8_t {
    kInput,
    kStep,    // a dim of a result of a step, which only a run knows: the dim is the symbol itself
    kAround,  // of the plan whose step has this one as a body: the symbol of that name
  };
  std::string name;
  DimBounds bounds;
  int input = 0;  // kStep: which result of the step
  int dim = 0;
  From from = From::kInput;
  int step = 0;  // kStep
};

struct PlanInput {
  std::string name;
  int value = 0;         // of kind kInput
  std::string location;  // where it was declared: "examples/digits.cc:24"; may be empty
  // What feeds are held against.
  std::optional<Contract> contract = std::nullopt;
};

struct PlanOutput {
  std::string name;
  int value = 0;  // of kind kOutput, with this output's index
};

// A node that a step computes, for messages.
struct PlanNode {
  std::string op;        // "Div"
  std::string name;      // "q"
  std::string location;  // "examples/div.cc:7"; may be empty
  TensorType type;       // of its first output
  // True if it may set the kernel's error word: an integer division whose divisor is not known.
  bool can_fail = false;
  std::string dividend = {}, divisor = {};  // of such a division: the names of its operands
};

// An alias that need not be all of its memory, and the node that makes it one. Runs check that it lies
// within.
struct PlanView {
  int value = 0;
  PlanNode node;
};

// What the plan takes for granted of sizes. A run checks it as soon as they are known, before it computes
// anything that relies on it.
struct PlanCheck {
  SizeAssumption size;
  std::string node;      // that assumes it: "Mul 'z'"
  std::string location;  // "examples/div.cc:7"; may be empty
};

// One fused kernel. inputs[i] and outputs[i] are the values behind kernel.inputs[i] and kernel.outputs[i].
struct FusedStep {
  FusedKernel kernel;
  std::vector<int> inputs;
  std::vector<int> outputs;
};

// out = lhs x rhs, as the layout says.
struct MatMulStep {
  DType dtype = DType::kF32;
  int lhs = 0, rhs = 0, out = 0;
  MatMulLayout layout;
  bool canonicalize_nans = false;  // the result is observed
};

// The elements of `out` come from those of `in`, by whose numbers the layout names its inputs; payloads are
// kept.
struct CopyStep {
  std::vector<int> in;
  int out = 0;
  Layout layout;
  bool canonicalize_nans = false;  // the result is observed
};

// A host kernel of an op, with the node's attributes.
struct KernelStep {
  HostKernel kernel;
  Attrs attrs;
  std::vector<int> inputs;    // of the node's, those that are there
  std::vector<int> operands;  // for each of the node's inputs its place in `inputs`; -1: absent
  std::vector<int> outputs;
  std::vector<bool> canonicalize_nans;  // by output: it is observed
  std::vector<bool> unread;             // by output: nobody wants it, and the kernel need not compute it
  std::optional<ConvolutionLayout> convolution;  // what is computed, if it is one
};

// Integers that follow from the symbols alone: a shape as a tensor of i64.
struct ShapeStep {
  int out = 0;
  std::vector<Dim> values;
};

struct Plan;

// If, Loop, Scan, Call: plans that are run within this one (graph/control.h says what operands are for).
// Calls of one function share its plan.
struct ControlStep {
  ControlLayout layout;
  std::vector<std::shared_ptr<const Plan>> bodies;
  std::vector<int> inputs;    // of the node's, those that are there
  std::vector<int> operands;  // for each of the node's inputs its place in `inputs`; -1: absent
  std::vector<int> outputs;
  std::vector<bool> canonicalize_nans;  // by output: it is observed
};

struct PlanStep {
  std::variant<FusedStep, MatMulStep, CopyStep, KernelStep, ShapeStep, ControlStep> work;
  std::vector<PlanNode> nodes;  // those it computes; at least one, for messages
  // Symbols whose values only this step knows, once it has run: each is a dim of one of its outputs, whose
  // storage is kStep.
  std::vector<std::string> symbols = {};
};

// The values that a step reads and writes, in operand order.
std::vector<int> StepInputs(const PlanStep& step);
std::vector<int> StepOutputs(const PlanStep& step);

// Where the arena's values lie. Filled in by PlanMemory (runtime/plan_memory.h).
struct MemoryPlan {
  struct Slot {
    int value = 0;       // of kind kArena
    Dim offset, size;    // in bytes; multiples of 64
    int first_step = 0;  // written
    int last_step = 0;   // last read
    int stage = 0;       // in whose arena it lies: the one from which on its size is known
  };
  std::vector<Slot> slots;             // one per arena value that has bytes, by value
  Dim arena_bytes;                     // the arena's size: the peak of all intermediates
  std::vector<Dim> later_arena_bytes;  // of the stages after the first: what lives there has a size by then
  Dim unshared_bytes;                  // what it would be if no two values shared memory
  int64_t constant_bytes = 0;
  Dim output_bytes;
};

struct Plan {
  std::string name;
  std::vector<PlanSymbol> symbols;
  std::vector<PlanValue> values;
  std::vector<PlanInput> inputs;
  std::vector<PlanOutput> outputs;
  std::vector<PlanStep> steps;
  std::vector<PlanView> views;
  std::vector<PlanCheck> checks;
  // The first step of each stage. A new stage begins behind a step that gives symbols: from there on extents
  // that follow from them are known, steps can be bound, and memory can be placed. Filled in by BindSymbols.
  std::vector<int> stages = {0};
  MemoryPlan memory;

  // From which stage on the value of `symbol` is known, and all those of a type.
  int StageOf(const std::string& symbol) const;
  int StageOf(const TensorType& type) const;
  int StageOf(const PlanView& view) const;  // also its offset's
  int StageOf(const PlanCheck& check) const;

  // The value whose storage `value` really uses: follows aliases.
  int Root(int value) const {
    while (values[value].storage == StorageKind::kAlias) value = values[value].index;
    return value;
  }
  // The element of its root with which `value` begins.
  Dim OffsetOf(int value) const;
  // Whether it is known to be all of its root.
  bool IsWhole(int value) const;
};

// The bodies of its steps, and theirs, each once, inner ones first.
std::vector<const Plan*> BodiesOf(const Plan& plan);

// Whether devices have code for steps of this form: kernels, and copies that are one strided view.
bool HasDeviceForm(const Plan& plan, const PlanStep& step);

// Fills in plan.symbols and plan.stages: each symbol is read from an input dim that is the bare symbol, else
// from one that is affine in it, else from the step that gives it. `bounds` are looked up by name. A symbol
// of none of them is of the plan around, if this is a body, and E0608 otherwise.
absl::Status BindSymbols(Plan& plan, const std::vector<std::pair<std::string, DimBounds>>& bounds = {},
                         bool is_body = false);

// Checks the plan's structure: indices in range, every value written before it is read and only once, operand
// types and extents as the steps need them, kernels verify (E9001, our bug).
absl::Status VerifyPlan(const Plan& plan);

// Readable text: values, steps, memory. `tenfold-dump --stage planned` prints it.
std::string ToString(const Plan& plan);

}  // namespace tenfold

#endif  // TENFOLD_RUNTIME_PLAN_H_
