// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/ingest/safetensors_writer.h"

#include <algorithm>
#include <memory>
#include <tuple>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "nlohmann/json.hpp"
#include "tenfold/graph/allocation.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/ingest/atomic_file.h"
#include "tenfold/graph/ingest/printable.h"
#include "tenfold/graph/ingest/safetensors_header.h"

namespace tenfold {
namespace {

absl::Status CheckName(const std::string& name, absl::flat_hash_set<std::string>& seen) {
  if (name.empty() || name == "__metadata__" || !IsUtf8(name)) {
    return MakeError(
        "E0313",
        absl::StrCat("'", Printable(name), "' cannot be the name of an array in a .safetensors file"),
        "names are UTF-8, not empty, and not the format's own __metadata__");
  }
  if (!seen.insert(name).second)
    return MakeError("E0312", absl::StrCat("two arrays have the name '", Printable(name), "'"));
  return absl::OkStatus();
}

// Of text that is UTF-8.
std::string Json(const std::string& text) { return nlohmann::json(text).dump(); }

size_t PaddingAfter(uint64_t at) { return (kTensorAlignment - at % kTensorAlignment) % kTensorAlignment; }

// The header's entries, as text, while tensors are placed one behind the other.
class HeaderText {
 public:
  void AddMetadata(const std::map<std::string, std::string>& metadata) {
    if (metadata.empty()) return;
    const std::string pairs = absl::StrJoin(metadata, ",", [](std::string* out, const auto& pair) {
      absl::StrAppend(out, Json(pair.first), ":", Json(pair.second));
    });
    absl::StrAppend(&text_, "\"__metadata__\":{", pairs, "}");
  }

  void Add(const std::string& name, DType dtype, const Dims& dims, uint64_t bytes) {
    absl::StrAppend(&text_, text_.empty() ? "" : ",", Json(name), ":{\"dtype\":\"", SafetensorsName(dtype),
                    "\",\"shape\":[", absl::StrJoin(dims, ","), "],\"data_offsets\":[", size_, ",",
                    size_ + bytes, "]}");
    size_ += bytes;
  }

  uint64_t size() const { return size_; }

  std::string Finish() const {
    std::string header = absl::StrCat("{", text_, "}");
    header.append(PaddingAfter(kSafetensorsPrefix + header.size()), ' ');
    std::string prefix(kSafetensorsPrefix, '\0');
    for (size_t i = 0; i < prefix.size(); ++i) prefix[i] = static_cast<char>(header.size() >> (8 * i) & 0xff);
    return prefix + header;
  }

 private:
  std::string text_;
  uint64_t size_ = 0;
};

}  // namespace

absl::StatusOr<SafetensorsLayout> LayOutSafetensors(const NamedTensors& tensors,
                                                    const SafetensorsWriteOptions& options) {
  absl::flat_hash_set<std::string> seen;
  SafetensorsLayout layout;
  for (size_t i = 0; i < tensors.size(); ++i) {
    TENFOLD_RETURN_IF_ERROR(CheckName(tensors[i].first, seen));
    if (const Tensor& tensor = tensors[i].second; SafetensorsName(tensor.dtype()).empty()) {
      return MakeError(
          "E0303",
          absl::StrCat("'", Printable(tensors[i].first), "', ", tensor.type().ToString(),
                       ", cannot be written: the .safetensors format has no ", Name(tensor.dtype())),
          absl::StrCat("write it as ", Name(UnpackedType(tensor.dtype())),
                       ", which holds every value: Tensor::Unpack()"));
    }
    layout.order.push_back({i, 0});
  }
  for (const auto& [key, value] : options.metadata) {
    if (!IsUtf8(key) || !IsUtf8(value))
      return MakeError("E0313", absl::StrCat("the metadata '", Printable(key), "' is not UTF-8"));
  }
  const auto rank = [&](const SafetensorsLayout::Place& place) {
    const auto& [name, tensor] = tensors[place.tensor];
    const bool whole = tensor.logical_bytes() % kTensorAlignment == 0;
    const int element = static_cast<int>(SizeOf(tensor.dtype()));
    return std::tuple<bool, int, const std::string&>(!whole, whole ? 0 : -element, name);
  };
  std::sort(layout.order.begin(), layout.order.end(),
            [&](const auto& a, const auto& b) { return rank(a) < rank(b); });

  HeaderText header;
  header.AddMetadata(options.metadata);
  int paddings = 0;
  for (SafetensorsLayout::Place& place : layout.order) {
    const auto& [name, tensor] = tensors[place.tensor];
    header.Add(name, tensor.dtype(), tensor.dims(), tensor.logical_bytes());
    place.padding = options.align_all ? PaddingAfter(header.size()) : 0;
    if (place.padding == 0) continue;
    std::string padding;
    do {
      padding = absl::StrCat("tenfold.padding.", paddings++);
    } while (seen.contains(padding));
    header.Add(padding, DType::kU8, {static_cast<int64_t>(place.padding)}, place.padding);
  }
  layout.header = header.Finish();
  if (layout.header.size() > kMostHeaderBytes) {
    return MakeError("E0402",
                     absl::StrCat("the header of the .safetensors file would have ", layout.header.size(),
                                  " bytes; readers accept ", kMostHeaderBytes));
  }
  return layout;
}

absl::Status WriteSafetensorsData(const NamedTensors& tensors, const SafetensorsLayout& layout,
                                  ByteSink sink) {
  const std::string zeros(kTensorAlignment, '\0');
  for (const SafetensorsLayout::Place& place : layout.order) {
    TENFOLD_RETURN_IF_ERROR(WriteElements(tensors[place.tensor].second, sink));
    if (place.padding > 0) TENFOLD_RETURN_IF_ERROR(sink(absl::string_view(zeros).substr(0, place.padding)));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> WriteSafetensors(const NamedTensors& tensors,
                                             const SafetensorsWriteOptions& options) {
  TENFOLD_ASSIGN_OR_RETURN(const SafetensorsLayout layout, LayOutSafetensors(tensors, options));
  std::string bytes = layout.header;
  TENFOLD_RETURN_IF_ERROR(WriteSafetensorsData(
      tensors, layout, [&](absl::string_view piece) { return AppendOrRefuse(bytes, piece); }));
  return bytes;
}

absl::Status SaveSafetensors(const NamedTensors& tensors, absl::string_view path,
                             const SafetensorsWriteOptions& options) {
  TENFOLD_ASSIGN_OR_RETURN(const SafetensorsLayout layout, LayOutSafetensors(tensors, options));
  TENFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<AtomicFile> file, AtomicFile::Create(path));
  TENFOLD_RETURN_IF_ERROR(file->Write(layout.header));
  TENFOLD_RETURN_IF_ERROR(
      WriteSafetensorsData(tensors, layout, [&](absl::string_view piece) { return file->Write(piece); }));
  return file->Commit();
}

}  // namespace tenfold
