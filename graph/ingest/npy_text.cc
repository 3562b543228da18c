// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/ingest/npy_text.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/ingest/printable.h"
#include "tenfold/graph/ingest/separated_number.h"
#include "tenfold/graph/text/element.h"

namespace tenfold {
namespace {

using Kind = NpyType::Kind;

// Of one element, what is shown.
constexpr size_t kShownBytes = 60;
// Bytes of text that are read at once.
constexpr uint64_t kChunkBytes = uint64_t{1} << 20;

// The spelling that ReadElement takes.
std::string Normalised(absl::string_view text, DType dtype) {
  text = absl::StripAsciiWhitespace(text);
  if (text.size() > 1 && text[0] == '+' && text[1] != '-' && text[1] != '+') text.remove_prefix(1);
  if (text.empty() || text.size() > 9) return std::string(text);  // none of the words is longer
  const std::string word = absl::AsciiStrToLower(text);
  const absl::string_view sign = word[0] == '-' ? "-" : "";
  const absl::string_view magnitude = absl::string_view(word).substr(sign.size());
  if (HasNan(dtype)) {
    if (magnitude == "nan") return "nan";
    if (magnitude == "inf" || magnitude == "infinity") return absl::StrCat(sign, "inf");
  }
  if (IsBool(dtype)) {
    if (word == "1" || word == "true") return "true";
    if (word == "0" || word == "false") return "false";
  }
  return std::string(text);
}

// What ParseNpyText found to be no number.
struct Failures {
  int64_t count = 0;
  int64_t first = -1;
  std::string text;
  Separators separators;  // of all
};

absl::Status NotNumbers(const ArrayName& name, const NpyHeader& header, DType dtype, const Failures& bad) {
  Diagnostic d;
  d.code = "E0326";
  d.message = absl::StrCat(name.ToString(), ": ", ElementAt(header.shape, bad.first), " is ",
                           QuotedNpyText(bad.text, header.type), ", which is no ", Name(dtype), " (",
                           bad.count, " of ", Count(header.num_elements, "element"), ")");
  const bool bytes = header.type.kind == Kind::kBytes;
  if (bad.separators.readable() && absl::StrContains(bad.text, ',')) {
    d.notes.push_back(absl::StrCat("it ", bad.separators.Meaning(), "; numbers are read with a point alone"));
    for (const Replacement& replacement : Replacements(bad.separators, "a", bytes)) {
      d.help.push_back(absl::StrCat(replacement.when.empty() ? "write points" : replacement.when, ": ",
                                    NumpyCommand(name, replacement.expression, "points")));
    }
  } else if (HasNan(dtype) && absl::StripAsciiWhitespace(bad.text).empty()) {
    const absl::string_view literal = bytes ? "b" : "";
    d.help.push_back(absl::StrCat(
        "if nothing means NaN: ",
        NumpyCommand(name,
                     absl::StrCat("np.where(np.char.strip(a) == ", literal, "\"\", ", literal, "\"nan\", a)"),
                     "nan")));
  } else if (!HasNan(dtype) && IsNumberText(bad.text)) {
    const std::string text(absl::StripAsciiWhitespace(bad.text));
    d.notes.push_back(WhyNotElement(Normalised(text, dtype), dtype));
    d.help.push_back(absl::StrCat("if all are numbers, read them as f64 and cast that: ",
                                  NumpyCommand(name, "a.astype(\"f8\")", "f8")));
  } else if (HasNan(dtype)) {
    d.help = NumbersElseNan(name, header.type, bad.separators, "if that means NaN");
  }
  return ToStatus(std::move(d));
}

}  // namespace

std::string DecodeNpyText(absl::string_view item, const NpyType& type) {
  std::string text;
  const size_t unit = type.kind == Kind::kText ? 4 : 1;
  const bool big_endian = !type.descr.empty() && type.descr[0] == '>';
  size_t end = item.size();
  while (end >= unit && item.substr(end - unit, unit).find_first_not_of('\0') == absl::string_view::npos)
    end -= unit;
  for (size_t i = 0; i < end; i += unit) {
    char32_t c = 0;
    for (size_t b = 0; b < unit; ++b) {
      const size_t position = big_endian ? i + b : i + unit - 1 - b;
      c = c << 8 | static_cast<unsigned char>(item[position]);
    }
    // A byte beyond ASCII is shown as \xe9: the file does not say which character it is.
    if (unit == 1 && c >= 0x80) {
      absl::StrAppend(&text, Printable(absl::string_view(&item[i], 1)));
    } else {
      AppendPrintable(c, text);
    }
  }
  return text;
}

std::string QuotedNpyText(absl::string_view text, const NpyType& type) {
  return absl::StrCat(type.kind == Kind::kBytes ? "b" : "", "\"", Printable(text, kShownBytes), "\"");
}

bool IsNumberText(absl::string_view text) {
  double ignored;
  return ReadElement(Normalised(text, DType::kF64), DType::kF64, &ignored);
}

std::vector<Mend> NumbersElseNan(const ArrayName& name, const NpyType& type, const Separators& separators,
                                 absl::string_view when) {
  const std::string text = type.kind == Kind::kBytes ? "np.char.decode(a, \"latin1\")" : "a";
  std::vector<Replacement> readings = {{"", text}};
  if (separators.readable()) readings = Replacements(separators, text, false);
  std::vector<Mend> mends;
  for (const Replacement& reading : readings) {
    mends.push_back(absl::StrCat(
        when, reading.when.empty() ? "" : absl::StrCat(", ", reading.when), ": ",
        NumpyCommand(name,
                     absl::StrCat("np.array([x if re.fullmatch(", kNumberRegex, ", x) else \"nan\" for x in ",
                                  reading.expression, ".flat]).astype(\"f8\").reshape(a.shape)"),
                     "f8", "", ", re")));
  }
  return mends;
}

absl::StatusOr<Tensor> ParseNpyText(const ArrayName& name, const NpyHeader& header, ByteSource& source,
                                    DType dtype, const Limits& limits) {
  if (IsPacked(dtype)) dtype = UnpackedType(dtype);
  const uint64_t item_bytes = header.type.item_bytes;
  const auto count = static_cast<uint64_t>(header.num_elements);
  // Texts of no length take no bytes of the file, whatever their number, and none is a number.
  if (item_bytes == 0 && count > 0) return NotNumbers(name, header, dtype, {header.num_elements, 0, "", {}});
  const uint64_t size = SizeOf(dtype);
  const uint64_t limit = std::max<int64_t>(limits.tensor_bytes, 0);
  if (count > limit / size || item_bytes > kChunkBytes) {
    return MakeError("E0402", absl::StrCat(name.ToString(), " holds ", Count(count, "text"), " of ",
                                           item_bytes, " bytes, too large to be read as ", Name(dtype)));
  }
  TENFOLD_ASSIGN_OR_RETURN(Tensor tensor, Tensor::Allocate(dtype, header.shape));
  char* const out = static_cast<char*>(tensor.mutable_data());
  const uint64_t at_once = item_bytes == 0 ? 1 : kChunkBytes / item_bytes;
  std::string chunk;
  Failures bad;
  for (uint64_t begin = 0; begin < count; begin += at_once) {
    const uint64_t items = std::min(at_once, count - begin);
    chunk.resize(items * item_bytes);
    TENFOLD_RETURN_IF_ERROR(source.Read({chunk.data(), chunk.size()}));
    for (uint64_t i = 0; i < items; ++i) {
      std::string text =
          DecodeNpyText(absl::string_view(chunk).substr(i * item_bytes, item_bytes), header.type);
      if (text.find_first_of(",.") != std::string::npos) bad.separators.Add(text);
      if (ReadElement(Normalised(text, dtype), dtype, out + (begin + i) * size)) continue;
      if (bad.count++ == 0) bad.first = static_cast<int64_t>(begin + i), bad.text = std::move(text);
    }
  }
  TENFOLD_RETURN_IF_ERROR(source.Finish());
  if (bad.count > 0) return NotNumbers(name, header, dtype, bad);
  return tensor;
}

}  // namespace tenfold
