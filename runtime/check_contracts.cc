// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <vector>

#include "tenfold/graph/diagnostic.h"
#include "tenfold/runtime/feeds.h"
#include "tenfold/runtime/invocation_impl.h"
#include "tenfold/runtime/run_control.h"

namespace tenfold {

absl::Status Invocation::Impl::HoldAgainstContracts(const RunOptions& options) const {
  const bool enforced = options.contract == ContractMode::kEnforce;
  if (!enforced && (options.contract == ContractMode::kOff || options.warnings == nullptr)) {
    return absl::OkStatus();
  }
  RunControl control(options);
  const auto stop = [&] { return control.ShouldStop(); };
  std::vector<Diagnostic> breaches;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!state.contracts[i]) continue;
    const ContractChecker& contract = *state.contracts[i];
    if (!contract.Holds(fed_dims[i], inputs[i].data, stop)) {
      const FeedOrigin* const origin = FindOrigin(state.plan, static_cast<int>(i), options.origins);
      const std::string file = origin != nullptr && origin->array ? origin->array->Reference() : "";
      for (Diagnostic& breach : contract.Violations(fed_dims[i], inputs[i].data, stop, file)) {
        breaches.push_back(std::move(breach));
      }
    }
    if (control.ShouldStop()) return control.status();
  }
  if (enforced) {
    // No edit: a machine that mends errors must not switch off what guards against them.
    for (Diagnostic& breach : breaches) {
      breach.help.push_back(
          "to run all the same, with a warning: --contract=warn (in C++, RunOptions::contract = "
          "ContractMode::kWarn)");
    }
    return ToStatus(std::move(breaches));
  }
  for (Diagnostic& breach : breaches) {
    breach.severity = Severity::kWarning;
    options.warnings->push_back(std::move(breach));
  }
  return absl::OkStatus();
}

}  // namespace tenfold
