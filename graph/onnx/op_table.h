// SPDX-License-Identifier: Apache-2.0
//
// THE table of ops: where an ONNX op, in some range of opsets, is not the op of the same name in our registry
// with the same inputs and attributes. Everything that differs between opsets lies here.
//
// An op without a row is imported one to one: names and semantics of ours follow the newest opset.
#ifndef TENFOLD_GRAPH_ONNX_OP_TABLE_H_
#define TENFOLD_GRAPH_ONNX_OP_TABLE_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "tenfold/graph/onnx/node_draft.h"
#include "tenfold/graph/op_registry.h"

namespace tenfold::onnx {

// The newest opset whose ops were held against the table.
inline constexpr int64_t kNewestOpset = 28;

// An attribute that is an input of ours.
struct AttrToInput {
  enum Form : uint8_t {
    kIntegers,   // a list of i64; one number is a list of one
    kLikeInput,  // one number of the dtype of the first input
  };
  const char* attribute;
  size_t input;
  Form form = kIntegers;
};

// An input, which must be constant, that is an attribute of ours: a list of integers.
struct InputToAttr {
  size_t input;
  const char* attribute;
};

// What an attribute is where the model leaves it out, if that is not our default; or the one value of an
// attribute that ours does not have, at which it makes no difference.
struct AttrWithValue {
  const char* attribute;
  AttrValue value;
};

struct OpRow {
  std::vector<const char*> names;  // of ONNX
  int64_t since = 1;
  int64_t until = kNewestOpset;
  const char* ours = nullptr;  // null: the same name
  // In words, what is particular to the op in these opsets; docs/onnx_ops.md shows it.
  const char* differs = "";
  std::vector<AttrToInput> to_inputs = {};
  std::vector<InputToAttr> to_attrs = {};
  std::vector<AttrWithValue> defaults = {};
  std::vector<AttrWithValue> only = {};
  std::vector<const char*> without_effect = {};  // attributes
  std::vector<const char*> read = {};            // further attributes, which `adjust` reads
  // Does the rest, once all of the above is done.
  absl::Status (*adjust)(NodeDraft& draft) = nullptr;
  // It is not imported, since it was what `differs` says.
  bool refused = false;
};

std::span<const OpRow> OpRows();

// How nodes of an op are imported.
struct OpImport {
  const OpDef* op = nullptr;   // null: not at all
  const OpRow* row = nullptr;  // null: one to one
};
OpImport FindOp(absl::string_view onnx_name, int64_t opset, const OpRegistry& registry);

// Whether the op takes an attribute of that name, or it may be ignored; with `value` whether that value of an
// attribute which ours does not have can be.
bool TakesAttribute(const OpImport& import, const AttributeProto& attribute, int64_t opset);

// Makes the node ours: `draft` has its inputs already. Errors: E0904 to E0906.
absl::Status Translate(const OpImport& import, NodeDraft& draft);

}  // namespace tenfold::onnx

#endif  // TENFOLD_GRAPH_ONNX_OP_TABLE_H_
