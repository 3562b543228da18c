// SPDX-License-Identifier: Apache-2.0
//
// Writes graph/ops.h, graph/ops.cc or docs/ops.md from the registry: `generate_ops header|source|markdown`.
#include <algorithm>
#include <iostream>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "tenfold/graph/op_registry.h"

namespace tenfold {
namespace {

// Ops that a user builds by a function; Input and Const are methods of GraphBuilder.
std::vector<const OpDef*> BuildableOps() {
  std::vector<const OpDef*> ops = OpRegistry::Standard()->All();
  std::erase_if(ops, [](const OpDef* op) { return op->is_internal || op->Is<Source>(); });
  return ops;
}

std::string CppType(AttrKind kind) {
  switch (kind) {
    case AttrKind::kBool:
      return "bool";
    case AttrKind::kInt:
      return "int64_t";
    case AttrKind::kFloat:
      return "double";
    case AttrKind::kString:
      return "std::string";
    case AttrKind::kInts:
      return "std::vector<int64_t>";
    case AttrKind::kDType:
      return "DType";
    case AttrKind::kType:
      return "TensorType";
    case AttrKind::kTensor:
      break;
  }
  return "Tensor";
}

std::string CppDefault(const AttrDef& attr) {
  if (!attr.default_value.has_value()) return "{}";
  std::string text = ToString(*attr.default_value);
  if (attr.kind == AttrKind::kInts) text = absl::StrCat("{", text.substr(1, text.size() - 2), "}");
  return text;
}

// `text` wrapped as // comment lines.
std::string Comment(const std::string& text) {
  std::string out, line = "//";
  for (absl::string_view word : absl::StrSplit(text, ' ')) {
    if (line.size() + 1 + word.size() > 108) absl::StrAppend(&out, line, "\n"), line = "//";
    absl::StrAppend(&line, " ", word);
  }
  return absl::StrCat(out, line, "\n");
}

std::string Parameters(const OpDef& op, bool with_default) {
  std::vector<std::string> parameters;
  for (const PortDef& input : op.inputs) parameters.push_back(absl::StrCat("Operand ", input.name));
  if (!op.attrs.empty()) {
    const bool optional = with_default && std::all_of(op.attrs.begin(), op.attrs.end(), [](const AttrDef& a) {
                            return a.default_value.has_value();
                          });
    parameters.push_back(absl::StrCat(op.name, "Attrs attrs", optional ? " = {}" : ""));
  }
  return absl::StrJoin(parameters, ", ");
}

void WriteHeader() {
  std::cout << R"(// SPDX-License-Identifier: Apache-2.0
//
// Generated from the op registry by graph/generate: one function and one attribute struct an op.
#ifndef TENFOLD_GRAPH_OPS_H_
#define TENFOLD_GRAPH_OPS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "tenfold/graph/graph_builder.h"

namespace tenfold {
)";
  for (const OpDef* op : BuildableOps()) {
    std::cout << "\n";
    if (!op->attrs.empty()) {
      std::cout << "struct " << op->name << "Attrs {\n";
      for (const AttrDef& attr : op->attrs) {
        std::cout << "  " << CppType(attr.kind) << " " << attr.name << " = " << CppDefault(attr) << ";  // "
                  << attr.doc << "\n";
      }
      std::cout << "};\n";
    }
    std::cout << Comment(op->doc) << "Value " << op->name << "(" << Parameters(*op, true) << ");\n";
  }
  std::cout << "\n}  // namespace tenfold\n\n#endif  // TENFOLD_GRAPH_OPS_H_\n";
}

void WriteSource() {
  std::cout
      << "// SPDX-License-Identifier: Apache-2.0\n//\n// Generated from the op registry by graph/generate.\n"
         "#include \"tenfold/graph/ops.h\"\n\n#include <utility>\n\nnamespace tenfold {\n";
  for (const OpDef* op : BuildableOps()) {
    std::vector<std::string> operands, attrs;
    for (const PortDef& input : op->inputs) operands.push_back(input.name);
    for (const AttrDef& attr : op->attrs) {
      attrs.push_back(absl::StrCat("{\"", attr.name, "\", std::move(attrs.", attr.name, ")}"));
    }
    std::cout << "\nValue " << op->name << "(" << Parameters(*op, false) << ") {\n  return ApplyOp(\""
              << op->name << "\", {" << absl::StrJoin(operands, ", ") << "}, {" << absl::StrJoin(attrs, ", ")
              << "});\n}\n";
  }
  std::cout << "\n}  // namespace tenfold\n";
}

std::string Ports(const std::vector<PortDef>& ports) {
  return absl::StrJoin(ports, ", ", [](std::string* out, const PortDef& port) {
    absl::StrAppend(out, "`", port.name, "`", port.doc.empty() ? "" : absl::StrCat(" (", port.doc, ")"));
  });
}

// "`T`: f32 or f64", one for each type variable of the inputs.
std::string TypeVariables(const OpDef& op) {
  std::vector<std::string> texts;
  for (const PortDef& port : op.inputs) {
    std::string text = absl::StrCat("`", port.name, "`: ", port.dtypes.ToString());
    for (size_t i = 0; i < op.inputs.size(); ++i) {
      if (&op.inputs[i] == &port) break;
      if (op.inputs[i].type_var == port.type_var)
        text = absl::StrCat("`", port.name, "` as `", op.inputs[i].name, "`");
    }
    texts.push_back(std::move(text));
  }
  return absl::StrJoin(texts, "; ");
}

// Of the data: not of a condition beside it.
DTypeSet MainDTypes(const OpDef& op) {
  for (const PortDef& input : op.inputs) {
    if (!(input.dtypes == kBoolOnly)) return input.dtypes;
  }
  return kAnyType;
}

void WriteMarkdown() {
  std::cout << "# Ops\n\nGenerated from the op registry by `./dev docs`. Names and semantics follow ONNX "
               "where ONNX has the "
               "op.\nEvery elementwise op broadcasts by NumPy's rules; negative axes count from the end.\n\n"
               "| op | family | dtypes |\n|---|---|---|\n";
  const std::vector<const OpDef*> ops = OpRegistry::Standard()->All();
  for (const OpDef* op : ops) {
    if (op->is_internal) continue;
    std::cout << "| [" << op->name << "](#" << absl::AsciiStrToLower(op->name) << ") | " << FamilyName(*op)
              << " | " << MainDTypes(*op).ToString() << " |\n";
  }
  for (const OpDef* op : ops) {
    if (op->is_internal) continue;
    std::cout << "\n## " << op->name << "\n\n" << op->doc << "\n\n";
    if (!op->inputs.empty())
      std::cout << "- inputs: " << Ports(op->inputs) << "\n- dtypes: " << TypeVariables(*op) << "\n";
    for (const AttrDef& attr : op->attrs) {
      std::cout << "- attribute `" << attr.name << "` (" << Name(attr.kind);
      if (attr.default_value.has_value()) std::cout << ", default `" << ToString(*attr.default_value) << "`";
      std::cout << "): " << attr.doc << "\n";
    }
    if (!op->bound.empty()) std::cout << "- accuracy: " << op->bound << "\n";
  }
}

int Main(int argc, char** argv) {
  const std::string what = argc == 2 ? argv[1] : "";
  if (what == "header") return WriteHeader(), 0;
  if (what == "source") return WriteSource(), 0;
  if (what == "markdown") return WriteMarkdown(), 0;
  std::cerr << "usage: generate_ops header|source|markdown\n";
  return 2;
}

}  // namespace
}  // namespace tenfold

int main(int argc, char** argv) { return tenfold::Main(argc, argv); }
