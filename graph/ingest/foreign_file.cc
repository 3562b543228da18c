// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/ingest/foreign_file.h"

#include <unistd.h>

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "tenfold/graph/ingest/printable.h"

namespace tenfold {
namespace {

// "data/x.csv" -> "data/x.npy".
std::string Beside(absl::string_view path, absl::string_view ending) {
  const size_t slash = path.rfind('/');
  const size_t dot = path.rfind('.');
  const bool has_ending =
      dot != absl::string_view::npos && dot > 0 && (slash == absl::string_view::npos || dot > slash + 1);
  const absl::string_view stem = has_ending ? path.substr(0, dot) : path;
  // Never over the file itself, nor another that stands there.
  const std::string beside = absl::StrCat(stem, ending);
  const bool taken = beside == path || ::access(beside.c_str(), F_OK) == 0;
  return taken ? absl::StrCat(stem, ".mended", ending) : beside;
}

// "python3 -c '<imports>; <statement>' x.csv x.npy"; the statement has the paths as sys.argv[1] and [2].
std::string Python(absl::string_view modules, absl::string_view statement, absl::string_view path,
                   absl::string_view ending) {
  return absl::StrCat("python3 -c 'import sys, numpy as np", modules, "; ", statement, "' ", ShellQuote(path),
                      " ", ShellQuote(Beside(path, ending)));
}

// What stands in one column of the lines that were looked at.
struct Column {
  bool number = false, text = false, comma = false;  // a comma for a point

