// SPDX-License-Identifier: Apache-2.0
#include "tenfold/tools/compare_graphs.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <span>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "tenfold/graph/ingest/array_name.h"
#include "tenfold/runtime/thread_pool.h"

namespace tenfold {
namespace {

struct DefaultTolerance {
  DType dtype;
  double rtol, atol;
};
constexpr DefaultTolerance kDefaults[] = {
    {DType::kF64, 1e-6, 1e-9},  {DType::kF32, 1e-3, 1e-5},     {DType::kF16, 1e-2, 1e-3},
    {DType::kBF16, 5e-2, 1e-2}, {DType::kF8E4M3FN, 0.25, 0.1}, {DType::kF8E5M2, 0.5, 0.1},
};

// A value of the first graph and one of the second that is held against it.
struct Pair {
  ValueId first, second;
  std::string name;  // of the value, or of the output
  bool is_output = false;
};

std::vector<ValueId> NamedValues(const Graph& graph) {
  std::vector<ValueId> values;
  for (NodeId id : graph.nodes()) {
    for (ValueId value : graph.node(id).outputs) {
      if (!graph.value(value).name.empty()) values.push_back(value);
    }
  }
  return values;
}

using Outputs = std::span<const GraphOutput>;

std::optional<size_t> FindOutput(Outputs outputs, absl::string_view name) {
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i].name == name) return i;
  }
  return std::nullopt;
}

// Each output of `first` with the one of `second` that has its name, or its place, if neither's name is one
// of the other graph.
std::vector<std::pair<size_t, size_t>> MatchOutputs(Outputs first, Outputs second) {
  std::vector<std::pair<size_t, size_t>> matched;
  for (size_t i = 0; i < first.size(); ++i) {
    if (const auto same = FindOutput(second, first[i].name)) {
      matched.emplace_back(i, *same);
    } else if (first.size() == second.size() && !FindOutput(first, second[i].name)) {
      matched.emplace_back(i, i);
    }
  }
  return matched;
}

class Comparer {
 public:
  // `outputs` are those of the first graph; the run's may have more, which are fetched.
  Comparer(NodeRun& first, Outputs outputs, NodeRun& second, const GraphTolerance& tolerance,
           const GraphNames& names, GraphComparison& comparison)
      : first_(first),
        second_(second),
        tolerance_(tolerance),
        names_(names),
        result_(comparison),
        num_outputs_(outputs.size()) {
    MatchValues(outputs);
  }

  absl::Status Run() {
    bool computed = false;  // anything that was compared
    while (!first_.done()) {
      TENFOLD_ASSIGN_OR_RETURN(const NodeId id, first_.Next());
      const Node& node = first_.graph().node(id);
      for (ValueId value : node.outputs) {
        const auto pairs = pairs_.find(value);
        if (pairs == pairs_.end()) continue;
        computed = computed || !node.op->Is<Source>();
        TENFOLD_RETURN_IF_ERROR(Advance(pairs->second));
        CompareValue(pairs->second);
      }
    }
    result_.outputs = first_.Outputs();
    if (!computed && !result_.finding) result_.finding = NothingInCommon();
    return absl::OkStatus();
  }

 private:
  void MatchValues(Outputs outputs) {
    const Graph &a = first_.graph(), &b = second_.graph();
    absl::flat_hash_set<ValueId> matched_first, matched_second;
    const auto match = [&](Pair pair) {
      std::vector<Pair>& pairs = pairs_[pair.first];
      const bool known =
          std::any_of(pairs.begin(), pairs.end(), [&](const Pair& p) { return p.second == pair.second; });
      matched_first.insert(pair.first), matched_second.insert(pair.second);
      if (!known) pairs.push_back(std::move(pair));
    };
    const std::vector<ValueId> values_of_first = NamedValues(a), values_of_second = NamedValues(b);
    for (ValueId value : values_of_first) {
      if (const auto same = b.FindValue(a.value(value).name)) match({value, *same, a.value(value).name});
    }
    for (const auto& [i, k] : MatchOutputs(outputs, b.outputs())) {
      match({outputs[i].value, b.outputs()[k].value, outputs[i].name, /*is_output=*/true});
    }
    for (const auto& [value, pairs] : pairs_) {
      for (const Pair& pair : pairs) ++comparisons_left_[pair.second];
    }
    const auto unmatched = [](const std::vector<ValueId>& values,
                              const absl::flat_hash_set<ValueId>& matched) {
      return std::count_if(values.begin(), values.end(), [&](ValueId v) { return !matched.contains(v); });
    };
    result_.only_first = unmatched(values_of_first, matched_first);
    result_.only_second = unmatched(values_of_second, matched_second);
    matched_first_ = std::move(matched_first);
  }

