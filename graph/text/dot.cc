// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/text/dot.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/control.h"
#include "tenfold/graph/text/attr_syntax.h"
#include "tenfold/graph/text/value_names.h"

namespace tenfold {
namespace {

constexpr int64_t kShownElements = 4;

// A quoted DOT string; lines are parted by '\n' and centred.
std::string DotString(absl::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else if (static_cast<unsigned char>(c) >= 0x20) {
      out += c;
    }
  }
  return out + "\"";
}

// Prints a graph and, as clusters, the bodies in it. Ids carry the path of the body: "n3", "n3_1".
class DotPrinter {
 public:
  DotPrinter(const Graph& graph, const DotOptions& options, std::string prefix, std::string indent,
             std::string* out)
      : graph_(graph),
        options_(options),
        names_(graph),
        prefix_(std::move(prefix)),
        indent_(std::move(indent)),
        out_(*out) {}

  void Print() {
    for (NodeId id : graph_.nodes()) Box(id);
    for (size_t i = 0; i < graph_.outputs().size(); ++i) {
      const GraphOutput& output = graph_.outputs()[i];
      const std::string oval = absl::StrCat(prefix_, "out", i);
      absl::StrAppend(&out_, indent_, oval, " [shape=oval, label=", DotString(output.name), "];\n");
      Edge(output.value, oval);
    }
  }

  void Cluster(const Graph& body, const std::string& id) {
    absl::StrAppend(&out_, indent_, "subgraph cluster_", id, " {\n", indent_,
                    "  label=", DotString(body.name), ";\n");
    DotPrinter(body, options_, id + "_", indent_ + "  ", &out_).Print();
    absl::StrAppend(&out_, indent_, "}\n");
  }

 private:
  std::string IdOf(NodeId id) const { return absl::StrCat(prefix_, "n", static_cast<int>(id)); }

  void Edge(ValueId value, const std::string& to) {
    absl::StrAppend(&out_, indent_, IdOf(graph_.value(value).producer), " -> ", to,
                    " [label=", DotString(graph_.value(value).type.ToString()), "];\n");
  }

  void Box(NodeId id) {
    const Node& node = graph_.node(id);
    if (names_.is_inline(node.outputs[0])) return;
    const bool source = node.op->Is<Source>();
    absl::StrAppend(&out_, indent_, IdOf(id), " [shape=", source ? "oval" : "box",
                    ", label=", DotString(Label(id, node)), "];\n");
    for (ValueId input : Present(node.inputs)) {
      if (!names_.is_inline(input)) Edge(input, IdOf(id));
    }
    if (IsCall(*node.op)) return;
    for (size_t i = 0; i < node.bodies.size(); ++i) {
      const std::string inner = node.bodies.size() == 1 ? IdOf(id) : absl::StrCat(IdOf(id), "_", i);
      Cluster(*node.bodies[i], inner);
    }
  }

  std::string Label(NodeId id, const Node& node) const {
    std::string label = node.op->name;
    if (node.op->name == "Const") {
      absl::StrAppend(&label, " ", node.tensor().ToString(kShownElements));
    } else {
      const char* separator = "(";
      bool open = false;
      const auto add = [&](const std::string& text) {
        absl::StrAppend(&label, separator, text);
        separator = ", ";
        open = true;
      };
      for (ValueId input : Present(node.inputs)) {
        if (names_.is_inline(input)) add(names_[input]);
      }
      for (const auto& [name, value] : node.attrs) {
        const AttrDef* def = node.op->FindAttr(name);
        if (def != nullptr && def->default_value && *def->default_value == value) continue;
        add(absl::StrCat(name, "=", AttrValueText(value, kShownElements)));
      }
      if (open) label += ")";
    }
    for (ValueId output : node.outputs) absl::StrAppend(&label, "\n", names_[output]);
    if (options_.note) {
      const std::string note = options_.note(graph_, id);
      if (!note.empty()) absl::StrAppend(&label, "\n", note);
    }
    return label;
  }

  const Graph& graph_;
  const DotOptions& options_;
  const ValueNames names_;
  const std::string prefix_;
  const std::string indent_;
  std::string& out_;
};

}  // namespace

std::string PrintDot(const Graph& graph, const DotOptions& options) {
  std::string out = absl::StrCat("digraph ", DotString(graph.name), " {\n  node [fontname=\"monospace\"];\n");
  DotPrinter printer(graph, options, "", "  ", &out);
  printer.Print();
  int number = 0;
  for (const auto& function : FunctionsOf(graph)) printer.Cluster(*function, absl::StrCat("f", number++));
  return out + "}\n";
}

}  // namespace tenfold
