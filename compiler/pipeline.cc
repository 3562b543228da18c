// SPDX-License-Identifier: Apache-2.0
//
// The compiler, as one list that can be read aloud.
#include "tenfold/compiler/pipeline.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "tenfold/compiler/build_plan.h"
#include "tenfold/compiler/passes/decompose_composites.h"
#include "tenfold/compiler/passes/eliminate_common_subexpressions.h"
#include "tenfold/compiler/passes/eliminate_dead_nodes.h"
#include "tenfold/compiler/passes/ensure_shapes.h"
#include "tenfold/compiler/passes/fold_constants.h"
#include "tenfold/compiler/passes/fuse.h"
#include "tenfold/graph/diagnostic.h"

namespace tenfold {

const std::vector<PassEntry>& DefaultPipeline() {
  static const auto* const kPasses = new std::vector<PassEntry>{
      // stage             pass                                  runs from -O  why it stands here
      {Stage::kFolded, "fold-constants", FoldConstants, 1, "first, so that later patterns meet literals"},
      {Stage::kOptimized, "eliminate-common-subexpressions", EliminateCommonSubexpressions, 1,
       "after folding, when equal things have come to look equal"},
      {Stage::kOptimized, "eliminate-dead-nodes", EliminateDeadNodes, 1,
       "removes what the rewrites above left behind"},
      {Stage::kPlaced, "ensure-shapes", EnsureShapes, 0,
       "after folding, which finds sizes; before anything that relies on shapes that fit each other"},
      {Stage::kPlaced, "decompose-composites", DecomposeComposites, 0,
       "after the rewrites, which know composites whole; before fusion, which knows only their parts"},
      {Stage::kPlaced, "fold-constants-of-parts", FoldConstants, 1,
       "what a composite computes of its constants alone need not be computed in every run"},
      {Stage::kPlaced, "eliminate-common-subexpressions-of-parts", EliminateCommonSubexpressions, 1,
       "the parts of two composites may be equal: a conversion, a maximum"},
      {Stage::kPlaced, "ensure-shapes-of-parts", EnsureShapes, 0,
       "parts may assume sizes, too, and so may what stands in the place of an If"},
      {Stage::kFused, "fuse", Fuse, 2, "last: it decides only what is computed together"},
  };
  return *kPasses;
}

std::string DescribePipeline() {
  std::string text;
  for (const PassEntry& pass : DefaultPipeline()) {
    absl::StrAppend(&text, Name(pass.stage), "  ", pass.name, "  (-O", pass.min_opt_level,
                    "): ", pass.why_here, "\n");
  }
  return text;
}

namespace {

// Names that the caller wants besides the graph's own outputs.
absl::Status AddFetches(const std::vector<std::string>& fetches, Graph& graph) {
  for (const std::string& fetch : fetches) {
    const std::optional<ValueId> value = graph.FindValue(fetch);
    if (!value.has_value()) {
      std::vector<std::string> names;
      for (NodeId id : graph.nodes()) {
        for (ValueId output : graph.node(id).outputs) names.push_back(graph.value(output).name);
      }
      const std::string near = NearestName(fetch, names);
      return MakeError("E0107", absl::StrCat("there is no value '", fetch, "' to fetch"), DidYouMean(near));
    }
    const bool known = std::any_of(graph.outputs().begin(), graph.outputs().end(),
                                   [&](const GraphOutput& o) { return o.name == fetch; });
    if (!known) TENFOLD_RETURN_IF_ERROR(graph.AddOutput(fetch, *value));
  }
  return absl::OkStatus();
}

// What a file is not allowed to hold it cannot become either: composites are several nodes each.
absl::Status CheckSize(const Graph& graph, const Limits& limits) {
  const int64_t count = graph.CountNodes();
  if (count <= limits.nodes) return absl::OkStatus();
  return MakeError(
      "E0402",
      absl::StrCat("the graph '", graph.name, "' has ", count, " nodes; the limit is ", limits.nodes),
      RaiseLimitHelp("nodes", count));
}

// A body that has been looked at, and what became of it. Calls share theirs, before and after.
using Transformed = absl::flat_hash_map<const Graph*, std::pair<Bodies::value_type, Bodies::value_type>>;

absl::Status RunOnBodies(const PassEntry& pass, PassContext& context, Graph& graph,
                         Transformed& transformed) {
  if (graph.depth() == 0) return absl::OkStatus();
  const std::vector<NodeId> order = graph.nodes();
  for (NodeId id : order) {
    const Node node = graph.node(id);
    if (!node.op->Is<Control>()) continue;
    Bodies bodies;
    for (const auto& body : node.bodies) {
      if (!transformed.contains(body.get())) {
        Graph copy = *body;
        copy.limits = context.options().limits;
        const int64_t before = copy.mutation_count();
        context.set_in_body(true);
        TENFOLD_RETURN_IF_ERROR(pass.run(context, copy));
        if (context.control().ShouldStop()) return context.control().status();
        TENFOLD_RETURN_IF_ERROR(RunOnBodies(pass, context, copy, transformed));
        const bool same = copy.mutation_count() == before;
        transformed[body.get()] = {body, same ? body : std::make_shared<const Graph>(std::move(copy))};
      }
      bodies.push_back(transformed[body.get()].second);
    }
    if (bodies == node.bodies) continue;
    TENFOLD_RETURN_IF_ERROR(graph.SetBodies(id, node.inputs, node.attrs, std::move(bodies)));
  }
  return absl::OkStatus();
}

absl::Status RunPass(const PassEntry& pass, const CompileOptions& options, RunControl& control,
                     FoldHistory& folding, Graph& graph, std::vector<Remark>& remarks) {
  const int64_t before = graph.mutation_count();
  PassContext context(options, control, pass.name, remarks, folding);
  TENFOLD_RETURN_IF_ERROR(pass.run(context, graph));
  Transformed transformed;
  TENFOLD_RETURN_IF_ERROR(RunOnBodies(pass, context, graph, transformed));
  if (control.ShouldStop()) return control.status();
  TENFOLD_RETURN_IF_ERROR(CheckSize(graph, options.limits));
  if (graph.mutation_count() == before) return absl::OkStatus();
  absl::Status verified = VerifyGraph(graph);
  return verified.ok() ? verified : WithNote(verified, absl::StrCat("after the pass ", pass.name));
}

absl::Status CheckOptions(const CompileOptions& options) {
  std::vector<std::string> names;
  for (const PassEntry& pass : DefaultPipeline()) names.push_back(pass.name);
  for (const std::string& disabled : options.disabled_passes) {
    if (std::find(names.begin(), names.end(), disabled) != names.end()) continue;
    const std::string near = NearestName(disabled, names);
    return MakeError("E0802", absl::StrCat("there is no pass '", disabled, "'"), DidYouMean(near));
  }
  if (options.opt_level < 0 || options.opt_level > 2) {
    return MakeError("E0802", absl::StrCat("optimization level ", options.opt_level, " is not 0, 1 or 2"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status RunPipeline(const Graph& graph, const CompileOptions& options, Stage last,
                         CompileReport& report) {
  TENFOLD_RETURN_IF_ERROR(CheckOptions(options));
  report.stages.emplace_back(Stage::kSource, graph);
  if (last == Stage::kSource) return absl::OkStatus();
  Graph work = graph;
  work.limits = options.limits;
  RunControl control(options.deadline, options.cancelled, nullptr, "compilation");
  FoldHistory folding;
  TENFOLD_RETURN_IF_ERROR(CheckSize(work, options.limits));
  TENFOLD_RETURN_IF_ERROR(AddFetches(options.fetches, work));
  TENFOLD_RETURN_IF_ERROR(VerifyGraph(work));
  // Of all nodes, those too that turn out to be needless: which runs are refused does not depend on the
  // level.
  TENFOLD_ASSIGN_OR_RETURN(const std::vector<PlanCheck> checks, SizeChecks(work));
  for (int s = static_cast<int>(Stage::kChecked); s <= static_cast<int>(std::min(last, Stage::kFused)); ++s) {
    const auto stage = static_cast<Stage>(s);
    for (const PassEntry& pass : DefaultPipeline()) {
      const bool disabled = std::find(options.disabled_passes.begin(), options.disabled_passes.end(),
                                      pass.name) != options.disabled_passes.end();
      if (pass.stage != stage || pass.min_opt_level > options.opt_level || disabled) continue;
      TENFOLD_RETURN_IF_ERROR(RunPass(pass, options, control, folding, work, report.remarks));
    }
    report.stages.emplace_back(stage, work);
  }
  if (last == Stage::kPlanned) {
    TENFOLD_ASSIGN_OR_RETURN(report.plan, BuildPlan(work, checks, report.remarks));
  }
  return absl::OkStatus();
}

}  // namespace tenfold
