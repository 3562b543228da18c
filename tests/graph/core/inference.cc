// SPDX-License-Identifier: Apache-2.0
#include "tenfold/tests/graph/core/inference.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/infer_context.h"
#include "tenfold/graph/op_registry.h"

namespace tenfold::testing {
namespace {

// "i64[2]{-1,N}" at the front of `text`.
absl::StatusOr<InferInput> ConsumeOperand(absl::string_view& text) {
  InferInput input;
  if (absl::ConsumePrefix(&text, "_")) {
    input.absent = true;
    return input;
  }
  TENFOLD_ASSIGN_OR_RETURN(input.type, TensorType::Consume(text));
  if (!absl::ConsumePrefix(&text, "{")) return input;
  Contents contents;
  while (!absl::ConsumePrefix(&text, "}")) {
    absl::ConsumePrefix(&text, ",");
    TENFOLD_ASSIGN_OR_RETURN(Dim dim, Dim::Consume(text));
    contents.push_back(std::move(dim));
  }
  input.contents = std::move(contents);
  return input;
}

absl::StatusOr<std::string> Infer(absl::string_view op_name, absl::string_view text, Attrs& attrs,
                                  std::vector<SizeAssumption>* assumptions) {
  std::vector<InferInput> inputs;
  for (text = absl::StripAsciiWhitespace(text); !text.empty();
       text = absl::StripLeadingAsciiWhitespace(text)) {
    TENFOLD_ASSIGN_OR_RETURN(InferInput input, ConsumeOperand(text));
    inputs.push_back(std::move(input));
  }
  const OpDef* op = OpRegistry::Standard()->Find(op_name);
  if (op == nullptr) return MakeError("E0101", "there is no such op");
  TENFOLD_ASSIGN_OR_RETURN(const std::vector<InferResult> results,
                           InferNode(*op, "", inputs, attrs, {.assumptions = assumptions}));
  return absl::StrJoin(results, " ", [](std::string* out, const InferResult& r) {
    *out += r.type.ToString();
    if (!r.contents.has_value()) return;
    const auto print = [](std::string* to, const Dim& d) { *to += d.ToString(); };
    absl::StrAppend(out, "{", absl::StrJoin(*r.contents, ",", print), "}");
  });
}

}  // namespace

std::string Inferred(absl::string_view op, absl::string_view inputs, Attrs attrs) {
  absl::StatusOr<std::string> text = Infer(op, inputs, attrs, nullptr);
  return text.ok() ? *std::move(text) : std::string(text.status().message());
}

std::string InferredByAssuming(absl::string_view op, absl::string_view inputs, Attrs attrs) {
  std::vector<SizeAssumption> assumptions;
  const absl::StatusOr<std::string> text = Infer(op, inputs, attrs, &assumptions);
  if (!text.ok()) return std::string(text.status().message());
  return absl::StrCat(*text, " if ",
                      absl::StrJoin(assumptions, ", ", [](std::string* out, const SizeAssumption& a) {
                        absl::StrAppend(out, a.what, " is ", a.must.ToString());
                      }));
}

}  // namespace tenfold::testing
