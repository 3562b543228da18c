// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/text/fix.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"

namespace tenfold {
namespace {

// A mend may call for another one, as a chain of Adds does whose operands are cast one by one; what is not
// mended by then goes round in circles.
constexpr int kMaxRounds = 100;

// The edits of the first mend that is edits of the text alone, in the order of the text.
std::vector<ReplaceText> TextEditsOf(const Mend& mend, size_t text_size) {
  std::vector<ReplaceText> edits;
  for (const Edit& edit : mend.edits) {
    const auto* replace = std::get_if<ReplaceText>(&edit);
    if (replace == nullptr || replace->begin > replace->end || replace->end > text_size) return {};
    edits.push_back(*replace);
  }
  const auto by_place = [](const ReplaceText& a, const ReplaceText& b) { return a.begin < b.begin; };
  std::stable_sort(edits.begin(), edits.end(), by_place);
  return edits;
}

// Edits of a text, none of which touch the same bytes. Insertions at one place keep their order.
class EditedText {
 public:
  explicit EditedText(absl::string_view text) : text_(text) {}

  // All or none of `edits`: none if one of them meets an edit made before, whose mend may have mended both.
  bool Add(const std::vector<ReplaceText>& edits) {
    const auto meet = [](const ReplaceText& a, const ReplaceText& b) {
      return a.begin < b.end && b.begin < a.end;
    };
    for (const ReplaceText& edit : edits) {
      for (const ReplaceText& made : edits_) {
        const bool both_insert = edit.begin == edit.end && made.begin == made.end;
        if (!both_insert && (meet(edit, made) || (edit.begin == made.begin && edit.end == made.end)))
          return false;
      }
    }
    edits_.insert(edits_.end(), edits.begin(), edits.end());
    return true;
  }

  std::string ToString() && {
    std::stable_sort(edits_.begin(), edits_.end(),
                     [](const ReplaceText& a, const ReplaceText& b) { return a.begin < b.begin; });
    std::string out;
    size_t copied = 0;
    for (const ReplaceText& edit : edits_) {
      absl::StrAppend(&out, text_.substr(copied, edit.begin - copied), edit.text);
      copied = edit.end;
    }
    absl::StrAppend(&out, text_.substr(copied));
    return out;
  }

 private:
  absl::string_view text_;
  std::vector<ReplaceText> edits_;
};

}  // namespace

FixedText FixText(absl::string_view text, const TextOptions& options) {
  FixedText result{std::string(text), {}, {}};
  for (int round = 0; round < kMaxRounds; ++round) {
    result.left = DiagnosticsOf(ParseText(result.text, options).status());
    EditedText edited(result.text);
    bool changed = false;
    for (const Diagnostic& error : result.left) {
      for (const Mend& mend : error.help) {
        const std::vector<ReplaceText> edits = TextEditsOf(mend, result.text.size());
        if (edits.empty()) continue;
        if (edited.Add(edits)) {
          Diagnostic& fixed = result.fixed.emplace_back(error);
          fixed.help = {mend};
          changed = true;
        }
        break;
      }
    }
    if (!changed) return result;
    result.text = std::move(edited).ToString();
  }
  result.left = DiagnosticsOf(ParseText(result.text, options).status());
  return result;
}

}  // namespace tenfold
