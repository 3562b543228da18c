// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/ingest/safetensors_header.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <tuple>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/ingest/array_name.h"
#include "tenfold/graph/ingest/file_errors.h"
#include "tenfold/graph/ingest/printable.h"

namespace tenfold {
namespace {

// In the order of the DTypes.
constexpr absl::string_view kNames[kNumDTypes] = {"BOOL", "I8",      "I16",     "I32", "I64",  "U8",
                                                  "U16",  "U32",     "U64",     "F16", "BF16", "F32",
                                                  "F64",  "F8_E4M3", "F8_E5M2", "",    ""};

absl::Status BadHeader(absl::string_view file, absl::string_view what) {
  return MakeError("E0330", absl::StrCat(Quoted(file), " has a bad .safetensors header: ", what),
                   "write the file again, with safetensors' save_file or tenfold's SaveSafetensors");
}

std::string InQuotes(absl::string_view name) { return absl::StrCat("tensor '", Printable(name), "'"); }

// Reads the header event by event: no tree is built of what a hostile file holds, and nesting ends where the
// format's does. A handler that returns false ends the parsing; `status` says why.
class HeaderHandler {
 public:
  HeaderHandler(absl::string_view file, const Limits& limits) : file_(file), limits_(limits) {}

  absl::Status status() const { return status_; }
  SafetensorsHeader Take() { return std::move(header_); }

  // --- What nlohmann::json::sax_parse calls ---

  bool null() { return Unexpected("null"); }
  bool boolean(bool) { return Unexpected("a bool"); }
  bool number_integer(int64_t) { return Unexpected("a negative number"); }
  bool number_float(double, const std::string&) { return Unexpected("a number that is no 64-bit integer"); }
  bool binary(nlohmann::json::binary_t&) { return Unexpected("bytes"); }

  bool number_unsigned(uint64_t value) {
    if (place_ == Place::kShape) return AddExtent(value);
    if (place_ != Place::kOffsets) return Unexpected("a number");
    if (num_offsets_ == 2) return Fail(absl::StrCat(Where(), " has more than two data_offsets"));
    (num_offsets_++ == 0 ? entry_.begin : entry_.end) = value;
    return true;
  }

  bool string(std::string& text) {
    if (place_ == Place::kMetadata) {
      header_.metadata[key_] = std::move(text);
      return true;
    }
    if (place_ != Place::kTensor || key_ != "dtype") return Unexpected("text");
    entry_.dtype_name = std::move(text);
    return true;
  }

  bool start_object(size_t) {
    if (place_ == Place::kStart) return Enter(Place::kTop);
    if (place_ != Place::kTop) return Unexpected("an object");
    if (key_ == "__metadata__") return Enter(Place::kMetadata);
    entry_ = SafetensorsEntry();
    entry_.name = key_;
    entry_keys_.clear();
    num_offsets_ = 0;
    return Enter(Place::kTensor);
  }

  bool key(std::string& key) {
    key_ = key;
    if (place_ == Place::kTop) {
      if (!names_.insert(key).second) {
        status_ = MakeError("E0312",
                            absl::StrCat(Quoted(file_), " has two arrays of the name '", Printable(key), "'"),
                            "write the file again with a name of its own for each array");
        return false;
      }
      if (header_.entries.size() < static_cast<size_t>(limits_.nodes)) return true;
      return TooMany(absl::StrCat("holds more tensors than the limit nodes = ", limits_.nodes, " allows"));
    }
    if (place_ == Place::kMetadata) {
      return header_.metadata.count(key) == 0 ||
             Fail(absl::StrCat("__metadata__ has the key '", Printable(key), "' twice"));
    }
    if (key != "dtype" && key != "shape" && key != "data_offsets")
      return Fail(absl::StrCat(Where(), " has a key '", Printable(key), "', which the format does not have"));
    return entry_keys_.insert(key).second || Fail(absl::StrCat(Where(), " has the key '", key, "' twice"));
  }

  bool end_object() {
    if (place_ == Place::kTensor) return FinishTensor() && Enter(Place::kTop);
    return Enter(place_ == Place::kMetadata ? Place::kTop : Place::kEnd);
  }

  bool start_array(size_t) {
    if (place_ == Place::kTensor && key_ == "shape") return Enter(Place::kShape);
    if (place_ == Place::kTensor && key_ == "data_offsets") return Enter(Place::kOffsets);
    return Unexpected("a list");
  }

