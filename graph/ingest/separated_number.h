// SPDX-License-Identifier: Apache-2.0
//
// Numbers in text with a decimal comma or with separators of thousands: "3,14", "1.234,5", "1,234.5". None of
// them is read as a number, since one text can mean two; errors say which are possible, and offer commands.
#ifndef TENFOLD_GRAPH_INGEST_SEPARATED_NUMBER_H_
#define TENFOLD_GRAPH_INGEST_SEPARATED_NUMBER_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace tenfold {

// "3,14" and "1.234,5" with a point alone: "3.14", "1234.5". The text of a number without separators as it
// is. nullopt if a decimal comma makes no number of it.
std::optional<std::string> WithDecimalComma(absl::string_view text);
// "1,234.5" without the commas, in the same way.
std::optional<std::string> WithoutThousands(absl::string_view text);

// What the numbers among the texts of one array, one after the other, leave possible.
class Separators {
 public:
  // Whether the text is a number under some reading; others are passed over.
  bool Add(absl::string_view text);
  // A comma stands in one of them, and one reading fits all.
  bool readable() const { return any_comma_ && (decimal_comma() || thousands_); }
  // What a comma is: "has a decimal comma", "has a comma that parts thousands", or either.
  absl::string_view Meaning() const;

 private:
  friend std::vector<struct Replacement> Replacements(const Separators&, absl::string_view, bool);
  bool decimal_comma() const { return decimal_comma_ && !(points_part_thousands_ && decimal_points_); }

  bool any_comma_ = false;
  bool decimal_comma_ = true;  // each that has one is a number if commas are decimal
  bool thousands_ = true;      // each is one if commas part thousands
  bool points_part_thousands_ = false, decimal_points_ = false;  // in some of them
};

struct Replacement {
  std::string when;        // "if the commas part thousands", or empty where there is no other reading
  std::string expression;  // of NumPy, with points and without other separators
};
// `array` is an expression of text or, if `bytes`, of byte strings.
std::vector<Replacement> Replacements(const Separators& separators, absl::string_view array, bool bytes);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_INGEST_SEPARATED_NUMBER_H_
