// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/ingest/foreign_file.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "tenfold/graph/ingest/printable.h"

namespace tenfold {
namespace {

// "data/x.csv" -> "data/x.npy"; never the file itself.
std::string Beside(absl::string_view path, absl::string_view ending) {
  const size_t slash = path.rfind('/');
  const size_t dot = path.rfind('.');
  const bool has_ending =
      dot != absl::string_view::npos && dot > 0 && (slash == absl::string_view::npos || dot > slash + 1);
  const absl::string_view stem = has_ending ? path.substr(0, dot) : path;
  return absl::StrCat(stem, path.substr(stem.size()) == ending ? ".mended" : "", ending);
}

// "python3 -c '<imports>; <statement>' x.csv x.npy"; the statement has the paths as sys.argv[1] and [2].
std::string Python(absl::string_view modules, absl::string_view statement, absl::string_view path,
                   absl::string_view ending) {
  return absl::StrCat("python3 -c 'import sys, numpy as np", modules, "; ", statement, "' ", ShellQuote(path),
                      " ", ShellQuote(Beside(path, ending)));
}

bool IsNumberByte(char c) {
  return absl::ascii_isdigit(static_cast<unsigned char>(c)) ||
         absl::StrContains("+-.eE,;\t ", absl::string_view(&c, 1));
}

// Lines of numbers, with or without a line of titles above them.
std::string MendTable(absl::string_view path, absl::string_view start) {
  if (std::any_of(start.begin(), start.end(),
                  [](char c) { return c == '\0' || static_cast<unsigned char>(c) >= 0x80; }))
    return "";
  const size_t first_end = start.find('\n');
  if (first_end == absl::string_view::npos) return "";
  const auto is_numbers = [](absl::string_view line) {
    line = absl::StripSuffix(line, "\r");
    return std::all_of(line.begin(), line.end(), IsNumberByte) &&
           std::any_of(line.begin(), line.end(), [](char c) { return c >= '0' && c <= '9'; });
  };
  const absl::string_view first = start.substr(0, first_end);
  const absl::string_view second =
      start.substr(first_end + 1, start.find('\n', first_end + 1) - first_end - 1);
  const bool titled = !is_numbers(first);
  if (!is_numbers(titled ? second : first)) return "";
  const absl::string_view line = titled ? second : first;
  const absl::string_view delimiter = absl::StrContains(line, ";")    ? "delimiter=\";\""
                                      : absl::StrContains(line, "\t") ? "delimiter=\"\\t\""
                                      : absl::StrContains(line, ",")  ? "delimiter=\",\""
                                                                      : "";
  const std::string options =
      absl::StrCat(delimiter.empty() ? "" : ", ", delimiter, titled ? ", skiprows=1" : "");
  return absl::StrCat(
      "it is a table in text: ",
      Python("", absl::StrCat("np.save(sys.argv[2], np.loadtxt(sys.argv[1]", options, "))"), path, ".npy"));
}

}  // namespace

std::string MendForeignFile(absl::string_view path, absl::string_view start, absl::string_view wanted) {
  const std::string quoted = ShellQuote(path);
  const auto begins = [&](absl::string_view magic) { return absl::StartsWith(start, magic); };
  if (begins("version https://git-lfs")) {
    return absl::StrCat(
        "it is a pointer of Git LFS, not the file that it stands for: git lfs pull --include ", quoted);
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
