// SPDX-License-Identifier: Apache-2.0
//
// Where the values of a plan's symbols come from, and from which stage on they are known.
#include <algorithm>
#include <span>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/runtime/plan.h"
#include "tenfold/runtime/symbols.h"

namespace tenfold {

int Plan::StageOf(const std::string& symbol) const {
  for (const PlanSymbol& s : symbols) {
    if (s.name != symbol || s.from != PlanSymbol::From::kStep) continue;
    return static_cast<int>(std::upper_bound(stages.begin(), stages.end(), s.step + 1) - stages.begin()) - 1;
  }
  return 0;
}

namespace {

int StageOfDims(const Plan& plan, std::span<const Dim> dims) {
  std::vector<std::string> names;
  for (const Dim& dim : dims) dim.CollectSymbols(names);
  int stage = 0;
  for (const std::string& name : names) stage = std::max(stage, plan.StageOf(name));
  return stage;
}

}  // namespace

int Plan::StageOf(const TensorType& type) const {
  if (stages.size() == 1 || !type.shape.has_rank()) return 0;
  return StageOfDims(*this, type.shape.dims());
}

int Plan::StageOf(const PlanView& view) const {
  if (stages.size() == 1) return 0;
  const Dim offset = OffsetOf(view.value);
  return std::max({StageOf(values[view.value].type), StageOf(values[Root(view.value)].type),
                   StageOfDims(*this, std::span(&offset, 1))});
}

int Plan::StageOf(const PlanCheck& check) const {
  return std::max(StageOfDims(*this, std::span(&check.size.is, 1)),
                  StageOfDims(*this, std::span(&check.size.must, 1)));
}

namespace {

// Where a step gives the symbol; false if none does.
bool FindStep(const Plan& plan, PlanSymbol& symbol) {
  for (size_t s = 0; s < plan.steps.size(); ++s) {
    const std::vector<std::string>& given = plan.steps[s].symbols;
    if (std::find(given.begin(), given.end(), symbol.name) == given.end()) continue;
    const std::vector<int> outputs = StepOutputs(plan.steps[s]);
    for (size_t i = 0; i < outputs.size(); ++i) {
      const std::vector<Dim>& dims = plan.values[outputs[i]].type.shape.dims();
      for (size_t d = 0; d < dims.size(); ++d) {
        if (dims[d].symbol() != symbol.name) continue;
        symbol.from = PlanSymbol::From::kStep;
        symbol.step = static_cast<int>(s);
        symbol.input = static_cast<int>(i);
        symbol.dim = static_cast<int>(d);
        return true;
      }
    }
  }
  return false;
}

}  // namespace

absl::Status BindSymbols(Plan& plan, const std::vector<std::pair<std::string, DimBounds>>& bounds,
                         bool is_body) {
  plan.stages = {0};
  for (size_t s = 0; s < plan.steps.size(); ++s) {
    if (!plan.steps[s].symbols.empty()) plan.stages.push_back(static_cast<int>(s) + 1);
  }
  std::vector<std::string> names;
  for (const PlanInput& input : plan.inputs) {
    for (const Dim& d : plan.values[input.value].type.shape.dims()) d.CollectSymbols(names);
  }
  for (const PlanValue& value : plan.values) {
    for (const Dim& d : value.type.shape.dims()) d.CollectSymbols(names);
  }
  for (const PlanCheck& check : plan.checks) {
    check.size.is.CollectSymbols(names);
    check.size.must.CollectSymbols(names);
  }
  plan.symbols.clear();
  for (const std::string& name : names) {
    PlanSymbol symbol{name, {}, -1, 0};
    for (const auto& [bounded, b] : bounds) {
      if (bounded == name) symbol.bounds = b;
    }
    // A bare symbol first: nothing to solve, and the clearest message when it conflicts.
    for (const bool bare : {true, false}) {
      for (size_t i = 0; i < plan.inputs.size() && symbol.input < 0; ++i) {
        const std::vector<Dim>& dims = plan.values[plan.inputs[i].value].type.shape.dims();
        for (size_t d = 0; d < dims.size() && symbol.input < 0; ++d) {
          if (bare ? dims[d].symbol() == name : AffineIn(dims[d], name).has_value()) {
            symbol.input = static_cast<int>(i);
            symbol.dim = static_cast<int>(d);
          }
        }
      }
    }
    if (symbol.input < 0 && plan.stages.size() > 1) FindStep(plan, symbol);
    if (symbol.input < 0 && is_body) {
      symbol.input = 0;
      symbol.from = PlanSymbol::From::kAround;
    }
    if (symbol.input < 0) {
      return MakeError("E0608", absl::StrCat("the value of ", name, " follows from no input"),
                       absl::StrCat("declare an input that has ", name, " itself as a dim"));
    }
    plan.symbols.push_back(std::move(symbol));
  }
  return absl::OkStatus();
}

}  // namespace tenfold
