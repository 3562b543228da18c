// SPDX-License-Identifier: Apache-2.0
//
// Syntax tree to graph: names are looked up, and Graph::AddNode infers and checks every node.
#ifndef TENFOLD_GRAPH_TEXT_ASSEMBLE_H_
#define TENFOLD_GRAPH_TEXT_ASSEMBLE_H_

#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "tenfold/graph/graph.h"
#include "tenfold/graph/text/array_resolver.h"
#include "tenfold/graph/text/mends_in_text.h"
#include "tenfold/graph/text/source_text.h"
#include "tenfold/graph/text/syntax.h"

namespace tenfold {

// Builds one graph. What reads the result of a failed statement stays silent, so that the first cause is the
// one reported.
class GraphAssembler {
 public:
  GraphAssembler(std::shared_ptr<const OpRegistry> registry, const ArrayResolver& resolver,
                 const Limits& limits, ErrorList& errors)
      : resolver_(resolver), errors_(errors), graph_(std::move(registry)) {
    graph_.limits = limits;
  }

  // Complete only if no error was recorded. Takes tensors out of `syntax`.
  Graph Assemble(GraphSyntax& syntax) &&;

 private:
  void CollectNames(const GraphSyntax& syntax);
  void AddBounds(const GraphSyntax& syntax);
  void AddInput(const InputSyntax& input);
  void AddContract(const InputSyntax& input);
  void AddStatement(StatementSyntax& statement);
  void AddConst(StatementSyntax& statement);
  void AddCall(StatementSyntax& statement);
  void AddOutput(const OutputSyntax& output);
  // Adds the node and compares written types with inferred ones.
  void AddNode(const OpDef& op, std::vector<ValueId> inputs, Attrs attrs, const StatementSyntax& statement,
               std::shared_ptr<const Graph> body);

  // E0103 if not as many names stand before '=' as there are results.
  bool CheckResultCount(const StatementSyntax& statement, const OpDef& op, size_t results);
  const OpDef* FindOp(const StatementSyntax& statement);
  bool CheckBody(const StatementSyntax& statement, const std::vector<ValueId>& inputs, const Graph& body);
  bool ReadAttrs(const StatementSyntax& statement, const OpDef& op, Attrs& attrs);
  bool ReadOperands(const StatementSyntax& statement, const OpDef& op, std::vector<ValueId>& inputs);
  absl::Status WithCastOfOperand(const StatementSyntax& statement, const OpDef& op, size_t literal,
                                 DType dtype, const absl::Status& error);
  // The value; nullopt if it is poison, or unknown: then an error is recorded.
  // One that stands above `above` may have been meant.
  std::optional<ValueId> Lookup(absl::string_view name, Span span, size_t above);
  Provenance ReadProvenance(const ProvenanceSyntax& syntax, Span span) const;

  const ArrayResolver& resolver_;
  ErrorList& errors_;
  Graph graph_;
  size_t statement_begin_ = 0;                     // of the statement at hand
  absl::flat_hash_map<std::string, Span> places_;  // of each name, where it is first defined
  MendsInText mends_{errors_.source(), places_};
};

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_TEXT_ASSEMBLE_H_
