// SPDX-License-Identifier: Apache-2.0
//
// The flags that say how arrays are taken: `--cast x=nearest`, `--nan x=mean:axis=0`, `--text x=parse`,
// `--storage w=mmap`. Without a name before the '=', a flag is for all arrays that have none of their own.
#ifndef TENFOLD_TOOLS_POLICY_FLAGS_H_
#define TENFOLD_TOOLS_POLICY_FLAGS_H_

#include <map>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/graph.h"
#include "tenfold/graph/ingest/ingest.h"
#include "tenfold/graph/text/array_resolver.h"
#include "tenfold/tools/flags.h"

namespace tenfold {

class PolicyFlags {
 public:
  // Declares the flags; the object must outlive the parser. `arrays` says in --help what NAME is.
  void Add(Flags& flags, absl::string_view arrays);

  ArrayPolicy PolicyOf(absl::string_view name) const;
  // PolicyOf, for the arrays that a text graph names, while this object lives. The names that were asked for
  // are appended to `asked`: those that flags may name.
  PolicyOfConstant ForConstants(std::vector<std::string>* asked = nullptr) const;
  // Says on stderr what these policies did to the graph's constants: nothing changes in silence.
  void ReportWhatTheyDid(const Graph& graph) const;
  // E0325 for a flag whose array is none of `names`, with the nearest.
  absl::Status CheckNames(std::span<const std::string> names) const;

 private:
  // By array; "" for all.
  std::map<std::string, CastRule, std::less<>> cast_;
  std::map<std::string, NanPolicy, std::less<>> nan_;
  std::map<std::string, TextRule, std::less<>> text_;
  std::map<std::string, Storage, std::less<>> storage_;
};

// E0325: a flag names an array that is none of `names`; offers the nearest.
Diagnostic NamesNoArray(absl::string_view flag, absl::string_view name, std::span<const std::string> names);

}  // namespace tenfold

#endif  // TENFOLD_TOOLS_POLICY_FLAGS_H_
