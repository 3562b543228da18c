// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/ops/einsum_equation.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/ingest/printable.h"

namespace tenfold {
namespace {

absl::Status Wrong(std::string what) { return absl::InvalidArgumentError(what); }

constexpr int kNoEllipsis = -1;

// "ij...k": letters, and where the ellipsis stands among them.
struct Term {
  EinsumLabels letters;
  int ellipsis = kNoEllipsis;
};

absl::StatusOr<Term> ParseTerm(absl::string_view text) {
  Term term;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ' ') continue;
    if (absl::ascii_isalpha(static_cast<unsigned char>(text[i]))) {
      term.letters.push_back(text[i]);
    } else if (text.substr(i, 3) == "...") {
      if (term.ellipsis != kNoEllipsis)
        return Wrong(absl::StrCat("'", Printable(text), "' has two ellipses"));
      term.ellipsis = static_cast<int>(term.letters.size());
      i += 2;
    } else {
      return Wrong(absl::StrCat("'", Printable(text.substr(i, 1)), "' in '", Printable(text),
                                "' is neither a letter nor part of '...'"));
    }
  }
  return term;
}

// The labels of a term whose ellipsis stands for `dims` dims.
EinsumLabels LabelsOf(const Term& term, int dims) {
  EinsumLabels labels = term.letters;
  if (term.ellipsis == kNoEllipsis) return labels;
  EinsumLabels dots;
  for (int d = dims; d-- > 0;) dots.push_back(kEllipsisLabel + d);
  labels.insert(labels.begin() + term.ellipsis, dots.begin(), dots.end());
  return labels;
}

// Without "->": the ellipsis, then the letters that stand once, in the order of the alphabet.
Term ImplicitResult(const std::vector<Term>& terms) {
  std::map<EinsumLabel, int> count;
  for (const Term& term : terms) {
    for (const EinsumLabel letter : term.letters) ++count[letter];
  }
  Term result;
  result.ellipsis = 0;
  for (const auto& [letter, times] : count) {
    if (times == 1) result.letters.push_back(letter);
  }
  return result;
}

absl::Status CheckResult(const Term& result, const std::vector<Term>& terms, int ellipsis_dims) {
  for (size_t i = 0; i < result.letters.size(); ++i) {
    const EinsumLabel letter = result.letters[i];
    if (std::count(result.letters.begin(), result.letters.end(), letter) > 1)
      return Wrong(absl::StrCat("the result has the label ", EinsumLabelText(letter), " twice"));
    const bool known = std::any_of(terms.begin(), terms.end(), [&](const Term& term) {
      return std::find(term.letters.begin(), term.letters.end(), letter) != term.letters.end();
    });
    if (!known)
      return Wrong(
          absl::StrCat("the result has the label ", EinsumLabelText(letter), ", which no input has"));
  }
  if (result.ellipsis == kNoEllipsis && ellipsis_dims > 0)
    return Wrong(
        absl::StrCat("the inputs have dims for '...', ", ellipsis_dims, ", but the result has no '...'"));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<EinsumEquation> ParseEinsum(absl::string_view equation, std::span<const int> ranks) {
  const std::vector<absl::string_view> sides = absl::StrSplit(equation, "->");
  if (sides.size() > 2) return Wrong("there is more than one '->'");
  const std::vector<absl::string_view> texts = absl::StrSplit(sides[0], ',');
  if (texts.size() != ranks.size()) {
    return Wrong(
        absl::StrCat("it has ", texts.size(), texts.size() == 1 ? " term" : " terms", ", but there ",
                     ranks.size() == 1 ? "is 1 input" : absl::StrCat("are ", ranks.size(), " inputs")));
  }
  std::vector<Term> terms;
  std::vector<int> dims;  // of the ellipses
  int most = 0;
  for (size_t i = 0; i < texts.size(); ++i) {
    TENFOLD_ASSIGN_OR_RETURN(Term term, ParseTerm(texts[i]));
    const int rest = ranks[i] - static_cast<int>(term.letters.size());
    if (rest < 0 || (rest > 0 && term.ellipsis == kNoEllipsis)) {
      return Wrong(absl::StrCat("'", absl::StripAsciiWhitespace(texts[i]), "' has ", term.letters.size(),
                                term.letters.size() == 1 ? " label" : " labels", ", but input ", i, " has ",
                                ranks[i], ranks[i] == 1 ? " dim" : " dims"));
    }
    dims.push_back(rest);
    if (term.ellipsis != kNoEllipsis) most = std::max(most, rest);
    terms.push_back(std::move(term));
  }
  Term result = ImplicitResult(terms);
  if (sides.size() == 2) {
    TENFOLD_ASSIGN_OR_RETURN(result, ParseTerm(sides[1]));
    TENFOLD_RETURN_IF_ERROR(CheckResult(result, terms, most));
  }
  EinsumEquation parsed;
  for (size_t i = 0; i < terms.size(); ++i) parsed.inputs.push_back(LabelsOf(terms[i], dims[i]));
  parsed.result = LabelsOf(result, most);
  return parsed;
}

std::string EinsumLabelText(EinsumLabel label) {
  if (label >= kEllipsisLabel) return absl::StrCat("dim -", label - kEllipsisLabel + 1, " of '...'");
  return absl::StrCat("'", std::string(1, static_cast<char>(label)), "'");
}

}  // namespace tenfold
