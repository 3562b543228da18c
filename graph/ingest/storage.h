// SPDX-License-Identifier: Apache-2.0
//
// Where the elements of an array stay once it is a Tensor.
#ifndef TENFOLD_GRAPH_INGEST_STORAGE_H_
#define TENFOLD_GRAPH_INGEST_STORAGE_H_

#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "tenfold/graph/ingest/array_name.h"
#include "tenfold/graph/limits.h"

namespace tenfold {

// What a source cannot do is refused (E0334), never replaced by something else. A tensor inside a mapped or
// borrowed file whose elements lie at no multiple of their size is copied: as it lies, no Tensor can hold it.
enum class Storage : uint8_t {
  kAuto,    // files of kMapThreshold bytes and more are mapped, all else is copied
  kCopy,    // memory of the Tensor's own
  kBorrow,  // the caller's memory, which an owner keeps alive: spans, DLPack
  kMmap,    // the file's own pages: .npy, .safetensors
};

// Below it, reading costs less than the page faults and the address space of a mapping, and nobody who
// shortens the file can do harm (graph/ingest/mapped_file.h).
inline constexpr uint64_t kMapThreshold = uint64_t{16} << 20;

// How files of arrays are read.
struct ReadOptions {
  Storage storage = Storage::kAuto;
  Limits limits = {};
};

// E0334: "'w.npz: w1' cannot be mapped: ...".
absl::Status CannotStay(const ArrayName& name, Storage storage, absl::string_view why);

// "auto", "copy", "borrow", "mmap".
absl::string_view Name(Storage storage);
std::optional<Storage> ParseStorage(absl::string_view name);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_INGEST_STORAGE_H_
