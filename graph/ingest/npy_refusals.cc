// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/ingest/npy_refusals.h"

#include <algorithm>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/ingest/npy_text.h"
#include "tenfold/graph/ingest/printable.h"

namespace tenfold {
namespace {

using Kind = NpyType::Kind;

// As much of the text as is looked at. Enough to say what it is; memory stays bounded whatever the
// file says.
constexpr uint64_t kSampleBytes = uint64_t{1} << 22;
// Of one field's name, what is shown.
constexpr size_t kShownBytes = 60;

// What could be said of every element that was looked at.
struct TextSurvey {
  std::optional<std::string> first;
  std::string comma_example;  // the first element that is a number but for its comma
  bool all_numbers = true;    // after a comma has become a point
  bool no_numbers = true;
};

TextSurvey Survey(absl::string_view bytes, const NpyType& type) {
  TextSurvey survey;
  for (size_t i = 0; i + type.item_bytes <= bytes.size() && type.item_bytes > 0; i += type.item_bytes) {
    const std::string element = DecodeNpyText(bytes.substr(i, type.item_bytes), type);
    const bool has_comma = WithDecimalPoint(element).has_value();
    const bool is_number = has_comma || IsNumberText(element);
    if (has_comma && survey.comma_example.empty()) survey.comma_example = element;
    survey.all_numbers = survey.all_numbers && is_number;
    survey.no_numbers = survey.no_numbers && !is_number;
    if (!survey.first) survey.first = element;
  }
  return survey;
}

absl::Status RefuseText(const ArrayName& name, const NpyHeader& header, ByteSource& contents) {
  const NpyType& type = header.type;
  std::string bytes(std::min(contents.remaining(), kSampleBytes), '\0');
  TENFOLD_RETURN_IF_ERROR(contents.Read({bytes.data(), bytes.size()}));
  const uint64_t count = header.num_elements;
  const uint64_t stored = type.item_bytes == 0 ? 0 : bytes.size() / type.item_bytes;
  if (stored > count) bytes.resize(count * type.item_bytes);
  const TextSurvey survey = Survey(bytes, type);

  Diagnostic d;
  d.code = "E0301";
  d.message = absl::StrCat(name.ToString(), " holds ", type.kind == Kind::kText ? "text" : "byte strings",
                           " (", Printable(type.descr), "), not numbers");
  if (survey.first) {
    absl::StrAppend(&d.message, ": ", ElementAt(header.shape, 0), " is ", QuotedNpyText(*survey.first, type));
  }
  absl::StrAppend(&d.message, " (", Count(count, "element"), ")");
  if (!survey.comma_example.empty()) {
    d.notes.push_back(absl::StrCat(
        QuotedNpyText(survey.comma_example, type),
        " has a decimal comma; numbers are read with a point: ", *WithDecimalPoint(survey.comma_example)));
  }
  if (survey.all_numbers && survey.comma_example.empty() && survey.first && !name.argument.empty()) {
    d.help.push_back(MendByFlag("", "--text", absl::StrCat(name.argument, "=parse")));
  }
  const absl::string_view literal = type.kind == Kind::kBytes ? "b" : "";
  if (survey.all_numbers && !survey.comma_example.empty()) {
    d.help.push_back(absl::StrCat(
        "read the text as numbers: ",
        NumpyCommand(
            name, absl::StrCat("np.char.replace(a, ", literal, "\",\", ", literal, "\".\").astype(\"f8\")"),
            "f8")));
  } else if (survey.all_numbers) {
    d.help.push_back(
        absl::StrCat("read the text as numbers: ", NumpyCommand(name, "a.astype(\"f8\")", "f8")));
  } else if (survey.no_numbers || survey.first) {
    d.help.push_back(
        absl::StrCat("if these are labels, number them: ",
                     NumpyCommand(name, "np.unique(a, return_inverse=True)[1].reshape(a.shape)", "labels")));
  }
  return ToStatus(std::move(d));
}

absl::Status RefuseRaw(const ArrayName& name, const NpyHeader& header) {
  std::string help;
  if (header.type.item_bytes == 2) {
    help = absl::StrCat(
        "if these are bfloat16 of ml_dtypes, save them as f32, which holds every one: ",
        NumpyCommand(name, "a.view(ml_dtypes.bfloat16).astype(\"f4\")", "f4", "", ", ml_dtypes"));
  } else if (header.type.item_bytes == 1) {
    help = absl::StrCat("to have the bits as u8: ", NumpyCommand(name, "a.view(\"u1\")", "u1"));
  } else {
    help = absl::StrCat("to have the plain bytes: ",
                        NumpyCommand(name, "np.frombuffer(a.tobytes(), \"u1\")", "u1"));
  }
  return MakeError("E0303",
                   absl::StrCat(name.ToString(), " holds raw bytes (", Printable(header.type.descr),
                                "); the file does not say what they mean"),
                   std::move(help));
}

absl::Status RefuseRecord(const ArrayName& name, const NpyHeader& header) {
  constexpr size_t kShownFields = 8;
  const std::vector<std::string>& fields = header.type.fields;
  std::string list;
  for (size_t i = 0; i < std::min(fields.size(), kShownFields); ++i) {
    absl::StrAppend(&list, i == 0 ? " of " : ", ", "'", Printable(fields[i], kShownBytes), "'");
  }
  if (fields.size() > kShownFields) absl::StrAppend(&list, ", ...");
  return MakeError("E0303",
                   absl::StrCat(name.ToString(), " holds records", list, ", not one number an element"),
                   absl::StrCat("save one field: ", NumpyCommand(name, "a[a.dtype.names[0]]", "field")));
}

absl::Status RefuseOther(const ArrayName& name, const NpyType& type, absl::string_view what,
                         absl::string_view mend, absl::string_view expression, absl::string_view suffix) {
  return MakeError("E0303", absl::StrCat(name.ToString(), " holds ", what, " (", Printable(type.descr), ")"),
                   absl::StrCat(mend, ": ", NumpyCommand(name, expression, suffix)));
}

}  // namespace

absl::Status RefuseNpyType(const ArrayName& name, const NpyHeader& header, ByteSource& contents) {
  const NpyType& type = header.type;
  switch (type.kind) {
    case Kind::kText:
    case Kind::kBytes:
      return RefuseText(name, header, contents);
    case Kind::kObject:
      return MakeError(
          "E0302",
          absl::StrCat(name.ToString(), " holds Python objects (", Printable(type.descr),
                       "), which are pickled: reading them could run any code, so they are never read"),
          absl::StrCat("if you trust the file and it holds numbers: ",
                       NumpyCommand(name, "a.astype(\"f8\")", "f8", ", allow_pickle=True")));
    case Kind::kComplex:
      return RefuseOther(name, type, "complex numbers, which are not supported yet",
                         "save pairs of real and imaginary part", "np.stack([a.real, a.imag], -1)", "pairs");
    case Kind::kLongDouble:
      return RefuseOther(name, type, "long doubles, whose bits differ from machine to machine",
                         "round to f64", "a.astype(\"f8\")", "f8");
    case Kind::kDate:
      return RefuseOther(name, type, "dates", "save the counts of their unit since 1970 as i64",
                         "a.astype(\"i8\")", "i8");
    case Kind::kDuration:
      return RefuseOther(name, type, "durations", "save the counts of their unit as i64", "a.astype(\"i8\")",
                         "i8");
    case Kind::kRaw:
      return RefuseRaw(name, header);
    case Kind::kRecord:
      return RefuseRecord(name, header);
    case Kind::kNumber:
      break;
  }
  return MakeError("E9001", absl::StrCat(name.ToString(), " was refused although it holds numbers"));
}

}  // namespace tenfold
