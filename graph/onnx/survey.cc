// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/onnx/survey.h"

#include <map>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tenfold/graph/control.h"
#include "tenfold/graph/ingest/printable.h"
#include "tenfold/graph/onnx/op_table.h"

namespace tenfold::onnx {
namespace {

// Attributes of Constant that say its value.
bool IsValueOfConstant(absl::string_view name) {
  return name == "value" || name == "value_int" || name == "value_float" || name == "value_ints" ||
         name == "value_floats";
}

class Survey {
 public:
  explicit Survey(const ModelContext& context) : context_(context) {}

  std::vector<Diagnostic> Find() {
    CheckOpset(context_.opsets(), "the model");
    CheckGraph(context_.model().graph(), context_.opsets(), "", 0);
    std::vector<Diagnostic> found;
    for (const auto& key : order_) {
      Diagnostic diagnostic;
      diagnostic.code = key.first;
      diagnostic.message = key.second;
      diagnostic.location = context_.place();
      const std::vector<std::string>& where = found_[key];
      if (!where.empty()) {
        diagnostic.notes.push_back(
            absl::StrCat(CountText(where.size(), "place"), ": ", absl::StrJoin(where, ", ")));
      }
      if (key.first == "E0903") diagnostic.help = {"docs/onnx_ops.md lists the ops that are imported"};
      found.push_back(std::move(diagnostic));
    }
    return found;
  }

 private:
  using Key = std::pair<std::string, std::string>;  // code, message

  void Note(const char* code, std::string message, std::string where) {
    Key key(code, std::move(message));
    const auto [entry, is_new] = found_.try_emplace(key);
    if (is_new) order_.push_back(key);
    if (!where.empty()) entry->second.push_back(std::move(where));
  }

  void CheckOpset(const Opsets& opsets, const std::string& of) {
    const int64_t version = opsets.at("");
    if (version >= 1 && version <= kNewestOpset) return;
    Note("E0907", absl::StrCat(of, " is of opset ", version, "; opsets 1 to ", kNewestOpset, " are known"),
         "");
  }

  void CheckType(const TypeProto& type, const std::string& what) {
    const std::optional<std::string> unsupported = UnsupportedType(type);
    if (unsupported && *unsupported != "of no type")
      Note("E0905", absl::StrCat("a value is ", *unsupported, ", which Tenfold does not have"), what);
  }

  void CheckTensor(const TensorProto& tensor, const std::string& what) {
    if (DTypeOf(tensor.data_type())) return;
    Note("E0905",
         absl::StrCat("a constant is of ", DataTypeName(tensor.data_type()), ", which Tenfold does not have"),
         what);
  }

  void CheckGraph(const GraphProto& graph, const Opsets& opsets, const std::string& prefix, int depth) {
    if (depth > context_.limits().nesting) return;  // refused when it is imported
    std::set<std::string> constants;
    for (const TensorProto& tensor : graph.initializer()) {
      CheckTensor(tensor, absl::StrCat(prefix, "initializer '", Printable(tensor.name()), "'"));
      constants.insert(tensor.name());
    }
    if (graph.sparse_initializer_size() > 0)
      Note("E0905", "a constant is a sparse tensor, which Tenfold does not have",
           prefix + "sparse initializers");
    for (const ValueInfoProto& input : graph.input()) {
      if (!constants.contains(input.name()))
        CheckType(input.type(), absl::StrCat(prefix, "input '", Printable(input.name()), "'"));
    }
    CheckNodes(graph.node(), opsets, prefix, depth);
  }

  void CheckNodes(const google::protobuf::RepeatedPtrField<NodeProto>& nodes, const Opsets& opsets,
                  const std::string& prefix, int depth) {
    int64_t index = 0;
    for (const NodeProto& node : nodes) CheckNode(node, opsets, prefix, depth, index++);
  }

