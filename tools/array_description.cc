// SPDX-License-Identifier: Apache-2.0
#include "tenfold/tools/array_description.h"

#include <algorithm>
#include <bit>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "nlohmann/json.hpp"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/ingest/array_reference.h"
#include "tenfold/graph/ingest/files.h"
#include "tenfold/graph/ingest/npy_header.h"
#include "tenfold/graph/ingest/npz.h"
#include "tenfold/graph/ingest/printable.h"
#include "tenfold/graph/ingest/safetensors.h"
#include "tenfold/graph/statistics.h"
#include "tenfold/runtime/text_table.h"
#include "tenfold/tools/array_argument.h"

namespace tenfold {
namespace {

using Json = nlohmann::ordered_json;

// How the file has the elements, as far as it tells.
struct FileLayout {
  std::string order;               // "C", "Fortran"
  std::string bytes;               // "little-endian"
  std::optional<uint64_t> offset;  // of the first element, from the beginning of the file

  std::string ToString() const {
    std::string text;
    if (!order.empty()) absl::StrAppend(&text, ", ", order, " order");
    if (!bytes.empty()) absl::StrAppend(&text, ", ", bytes);
    if (offset) {
      absl::StrAppend(&text, ", at byte ", *offset, " of the file, aligned to ", Alignment());
    }
    return text;
  }
  // The greatest power of two up to a page that divides the offset.
  uint64_t Alignment() const {
    return *offset == 0 ? 4096 : std::min<uint64_t>(uint64_t{1} << std::countr_zero(*offset), 4096);
  }
};

absl::StatusOr<FileLayout> LayoutOfNpy(const ArrayName& name, const Limits& limits) {
  TENFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<FileSource> source, FileSource::Open(name.file));
  const uint64_t size = source->remaining();
  TENFOLD_ASSIGN_OR_RETURN(const NpyHeader header, ReadNpyHeader(name, limits, *source));
  FileLayout layout;
  layout.order = header.fortran_order ? "Fortran" : "C";
  if (header.type.swap) layout.bytes = "big-endian";
  layout.offset = size - source->remaining();
  return layout;
}

using Row = std::vector<std::string>;

Row RowOf(std::string who, const ValueStatistics& s) {
  const auto number = [](const std::optional<double>& x) { return x ? absl::StrFormat("%.6g", *x) : "-"; };
  const auto text = [](const std::string& x) { return x.empty() ? "-" : x; };
  return {std::move(who),
          absl::StrCat(s.values),
          absl::StrCat(s.nans),
          absl::StrCat(s.positive_infs),
          absl::StrCat(s.negative_infs),
          absl::StrCat(s.zeros),
          text(s.min),
          text(s.max),
          number(s.mean),
          number(s.stddev)};
}

// A number where JSON has one: NaN and Inf stay text.
Json NumberToJson(const std::string& text) {
  Json value = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  return value.is_discarded() ? Json(text) : value;
}

Json ToJson(const ValueStatistics& s) {
  Json json = {{"values", s.values},
               {"nan", s.nans},
               {"positive_inf", s.positive_infs},
               {"negative_inf", s.negative_infs},
               {"zeros", s.zeros}};
  if (!s.min.empty()) json["min"] = NumberToJson(s.min), json["max"] = NumberToJson(s.max);
  if (s.mean) json["mean"] = *s.mean, json["stddev"] = *s.stddev;
  return json;
}

class Describer {
 public:
  explicit Describer(const DescriptionOptions& options) : options_(options) {}

