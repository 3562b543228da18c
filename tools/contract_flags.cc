// SPDX-License-Identifier: Apache-2.0
#include "tenfold/tools/contract_flags.h"

#include <optional>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "tenfold/graph/derive_contract.h"
#include "tenfold/graph/ingest/printable.h"
#include "tenfold/graph/text/quote.h"
#include "tenfold/tools/run_inputs.h"

namespace tenfold {

void ContractFlags::Add(Flags& flags) {
  flags.Custom("contract", "INPUT=ARRAY",
               "Makes the contract of an input from a sample of its feeds: x.npy, arrays.npz:x,\n"
               "arrays.safetensors:x. Every run holds its feeds against the range of each column, and\n"
               "refuses NaN in a column that had none (tenfold-run --contract). Given again for an input,\n"
               "all its samples count. Samples are taken under --cast, --nan and --text of INPUT.",
               [this](absl::string_view text) -> std::string {
                 std::optional<NamedArgument> sample = SplitNamedArgument(text);
                 if (!sample) return "is not written INPUT=ARRAY, such as x=train.npy";
                 if (FormOf(sample->value) != ArrayForm::kFile) return "names no file of an array";
                 return samples_.push_back(*std::move(sample)), "";
               });
  flags.Custom("contract-axis", "INPUT=AXIS",
               "The axis whose positions are the columns of a contract, where it is not the last: 1 for the\n"
               "channels of NCHW images. Its extent must be constant.",
               [this](absl::string_view text) -> std::string {
                 const std::optional<NamedArgument> axis = SplitNamedArgument(text);
                 int64_t number = 0;
                 if (!axis || !absl::SimpleAtoi(axis->value, &number)) {
                   return "is not written INPUT=AXIS, such as x=1";
                 }
                 return axes_[axis->name] = number, "";
               });
}

std::vector<std::string> ContractFlags::inputs() const {
  std::vector<std::string> names;
  for (const NamedArgument& sample : samples_) {
    if (!absl::c_linear_search(names, sample.name)) names.push_back(sample.name);
  }
  return names;
}

absl::StatusOr<std::vector<std::string>> ContractFlags::MakeContracts(Graph& graph,
                                                                      const PolicyFlags& policies,
                                                                      const Limits& limits) const {
  std::vector<std::string> lines;
  std::vector<Diagnostic> errors;
  const auto refuse = [&](const absl::Status& status) {
    for (Diagnostic& error : DiagnosticsOf(status)) errors.push_back(std::move(error));
  };
  for (const auto& [name, axis] : axes_) {
    if (absl::c_linear_search(inputs(), name)) continue;
    refuse(MakeError("E0325",
                     absl::StrCat("--contract-axis names '", Printable(name), "', and no --contract does"),
                     absl::StrCat("name a sample, too: --contract ", Printable(name), "=SAMPLE.npy")));
  }
  for (const std::string& name : inputs()) {
    const std::optional<ValueId> input = FindInput(graph, name);
    if (!input) {
      const auto sample = absl::c_find_if(samples_, [&](const NamedArgument& s) { return s.name == name; });
      refuse(NoSuchInput(graph, "--contract", *sample));
      continue;
    }
    ContractSubject subject = {name, graph.value(*input).type, graph.producer(*input).provenance.location};
    if (const auto axis = axes_.find(name); axis != axes_.end()) subject.axis = axis->second;
    std::vector<ContractSample> samples;
    const size_t errors_before = errors.size();
    for (const NamedArgument& argument : samples_) {
      if (argument.name != name) continue;
      absl::StatusOr<IngestedArray> array = ReadForInput(argument, graph, policies, limits);
      if (!array.ok()) {
        refuse(WithInput(array.status(), "is a sample of", graph, name));
        continue;
      }
      if (!array->record.empty()) {
        lines.push_back(absl::StrCat(QuoteName(name), ": ", array->record.ToString()));
      }
      samples.push_back({std::move(array->tensor), std::move(array->origin)});
    }
    if (errors.size() > errors_before) continue;
    absl::StatusOr<Contract> contract = DeriveContract(subject, samples);
    if (!contract.ok()) {
      refuse(contract.status());
      continue;
    }
    lines.push_back(absl::StrCat("contract of ", QuoteName(name), ": ", contract->ToString()));
    graph.contracts[name] = *std::move(contract);
  }
  if (!errors.empty()) return ToStatus(std::move(errors));
  return lines;
}

}  // namespace tenfold