  void Add(absl::string_view field) {
    double ignored;
    field = absl::StripAsciiWhitespace(field);
    if (field.empty() || absl::EqualsIgnoreCase(field, "na") || absl::EqualsIgnoreCase(field, "n/a")) return;
    if (absl::SimpleAtod(field, &ignored)) {
      number = true;
    } else if (absl::SimpleAtod(absl::StrReplaceAll(field, {{",", "."}}), &ignored)) {
      number = comma = true;
    } else {
      text = true;
    }
  }
};

// The columns of the lines; empty if they are not alike.
std::vector<Column> ColumnsOf(std::span<const absl::string_view> lines, char delimiter) {
  std::vector<Column> columns;
  for (const absl::string_view line : lines) {
    const std::vector<absl::string_view> fields = absl::StrSplit(line, delimiter);
    if (columns.empty()) columns.resize(fields.size());
    if (fields.size() != columns.size()) return {};
    for (size_t i = 0; i < fields.size(); ++i) columns[i].Add(fields[i]);
  }
  return columns;
}

// Lines of numbers, with or without a line of titles above them and columns of text between them.
std::string MendTable(absl::string_view path, absl::string_view start) {
  constexpr size_t kMostColumns = 16;
  if (absl::StrContains(start, '\0') || !absl::StrContains(start, '\n')) return "";
  std::vector<absl::string_view> lines = absl::StrSplit(start, '\n');
  // The last line is empty, or may go on.
  const bool cut = start.size() >= kForeignStart;
  if (cut || lines.back().empty()) lines.pop_back();
  for (absl::string_view& line : lines) line = absl::StripSuffix(line, "\r");
  for (const char delimiter : {';', '\t', ',', ' '}) {
    const std::vector<absl::string_view> titles = absl::StrSplit(lines[0], delimiter);
    std::vector<Column> columns = ColumnsOf({lines.data(), 1}, delimiter);
    const bool titled =
        std::none_of(columns.begin(), columns.end(), [](const Column& column) { return column.number; });
    if (titled && lines.size() < 2) continue;
    columns = ColumnsOf({lines.data() + titled, lines.size() - titled}, delimiter);
    if (columns.empty() || columns.size() != titles.size()) continue;
    if (columns.size() == 1 && delimiter != ' ') continue;
    std::vector<size_t> numbers;
    std::vector<std::string> left_out;
    bool comma = false;
    for (size_t i = 0; i < columns.size(); ++i) {
      // What pandas writes before its columns: their index, under no title.
      const bool index = titled && i == 0 && (titles[0].empty() || titles[0] == "\"\"") && columns.size() > 1;
      if (columns[i].number && !columns[i].text && !index) {
        numbers.push_back(i);
        comma = comma || columns[i].comma;
      } else {
        left_out.push_back(titled && !index ? absl::StrCat("'", Printable(titles[i], 40), "'")
                                            : absl::StrCat("column ", i));
      }
    }
    // A number in a line of words makes no table.
    if (numbers.empty() || (!left_out.empty() && (delimiter == ' ' || columns.size() > kMostColumns)))
      continue;
    const std::string options = absl::StrCat(
        delimiter == ' '
            ? ""
            : absl::StrCat(", delimiter=\"", delimiter == '\t' ? "\\t" : std::string(1, delimiter), "\""),
        titled ? ", skip_header=1" : "",
        left_out.empty() ? "" : absl::StrCat(", usecols=[", absl::StrJoin(numbers, ", "), "]"));
    const absl::string_view from =
        comma ? "(line.replace(\",\", \".\") for line in open(sys.argv[1]))" : "sys.argv[1]";
    return absl::StrCat(
        "it is a table in text; ",
        left_out.empty() ? ""
                         : absl::StrCat("without ", absl::StrJoin(left_out, ", "), ", which ",
                                        left_out.size() == 1 ? "is" : "are", " no data, and "),
        "with NaN for cells that are empty or no number: ",
        Python("", absl::StrCat("np.save(sys.argv[2], np.genfromtxt(", from, options, "))"), path, ".npy"));
  }
  return "";
}

}  // namespace

std::string MendForeignFile(absl::string_view path, absl::string_view start, absl::string_view wanted) {
  const std::string quoted = ShellQuote(path);
  const size_t slash = path.rfind('/');
  const auto begins = [&](absl::string_view magic) { return absl::StartsWith(start, magic); };
  if (begins("version https://git-lfs")) {
    return absl::StrCat("it is a pointer of Git LFS, not the file that it stands for: git -C ",
                        ShellQuote(slash == absl::string_view::npos ? "." : path.substr(0, slash + 1)),
                        " lfs pull --include ",
                        ShellQuote(path.substr(slash == absl::string_view::npos ? 0 : slash + 1)));
  }
  if (begins("PK\x03\x04") || begins("PK\x05\x06")) {
    if (absl::EndsWith(path, ".pt") || absl::EndsWith(path, ".pth") || absl::EndsWith(path, ".bin")) {
      return absl::StrCat("it is a file of torch.save: ",
                          Python(", torch",
                                 "np.savez(sys.argv[2], **{k: v.numpy() for k, v in torch.load(sys.argv[1], "
                                 "weights_only=True).items()})",
                                 path, ".npz"));
    }
    if (wanted == ".npz") return "the archive is cut off or damaged: download or copy it again, whole";
    if (absl::EndsWith(path, ".npz") && wanted == ".tnf")
      return absl::StrCat("its arrays feed inputs of a graph: --input NAME=", quoted, ":ARRAY");
    if (absl::EndsWith(path, ".npz"))
      return absl::StrCat("it is an archive: name one of its arrays as ", quoted, ":NAME");
    return absl::StrCat("it is a zip archive: rename it, and name one of its arrays as FILE.npz:NAME: mv ",
                        quoted, " ", ShellQuote(Beside(path, ".npz")));
  }
  if (begins("\x93NUMPY")) {
    if (wanted == ".tnf")
      return absl::StrCat("it is an array, which feeds an input of a graph: --input NAME=", quoted);
    return absl::StrCat("it is an .npy file: mv ", quoted, " ", ShellQuote(Beside(path, ".npy")));
  }
  if (begins("\xff\xfe") || begins("\xfe\xff")) {
    return absl::StrCat("it is text in UTF-16: iconv -f UTF-16 -t UTF-8 ", quoted, " > ",
                        ShellQuote(Beside(path, ".utf8.txt")));
  }
  if (begins("\x1f\x8b")) {
    return absl::StrCat("it is compressed by gzip: gunzip < ", quoted, " > ",
                        ShellQuote(Beside(path, wanted)));
  }
  if (begins("\x89HDF\r\n")) {
    return absl::StrCat(
        "it is an HDF5 file; for the datasets at its top: ",
        Python(", h5py",
               "np.savez(sys.argv[2], **{k: v[()] for k, v in h5py.File(sys.argv[1]).items() if "
               "hasattr(v, \"dtype\")})",
               path, ".npz"));
  }
  if (begins("PAR1")) {
    return absl::StrCat(
        "it is a Parquet file: ",
        Python(", pandas as pd", "np.save(sys.argv[2], pd.read_parquet(sys.argv[1]).to_numpy())", path,
               ".npy"));
  }
  if (begins("\x80\x02") || begins("\x80\x03") || begins("\x80\x04") || begins("\x80\x05")) {
    return "it looks like a Python pickle, which is never loaded, since it can run any code: write it with "
           "NumPy: numpy.save(\"x.npy\", array)";
  }
  const absl::string_view text = absl::StripLeadingAsciiWhitespace(start);
  if (absl::StartsWithIgnoreCase(text, "<!doctype") || absl::StartsWithIgnoreCase(text, "<html")) {
    return "it is a web page, as a download gives it that was refused: download the file itself";
  }
  if (absl::StartsWith(text, "[")) {
    return absl::StrCat(
        "it looks like a list in JSON: ",
        Python(", json", "np.save(sys.argv[2], np.array(json.load(open(sys.argv[1]))))", path, ".npy"));
  }
  return MendTable(path, start);
}

}  // namespace tenfold
