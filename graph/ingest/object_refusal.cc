// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/ingest/object_refusal.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/ingest/npy_text.h"
#include "tenfold/graph/ingest/pickle_survey.h"
#include "tenfold/graph/ingest/printable.h"
#include "tenfold/graph/ingest/separated_number.h"

namespace tenfold {
namespace {

using Kind = PickledElement::Kind;

// As much of the pickle as is looked at.
constexpr uint64_t kSampleBytes = uint64_t{1} << 21;

constexpr absl::string_view kUnpickle = ", allow_pickle=True";
constexpr absl::string_view kNeverRead =
    "pickled objects are never loaded, since loading them could run any code";

// What can be said of the elements that were found.
struct Survey {
  int64_t size = 0;
  bool complete = false;
  int64_t counts[static_cast<int>(Kind::kOther) + 1] = {};
  int64_t numbers = 0;
  int64_t number_texts = 0;     // as they are
  int64_t separated_texts = 0;  // under some reading of their separators
  Separators separators;        // of the texts
  int64_t first_other = -1;     // that is no number
  PickledElement other;
  int64_t ragged = -1;  // the first sequence that is not as long as the one before it, and these two
  PickledElement before, after;
  bool arrays = true;  // every sequence is an array of NumPy
  bool flat = true;    // no sequence holds anything but numbers