  bool end_array() {
    if (place_ == Place::kOffsets && num_offsets_ != 2)
      return Fail(absl::StrCat(Where(), " has fewer than two data_offsets"));
    return Enter(Place::kTensor);
  }

  bool parse_error(size_t position, const std::string&, const nlohmann::json::exception&) {
    return Fail(absl::StrCat("it is no JSON from byte ", position, " on"));
  }

 private:
  enum class Place : uint8_t { kStart, kTop, kMetadata, kTensor, kShape, kOffsets, kEnd };

  bool Enter(Place place) {
    place_ = place;
    return true;
  }

  bool Fail(absl::string_view what) {
    status_ = BadHeader(file_, what);
    return false;
  }

  bool TooMany(absl::string_view what) {
    status_ = MakeError("E0402", absl::StrCat(Quoted(file_), " ", what));
    return false;
  }

  std::string Where() const {
    return place_ == Place::kMetadata ? std::string("__metadata__") : InQuotes(entry_.name);
  }

  bool Unexpected(absl::string_view got) {
    switch (place_) {
      case Place::kStart:
      case Place::kEnd:
        return Fail(absl::StrCat("it is ", got, ", not an object"));
      case Place::kTop:
        return Fail(absl::StrCat(key_ == "__metadata__" ? "__metadata__" : InQuotes(key_), " is ", got,
                                 ", not an object"));
      case Place::kMetadata:
        return Fail(
            absl::StrCat("the value of '", Printable(key_), "' in __metadata__ is ", got, ", not text"));
      case Place::kTensor:
        return Fail(absl::StrCat("the ", key_, " of ", Where(), " is ", got,
                                 key_ == "dtype" ? ", not text" : ", not a list of integers"));
      case Place::kShape:
        return Fail(absl::StrCat("the shape of ", Where(), " has ", got, " in it, not a dim"));
      case Place::kOffsets:
        return Fail(absl::StrCat("the data_offsets of ", Where(), " have ", got, " in them, not a position"));
    }
    return false;
  }

  bool AddExtent(uint64_t extent) {
    if (extent > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()))
      return Fail(absl::StrCat("a dim of ", Where(), " is ", extent, ", which no array can have"));
    if (entry_.dims.size() == static_cast<size_t>(std::max<int64_t>(limits_.rank, 0)))
      return TooMany(absl::StrCat("has a tensor '", Printable(entry_.name),
                                  "' of more dims than the limit rank = ", limits_.rank, " allows"));
    entry_.dims.push_back(static_cast<int64_t>(extent));
    return true;
  }

  bool FinishTensor() {
    for (const absl::string_view key : {"dtype", "shape", "data_offsets"}) {
      if (!entry_keys_.contains(key)) return Fail(absl::StrCat(Where(), " has no ", key));
    }
    if (entry_.end < entry_.begin) {
      return Fail(absl::StrCat(Where(), " begins at byte ", entry_.begin, " and ends at ", entry_.end));
    }
    entry_.dtype = ParseSafetensorsName(entry_.dtype_name);
    const std::optional<int64_t> count = NumElements(entry_.dims);
    const uint64_t most = std::numeric_limits<int64_t>::max();
    if (!count || (entry_.dtype && static_cast<uint64_t>(*count) > most / SizeOf(*entry_.dtype)))
      return Fail(absl::StrCat("the shape ", DimsToString(entry_.dims), " of ", Where(),
                               " holds more bytes than can be addressed"));
    const uint64_t found = entry_.end - entry_.begin;
    // Of a dtype that is not ours, the file's word must do: nothing is read of it.
    const uint64_t wanted = entry_.dtype ? static_cast<uint64_t>(*count) * SizeOf(*entry_.dtype) : found;
    if (wanted != found)
      return Fail(absl::StrCat(Where(), " is ", Name(*entry_.dtype), DimsToString(entry_.dims),
                               ", which takes ", Count(wanted, "byte"), ", but its data_offsets span ",
                               found));
    header_.entries.push_back(std::move(entry_));
    return true;
  }

