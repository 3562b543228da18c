// SPDX-License-Identifier: Apache-2.0
#include "tenfold/tools/validate.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tenfold/graph/half.h"
#include "tenfold/graph/ingest/array_name.h"
#include "tenfold/graph/ingest/printable.h"
#include "tenfold/graph/statistics.h"

namespace tenfold {
namespace {

template <typename T>
bool IsNan(T value) {
  if constexpr (std::is_class_v<T>)
    return std::isnan(ToFloat(value));
  else
    return std::isnan(value);
}

// +1, -1, or 0 for what is no infinity.
template <typename T>
int InfinitySign(T value) {
  if constexpr (std::is_class_v<T>) {
    return InfinitySign(ToFloat(value));
  } else {
    return std::isinf(value) ? (value > 0 ? 1 : -1) : 0;
  }
}

template <typename T>
NonFinite FindIn(const Tensor& tensor) {
  NonFinite found;
  const int64_t stored =
      tensor.is_splat() ? std::min<int64_t>(1, tensor.num_elements()) : tensor.num_elements();
  for (int64_t i = 0; i < stored; ++i) {
    const T value = tensor.at<T>(i);
    if (IsNan(value)) {
      if (found.nans++ == 0) found.first_nan = i;
    } else if (const int sign = InfinitySign(value); sign != 0) {
      if (found.infs() == 0) found.first_inf = i;
      ++(sign > 0 ? found.positive_infs : found.negative_infs);
    }
  }
  if (tensor.is_splat()) {
    for (int64_t* count : {&found.nans, &found.positive_infs, &found.negative_infs})
      *count *= tensor.num_elements();
  }
  return found;
}

bool HoldsInfinity(const AttrValue& attr) {
  if (const auto* number = std::get_if<double>(&attr)) return std::isinf(*number);
  if (const auto* tensor = std::get_if<Tensor>(&attr)) return FindNonFinite(*tensor).infs() > 0;
  if (const auto* numbers = std::get_if<std::vector<double>>(&attr))
    return std::any_of(numbers->begin(), numbers->end(), [](double x) { return std::isinf(x); });
  return false;
}

// "2 NaN, 1 +Inf".
std::string CountText(const NonFinite& found) {
  std::vector<std::string> parts;
  if (found.nans > 0) parts.push_back(absl::StrCat(found.nans, " NaN"));
  if (found.positive_infs > 0) parts.push_back(absl::StrCat(found.positive_infs, " +Inf"));
  if (found.negative_infs > 0) parts.push_back(absl::StrCat(found.negative_infs, " -Inf"));
  return absl::StrJoin(parts, ", ");
}

// Where in `operand`, as broadcast to `dims`, the element lies that the result's element `index` is computed
// of.
int64_t BroadcastPosition(std::span<const int64_t> dims, int64_t index, std::span<const int64_t> operand) {
  int64_t position = 0, stride = 1;
  for (size_t back = 1; back <= operand.size(); ++back) {
    const int64_t extent = dims[dims.size() - back], at = index % extent;
    index /= extent;
    const int64_t own = operand[operand.size() - back];
    if (own != 1) position += at * stride;
    stride *= own;
  }
  return position;
}

class Validator {
 public:
  Validator(NodeRun& run, Validation& validation) : run_(run), graph_(run.graph()), validation_(validation) {}

  absl::Status Run() {
    validation_.hidden_nodes = graph_.CountNodes() - static_cast<int64_t>(graph_.nodes().size());
    while (!run_.done()) {
      TENFOLD_ASSIGN_OR_RETURN(const NodeId id, run_.Next());
      Look(graph_.node(id));
    }
    validation_.outputs = run_.Outputs();
    return absl::OkStatus();
  }

 private:
  struct Known {
    bool nan = false, inf = false;
  };

  void Look(const Node& node) {
    Known operands;
    for (ValueId input : Present(node.inputs)) {
      operands.nan = operands.nan || known_[input].nan;
      operands.inf = operands.inf || known_[input].inf;
    }
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      const ValueId value = node.outputs[i];
      ++validation_.values;
      const Tensor& tensor = *run_.Find(value);
      const NonFinite found = FindNonFinite(tensor);
      known_[value] = {found.nans > 0, found.infs() > 0};
      validation_.with_nan += found.nans > 0;
      validation_.with_inf += found.infs() > 0;
      if (found.nans > 0 && !operands.nan && !nan_found_) {
        nan_found_ = true;
        validation_.findings.push_back(Finding("E0616", node, value, tensor, found, found.first_nan));
      }
      if (found.infs() == 0 || operands.inf) continue;
      if (IsGiven(node)) {
        validation_.givers.push_back(graph_.DescribeOrigin(value));
      } else if (!inf_found_) {
        inf_found_ = true;
        validation_.findings.push_back(Finding("E0617", node, value, tensor, found, found.first_inf));
      }
    }
  }

  // Whether infinities in its results are meant: they come from outside, or stand in the node.
  static bool IsGiven(const Node& node) {
    if (node.op->Is<Source>()) return true;
    return std::any_of(node.attrs.begin(), node.attrs.end(),
                       [](const auto& attr) { return HoldsInfinity(attr.second); });
  }

