// SPDX-License-Identifier: Apache-2.0
//
// Mends of a statement's error as edits of the text that it is written in: whoever refuses a node knows its
// operands, and not where they stand.
#ifndef TENFOLD_GRAPH_TEXT_MENDS_IN_TEXT_H_
#define TENFOLD_GRAPH_TEXT_MENDS_IN_TEXT_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/text/source_text.h"
#include "tenfold/graph/text/syntax.h"

namespace tenfold {

// For one text: no two of its mends add results of the same name.
class MendsInText {
 public:
  using Names = absl::flat_hash_map<std::string, Span>;
  // `names` are those that the text defines; both must outlive this.
  MendsInText(const SourceText& source, const Names& names) : source_(source), names_(names) {}

  // The same error, in whose mends each edit of the statement's parts is one of the text. A mend that cannot
  // be written so keeps its line alone.
  absl::Status Rewrite(const absl::Status& error, const StatementSyntax& statement);

 private:
  std::optional<std::vector<Edit>> EditsOf(const Mend& mend, const StatementSyntax& statement);
  std::string AsStatements(const std::vector<Edit>& edits) const;
  // Both edits: the node before the statement, and its result as the operand.
  std::vector<Edit> Wrap(const WrapOperand& wrap, const StatementSyntax& statement,
                         const OperandSyntax& operand, absl::string_view name);

  const SourceText& source_;
  const Names& names_;
  absl::flat_hash_set<std::string> offered_;  // names of the results that mends would add
};

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_TEXT_MENDS_IN_TEXT_H_
