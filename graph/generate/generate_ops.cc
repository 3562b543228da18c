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

// Ops that a user builds by a function of one form; Input and Const are methods of GraphBuilder, and control
// ops take functions (graph/control_flow.h).
std::vector<const OpDef*> BuildableOps() {
  std::vector<const OpDef*> ops = OpRegistry::Standard()->All();
  std::erase_if(ops,
                [](const OpDef* op) { return op->is_internal || op->Is<Source>() || op->Is<Control>(); });
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
    case AttrKind::kFloats:
      return "std::vector<double>";
    case AttrKind::kStrings:
      return "std::vector<std::string>";
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
  const bool list = text.front() == '[';
  if (list) text = absl::StrCat("{", text.substr(1, text.size() - 2), "}");
  if (attr.kind == AttrKind::kTensor) return "{}";  // the op's own default, which no literal can be
  if (attr.kind == AttrKind::kDType) return absl::StrCat("DType::k", absl::AsciiStrToUpper(text));
  return text;
}

// The op's name, but where a type of ours has it.
std::string FunctionName(const OpDef& op) { return op.name == "Shape" ? "ShapeOf" : op.name; }

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
  // No operand says what it is built in, or where.
  if (op.inputs.empty()) parameters.push_back("GraphBuilder& builder");
  const bool attrs_are_optional = std::all_of(op.attrs.begin(), op.attrs.end(), [](const AttrDef& a) {
    return a.default_value.has_value() || a.is_optional;
  });
  // What may be left out stands at the end: nothing before attributes that must be given.
  size_t required = op.inputs.size();
  while (attrs_are_optional && required > 0 && op.inputs[required - 1].arity == Arity::kOptional) --required;
  for (size_t i = 0; i < op.inputs.size(); ++i) {
    const bool any_number = op.inputs[i].arity == Arity::kVariadic;
    parameters.push_back(absl::StrCat(any_number ? "std::vector<Operand> " : "Operand ", op.inputs[i].name,
                                      with_default && i >= required ? " = std::nullopt" : ""));
  }
  if (!op.attrs.empty()) {
    parameters.push_back(
        absl::StrCat(op.name, "Attrs attrs", with_default && attrs_are_optional ? " = {}" : ""));
  }
  if (op.inputs.empty()) {
    parameters.push_back(
        absl::StrCat("GraphBuilder::Where where", with_default ? " = GraphBuilder::Where::current()" : ""));
  }
  return absl::StrJoin(parameters, ", ");
}

// "Value"; "TopKResults", a struct with the outputs' names; "Values" where there can be any number.
std::string ResultType(const OpDef& op) {
  if (op.GivesAnyNumber()) return "Values";
  return op.outputs.size() == 1 ? "Value" : absl::StrCat(op.name, "Results");
}

// Whether it may be called as a binary operator, too: Max(a, b).
bool FoldsInputs(const OpDef& op) { return op.Is<Elementwise>() && op.TakesAnyNumber(); }

void WriteHeader() {
  std::cout << R"(// SPDX-License-Identifier: Apache-2.0
//
// Generated from the op registry by graph/generate: one function and one attribute struct an op.
#ifndef TENFOLD_GRAPH_OPS_H_
#define TENFOLD_GRAPH_OPS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tenfold/graph/graph_builder.h"

namespace tenfold {
)";
  for (const OpDef* op : BuildableOps()) {
    std::cout << "\n";
    if (!op->attrs.empty()) {
      std::cout << "struct " << op->name << "Attrs {\n";
      for (const AttrDef& attr : op->attrs) {
        const std::string type = CppType(attr.kind);
        std::cout << "  " << (attr.is_optional ? absl::StrCat("std::optional<", type, ">") : type) << " "
                  << attr.name << " = " << CppDefault(attr) << ";  // " << attr.doc << "\n";
      }
      std::cout << "};\n";
    }
    if (ResultType(*op) == op->name + "Results") {
      std::cout << "struct " << op->name << "Results {\n";
      for (const PortDef& output : op->outputs) std::cout << "  Value " << output.name << ";\n";
      std::cout << "};\n";
    }
    std::cout << Comment(op->doc) << ResultType(*op) << " " << FunctionName(*op) << "("
              << Parameters(*op, true) << ");\n";
    if (FoldsInputs(*op)) {
      std::cout << "inline Value " << FunctionName(*op) << "(Operand a, Operand b) {\n  return "
                << FunctionName(*op) << "({std::move(a), std::move(b)});\n}\n";
    }
  }
  std::cout << "\n}  // namespace tenfold\n\n#endif  // TENFOLD_GRAPH_OPS_H_\n";
}