  Diagnostic Finding(absl::string_view code, const Node& node, ValueId value, const Tensor& tensor,
                     const NonFinite& found, int64_t at) const {
    const std::string first =
        tensor.rank() == 0 ? "it" : absl::StrCat("the first, ", ElementAt(tensor.dims(), at), ",");
    Diagnostic d;
    d.code = std::string(code);
    d.message = absl::StrCat(node.op->name, " '", graph_.DisplayName(value), "' ",
                             node.op->Is<Source>() ? "holds" : "gives",
                             code == "E0616" ? " NaN" : " an infinity", ": ", CountText(found), " among the ",
                             Count(static_cast<uint64_t>(tensor.num_elements()), "element"), " of ",
                             tensor.type().ToString(), "; ", first, " is ", ElementToString(tensor, at));
    d.location = node.provenance.location;
    if (!node.provenance.array.empty()) d.notes.push_back(absl::StrCat("it is ", node.provenance.array));
    if (node.inputs.empty()) return d;
    const std::string none = code == "E0616" ? "its operands hold no NaN" : "its operands are finite";
    if (node.op->Is<Elementwise>()) {
      d.notes.push_back(absl::StrCat(none, "; there, ", OperandsAt(node, tensor.dims(), at)));
    } else {
      d.notes.push_back(absl::StrCat(none, ": ", OperandRanges(node)));
    }
    if (node.op->Is<Control>())
      d.notes.push_back("the values inside its bodies are not looked at: one of them may be the first");
    d.help = FetchHelp(node);
    return d;
  }

  // "'a' is 0, 'b' is -inf".
  std::string OperandsAt(const Node& node, std::span<const int64_t> dims, int64_t at) const {
    std::vector<std::string> parts;
    for (ValueId input : Present(node.inputs)) {
      const Tensor& operand = *run_.Find(input);
      parts.push_back(absl::StrCat("'", graph_.DisplayName(input), "' is ",
                                   ElementToString(operand, BroadcastPosition(dims, at, operand.dims()))));
    }
    return absl::StrJoin(parts, ", ");
  }

  // "'x' is f32[2,3], from -1 to 88".
  std::string OperandRanges(const Node& node) const {
    constexpr size_t kMostOperands = 4;
    std::vector<std::string> parts;
    for (ValueId input : Present(node.inputs)) {
      if (parts.size() == kMostOperands) {
        parts.back() += ", ...";
        break;
      }
      const Tensor& operand = *run_.Find(input);
      const ValueStatistics all = Summarize(operand, 0).all;
      parts.push_back(absl::StrCat("'", graph_.DisplayName(input), "' is ", operand.type().ToString(),
                                   all.min.empty() ? "" : absl::StrCat(", from ", all.min, " to ", all.max)));
    }
    return absl::StrJoin(parts, "; ");
  }

  // How to see the operands that are computed.
  std::vector<Mend> FetchHelp(const Node& node) const {
    std::vector<std::string> flags;
    for (ValueId input : Present(node.inputs)) {
      if (graph_.producer(input).op->Is<Source>()) continue;
      std::string flag = absl::StrCat("--fetch ", ShellQuote(graph_.DisplayName(input)));
      if (std::find(flags.begin(), flags.end(), flag) == flags.end()) flags.push_back(std::move(flag));
    }
    if (flags.empty() || flags.size() > 4) return {};
    return {Mend(absl::StrCat("to see what it is computed of, add ", absl::StrJoin(flags, " ")))};
  }

  NodeRun& run_;
  const Graph& graph_;
  Validation& validation_;
  absl::flat_hash_map<ValueId, Known> known_;
  bool nan_found_ = false, inf_found_ = false;
};

}  // namespace

NonFinite FindNonFinite(const Tensor& tensor) {
  NonFinite found;
  VisitDType(tensor.dtype(), [&]<typename T>(std::type_identity<T>) {
    if constexpr (HasNan(DTypeOf<T>())) found = FindIn<T>(tensor);
  });
  return found;
}

std::string Validation::ToString() const {
  constexpr size_t kMostGivers = 4;
  std::string text = absl::StrCat("validate: ", Count(static_cast<uint64_t>(values), "value"));
  if (with_nan == 0 && with_inf == 0) {
    absl::StrAppend(&text, values == 1 ? ", which is finite" : ", all finite");
  } else {
    absl::StrAppend(&text, ": ", with_nan, " with NaN, ", with_inf, " with infinities");
  }
  if (!givers.empty()) {
    const size_t shown = std::min(givers.size(), kMostGivers);
    absl::StrAppend(&text, "; infinities are given by ",
                    absl::StrJoin(givers.begin(), givers.begin() + shown, ", "),
                    givers.size() > shown ? absl::StrCat(" and ", givers.size() - shown, " more") : "");
  }
  if (hidden_nodes > 0) {
    absl::StrAppend(&text, "\n  not looked at: ", Count(static_cast<uint64_t>(hidden_nodes), "node"),
                    " inside bodies of If, Loop, Scan and functions; the results of these ops were");
  }
  return text;
}

absl::Status Validate(const Graph& graph, const NamedTensors& feeds, const NodeRunOptions& options,
                      Validation& validation) {
  TENFOLD_ASSIGN_OR_RETURN(NodeRun run, NodeRun::Start(graph, feeds, options));
  return Validator(run, validation).Run();
}

}  // namespace tenfold
