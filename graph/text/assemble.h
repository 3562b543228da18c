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

// By name; null: an error in it is recorded.
using Functions = absl::flat_hash_map<std::string, std::shared_ptr<const Graph>>;

// Builds one graph. A name that it does not define is looked for in the graph around, if it is a body, and
// captured (graph/control.h). What reads the result of a failed statement stays silent, so that the first
// cause is the one reported.
class GraphAssembler {
 public:
  GraphAssembler(std::shared_ptr<const OpRegistry> registry, const ArrayResolver& resolver,
                 const Limits& limits, ErrorList& errors, const Functions& functions,
                 GraphAssembler* outer = nullptr)
      : resolver_(resolver),
        errors_(errors),
        functions_(functions),
        outer_(outer),
        graph_(std::move(registry)) {
    graph_.limits = limits;
    if (outer != nullptr) graph_.SetEnclosing(&outer->graph_);
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
  void AddControl(StatementSyntax& statement, const OpDef& op, std::vector<ValueId> inputs, Attrs attrs);
  // The bodies of a control op, which share what they capture: `inputs` and `attrs` are completed by that.
  std::optional<Bodies> AssembleBodies(StatementSyntax& statement, const OpDef& op,
                                       std::vector<ValueId>& inputs, Attrs& attrs);
  std::optional<ValueId> Capture(ValueId outer);
  // Whether this graph, or one around it, defines the name.
  bool Knows(absl::string_view name) const;
  void AddOutput(const OutputSyntax& output);
  // Adds the node and compares written types with inferred ones.
  void AddNode(const OpDef& op, std::vector<ValueId> inputs, Attrs attrs, const StatementSyntax& statement,
               Bodies bodies);

  // E0103 if not as many names stand before '=' as there are results.
  bool CheckResultCount(const StatementSyntax& statement, const OpDef& op, size_t results);
  const OpDef* FindOp(const StatementSyntax& statement);
  bool CheckNoContract(const StatementSyntax& statement, const Graph& body);
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
  const Functions& functions_;
  GraphAssembler* const outer_;
  Graph graph_;
  std::vector<TensorType> given_;  // of a body's inputs, by what they are given
  std::vector<ValueId> captured_;  // of the graph around, in the order of this one's Inputs for them
  size_t statement_begin_ = 0;     // of the statement at hand
  absl::flat_hash_map<std::string, Span> places_;  // of each name, where it is first defined
  MendsInText mends_{errors_.source(), places_};
};

// Builds a function; one whose name is taken is refused.
void AddFunction(GraphSyntax& syntax, const std::shared_ptr<const OpRegistry>& registry,
                 const ArrayResolver& resolver, const Limits& limits, ErrorList& errors,
                 Functions& functions);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_TEXT_ASSEMBLE_H_