  const absl::string_view file_;
  const Limits& limits_;
  absl::Status status_;
  SafetensorsHeader header_;
  absl::flat_hash_set<std::string> names_;
  Place place_ = Place::kStart;
  std::string key_;
  SafetensorsEntry entry_;
  absl::flat_hash_set<std::string> entry_keys_;
  int num_offsets_ = 0;
};

// Every byte of the data belongs to one tensor.
absl::Status CheckCoverage(absl::string_view file, const std::vector<SafetensorsEntry>& entries,
                           uint64_t data_bytes) {
  uint64_t at = 0;
  const SafetensorsEntry* before = nullptr;
  for (const SafetensorsEntry& entry : entries) {
    if (entry.begin < at) {
      return BadHeader(
          file, absl::StrCat(InQuotes(before->name), " and ", InQuotes(entry.name),
                             " overlap: the one ends at byte ", at, ", the other begins at ", entry.begin));
    }
    if (entry.begin > at) {
      return BadHeader(file, absl::StrCat("the bytes from ", at, " to ", entry.begin, " of the data, before ",
                                          InQuotes(entry.name), ", belong to no tensor"));
    }
    at = entry.end;
    before = &entry;
  }
  if (at > data_bytes) {
    return MakeError("E0305",
                     absl::StrCat(Quoted(file), " is truncated: its tensors take ", Count(at, "byte"),
                                  " after the header, ", data_bytes, " found"),
                     "the file was cut off while it was written or copied: write or copy it again");
  }
  if (at < data_bytes) {
    return MakeError("E0306",
                     absl::StrCat(Quoted(file), " goes on after its last tensor: its tensors take ",
                                  Count(at, "byte"), " after the header, ", data_bytes, " found"),
                     "write the file again: no tensor is to be found in the rest");
  }
  return absl::OkStatus();
}

}  // namespace

absl::string_view SafetensorsName(DType dtype) { return kNames[static_cast<int>(dtype)]; }

std::optional<DType> ParseSafetensorsName(absl::string_view name) {
  for (const DType dtype : kAllDTypes) {
    if (!name.empty() && SafetensorsName(dtype) == name) return dtype;
  }
  return std::nullopt;
}

absl::StatusOr<uint64_t> ReadHeaderLength(absl::string_view file, absl::string_view first_bytes,
                                          uint64_t file_bytes, const Limits& limits) {
  const char* const cut_off = "the file was cut off while it was written or copied: write or copy it again";
  if (file_bytes < kSafetensorsPrefix) {
    return MakeError("E0330",
                     absl::StrCat(Quoted(file), " is no .safetensors file: it has ",
                                  Count(file_bytes, "byte"), ", and the length of the header takes 8"),
                     cut_off);
  }
  uint64_t length = 0;
  for (size_t i = 0; i < kSafetensorsPrefix; ++i)
    length |= uint64_t{static_cast<unsigned char>(first_bytes[i])} << (8 * i);
  const uint64_t most = std::min<uint64_t>(kMostHeaderBytes, std::max<int64_t>(limits.graph_bytes, 0));
  if (length > most) {
    return MakeError("E0402", absl::StrCat(Quoted(file), " is no .safetensors file, or has a header of ",
                                           length, " bytes; the limit is ", most));
  }
  if (length > file_bytes - kSafetensorsPrefix) {
    return MakeError("E0305",
                     absl::StrCat(Quoted(file), " is truncated: its header takes ", Count(length, "byte"),
                                  ", ", file_bytes - kSafetensorsPrefix, " found"),
                     cut_off);
  }
  return length;
}

absl::StatusOr<SafetensorsHeader> ParseSafetensorsHeader(absl::string_view file, absl::string_view json,
                                                         uint64_t data_bytes, const Limits& limits) {
  // The parser would skip a byte order mark, and take a zero byte for the end of the text.
  if (json.empty() || json[0] != '{') return BadHeader(file, "it does not begin with '{'");
  if (const void* zero = std::memchr(json.data(), 0, json.size()); zero != nullptr) {
    return BadHeader(file, absl::StrCat("byte ", static_cast<const char*>(zero) - json.data(), " is zero"));
  }
  HeaderHandler handler(file, limits);
  if (!nlohmann::json::sax_parse(json.begin(), json.end(), &handler)) {
    const absl::Status status = handler.status();
    return status.ok() ? BadHeader(file, "it is no JSON") : status;
  }
  SafetensorsHeader header = handler.Take();
  const auto place = [](const SafetensorsEntry& e) { return std::tie(e.begin, e.end, e.name); };
  std::sort(header.entries.begin(), header.entries.end(),
            [&](const SafetensorsEntry& a, const SafetensorsEntry& b) { return place(a) < place(b); });
  TENFOLD_RETURN_IF_ERROR(CheckCoverage(file, header.entries, data_bytes));
  return header;
}

}  // namespace tenfold
