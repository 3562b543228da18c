// SPDX-License-Identifier: Apache-2.0
//
// The .safetensors format: named arrays in one file, found through a JSON header and used where they lie.
#ifndef TENFOLD_GRAPH_INGEST_SAFETENSORS_H_
#define TENFOLD_GRAPH_INGEST_SAFETENSORS_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tenfold/graph/ingest/array_name.h"
#include "tenfold/graph/ingest/element_bytes.h"
#include "tenfold/graph/ingest/files.h"
#include "tenfold/graph/ingest/safetensors_header.h"
#include "tenfold/graph/ingest/storage.h"
#include "tenfold/graph/limits.h"
#include "tenfold/graph/tensor.h"

namespace tenfold {

// A file whose header has been read and checked; tensors are read, or mapped, one by one. Immutable and
// thread-safe. Tensors that are not copied keep what they lie in alive.
class SafetensorsFile {
 public:
  // Errors: E0305, E0306, E0312, E0330, E0402, those of FileSource, and E0334 for kBorrow.
  static absl::StatusOr<std::shared_ptr<const SafetensorsFile>> Open(absl::string_view path,
                                                                     const ReadOptions& options = {});
  // `bytes` must outlive the result, and under kBorrow the tensors too: `owner` keeps them then. Under any
  // other policy tensors are copied. `file_name` is for messages. Errors: as above, and E0334 for kMmap.
  static absl::StatusOr<std::shared_ptr<const SafetensorsFile>> FromBytes(
      absl::string_view bytes, absl::string_view file_name, const ReadOptions& options = {},
      std::shared_ptr<const void> owner = nullptr);

  // In the order of their data.
  const std::vector<SafetensorsEntry>& entries() const { return header_.entries; }
  const std::map<std::string, std::string>& metadata() const { return header_.metadata; }

  // Errors: E0303 for a dtype that is not ours, E0304 for a bool that is neither 0 nor 1, E0402 beyond
  // tensor_bytes.
  absl::StatusOr<Tensor> Load(const SafetensorsEntry& entry) const;
  // Errors: E0311, too; `reference` is how the graph that refers to it names the file.
  absl::StatusOr<Tensor> Load(absl::string_view name, absl::string_view reference = "") const;

  // Where the data begin, in the file; entries count from there.
  uint64_t data_offset() const { return data_begin_; }

  // The data behind the header, piece by piece: for checksums. Touches every page.
  absl::Status ReadData(ByteSink sink) const;

 private:
  SafetensorsFile() = default;
  absl::Status ReadHeader(uint64_t file_bytes);
  absl::Status Read(uint64_t offset, std::span<char> out) const;

  std::string name_;
  ReadOptions options_;
  std::unique_ptr<FileSource> source_;  // null: all of the file is `bytes_`
  absl::string_view bytes_;
  std::shared_ptr<const void> owner_;  // of `bytes_`; tensors may lie in them
  bool in_place_ = false;
  SafetensorsHeader header_;
  uint64_t data_begin_ = 0, data_bytes_ = 0;
  absl::flat_hash_map<absl::string_view, size_t> by_name_;
};

// Every tensor, in the order of the data. Errors: those of SafetensorsFile.
absl::StatusOr<NamedTensors> LoadSafetensors(absl::string_view path, const ReadOptions& options = {});
absl::StatusOr<NamedTensors> ReadSafetensors(absl::string_view bytes, absl::string_view file_name,
                                             const ReadOptions& options = {},
                                             std::shared_ptr<const void> owner = nullptr);
// One tensor; the others are not read, and may be of dtypes that are not ours.
absl::StatusOr<Tensor> LoadSafetensorsMember(const ArrayName& name, const ReadOptions& options = {});

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_INGEST_SAFETENSORS_H_