  int64_t count(Kind kind) const { return counts[static_cast<int>(kind)]; }
  bool all(Kind kind) const { return size > 0 && count(kind) == size; }
};

Survey Look(absl::string_view pickle, int64_t most) {
  Survey survey;
  SurveyPickledArray(pickle, [&](const PickledElement& element) {
    if (survey.size == most) return;
    const int64_t i = survey.size++;
    ++survey.counts[static_cast<int>(element.kind)];
    survey.numbers += IsNumber(element.kind);
    if (!IsNumber(element.kind) && survey.first_other < 0) survey.first_other = i, survey.other = element;
    if (element.kind == Kind::kText) {
      survey.number_texts += IsNumberText(element.text);
      survey.separated_texts += survey.separators.Add(element.text);
    }
    if (element.kind != Kind::kSequence) return;
    survey.flat = survey.flat && element.flat;
    survey.arrays = survey.arrays && element.type == "numpy.ndarray";
    if (survey.ragged >= 0) return;
    if (i > 0 && element.length != survey.before.length) survey.ragged = i, survey.after = element;
    if (survey.ragged < 0) survey.before = element;
  });
  survey.complete = survey.size == most;
  return survey;
}

std::string ElementIs(const NpyHeader& header, int64_t i, const PickledElement& element) {
  std::string text = absl::StrCat(ElementAt(header.shape, i), " is ");
  const auto quoted = [&](absl::string_view b) {
    return absl::StrCat(b, "\"", Printable(element.text), "\"");
  };
  switch (element.kind) {
    case Kind::kNone:
      absl::StrAppend(&text, "None");
      break;
    case Kind::kText:
      absl::StrAppend(&text, quoted(""));
      break;
    case Kind::kBytes:
      absl::StrAppend(&text, quoted("b"));
      break;
    default:
      absl::StrAppend(&text, "a ", Printable(element.type));
      if (element.length >= 0) absl::StrAppend(&text, " of ", element.length);
      return text;
  }
  return absl::StrCat(text, " (", element.type, ")");
}

// A command that writes an .npz, `arguments` being those of numpy.savez.
std::string SavezCommand(const ArrayName& name, absl::string_view arguments) {
  const std::string& path = name.file;
  return absl::StrCat("python3 -c 'import sys, numpy as np; a = np.load(sys.argv[1]", kUnpickle,
                      "); np.savez(sys.argv[2], ", arguments, ")' ", ShellQuote(path), " ",
                      ShellQuote(absl::StrCat(absl::StripSuffix(path, ".npy"), ".npz")));
}

// Where no command would make numbers.
std::string See(const ArrayName& name) {
  return absl::StrCat("see what it holds: python3 -c 'import sys, numpy as np; print(np.load(sys.argv[1]",
                      kUnpickle, ")", name.member.empty() ? "" : "[sys.argv[2]]", ")' ",
                      ShellQuote(name.file),
                      name.member.empty() ? "" : absl::StrCat(" ", ShellQuote(name.member)));
}

std::string MendOfSequences(const ArrayName& name, const NpyHeader& header, const Survey& survey) {
  if (survey.flat && survey.ragged < 0) {
    return absl::StrCat("make one array of them: ",
                        NumpyCommand(name, "np.array(a.tolist(), \"f8\")", "f8", kUnpickle));
  }
  if (survey.flat && header.shape.size() == 1) {
    return absl::StrCat(
        "pad them with NaN: ",
        NumpyCommand(name, "np.array([list(x) + [np.nan] * (max(map(len, a)) - len(x)) for x in a], \"f8\")",
                     "padded", kUnpickle));
  }
  // Of an archive, there would have to be another.
  if (!survey.arrays || !name.member.empty()) return See(name);
  return absl::StrCat("save each as an array of its own: ", SavezCommand(name, "*a.flat"));
}

std::string MendFor(const ArrayName& name, const NpyHeader& header, const Survey& survey) {
  const auto command = [&](absl::string_view what, absl::string_view expression, absl::string_view suffix,
                           absl::string_view modules = "") {
    return absl::StrCat(what, ": ", NumpyCommand(name, expression, suffix, kUnpickle, modules));
  };
  const int64_t size = survey.size;
  if (survey.all(Kind::kBool)) return command("save them as bools", "a.astype(\"?\")", "bool");
  if (survey.all(Kind::kInteger)) return command("save them as i64", "a.astype(\"i8\")", "i8");
  if (size == 0 && header.num_elements > 0) return See(name);
  if (survey.numbers == size) return command("save them as f64", "a.astype(\"f8\")", "f8");
  if (survey.all(Kind::kSequence)) return MendOfSequences(name, header, survey);
  if (survey.all(Kind::kDict) && size == 1 && header.shape.empty() && name.member.empty()) {
    return absl::StrCat("save its entries as arrays: ", SavezCommand(name, "**a.item()"));
  }
  if (survey.all(Kind::kDate)) {
    return command("save the microseconds since 1970 as i64", "a.astype(\"M8[us]\").astype(\"i8\")", "i8");
  }
  if (survey.count(Kind::kNone) + survey.number_texts + survey.numbers == size) {
    const bool nones = survey.count(Kind::kNone) > 0, texts = survey.number_texts > 0;
    return command(absl::StrCat(texts ? "read the text as numbers" : "", texts && nones ? " and " : "",
                                nones ? "put NaN for None" : ""),
                   "a.astype(\"f8\")", "f8");
  }
  if (survey.all(Kind::kText)) {
    return command("number the labels", "np.unique(a.astype(\"U\"), return_inverse=True)[1].reshape(a.shape)",
                   "labels");
  }
  if (survey.numbers > 0) {
    return command(
        "put NaN for what is no number",
        absl::StrCat("np.array([x if isinstance(x, (bool, int, float, np.number)) else float(str(x)) if "
                     "re.fullmatch(",
                     kNumberRegex, ", str(x)) else np.nan for x in a.flat], \"f8\").reshape(a.shape)"),
        "f8", ", re");
  }
  return See(name);
}

// Of records the fields are named, which the header knows.
absl::Status RefuseRecord(const ArrayName& name, const NpyHeader& header) {
  Diagnostic d;
  d.code = "E0302";
  d.message = absl::StrCat(name.ToString(), " holds records with Python objects in them");
  d.notes.emplace_back(kNeverRead);
  const std::vector<std::string>& fields = header.type.fields;
  if (!fields.empty()) {
    d.help.push_back(absl::StrCat("if you trust the file, save one field: ",
                                  NumpyCommand(name, "a[a.dtype.names[0]]", "field", kUnpickle)));
  }
  return ToStatus(std::move(d));
}

}  // namespace

absl::Status RefuseObjects(const ArrayName& name, const NpyHeader& header, ByteSource& contents) {
  if (header.type.is_record) return RefuseRecord(name, header);
  std::string pickle(std::min(contents.remaining(), kSampleBytes), '\0');
  TENFOLD_RETURN_IF_ERROR(contents.Read({pickle.data(), pickle.size()}));
  const Survey survey = Look(pickle, header.num_elements);

  Diagnostic d;
  d.code = "E0302";
  d.message = absl::StrCat(name.ToString(), " holds Python objects (", Printable(header.type.descr), ")");
  const std::string among = survey.complete ? Count(survey.size, "element")
                                            : absl::StrCat("the first ", Count(survey.size, "element"));
  if (survey.size == 0) {
    absl::StrAppend(&d.message, header.num_elements > 0 ? ", which cannot be made out" : " (0 elements)");
  } else if (survey.first_other < 0) {
    absl::StrAppend(&d.message, ", though ", survey.complete ? "all " : "", among,
                    survey.size == 1 ? " is a number" : " are numbers");
  } else {
    absl::StrAppend(&d.message, ", not numbers: ", ElementIs(header, survey.first_other, survey.other), " (",
                    survey.size - survey.numbers, " of ", among,
                    survey.size - survey.numbers == 1 ? " is no number)" : " are no numbers)");
  }
  if (survey.all(Kind::kSequence) && survey.ragged > 0) {
    d.notes.push_back(absl::StrCat("they are ragged: ", ElementIs(header, survey.ragged - 1, survey.before),
                                   ", ", ElementIs(header, survey.ragged, survey.after)));
  }
  d.notes.emplace_back(kNeverRead);
  if (survey.size > 0 && survey.separated_texts == survey.size && survey.number_texts < survey.size &&
      survey.separators.readable()) {
    for (const Replacement& replacement : Replacements(survey.separators, "a.astype(\"U\")", false)) {
      d.help.push_back(absl::StrCat(
          "if you trust the file", replacement.when.empty() ? "" : " and ",
          absl::StripPrefix(replacement.when, "if "), ", read the text as numbers: ",
          NumpyCommand(name, absl::StrCat(replacement.expression, ".astype(\"f8\")"), "f8", kUnpickle)));
    }
  } else {
    d.help.push_back(absl::StrCat("if you trust the file, ", MendFor(name, header, survey)));
  }
  return ToStatus(std::move(d));
}

}  // namespace tenfold