  void Add(const ArrayName& name, absl::StatusOr<Tensor> array, const FileLayout& layout) {
    if (!array.ok()) return Refuse(array.status());
    const ArrayStatistics statistics = Summarize(*array, options_.columns);
    const int64_t shown = static_cast<int64_t>(statistics.columns.size());
    if (options_.json) {
      Json json = {{"name", Printable(name.Reference())},
                   {"type", array->type().ToString()},
                   {"dtype", std::string(Name(array->dtype()))},
                   {"shape", array->dims()},
                   {"bytes", array->logical_bytes()}};
      if (!layout.order.empty()) json["order"] = layout.order;
      if (layout.offset) json["offset"] = *layout.offset, json["alignment"] = layout.Alignment();
      json["all"] = ToJson(statistics.all);
      if (statistics.num_columns > 0) {
        json["num_columns"] = statistics.num_columns;
        Json& columns = json["columns"] = Json::array();
        for (const ValueStatistics& column : statistics.columns) columns.push_back(ToJson(column));
      }
      arrays_.push_back(std::move(json));
      return;
    }
    absl::StrAppend(&text_, text_.empty() ? "" : "\n", Printable(name.Reference()), ": ",
                    array->type().ToString(), ", ", array->logical_bytes(), " bytes", layout.ToString(),
                    "\n");
    std::vector<Row> rows = {{"", "values", "NaN", "+Inf", "-Inf", "zeros", "min", "max", "mean", "std"}};
    rows.push_back(RowOf("all", statistics.all));
    for (int64_t c = 0; c < shown; ++c) {
      rows.push_back(RowOf(absl::StrCat("column ", c), statistics.columns[c]));
    }
    text_ += TextTable(rows, 1);
    const int64_t more = statistics.num_columns - shown;
    if (more > 0) {
      absl::StrAppend(&text_, "  ", more, more == 1 ? " more column" : " more columns", ": --columns ",
                      statistics.num_columns, "\n");
    }
  }
  void Refuse(const absl::Status& status) {
    for (Diagnostic& error : DiagnosticsOf(status)) errors_.push_back(std::move(error));
  }
  absl::Status Finish(std::string* out) {
    if (options_.json) {
      const Json json = {{"format", "tenfold.arrays"}, {"version", 1}, {"arrays", std::move(arrays_)}};
      text_ = json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
    }
    *out += text_;
    return ToStatus(std::move(errors_));
  }

 private:
  const DescriptionOptions& options_;
  std::string text_;
  Json arrays_ = Json::array();
  std::vector<Diagnostic> errors_;
};

absl::Status AddNpz(const std::string& path, const std::string& member, const Limits& limits,
                    Describer& describer) {
  TENFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<NpzFile> file, NpzFile::Open(path, limits));
  bool found = member.empty();
  for (size_t i = 0; i < file->names().size(); ++i) {
    if (!member.empty() && file->names()[i] != member) continue;
    const ArrayName name = {path, file->names()[i]};
    describer.Add(name, file->Load(i, name), {});
    found = true;
  }
  return found ? absl::OkStatus() : NoSuchArray({path, member}, file->names());
}

absl::Status AddSafetensors(const std::string& path, const std::string& member, const Limits& limits,
                            Describer& describer) {
  TENFOLD_ASSIGN_OR_RETURN(const std::shared_ptr<const SafetensorsFile> file,
                           SafetensorsFile::Open(path, {.limits = limits}));
  std::vector<std::string> names;
  for (const SafetensorsEntry& entry : file->entries()) {
    names.push_back(entry.name);
    if (!member.empty() && entry.name != member) continue;
    FileLayout layout;
    layout.order = "C";
    layout.offset = file->data_offset() + entry.begin;
    describer.Add({path, entry.name}, file->Load(entry), layout);
  }
  const bool found = member.empty() || std::find(names.begin(), names.end(), member) != names.end();
  return found ? absl::OkStatus() : NoSuchArray({path, member}, names);
}

absl::Status AddFile(const ArrayName& name, const Limits& limits, Describer& describer) {
  if (IsSafetensors(name.file)) return AddSafetensors(name.file, name.member, limits, describer);
  if (HoldsManyArrays(name.file)) return AddNpz(name.file, name.member, limits, describer);
  TENFOLD_ASSIGN_OR_RETURN(const FileLayout layout, LayoutOfNpy(name, limits));
  describer.Add(name, LoadArray(name, {.limits = limits}), layout);
  return absl::OkStatus();
}

}  // namespace

bool NamesArrays(absl::string_view argument) {
  return absl::EndsWith(argument, ".npy") || HoldsManyArrays(argument) ||
         absl::StrContains(argument, ".npz:") || absl::StrContains(argument, ".safetensors:");
}

absl::Status DescribeArrays(absl::string_view argument, const DescriptionOptions& options, std::string* out) {
  ArrayName name = {std::string(argument), ""};
  if (!absl::EndsWith(argument, ".npy") && !HoldsManyArrays(argument)) {
    TENFOLD_ASSIGN_OR_RETURN(name, NameArrayFile(argument, options.limits));
  }
  Describer describer(options);
  const absl::Status opened = AddFile(name, options.limits, describer);
  if (!opened.ok()) return opened;
  return describer.Finish(out);
}

}  // namespace tenfold
