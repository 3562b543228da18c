// SPDX-License-Identifier: Apache-2.0
//
// What stands behind a declaration: where it comes from, and what its feeds are expected to be.
#include <utility>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/text/element.h"
#include "tenfold/graph/text/syntax_parser.h"

namespace tenfold {

bool SyntaxParser::Contract(ContractSyntax& contract) {
  contract.span = token().span();
  lexer_.Next();
  lexer_.Next();
  while (token().kind == Token::kString) {
    if (!Within(contract.samples.size(), "samples")) return false;
    if (!String("what it was learnt from", contract.samples.emplace_back()) ||
        !Expect(",", "after a sample")) {
      return false;
    }
  }
  const auto key = [&](absl::string_view name) {
    if (!token().IsWord(name)) return Expected(absl::StrCat(name, "="));
    lexer_.Next();
    return Expect("=", absl::StrCat("after ", name));
  };
  const auto tensor = [&](absl::string_view name, Tensor& out) {
    TypeSyntax type;
    std::optional<Tensor> read;
    if (!key(name) || !Type(type) || !Contents(type, read)) return false;
    out = *std::move(read);
    return true;
  };
  if (token().IsWord("type")) {
    TypeSyntax type;
    if (!key("type") || !Type(type) || !Expect(",", "after the type")) return false;
    contract.type = std::move(type.type);
  }
  if (!key("rows") || !Integer("a count", contract.rows) || !Expect(",", "after the rows")) return false;
  if (token().IsWord("axis")) {
    if (!key("axis") || !Integer("an axis", contract.axis.emplace()) || !Expect(",", "after the axis"))
      return false;
  }
  if (!tensor("min", contract.min) || !Expect(",", "before max=") || !tensor("max", contract.max))
    return false;
  if (Take(",") && !tensor("nans", contract.nans)) return false;
  return Expect(")", "after the contract");
}

bool SyntaxParser::Provenance(ProvenanceSyntax& provenance) {
  while (!token().first_on_line) {
    const Token next = lexer_.Peek();
    if (token().IsWord("at") && next.kind == Token::kString) {
      lexer_.Next();
      std::string location;
      if (!String("a place", location)) return false;
      provenance.location = std::move(location);
    } else if (token().IsWord("array") && next.kind == Token::kString) {
      lexer_.Next();
      if (!String("an array's name", provenance.array)) return false;
    } else if (token().IsWord("ingest") && next.Is("(")) {
      if (!Ingest(provenance.ingest)) return false;
    } else if (token().IsWord("from") && next.Is("(")) {
      lexer_.Next();
      lexer_.Next();
      do {
        if (!Within(provenance.from.size(), "names")) return false;
        NameSyntax name;
        if (!Name("the name of a source value", name)) return false;
        provenance.from.push_back(std::move(name.name));
      } while (Take(","));
      if (!Expect(")", "or ',' after a name")) return false;
    } else {
      break;
    }
  }
  return true;
}

// `ingest("f64", "cast=nearest", values=1024, changed=431, by=2.98e-08, nans=0)`.
bool SyntaxParser::Ingest(IngestRecord& record) {
  const Span begin = token().span();
  lexer_.Next();
  lexer_.Next();
  if (!String("what the array held, such as \"f64\"", record.source) || !Expect(",", "before the policy") ||
      !String("the policy, such as \"cast=nearest\"", record.policy)) {
    return false;
  }
  const auto key = [&](absl::string_view name) {
    if (!Expect(",", absl::StrCat("before ", name, "="))) return false;
    if (!token().IsWord(name)) return Expected(absl::StrCat(name, "="));
    lexer_.Next();
    return Expect("=", absl::StrCat("after ", name));
  };
  if (!key("values") || !Integer("a count", record.values)) return false;
  if (!key("changed") || !Integer("a count", record.changed)) return false;
  if (!key("by")) return false;
  if (token().kind != Token::kNumber || !ReadElement(token().text, DType::kF64, &record.largest_change)) {
    return Expected("the largest change, a number");
  }
  lexer_.Next();
  if (!key("nans") || !Integer("a count", record.nans_replaced) || !Expect(")", "after the counts"))
    return false;
  return !record.empty() || Fail(begin, "E0501", "what was done to an array has no policy");
}

}  // namespace tenfold
