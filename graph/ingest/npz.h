// SPDX-License-Identifier: Apache-2.0
//
// NumPy's .npz format: a zip archive, stored or deflated, ZIP64 too, with one .npy file an array.
// An array's name is its member's without ".npy".
#ifndef TENFOLD_GRAPH_INGEST_NPZ_H_
#define TENFOLD_GRAPH_INGEST_NPZ_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tenfold/graph/ingest/npy.h"
#include "tenfold/graph/limits.h"
#include "tenfold/graph/tensor.h"

namespace tenfold {

// An archive whose directory has been read and checked; arrays are unpacked one by one. Not thread-safe.
class NpzFile {
 public:
  // Errors: E0310, E0312, E0402, those of FileSource.
  static absl::StatusOr<std::unique_ptr<NpzFile>> Open(absl::string_view path, const Limits& limits = {});
  ~NpzFile();

  // E0334 for kMmap and kBorrow: what is unpacked can only be copied.
  static absl::Status CheckStorage(const ArrayName& name, Storage storage);

  // Without ".npy", in the archive's order.
  const std::vector<std::string>& names() const { return names_; }
  // The array names()[i]; `name` is for messages. Text is read as numbers, if `text_as` is given. Errors:
  // those of ReadNpy, and E0310.
  absl::StatusOr<Tensor> Load(size_t i, const ArrayName& name, TextAs* text_as = nullptr) const;

 private:
  struct Impl;
  explicit NpzFile(std::unique_ptr<Impl> impl);
  const std::unique_ptr<Impl> impl_;
  std::vector<std::string> names_;
};

// Every array, in the archive's order. Checksums are verified, two members of one name refused, and
// memory is bounded by `limits` before anything is inflated. Errors: those of ReadNpy, E0310
// bad-npz, E0312 duplicate-array, E0402.
absl::StatusOr<NamedTensors> LoadNpz(absl::string_view path, const Limits& limits = {});
// The same from memory; `file_name` is for messages.
absl::StatusOr<NamedTensors> ReadNpz(absl::string_view bytes, absl::string_view file_name,
                                     const Limits& limits = {});

// One array; the others are not read. Errors: as above, and E0311 no-such-array.
absl::StatusOr<Tensor> LoadNpzMember(absl::string_view path, absl::string_view name,
                                     const Limits& limits = {});
// The same; text is read as numbers, if `text_as` is given (E0326).
// Errors: E0334 too, since a member can be neither mapped nor borrowed.
absl::StatusOr<Tensor> LoadNpzMember(const ArrayName& name, const ReadOptions& options,
                                     TextAs* text_as = nullptr);

// Stored, in the order given, without times of day: equal tensors give equal bytes. Errors: E0303,
// E0312, E0313 for a name that no archive can hold.
absl::StatusOr<std::string> WriteNpz(const NamedTensors& tensors);
// The file appears whole or not at all; no second copy of the tensors is made.
absl::Status SaveNpz(const NamedTensors& tensors, absl::string_view path);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_INGEST_NPZ_H_
