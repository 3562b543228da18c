// SPDX-License-Identifier: Apache-2.0
//
// What a pass is given, and how the pipeline lists it.
#ifndef TENFOLD_COMPILER_PASS_H_
#define TENFOLD_COMPILER_PASS_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "tenfold/compiler/compile.h"
#include "tenfold/graph/graph.h"
#include "tenfold/runtime/run_control.h"

namespace tenfold {

// What folding has done so far in one compilation, in the graph and its bodies. It runs more than once, under
// different names, and all runs share one budget.
struct FoldHistory {
  int64_t growth_bytes = 0;
  int64_t operations = 0;
  absl::flat_hash_map<std::string, std::string> left;  // nodes, and the run that said why they stay
};

class PassContext {
 public:
  // `folding` is what earlier passes of one compilation left there.
  PassContext(const CompileOptions& options, RunControl& control, std::string pass,
              std::vector<Remark>& remarks, FoldHistory& folding)
      : options_(options), control_(control), pass_(std::move(pass)), remarks_(remarks), folding_(folding) {}

  const CompileOptions& options() const { return options_; }
  // Polled by passes that may take long.
  RunControl& control() { return control_; }

  FoldHistory& folding() { return folding_; }
  // Whether the graph at hand is a body, whose results keep their types.
  bool in_body() const { return in_body_; }
  void set_in_body(bool in_body) { in_body_ = in_body; }

  // Records a decision on a node. Name it before the pass removes it.
  void Did(std::string node, std::string what) { Add(std::move(node), true, std::move(what)); }
  void Missed(std::string node, std::string why) { Add(std::move(node), false, std::move(why)); }
  // The same of a node that folding leaves, unless an earlier run of it has said so.
  void LeftUnfolded(std::string node, std::string why) {
    const auto said = folding_.left.try_emplace(node, pass_).first;
    if (said->second == pass_) Missed(std::move(node), std::move(why));
  }
  // "Mul 'y'".
  static std::string Describe(const Graph& graph, NodeId id) {
    return absl::StrCat(graph.node(id).op->name, " '", graph.DisplayName(id), "'");
  }

 private:
  void Add(std::string node, bool did, std::string reason) {
    remarks_.push_back({pass_, std::move(node), did, std::move(reason)});
  }
  const CompileOptions& options_;
  RunControl& control_;
  std::string pass_;
  std::vector<Remark>& remarks_;
  FoldHistory& folding_;
  bool in_body_ = false;
};

struct PassEntry {
  Stage stage;
  const char* name;
  absl::Status (*run)(PassContext& context, Graph& graph);
  int min_opt_level;
  const char* why_here;
};

}  // namespace tenfold

#endif  // TENFOLD_COMPILER_PASS_H_