  void CheckNode(const NodeProto& node, const Opsets& opsets, const std::string& prefix, int depth,
                 int64_t index) {
    const std::string where = absl::StrCat(prefix, NameOfNode(node, index));
    if (const FunctionProto* const function = context_.FindFunction(node)) {
      if (calls_ == kDeepestCall || !seen_.insert(function).second) return;
      const Opsets own = ReadOpsets(function->opset_import());
      const std::string name = absl::StrCat("function '", Printable(function->name()), "'");
      if (own.at("") != opsets.at("")) CheckOpset(own, name);
      ++calls_;
      CheckNodes(function->node(), own, name + ": ", depth);
      --calls_;
      return;
    }
    for (const AttributeProto& attribute : node.attribute()) {
      if (attribute.has_g()) CheckGraph(attribute.g(), opsets, absl::StrCat(where, ": "), depth + 1);
      if (attribute.has_t()) CheckTensor(attribute.t(), where);
    }
    const std::string op = Printable(node.op_type());
    if (const std::string domain = DomainOf(node); !domain.empty()) {
      Note("E0903",
           absl::StrCat("the op ", op, " of the domain ", Printable(domain), " is not one that Tenfold has"),
           where);
      return;
    }
    if (node.op_type() == "Constant") return CheckConstant(node, where);
    const int64_t opset = opsets.at("");
    const OpImport import = FindOp(node.op_type(), opset, *context_.options().registry);
    if (import.row != nullptr && import.row->refused) {
      Note("E0903",
           absl::StrCat("the op ", op, " of opset ", opset, " is not imported: until opset ",
                        import.row->until, " it ", import.row->differs),
           where);
      return;
    }
    if (import.op == nullptr) {
      Note("E0903", absl::StrCat("the op ", op, " is not one that Tenfold has"), where);
      return;
    }
    for (const AttributeProto& attribute : node.attribute())
      CheckAttribute(import, attribute, op, opset, where);
  }

  void CheckConstant(const NodeProto& node, const std::string& where) {
    for (const AttributeProto& attribute : node.attribute()) {
      if (IsValueOfConstant(attribute.name())) continue;
      Note("E0905",
           absl::StrCat("a constant has its value as '", Printable(attribute.name()),
                        "', which Tenfold does not have"),
           where);
    }
  }

  void CheckAttribute(const OpImport& import, const AttributeProto& attribute, const std::string& op,
                      int64_t opset, const std::string& where) {
    const bool body =
        import.op->Is<Control>() && (attribute.name() == "body" || attribute.name() == "then_branch" ||
                                     attribute.name() == "else_branch");
    if (body) return;
    if (!TakesAttribute(import, attribute, opset)) {
      Note("E0904",
           absl::StrCat("the attribute '", Printable(attribute.name()), "' of ", op, ValueText(attribute),
                        " is not one that Tenfold has"),
           where);
      return;
    }
    const AttrDef* const def = import.op->FindAttr(attribute.name());
    const bool names_dtype = def != nullptr && def->kind == AttrKind::kDType && attribute.i() != 0;
    if (names_dtype && attribute.ref_attr_name().empty() && !DTypeOf(attribute.i())) {
      Note("E0905",
           absl::StrCat("the attribute '", def->name, "' of ", op, " names ", DataTypeName(attribute.i()),
                        ", which Tenfold does not have"),
           where);
    }
  }

  static std::string ValueText(const AttributeProto& attribute) {
    if (attribute.has_i()) return absl::StrCat(", ", attribute.i(), ",");
    if (attribute.has_s()) return absl::StrCat(", \"", Printable(attribute.s(), 40), "\",");
    return "";
  }

  const ModelContext& context_;
  std::map<Key, std::vector<std::string>> found_;
  std::vector<Key> order_;  // as they are met
  std::set<const FunctionProto*> seen_;
  int calls_ = 0;  // of functions around what is looked at
};

}  // namespace

std::vector<Diagnostic> FindUnsupported(const ModelContext& context) { return Survey(context).Find(); }

}  // namespace tenfold::onnx