  // Runs the second graph until it has computed its side of `pairs`.
  absl::Status Advance(const std::vector<Pair>& pairs) {
    for (const Pair& pair : pairs) {
      while (!waiting_.contains(pair.second)) {
        if (second_.done()) return MakeError("E9001", "a value of the second graph is never computed");
        TENFOLD_ASSIGN_OR_RETURN(const NodeId id, second_.Next());
        for (ValueId value : second_.graph().node(id).outputs) {
          if (comparisons_left_.contains(value)) waiting_[value] = *second_.Find(value);
        }
      }
    }
    return absl::OkStatus();
  }

  void CompareValue(const std::vector<Pair>& pairs) {
    bool differs = false;
    for (const Pair& pair : pairs) {
      const Tensor& got = *first_.Find(pair.first);
      const Tensor& want = waiting_[pair.second];
      const Tolerance tolerance = tolerance_.Of(got.dtype());
      const Comparison comparison = Compare(got, want, tolerance);
      if (!comparison.passed()) {
        differs = true;
        if (!result_.finding) result_.finding = Finding(pair, got, want, comparison, tolerance);
      }
      if (--comparisons_left_[pair.second] == 0) waiting_.erase(pair.second);
    }
    ++result_.compared;
    result_.differ += differs;
  }

  Diagnostic Finding(const Pair& pair, const Tensor& got, const Tensor& want, const Comparison& comparison,
                     const Tolerance& tolerance) const {
    const Graph &a = first_.graph(), &b = second_.graph();
    Diagnostic d;
    d.code = "E0618";
    d.message = absl::StrCat(pair.is_output ? "the output '" : "'", pair.name, "' differs: ");
    if (!comparison.types_differ.empty()) {
      absl::StrAppend(&d.message, got.type().ToString(), " against ", want.type().ToString());
    } else {
      const int64_t at = comparison.first_mismatch;
      absl::StrAppend(&d.message, comparison.mismatches, " of ",
                      Count(static_cast<uint64_t>(comparison.elements), "element"), " (",
                      tolerance.ToString(), ")",
                      got.rank() == 0 ? "" : absl::StrCat(", first ", ElementAt(comparison.dims, at)), ": ",
                      ElementToString(got, at), " against ", ElementToString(want, at));
      if (!std::isnan(comparison.worst.absolute)) {
        d.notes.push_back(absl::StrFormat(
            "furthest outside the tolerance: %s: %s against %s, abs error %.3g, rel error %.3g",
            ElementAt(comparison.dims, comparison.worst.index), comparison.worst.got, comparison.worst.want,
            comparison.worst.absolute, comparison.worst.relative));
      }
    }
    d.location = a.producer(pair.first).provenance.location;
    d.notes.push_back(absl::StrCat("in ", names_.first, ": ", Describe(a, pair.first)));
    d.notes.push_back(absl::StrCat("in ", names_.second, ": ", Describe(b, pair.second)));
    if (const std::string operands = DescribeOperands(pair.first); !operands.empty())
      d.notes.push_back(operands);
    return d;
  }

  // "Div 'q' (m.tnt:3:3) of 'a', 'b'".
  static std::string Describe(const Graph& graph, ValueId value) {
    std::vector<std::string> operands;
    for (ValueId input : Present(graph.producer(value).inputs))
      operands.push_back(absl::StrCat("'", graph.DisplayName(input), "'"));
    return absl::StrCat(graph.DescribeOrigin(value), operands.empty() ? "" : " of ",
                        absl::StrJoin(operands, ", "));
  }

