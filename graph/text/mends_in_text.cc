// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/text/mends_in_text.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tenfold/graph/text/quote.h"

namespace tenfold {
namespace {

Edit In(Span span, std::string text) { return ReplaceText{span.begin, span.end, std::move(text)}; }

}  // namespace

// Calls do not nest in text, so what a line says in C++ is said as statements, too: the new one, and the line
// of the operand as it reads it.
std::string MendsInText::AsStatements(const std::vector<Edit>& edits) const {
  constexpr size_t kMostBytes = 100;
  std::string text;
  for (size_t i = 0; i + 1 < edits.size(); ++i) {
    const auto* added = std::get_if<ReplaceText>(&edits[i]);
    const auto* operand = std::get_if<ReplaceText>(&edits[i + 1]);
    if (added == nullptr || operand == nullptr || added->begin != added->end) continue;
    const absl::string_view all = source_.text();
    const size_t end = std::min(all.find('\n', operand->end), all.size());
    std::string reader =
        absl::StrCat(all.substr(added->begin, operand->begin - added->begin), operand->text,
                     absl::StripAsciiWhitespace(all.substr(operand->end, end - operand->end)));
    if (reader.size() > kMostBytes || absl::StrContains(reader, '\n')) {
      reader =
          absl::StrCat(operand->text, " for ", all.substr(operand->begin, operand->end - operand->begin));
    }
    absl::StrAppend(&text, "; in text: ", absl::StripTrailingAsciiWhitespace(added->text), ", then ", reader);
  }
  return text;
}

absl::Status MendsInText::Rewrite(const absl::Status& error, const StatementSyntax& statement) {
  std::vector<Diagnostic> diagnostics = DiagnosticsOf(error);
  for (Diagnostic& d : diagnostics) {
    for (Mend& mend : d.help) {
      mend.edits = EditsOf(mend, statement).value_or(std::vector<Edit>());
      absl::StrAppend(&mend.text, AsStatements(mend.edits));
    }
  }
  return ToStatus(std::move(diagnostics));
}

std::optional<std::vector<Edit>> MendsInText::EditsOf(const Mend& mend, const StatementSyntax& statement) {
  std::vector<Edit> edits;
  const auto operand_at = [&](int i) -> const OperandSyntax* {
    return static_cast<size_t>(i) < statement.operands.size() ? &statement.operands[i] : nullptr;
  };
  for (const Edit& edit : mend.edits) {
    if (const auto* wrap = std::get_if<WrapOperand>(&edit)) {
      const OperandSyntax* const operand = operand_at(wrap->operand);
      const auto* name = operand == nullptr ? nullptr : std::get_if<std::string>(&operand->value);
      if (name == nullptr) return std::nullopt;
      for (Edit& each : Wrap(*wrap, statement, *operand, *name)) edits.push_back(std::move(each));
      continue;
    }
    const auto* replace = std::get_if<ReplacePart>(&edit);
    if (replace == nullptr) {
      edits.push_back(edit);
    } else if (replace->part == ReplacePart::kOp) {
      edits.push_back(In(statement.op.span, QuoteName(replace->text)));
    } else if (replace->part == ReplacePart::kReference) {
      if (!statement.reference) return std::nullopt;
      edits.push_back(In(statement.reference->span, QuoteString(replace->text)));
    } else {
      const OperandSyntax* const operand = operand_at(replace->operand);
      if (operand == nullptr) return std::nullopt;
      edits.push_back(In(operand->span, replace->text));
    }
  }
  return edits;
}

std::vector<Edit> MendsInText::Wrap(const WrapOperand& wrap, const StatementSyntax& statement,
                                    const OperandSyntax& operand, absl::string_view name) {
  const std::string wanted = absl::StrCat(name, "_", absl::AsciiStrToLower(wrap.op));
  std::string result = wanted;
  for (int i = 2; names_.contains(result) || !offered_.insert(result).second; ++i) {
    result = absl::StrCat(wanted, i);
  }
  // On a line of its own above the statement, indented as that is.
  const size_t begin = statement.results.front().name.span.begin;
  const absl::string_view above = source_.text().substr(0, begin);
  const absl::string_view before = above.substr(above.rfind('\n') + 1);
  const bool alone = before.find_first_not_of(" \t") == absl::string_view::npos;
  return {In({begin, begin},
             absl::StrCat(QuoteName(result), " = ", wrap.op, "(", QuoteName(name),
                          wrap.arguments.empty() ? "" : ", ", wrap.arguments, ")\n", alone ? before : "")),
          In(operand.span, QuoteName(result))};
}

}  // namespace tenfold
