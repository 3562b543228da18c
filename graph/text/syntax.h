// SPDX-License-Identifier: Apache-2.0
//
// The syntax tree of a text graph: what is written, before names and types are looked at.
#ifndef TENFOLD_GRAPH_TEXT_SYNTAX_H_
#define TENFOLD_GRAPH_TEXT_SYNTAX_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"
#include "tenfold/graph/attrs.h"
#include "tenfold/graph/ingest_record.h"
#include "tenfold/graph/text/source_text.h"
#include "tenfold/graph/text/tensor_literal.h"

namespace tenfold {

struct NameSyntax {
  std::string name;
  Span span;
};

// `2`, `-1e30`, `nan`: digits still, since what they mean depends on the dtype.
struct NumberSyntax {
  absl::string_view text;
};

struct WordSyntax {  // true, false, f32
  absl::string_view text;
};

struct NumberListSyntax {
  std::vector<std::pair<absl::string_view, Span>> numbers;
};

struct StringListSyntax {
  std::vector<std::string> strings;
};

struct AbsentSyntax {};  // _

// An operand: a name, a literal, or that there is none.
struct OperandSyntax {
  std::variant<std::string, NumberSyntax, WordSyntax, NumberListSyntax, AbsentSyntax> value;
  Span span;
};

struct AttrSyntax {
  NameSyntax name;
  std::variant<NumberSyntax, WordSyntax, NumberListSyntax, StringListSyntax, std::string, TensorType, Tensor>
      value;
  Span span;            // of the value
  bool braces = false;  // of a list: it stands in {} or (), which is wrong
};

// `@"weights.npz:w1"`.
struct ReferenceSyntax {
  std::string file;
  std::string member;
  std::optional<TypeSyntax> type;  // written before it, to be checked
  Span span;
};

struct TypedNameSyntax {
  NameSyntax name;
  std::optional<TypeSyntax> type;
};

struct ProvenanceSyntax {
  std::optional<std::string> location;  // at "..."
  std::string array;                    // array "..."
  std::vector<std::string> from;        // from(...)
  IngestRecord ingest;                  // ingest(...)
};

struct GraphSyntax;

struct StatementSyntax {
  std::vector<TypedNameSyntax> results;
  NameSyntax op;
  // Of a Const.
  std::optional<Tensor> tensor;
  std::optional<ReferenceSyntax> reference;
  // Of a call.
  std::vector<OperandSyntax> operands;
  std::vector<AttrSyntax> attrs;
  std::vector<std::unique_ptr<GraphSyntax>> bodies;
  ProvenanceSyntax provenance;
  bool bad = false;  // an error stands in it: its results exist, but nothing is known of them
};

struct ContractSyntax {
  std::optional<TensorType> type;  // where the input's own has no rank
  std::vector<std::string> samples;
  int64_t rows = 0;
  std::optional<int64_t> axis;
  Tensor min, max, nans;
  Span span;
};

struct InputSyntax {
  NameSyntax name;
  std::optional<TensorType> type;  // none once an error is recorded, or where a body leaves it out
  std::optional<ContractSyntax> contract;
  ProvenanceSyntax provenance;
};

struct BoundSyntax {
  NameSyntax symbol;
  DimBounds bounds;
};

struct OutputSyntax {
  NameSyntax name;  // what a caller fetches
  NameSyntax value;
};

struct GraphSyntax {
  NameSyntax name;
  std::vector<InputSyntax> inputs;
  std::vector<BoundSyntax> bounds;
  std::vector<OutputSyntax> outputs;
  std::vector<StatementSyntax> statements;
};

struct FileSyntax {
  std::vector<GraphSyntax> functions;
  GraphSyntax graph;
};

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_TEXT_SYNTAX_H_
