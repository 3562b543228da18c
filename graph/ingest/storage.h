// SPDX-License-Identifier: Apache-2.0
//
// Where the elements of an array stay once it is a Tensor.
#ifndef TENFOLD_GRAPH_INGEST_STORAGE_H_
#define TENFOLD_GRAPH_INGEST_STORAGE_H_

#include <cstdint>

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

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_INGEST_STORAGE_H_
