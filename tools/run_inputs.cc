// SPDX-License-Identifier: Apache-2.0
#include "tenfold/tools/run_inputs.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/ingest/array_reference.h"
#include "tenfold/graph/ingest/printable.h"
#include "tenfold/tools/random_tensor.h"

namespace tenfold {
namespace {

std::optional<TensorType> TypeOfInput(const Graph& graph, absl::string_view name) {
  const std::optional<ValueId> id = FindInput(graph, name);
  return id ? std::optional(graph.value(*id).type) : std::nullopt;
}

// A file under its name, what stands on the command line under the flag's.
FeedOrigin OriginOf(const NamedArgument& argument, const Limits& limits) {
  FeedOrigin origin{argument.name, absl::StrCat("--input ", Printable(argument.name)), std::nullopt};
  if (FormOf(argument.value) != ArrayForm::kFile) return origin;
  const absl::StatusOr<ArrayName> name = NameArrayFile(StripAt(argument.value), limits);
  if (!name.ok()) return origin;
  origin.text = name->ToString();
  origin.array = *name;
  return origin;
}

// Learns symbols from a feed whose declared dims are bare symbols. Where the feed does not fit, the runtime
// will say so.
void Bind(const Graph& graph, absl::string_view name, std::span<const int64_t> dims, SymbolValues& symbols) {
  const std::optional<TensorType> type = TypeOfInput(graph, name);
  if (!type || !type->shape.has_rank() || type->shape.rank() != static_cast<int>(dims.size())) return;
  for (int d = 0; d < type->shape.rank(); ++d) {
    if (const std::optional<std::string> symbol = type->shape.dim(d).symbol())
      symbols.emplace(*symbol, dims[d]);
  }
}

// The type written after `random:`, which must be static.
absl::StatusOr<TensorType> WrittenType(absl::string_view text) {
  TENFOLD_ASSIGN_OR_RETURN(TensorType type, TensorType::Parse(text));
  if (type.shape.has_rank() && type.shape.is_static()) return type;
  return MakeError("E0210", absl::StrCat("'", type.ToString(), "' has dims that are no numbers"),
                   "write every extent: random:f32[4,64]");
}

// The dtype and extents that the graph declares, under `symbols`.
absl::StatusOr<std::pair<DType, Dims>> DeclaredType(const Graph& graph, absl::string_view name,
                                                    const SymbolValues& symbols) {
  const std::optional<TensorType> type = TypeOfInput(graph, name);
  if (!type) return NoSuchInput(graph, "--input", {std::string(name), "random"});
  const absl::string_view dtype = Name(type->dtype);
  const std::string head = absl::StrCat("input '", name, "' is ", type->ToString());
  if (!type->shape.has_rank()) {
    return MakeError("E0608", absl::StrCat(head, ", so random values need a type"),
                     absl::StrCat("--input ", name, "=random:", dtype, "[4,64]"));
  }
  if (const std::optional<Dims> dims = type->shape.Evaluate(symbols)) return std::pair(type->dtype, *dims);
  std::vector<std::string> named, unknown;
  for (const Dim& dim : type->shape.dims()) dim.CollectSymbols(named);
  for (const std::string& symbol : named) {
    if (!symbols.contains(symbol)) unknown.push_back(symbol);
  }
  if (unknown.empty()) return MakeError("E0605", absl::StrCat(head, ", which the other inputs make no size"));
  // Pastes as it stands: 4 for what is not known.
  SymbolValues example = symbols;
  for (const std::string& symbol : unknown) example[symbol] = 4;
  const std::optional<Dims> dims = type->shape.Evaluate(example);
  return MakeError("E0608",
                   absl::StrCat(head, ", and no other input says what ", absl::StrJoin(unknown, ", "), " is"),
                   dims ? absl::StrCat("--input ", name, "=random:", dtype, DimsToString(*dims)) : "");
}

}  // namespace

std::optional<ValueId> FindInput(const Graph& graph, absl::string_view name) {
  for (const ValueId id : graph.inputs()) {
    if (graph.value(id).name == name) return id;
  }
  return std::nullopt;
}

absl::Status WithInput(const absl::Status& error, absl::string_view role, const Graph& graph,
                       absl::string_view name) {
  const std::optional<ValueId> input = FindInput(graph, name);
  if (!input) return error;
  return WithNote(error, absl::StrCat("it ", role, " ", graph.DescribeOrigin(*input), ", which is ",
                                      graph.value(*input).type.ToString()));
}

absl::StatusOr<IngestedArray> ReadForInput(const NamedArgument& argument, const Graph& graph,
                                           const PolicyFlags& policies, const Limits& limits) {
  TENFOLD_ASSIGN_OR_RETURN(ArrayName name, NameArrayFile(StripAt(argument.value), limits));
  name.argument = argument.name;
  IngestOptions options = {.policy = policies.PolicyOf(argument.name), .limits = limits};
  const std::optional<ValueId> input = FindInput(graph, argument.name);
  if (input) options.dtype = graph.value(*input).type.dtype;
  absl::StatusOr<IngestedArray> array = IngestFile(name, options);
  if (array.ok()) return array;
  return WithLiteral(array.status(), argument, input ? &graph.value(*input).type : nullptr);
}

absl::Status NoSuchInput(const Graph& graph, absl::string_view flag, const NamedArgument& argument) {
  std::vector<std::string> names;
  for (const ValueId id : graph.inputs()) names.push_back(graph.value(id).name);
  if (argument.name.empty()) return LacksName(flag, argument, "input", names);
  const std::string nearest = NearestName(argument.name, names);
  Mend mend = DidYouMean(nearest);
  if (mend.empty() && names.size() == 1) {
    mend = absl::StrCat("it has one: ", flag, " ", ShellQuote(absl::StrCat(names[0], "=", argument.value)));
  } else if (mend.empty() && !names.empty()) {
    mend = absl::StrCat("its inputs are ", absl::StrJoin(names, ", "));
  }
  return MakeError("E0602", absl::StrCat("the graph has no input '", Printable(argument.name), "'"), mend);
}

absl::StatusOr<RunInputs> ReadInputs(std::span<const NamedArgument> arguments, const Graph& graph,
                                     const PolicyFlags& policies, uint64_t seed, const Limits& limits) {
  RunInputs inputs;
  NamedTensors& feeds = inputs.feeds;
  feeds.resize(arguments.size());
  std::vector<Diagnostic> errors;
  SymbolValues symbols;
  const auto take = [&](size_t i, absl::StatusOr<Tensor> tensor) {
    if (!tensor.ok()) {
      // What is said of random values names the input.
      const absl::Status refused = FormOf(arguments[i].value) == ArrayForm::kRandom
                                       ? tensor.status()
                                       : WithInput(tensor.status(), "feeds", graph, arguments[i].name);
      for (Diagnostic& error : DiagnosticsOf(refused)) errors.push_back(std::move(error));
      return;
    }
    Bind(graph, arguments[i].name, tensor->dims(), symbols);
    feeds[i] = {arguments[i].name, *std::move(tensor)};
  };
  for (const NamedArgument& argument : arguments) {
    if (FindInput(graph, argument.name)) continue;
    for (Diagnostic& error : DiagnosticsOf(NoSuchInput(graph, "--input", argument)))
      errors.push_back(std::move(error));
  }
  // What has extents of its own comes before what takes them from the others.
  for (size_t i = 0; i < arguments.size(); ++i) {
    const auto& [name, value] = arguments[i];
    if (name.empty() && !HoldsManyArrays(value)) continue;  // nothing to add to what was said of it
    inputs.origins.push_back(OriginOf(arguments[i], limits));
    if (FormOf(value) == ArrayForm::kLiteral) {
      take(i, ReadArray(value, limits));
    } else if (FormOf(value) == ArrayForm::kFile) {
      absl::StatusOr<IngestedArray> array = ReadForInput(arguments[i], graph, policies, limits);
      if (array.ok() && !array->record.empty()) {
        inputs.remarks.push_back(absl::StrCat(Printable(name), ": ", array->record.ToString()));
      }
      take(i, array.ok() ? absl::StatusOr<Tensor>(std::move(array->tensor)) : array.status());
    } else if (value != "random") {
      const absl::StatusOr<TensorType> type = WrittenType(absl::string_view(value).substr(7));
      take(i, type.ok() ? RandomTensor(type->dtype, type->shape.static_dims(), seed, name, limits)
                        : type.status());
    }
  }
  if (!errors.empty()) return ToStatus(std::move(errors));
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i].value != "random") continue;
    const auto type = DeclaredType(graph, arguments[i].name, symbols);
    take(i, type.ok() ? RandomTensor(type->first, type->second, seed, arguments[i].name, limits)
                      : type.status());
  }
  if (!errors.empty()) return ToStatus(std::move(errors));
  return inputs;
}

}  // namespace tenfold
