// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/ingest/npy_refusals.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/ingest/npy_text.h"
#include "tenfold/graph/ingest/object_refusal.h"
#include "tenfold/graph/ingest/printable.h"
#include "tenfold/graph/ingest/separated_number.h"

namespace tenfold {
namespace {

using Kind = NpyType::Kind;

// As much of the text as is looked at. Enough to say what it is; memory stays bounded whatever the
// file says.
constexpr uint64_t kSampleBytes = uint64_t{1} << 22;
// Of one field's name, what is shown.
constexpr size_t kShownBytes = 60;

// What can be said of the elements that were looked at.
struct TextSurvey {
  int64_t elements = 0;
  int64_t numbers = 0;  // under some reading of their separators
  int64_t plain = 0;    // those that are numbers as they are
  std::string first;
  int64_t first_other = -1;  // that is no number
  std::string other;
  Separators separators;
  std::string comma_example;  // the first element that has a comma

  bool separated() const { return plain < numbers && separators.readable(); }
};

TextSurvey Survey(absl::string_view bytes, const NpyType& type) {
  TextSurvey survey;
  for (size_t i = 0; i + type.item_bytes <= bytes.size() && type.item_bytes > 0; i += type.item_bytes) {
    const std::string element = DecodeNpyText(bytes.substr(i, type.item_bytes), type);
    const bool is_plain = IsNumberText(element), is_number = survey.separators.Add(element) || is_plain;
    if (survey.comma_example.empty() && is_number && absl::StrContains(element, ','))
      survey.comma_example = element;
    if (survey.elements == 0) survey.first = element;
    if (!is_number && survey.first_other < 0) survey.first_other = survey.elements, survey.other = element;
    survey.numbers += is_number;
    survey.plain += is_plain;
    ++survey.elements;
  }
  return survey;
}

// Commands that make numbers of the text, or labels.
std::vector<Mend> TextMends(const ArrayName& name, const NpyType& type, const TextSurvey& survey) {
  std::vector<Mend> mends;
  if (survey.separated() && survey.numbers == survey.elements) {
    for (const Replacement& replacement : Replacements(survey.separators, "a", type.kind == Kind::kBytes)) {
      mends.push_back(
          absl::StrCat(replacement.when.empty() ? "read the text as numbers" : replacement.when, ": ",
                       NumpyCommand(name, absl::StrCat(replacement.expression, ".astype(\"f8\")"), "f8")));
    }
  } else if (survey.plain == survey.elements) {
    mends.push_back(absl::StrCat("read the text as numbers: ", NumpyCommand(name, "a.astype(\"f8\")", "f8")));
  } else if (2 * survey.numbers >= survey.elements) {
    // Where half of it is numbers, the rest says that there is none.
    mends = NumbersElseNan(name, type, survey.separators, "put NaN for what is no number");
    if (!name.argument.empty()) {
      mends.push_back(absl::StrCat("to fill those NaNs then: --nan ",
                                   ShellQuote(absl::StrCat(name.argument, "=mean:axis=0")),
                                   " (or median, zero)"));
    }
  } else {
    mends.push_back(
        absl::StrCat("if these are labels, number them: ",
                     NumpyCommand(name, "np.unique(a, return_inverse=True)[1].reshape(a.shape)", "labels")));
  }
  return mends;
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
  // Among numbers, what is none is the culprit.
  const bool mixed = survey.numbers > 0 && survey.first_other >= 0;
  if (mixed) {
    absl::StrAppend(&d.message, ": ", ElementAt(header.shape, survey.first_other), " is ",
                    QuotedNpyText(survey.other, type), " (", survey.elements - survey.numbers, " of ",
                    stored < count ? "the first " : "", Count(survey.elements, "element"),
                    survey.elements - survey.numbers == 1 ? " is no number)" : " are no numbers)");
  } else if (survey.elements > 0) {
    absl::StrAppend(&d.message, ": ", ElementAt(header.shape, 0), " is ", QuotedNpyText(survey.first, type),
                    " (", Count(count, "element"), ")");
  } else {
    absl::StrAppend(&d.message, " (", Count(count, "element"), ")");
  }
  if (survey.separated()) {
    d.notes.push_back(
        absl::StrCat(QuotedNpyText(survey.comma_example, type), " ", survey.separators.Meaning()));
  }
  const bool as_it_is = survey.elements > 0 && survey.plain == survey.elements;
  if (as_it_is && !name.argument.empty())
    d.help.push_back(MendByFlag("", "--text", absl::StrCat(name.argument, "=parse")));
  for (Mend& mend : TextMends(name, type, survey)) d.help.push_back(std::move(mend));
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
  Diagnostic d;
  d.code = "E0303";
  d.message = absl::StrCat(name.ToString(), " holds records", list, ", not one number an element");
  d.help.push_back(absl::StrCat(
      "save the fields that are numbers side by side: ",
      NumpyCommand(name, "np.stack([a[n] for n in a.dtype.names if a.dtype[n].kind in \"biuf\"], -1)",
                   "fields")));
  d.help.push_back(absl::StrCat("save one field: ", NumpyCommand(name, "a[a.dtype.names[0]]", "field")));
  return ToStatus(std::move(d));
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
      return RefuseObjects(name, header, contents);
    case Kind::kComplex:
      return RefuseOther(name, type, "complex numbers, which are not supported yet",
                         "save pairs of real and imaginary part", "np.stack([a.real, a.imag], -1)", "pairs");
    case Kind::kLongDouble:
      return RefuseOther(name, type, "long doubles, whose bits differ from machine to machine",
                         "round to f64", "a.astype(\"f8\")", "f8");
    case Kind::kDate:
      return RefuseOther(name, type, "dates",
                         "save the counts of their unit since 1970 as i64, NaT as the least i64",
                         "a.astype(\"i8\")", "i8");
    case Kind::kDuration:
      return RefuseOther(name, type, "durations",
                         "save the counts of their unit as i64, NaT as the least i64", "a.astype(\"i8\")",
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
