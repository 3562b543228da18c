// SPDX-License-Identifier: Apache-2.0
//
// Inference of one node: its inputs and attributes are checked, then its op infers, until nothing more has to
// be assumed of the operands.
#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/infer_context.h"

namespace tenfold {
namespace {

std::string QuotedName(absl::string_view name) { return name.empty() ? "" : absl::StrCat(" '", name, "'"); }

std::string WithArticle(AttrKind kind) {
  if (kind == AttrKind::kInts) return "a list of ints";
  if (kind == AttrKind::kFloats) return "a list of floats";
  if (kind == AttrKind::kStrings) return "a list of strings";
  return absl::StrCat(kind == AttrKind::kInt ? "an " : "a ", Name(kind));
}

// A node has as many inputs as its op takes, and none is absent that must be there.
absl::Status CheckArity(const OpDef& op, absl::string_view node_name, std::span<const InferInput> inputs) {
  if (!op.TakesInputs(inputs.size())) {
    return MakeError("E0103", absl::StrCat(op.name, QuotedName(node_name), " takes ",
                                           op.InputCountText("input"), ", but got ", inputs.size()));
  }
  for (size_t i = 0; i < inputs.size(); ++i) {
    const PortDef& port = op.InputPort(i);
    if (!inputs[i].absent || port.arity == Arity::kOptional) continue;
    return MakeError("E0103", absl::StrCat(op.name, QuotedName(node_name), " needs its input '", port.name,
                                           "', which is absent"));
  }
  return absl::OkStatus();
}

// The attributes are those of the op, of the right kinds; what is left out has its default.
absl::Status CompleteAttrs(const OpDef& op, InferContext& context, Attrs& attrs) {
  for (const auto& [name, value] : attrs) {
    const AttrDef* def = op.FindAttr(name);
    if (def == nullptr) {
      std::vector<std::string> known;
      for (const AttrDef& a : op.attrs) known.push_back(a.name);
      const std::string near = NearestName(name, known);
      return context.Fail("E0102", absl::StrCat("there is no attribute '", name, "'"),
                          !near.empty()   ? DidYouMean(near)
                          : known.empty() ? absl::StrCat(op.name, " has no attributes")
                                          : absl::StrCat("the attributes are ", absl::StrJoin(known, ", ")));
    }
    if (def->kind != KindOf(value)) {
      return context.Fail("E0102",
                          absl::StrCat("attribute '", name, "' is ", ToString(value), ", ",
                                       WithArticle(KindOf(value)), ", but must be ", WithArticle(def->kind)));
    }
    if (!def->choices.empty() && std::find(def->choices.begin(), def->choices.end(),
                                           std::get<std::string>(value)) == def->choices.end()) {
      return context.Fail("E0102", absl::StrCat("attribute '", name, "' is ", ToString(value),
                                                ", but must be one of ", absl::StrJoin(def->choices, ", ")));
    }
  }
  for (const AttrDef& def : op.attrs) {
    if (attrs.Find(def.name) != nullptr) continue;
    if (def.is_optional) continue;
    if (!def.default_value.has_value()) {
      return context.Fail("E0102", absl::StrCat("attribute '", def.name, "' is missing"));
    }
    attrs.Set(def.name, *def.default_value);
  }
  return absl::OkStatus();
}

// Names for sizes that only a run knows, as the attribute keeps them.
absl::Status KeepSymbols(const OpDef& op, InferContext& context, Attrs& attrs) {
  if (op.FindAttr(kSymbolsAttr) == nullptr) return absl::OkStatus();
  std::vector<std::string> sorted = context.run_time_symbols();
  std::sort(sorted.begin(), sorted.end());
  if (!sorted.empty() && sorted[0].empty())
    return context.Fail("E0102", "the attribute 'symbols' has an empty name");
  if (const auto twice = std::adjacent_find(sorted.begin(), sorted.end()); twice != sorted.end())
    return context.Fail("E0102", absl::StrCat("the attribute 'symbols' names ", *twice, " twice"));
  attrs.Set(kSymbolsAttr, context.run_time_symbols());
  return absl::OkStatus();
}

// What is assumed of operands, by operand and dim.
using Assumed = std::map<std::pair<int, int>, SizeAssumption>;

// The operands as they are taken.
std::vector<InferInput> TakenAs(std::span<const InferInput> given, const Assumed& assumed) {
  std::vector<InferInput> taken(given.begin(), given.end());
  for (const auto& [place, assumption] : assumed) {
    Shape& shape = taken[assumption.input].type.shape;
    std::vector<Dim> dims = shape.dims();
    dims[assumption.dim] = assumption.must;
    shape = Shape(std::move(dims));
  }
  return taken;
}

}  // namespace

absl::StatusOr<std::vector<InferResult>> InferNode(const OpDef& op, std::string node_name,
                                                   std::span<const InferInput> inputs, Attrs& attrs,
                                                   const InferScope& scope) {
  // Before anything else: what follows reads the ports of the inputs.
  std::vector<InferInput> padded;
  if (!op.Is<FusedBody>()) {
    TENFOLD_RETURN_IF_ERROR(CheckArity(op, node_name, inputs));
    if (inputs.size() < op.inputs.size()) {
      padded.assign(inputs.begin(), inputs.end());
      while (padded.size() < op.inputs.size()) padded.emplace_back().absent = true;
      inputs = padded;
    }
  }
  InferContext context(op, node_name, inputs, attrs, scope);
  TENFOLD_RETURN_IF_ERROR(CompleteAttrs(op, context, attrs));
  if (!op.Is<FusedBody>()) TENFOLD_RETURN_IF_ERROR(context.CheckDTypes());
  // What is assumed of one operand may lead to more: until nothing does any more. Of an op that does not come
  // to an end proofs are asked.
  constexpr int kMostRounds = 8;
  Assumed assumed;
  for (int round = 0;; ++round) {
    InferScope how = scope;
    if (round == kMostRounds) how.assumptions = nullptr, assumed.clear();
    std::vector<InferInput> taken;
    if (!assumed.empty()) taken = TakenAs(inputs, assumed);
    InferContext attempt(op, node_name, assumed.empty() ? inputs : taken, attrs, how);
    attempt.SetInputsAsGiven(inputs);
    const absl::Status inferred = op.infer(attempt);
    std::vector<SizeAssumption> of_node;
    bool again = false;
    for (const SizeAssumption& assumption : attempt.assumptions()) {
      if (assumption.input < 0) {
        of_node.push_back(assumption);
      } else {
        assumed[{assumption.input, assumption.dim}] = assumption;
        again = true;
      }
    }
    if (again) continue;
    TENFOLD_RETURN_IF_ERROR(inferred);
    TENFOLD_RETURN_IF_ERROR(KeepSymbols(op, attempt, attrs));
    if (how.assumptions != nullptr) {
      for (const auto& [place, assumption] : assumed) how.assumptions->push_back(assumption);
      how.assumptions->insert(how.assumptions->end(), of_node.begin(), of_node.end());
    }
    return attempt.TakeResults();
  }
}

}  // namespace tenfold
