// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/ingest/npy_header.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/ingest/foreign_file.h"
#include "tenfold/graph/ingest/printable.h"
#include "tenfold/graph/ingest/python_literal.h"

namespace tenfold {
namespace {

using Kind = PythonValue::Kind;

// Headers of plain arrays take some 100 bytes; version 2.0, which allows 4 GiB, exists for records
// of thousands of fields, which are refused anyway.
constexpr uint64_t kMaxHeaderBytes = uint64_t{1} << 16;

constexpr absl::string_view kSaveAgain = "write it with NumPy: numpy.save(\"x.npy\", array)";
constexpr absl::string_view kCopyAgain =
    "the file was cut off while it was written or copied: write or copy it again";

absl::Status NotNpy(const ArrayName& name, absl::string_view start) {
  std::string help;
  if (name.member.empty()) {
    help = MendForeignFile(name.file, start, ".npy");
  } else if (absl::StartsWith(name.member, "__MACOSX/") || absl::EndsWith(name.member, ".DS_Store")) {
    help = absl::StrCat("macOS put it there; take it out: zip -d ", ShellQuote(name.file),
                        " '__MACOSX/*' '*.DS_Store'");
  }
  if (help.empty()) help = std::string(kSaveAgain);
  start = start.substr(0, kNpyMagic.size());
  return MakeError("E0307",
                   absl::StrCat(name.ToString(), " is no .npy file: it begins with '", Printable(start),
                                "', not with '\\x93NUMPY'"),
                   std::move(help));
}

absl::Status CutOff(const ArrayName& name, uint64_t wanted, uint64_t found) {
  return MakeError("E0305",
                   absl::StrCat(name.ToString(), " is cut off inside its header: ", wanted, " bytes wanted, ",
                                found, " found"),
                   std::string(kCopyAgain));
}

absl::Status BadHeader(const ArrayName& name, absl::string_view what, absl::string_view header) {
  Diagnostic d;
  d.code = "E0308";
  d.message = absl::StrCat(name.ToString(), " has a malformed header: ", what);
  d.notes.push_back(absl::StrCat("the header is: ", Printable(header)));
  d.help.emplace_back(std::string(kSaveAgain));
  return ToStatus(std::move(d));
}

// Reads up to and including the dict's text.
absl::StatusOr<std::string> ReadHeaderText(const ArrayName& name, ByteSource& source) {
  const uint64_t size = source.remaining();
  if (size == 0) {
    return MakeError("E0307", absl::StrCat(name.ToString(), " is empty: it has 0 bytes"),
                     std::string(kCopyAgain));
  }
  char front[12] = {};
  constexpr uint64_t kVersionEnd = 8;
  const uint64_t got = std::min(size, kVersionEnd);
  TENFOLD_RETURN_IF_ERROR(source.Read({front, got}));
  const absl::string_view start(front, std::min<uint64_t>(got, kNpyMagic.size()));
  if (start != kNpyMagic.substr(0, start.size())) {
    std::string all(front, got);
    all.resize(got + std::min<uint64_t>(source.remaining(), kForeignStart));
    TENFOLD_RETURN_IF_ERROR(source.Read({all.data() + got, all.size() - got}));
    return NotNpy(name, all);
  }
  if (got < kVersionEnd) return CutOff(name, kVersionEnd, size);

  const int major = static_cast<unsigned char>(front[6]);
  const int minor = static_cast<unsigned char>(front[7]);
  if (major < 1 || major > 3 || minor != 0) {
    return MakeError("E0307",
                     absl::StrCat(name.ToString(), " is version ", major, ".", minor,
                                  " of the .npy format; known are 1.0, 2.0 and 3.0"),
                     std::string(kSaveAgain));
  }
  const uint64_t length_bytes = major == 1 ? 2 : 4;
  if (source.remaining() < length_bytes) return CutOff(name, kVersionEnd + length_bytes, size);
  TENFOLD_RETURN_IF_ERROR(source.Read({front + kVersionEnd, length_bytes}));
  uint64_t length = 0;  // little-endian, whatever the order of the contents
  for (uint64_t i = length_bytes; i-- > 0;) {
    length = length << 8 | static_cast<unsigned char>(front[kVersionEnd + i]);
  }
  if (length > kMaxHeaderBytes) {
    return MakeError("E0308",
                     absl::StrCat(name.ToString(), " has a header of ", length, " bytes; at most ",
                                  kMaxHeaderBytes, " are read"),
                     std::string(kSaveAgain));
  }
  if (source.remaining() < length) return CutOff(name, kVersionEnd + length_bytes + length, size);
  std::string text(length, '\0');
  TENFOLD_RETURN_IF_ERROR(source.Read({text.data(), text.size()}));
  if (absl::EndsWith(text, "\r")) {
    // The line feed at the header's end became two bytes, and so did each among the numbers.
    return MakeError("E0308",
                     absl::StrCat(name.ToString(),
                                  " was changed by a transfer in text mode: line feeds became "
                                  "pairs of bytes, in its numbers, too"),
                     "copy it again, in binary: what was put between the bytes cannot be told from them");
  }
  return text;
}

// Finds the value of `key`; what is wrong if it is absent or there twice.
std::string FindKey(const PythonValue& dict, absl::string_view key, const PythonValue*& value) {
  value = nullptr;
  for (size_t i = 0; i + 1 < dict.items.size(); i += 2) {
    if (dict.items[i].text != key) continue;
    if (value != nullptr) return absl::StrCat("the key '", key, "' is there twice");
    value = &dict.items[i + 1];
  }
  return value == nullptr ? absl::StrCat("the key '", key, "' is missing") : "";
}

absl::Status TooLarge(const ArrayName& name, absl::string_view what) {
  return MakeError("E0402", absl::StrCat(name.ToString(), " ", what), std::string(kSaveAgain));
}

absl::Status ReadShape(const ArrayName& name, const Limits& limits, const PythonValue& value,
                       absl::string_view text, NpyHeader& header) {
  if (value.kind != Kind::kTuple)
    return BadHeader(name, "the shape is no tuple; of one dim it is written (3,)", text);
  if (value.items.size() > static_cast<size_t>(std::max<int64_t>(limits.rank, 0))) {
    return MakeError(
        "E0402",
        absl::StrCat(name.ToString(), " has ", value.items.size(), " dims; the limit rank is ", limits.rank),
        RaiseLimitHelp("rank", static_cast<int64_t>(value.items.size())));
  }
  for (const PythonValue& item : value.items) {
    if (item.kind != Kind::kInteger) return BadHeader(name, "an extent is no integer", text);
    int64_t extent = 0;
    if (item.text[0] == '-')
      return BadHeader(name, absl::StrCat("the extent ", Printable(item.text), " is negative"), text);
    if (!absl::SimpleAtoi(item.text, &extent))
      return TooLarge(name, absl::StrCat("has an extent of ", Printable(item.text, 40),
                                         ", more than can be counted in 64 bits"));
    header.shape.push_back(extent);
  }
  const std::optional<int64_t> count = NumElements(header.shape);
  if (!count) {
    return TooLarge(name, absl::StrCat("has shape ", DimsToString(header.shape),
                                       ", more elements than can be counted in 64 bits"));
  }
  header.num_elements = *count;
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<NpyHeader> ReadNpyHeader(const ArrayName& name, const Limits& limits, ByteSource& source) {
  TENFOLD_ASSIGN_OR_RETURN(const std::string text, ReadHeaderText(name, source));
  PythonValue dict;
  const PythonLiteralError error = ParsePythonLiteral(text, dict);
  if (!error.message.empty())
    return BadHeader(name, absl::StrCat("at byte ", error.position, ": ", error.message), text);
  if (dict.kind != Kind::kDict) return BadHeader(name, "it is no dict", text);

  const PythonValue *descr, *fortran_order, *shape;
  for (const auto& [key, value] :
       {std::pair("descr", &descr), std::pair("fortran_order", &fortran_order), std::pair("shape", &shape)}) {
    const std::string problem = FindKey(dict, key, *value);
    if (!problem.empty()) return BadHeader(name, problem, text);
  }
  if (dict.items.size() != 6) return BadHeader(name, "it has keys beyond those three", text);
  if (fortran_order->kind != Kind::kBool)
    return BadHeader(name, "fortran_order is neither True nor False", text);
  std::optional<NpyType> type = ParseNpyType(*descr);
  if (!type) return BadHeader(name, "its descr names no type that NumPy writes", text);

  NpyHeader header;
  header.type = *std::move(type);
  header.fortran_order = fortran_order->truth;
  TENFOLD_RETURN_IF_ERROR(ReadShape(name, limits, *shape, text, header));
  return header;
}

std::string FormatNpyHeader(absl::string_view descr, const Dims& shape) {
  std::string dict = absl::StrCat("{'descr': '", descr, "', 'fortran_order': False, 'shape': (");
  for (size_t i = 0; i < shape.size(); ++i) absl::StrAppend(&dict, i == 0 ? "" : ", ", shape[i]);
  absl::StrAppend(&dict, shape.size() == 1 ? ",), }" : "), }");
  constexpr size_t kFront = 10;
  dict.append(63 - (kFront + dict.size()) % 64, ' ');
  dict.push_back('\n');
  std::string header = absl::StrCat(kNpyMagic, absl::string_view("\x01\x00", 2));
  header.push_back(static_cast<char>(dict.size() & 0xff));
  header.push_back(static_cast<char>(dict.size() >> 8));
  return header + dict;
}

}  // namespace tenfold