void WriteFunction(const OpDef& op) {
  std::vector<std::string> operands, attrs, results;
  for (const PortDef& input : op.inputs) {
    if (input.arity != Arity::kVariadic) operands.push_back(absl::StrCat("std::move(", input.name, ")"));
  }
  for (const AttrDef& attr : op.attrs) {
    // A tensor that is not given is the op's default.
    if (attr.kind == AttrKind::kTensor || attr.is_optional) continue;
    attrs.push_back(absl::StrCat("{\"", attr.name, "\", std::move(attrs.", attr.name, ")}"));
  }
  std::cout << "\n" << ResultType(op) << " " << FunctionName(op) << "(" << Parameters(op, false) << ") {\n";
  std::cout << "  Attrs all = {" << absl::StrJoin(attrs, ", ") << "};\n";
  for (const AttrDef& attr : op.attrs) {
    if (attr.is_optional) {
      std::cout << "  if (attrs." << attr.name << ") all.Set(\"" << attr.name << "\", *std::move(attrs."
                << attr.name << "));\n";
    }
    if (attr.kind != AttrKind::kTensor) continue;
    std::cout << "  if (attrs." << attr.name << ".num_elements() > 0) all.Set(\"" << attr.name
              << "\", std::move(attrs." << attr.name << "));\n";
  }
  if (op.TakesAnyNumber()) {
    const std::string& last = op.inputs.back().name;
    std::cout << "  std::vector<Operand> operands = {" << absl::StrJoin(operands, ", ") << "};\n"
              << "  operands.insert(operands.end(), " << last << ".begin(), " << last << ".end());\n";
  } else if (!op.inputs.empty()) {
    std::cout << "  const Operand operands[] = {" << absl::StrJoin(operands, ", ") << "};\n";
  }
  const std::string call = op.inputs.empty()
                               ? absl::StrCat("builder.ApplyMulti(\"", op.name,
                                              "\", {}, std::move(all), \"\", builder.PlaceOf(where))")
                               : absl::StrCat("ApplyOpMulti(\"", op.name, "\", operands, std::move(all))");
  if (op.GivesAnyNumber()) {
    std::cout << "  return " << call << ";\n}\n";
  } else if (op.outputs.size() == 1) {
    std::cout << "  return " << call << "[0];\n}\n";
  } else {
    for (size_t i = 0; i < op.outputs.size(); ++i) results.push_back(absl::StrCat("results[", i, "]"));
    std::cout << "  const Values results = " << call << ";\n  return {" << absl::StrJoin(results, ", ")
              << "};\n}\n";
  }
}

void WriteSource() {
  std::cout
      << "// SPDX-License-Identifier: Apache-2.0\n//\n// Generated from the op registry by graph/generate.\n"
         "#include \"tenfold/graph/ops.h\"\n\n#include <utility>\n#include <vector>\n\nnamespace tenfold {\n";
  for (const OpDef* op : BuildableOps()) {
    WriteFunction(*op);
  }
  std::cout << "\n}  // namespace tenfold\n";
}

std::string Ports(const std::vector<PortDef>& ports) {
  return absl::StrJoin(ports, ", ", [](std::string* out, const PortDef& port) {
    const char* const arity = port.arity == Arity::kOptional   ? ", optional"
                              : port.arity == Arity::kVariadic ? ", any number"
                                                               : "";
    absl::StrAppend(out, "`", port.name, "`", arity, port.known ? ", known while building" : "",
                    port.doc.empty() ? "" : absl::StrCat(" (", port.doc, ")"));
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

// Of the data: not of a condition beside it. Of an op without inputs, those that it gives.
DTypeSet MainDTypes(const OpDef& op) {
  for (const PortDef& input : op.inputs) {
    if (!(input.dtypes == kBoolOnly)) return input.dtypes;
  }
  return op.inputs.empty() ? op.outputs[0].dtypes : kBoolOnly;
}

// What a GPU computes of an op by itself; the rest the host does, between copies.
std::string OnGpu(const OpDef& op) {
  if (op.Is<Elementwise>() || op.Is<Reduction>()) return "yes";
  if (op.Is<Movement>()) return "one strided view; on the host if it takes several copies";
  if (op.Is<Composite>()) return "as its parts";
  if (op.Is<Contraction>()) return "on the host: no library of the device is called yet";
  if (op.Is<HostKernel>()) return "on the host: its function is one for hosts";
  if (op.Is<Control>()) return "on the host, with all that is in its bodies";
  return op.Is<FromShapes>() ? "on the host: integers that follow from shapes" : "-";
}

void WriteMarkdown() {
  std::cout << "# Ops\n\nGenerated from the op registry by `./dev docs`. Names and semantics follow ONNX "
               "where ONNX has the "
               "op.\nEvery elementwise op broadcasts by NumPy's rules; negative axes count from the end.\n\n"
               "The interpreter, the folder and the CPU compute every op for every dtype in the table. The "
               "last column says what a GPU does.\n\n"
               "| op | family | dtypes | GPU |\n|---|---|---|---|\n";
  const std::vector<const OpDef*> ops = OpRegistry::Standard()->All();
  for (const OpDef* op : ops) {
    if (op->is_internal) continue;
    std::cout << "| [" << op->name << "](#" << absl::AsciiStrToLower(op->name) << ") | " << FamilyName(*op)
              << " | " << MainDTypes(*op).ToString() << " | " << OnGpu(*op) << " |\n";
  }
  for (const OpDef* op : ops) {
    if (op->is_internal) continue;
    std::cout << "\n## " << op->name << "\n\n" << op->doc << "\n\n";
    if (!op->inputs.empty())
      std::cout << "- inputs: " << Ports(op->inputs) << "\n- dtypes: " << TypeVariables(*op) << "\n";
    if (op->outputs.size() > 1 || op->GivesAnyNumber())
      std::cout << "- outputs: " << Ports(op->outputs) << "\n";
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
