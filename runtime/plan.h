// SPDX-License-Identifier: Apache-2.0
//
// The Plan: what the compiler hands to the runtime. Plain data: which values there are and where each lives,
// which steps compute them in which order, and how large everything is as expressions over the symbols.
#ifndef TENFOLD_RUNTIME_PLAN_H_
#define TENFOLD_RUNTIME_PLAN_H_

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "tenfold/graph/attrs.h"
#include "tenfold/graph/contract.h"
#include "tenfold/graph/convolution_layout.h"
#include "tenfold/graph/dim.h"
#include "tenfold/graph/fused/fused_kernel.h"
#include "tenfold/graph/host_kernel.h"
#include "tenfold/graph/layout.h"
#include "tenfold/graph/matmul_layout.h"
#include "tenfold/graph/shape.h"
#include "tenfold/graph/tensor.h"

namespace tenfold {

// Where the bytes of a value are.
enum class StorageKind : uint8_t {
  kInput,     // what the caller feeds as input `index`
  kConstant,  // PlanValue::constant
  kArena,     // the run's own memory, at the offset that the memory plan gives it
  kOutput,    // the memory of output `index`, which may be the caller's
  kAlias,     // the bytes of value `index`, under another shape (Reshape). Either way round: if a reshaped
              // value is fetched, the value it is made from is the alias
};

struct PlanValue {
  std::string name;  // for messages and dumps
  TensorType type;   // of known rank; every symbol is one of the plan's
  StorageKind storage = StorageKind::kArena;
  int index = 0;    // see StorageKind
  Tensor constant;  // kConstant only; may be a splat
};

// A symbol, and the input dim that its value is read from. That dim is the symbol itself or an expression
// that is affine in this one symbol (`2*N + 1`). Every other dim of every input is checked against the
// values.
struct PlanSymbol {
  std::string name;
  DimBounds bounds;
  int input = 0;
  int dim = 0;
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

struct PlanStep {
  std::variant<FusedStep, MatMulStep, CopyStep, KernelStep, ShapeStep> work;
  std::vector<PlanNode> nodes;  // those it computes; at least one, for messages
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
  };
  std::vector<Slot> slots;  // one per arena value that has bytes, by value
  Dim arena_bytes;          // the arena's size: the peak of all intermediates
  Dim unshared_bytes;       // what it would be if no two values shared memory
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
  MemoryPlan memory;

  // The value whose storage `value` really uses: follows aliases.
  int Root(int value) const {
    while (values[value].storage == StorageKind::kAlias) value = values[value].index;
    return value;
  }
};

// Whether devices have code for steps of this form: kernels, and copies that are one strided view.
bool HasDeviceForm(const Plan& plan, const PlanStep& step);

// Fills in plan.symbols from the inputs' types: each symbol is read from an input dim that is the bare
// symbol, else from one that is affine in it. `bounds` are looked up by name. E0608 if a symbol occurs only
// where it cannot be solved for.
absl::Status BindSymbols(Plan& plan, const std::vector<std::pair<std::string, DimBounds>>& bounds = {});

// Checks the plan's structure: indices in range, every value written before it is read and only once, operand
// types and extents as the steps need them, kernels verify (E9001, our bug).
absl::Status VerifyPlan(const Plan& plan);

// Readable text: values, steps, memory. `tenfold-dump --stage planned` prints it.
std::string ToString(const Plan& plan);

}  // namespace tenfold

#endif  // TENFOLD_RUNTIME_PLAN_H_
