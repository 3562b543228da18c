// SPDX-License-Identifier: Apache-2.0
#include "tenfold/tools/op_listing.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/ingest/printable.h"
#include "tenfold/graph/no_such_op.h"

namespace tenfold {
namespace {

// "    text", wrapped.
std::string Paragraph(absl::string_view text) {
  constexpr size_t kWidth = 100;
  std::string out, line = "   ";
  for (absl::string_view word : absl::StrSplit(text, ' ')) {
    if (line.size() + 1 + word.size() > kWidth) absl::StrAppend(&out, line, "\n"), line = "   ";
    absl::StrAppend(&line, " ", word);
  }
  return absl::StrCat(out, line, "\n");
}

// "Softmax(x, axis=-1) -> y": as the text form writes it, every attribute at its default.
std::string Signature(const OpDef& op) {
  std::vector<std::string> parameters, results;
  for (const PortDef& input : op.inputs) {
    parameters.push_back(input.arity == Arity::kOptional   ? absl::StrCat("[", input.name, "]")
                         : input.arity == Arity::kVariadic ? absl::StrCat(input.name, "...")
                                                           : input.name);
  }
  for (const AttrDef& attr : op.attrs) {
    const std::string value =
        attr.default_value ? ToString(*attr.default_value) : absl::StrCat("<", Name(attr.kind), ">");
    parameters.push_back(absl::StrCat(attr.name, "=", value));
  }
  for (const PortDef& output : op.outputs) {
    results.push_back(absl::StrCat(output.name, output.arity == Arity::kVariadic ? "..." : ""));
  }
  return absl::StrCat(op.name, "(", absl::StrJoin(parameters, ", "), ") -> ", absl::StrJoin(results, ", "));
}

std::string Describe(const OpDef& op) {
  std::string text = absl::StrCat(Signature(op), "\n", Paragraph(op.doc));
  if (!op.bound.empty()) absl::StrAppend(&text, Paragraph(op.bound));
  for (size_t i = 0; i < op.inputs.size(); ++i) {
    const PortDef& port = op.inputs[i];
    const auto same = std::find_if(op.inputs.begin(), op.inputs.begin() + i,
                                   [&](const PortDef& earlier) { return earlier.type_var == port.type_var; });
    const bool bound = same != op.inputs.begin() + i;
    absl::StrAppend(&text, "    ", port.name, ": ",
                    bound                     ? absl::StrCat("as ", same->name)
                    : port.dtypes == kAnyType ? "any dtype"
                                              : port.dtypes.ToString(),
                    port.doc.empty() ? "" : "; ", port.doc, "\n");
  }
  for (const AttrDef& attr : op.attrs) absl::StrAppend(&text, "    ", attr.name, ": ", attr.doc, "\n");
  return absl::StrCat(text, "    [", FamilyName(op), "]\n");
}

}  // namespace

absl::StatusOr<std::string> ListOps(const OpRegistry& registry, std::span<const std::string> names) {
  std::vector<const OpDef*> ops;
  for (const std::string& name : names) {
    const OpDef* const op = registry.Find(name);
    if (op == nullptr || op->is_internal) return NoSuchOp(name, registry);
    ops.push_back(op);
  }
  if (names.empty()) ops = registry.All();
  std::erase_if(ops, [](const OpDef* op) { return op->is_internal; });
  return absl::StrJoin(ops, "\n", [](std::string* out, const OpDef* op) { *out += Describe(*op); });
}

}  // namespace tenfold