  // Which operands agree, and which cannot be told.
  std::string DescribeOperands(ValueId value) const {
    std::vector<std::string> both, here;
    for (ValueId input : Present(first_.graph().producer(value).inputs)) {
      std::string name = absl::StrCat("'", first_.graph().DisplayName(input), "'");
      std::vector<std::string>& names = matched_first_.contains(input) ? both : here;
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(std::move(name));
    }
    std::string text;
    if (!both.empty())
      absl::StrAppend(&text, "its ", both.size() == 1 ? "operand " : "operands ", absl::StrJoin(both, ", "),
                      both.size() == 1 ? " agrees" : " agree");
    if (!here.empty()) {
      absl::StrAppend(&text, text.empty() ? "" : "; ", absl::StrJoin(here, ", "),
                      here.size() == 1 ? " is" : " are", " only in ", names_.first);
    }
    return text;
  }

  Diagnostic NothingInCommon() const {
    Diagnostic d;
    d.code = "E0618";
    d.message = absl::StrCat(
        "nothing that is computed can be compared: the graphs have no such value of one name, and ",
        Count(first_.graph().outputs().size(), "output"), " against ", second_.graph().outputs().size());
    d.help = {Mend("give the values that are to be compared the same names in both graphs")};
    return d;
  }

  NodeRun& first_;
  NodeRun& second_;
  const GraphTolerance& tolerance_;
  const GraphNames& names_;
  GraphComparison& result_;
  const size_t num_outputs_;
  absl::flat_hash_map<ValueId, std::vector<Pair>> pairs_;  // by the first graph's value
  absl::flat_hash_set<ValueId> matched_first_;
  // Of the second graph: values that were computed and are still to be compared, and how often.
  absl::flat_hash_map<ValueId, Tensor> waiting_;
  absl::flat_hash_map<ValueId, int> comparisons_left_;
};

}  // namespace

Tolerance GraphTolerance::Of(DType dtype) const {
  Tolerance all = {.equal_nan = true};
  for (const DefaultTolerance& row : kDefaults) {
    if (row.dtype != dtype) continue;
    all.rtol = rtol.value_or(row.rtol);
    all.atol = atol.value_or(row.atol);
    all.max_ulp = max_ulp;
  }
  return all;
}

std::string GraphComparison::ToString(const GraphNames& names) const {
  std::string text = absl::StrCat("compare: ", Count(static_cast<uint64_t>(compared), "value"));
  if (differ == 0) {
    absl::StrAppend(&text, compared == 1 ? " agrees" : " agree");
  } else {
    absl::StrAppend(&text, ", of which ", differ, differ == 1 ? " differs" : " differ");
  }
  return absl::StrCat(text, "; ", only_first, " only in ", names.first, ", ", only_second, " only in ",
                      names.second);
}

absl::Status CompareGraphs(const Graph& first, const Graph& second, const NamedTensors& feeds,
                           const GraphTolerance& tolerance, const GraphNames& names,
                           const NodeRunOptions& options, GraphComparison& comparison) {
  NamedTensors feeds_of_second;
  for (const auto& feed : feeds) {
    const bool known = std::any_of(second.inputs().begin(), second.inputs().end(),
                                   [&](ValueId id) { return second.value(id).name == feed.first; });
    if (known) feeds_of_second.push_back(feed);
  }
  NodeRunOptions shared = options;
  if (shared.compile.pool == nullptr)
    shared.compile.pool = std::make_shared<ThreadPool>(shared.compile.threads);
  TENFOLD_ASSIGN_OR_RETURN(NodeRun run_of_first, NodeRun::Start(first, feeds, shared));
  shared.compile.fetches = {};
  TENFOLD_ASSIGN_OR_RETURN(NodeRun run_of_second, NodeRun::Start(second, feeds_of_second, shared));
  return Comparer(run_of_first, first.outputs(), run_of_second, tolerance, names, comparison).Run();
}

}  // namespace tenfold
