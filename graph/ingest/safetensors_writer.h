// SPDX-License-Identifier: Apache-2.0
//
// Writes .safetensors files that the format's other readers accept and that ours can use where they lie.
//
// The format allows no holes between tensors, so alignment is a matter of order and of the header, which is
// padded with spaces until the data begins at a multiple of 64 bytes. Tensors whose size is a multiple of 64
// come first and all begin at multiples of 64; the others follow by falling element size, so that each begins
// at a multiple of its element's size. Within these groups the order is that of the names: equal tensors give
// equal bytes, in whatever order they are handed over.
#ifndef TENFOLD_GRAPH_INGEST_SAFETENSORS_WRITER_H_
#define TENFOLD_GRAPH_INGEST_SAFETENSORS_WRITER_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tenfold/graph/ingest/element_bytes.h"
#include "tenfold/graph/tensor.h"

namespace tenfold {

struct SafetensorsWriteOptions {
  // The header's __metadata__.
  std::map<std::string, std::string> metadata = {};
  // Every tensor at a multiple of 64, by u8 tensors called "tenfold.padding.0", ... between them. Other
  // readers list these too.
  bool align_all = false;
};

// NaNs are made canonical, and splats written out. Errors: E0312, E0313 for a name that is empty, not UTF-8
// or the format's own, E0523.
absl::StatusOr<std::string> WriteSafetensors(const NamedTensors& tensors,
                                             const SafetensorsWriteOptions& options = {});
// The file appears whole or not at all; no second copy of the tensors is made.
absl::Status SaveSafetensors(const NamedTensors& tensors, absl::string_view path,
                             const SafetensorsWriteOptions& options = {});

// The two parts of a file, for those who write it by themselves.
struct SafetensorsLayout {
  std::string header;  // with its length before it, and padded
  // Indices into the tensors, in the order of the data, and how many bytes of zeros follow each.
  struct Place {
    size_t tensor;
    size_t padding;
  };
  std::vector<Place> order;
};
absl::StatusOr<SafetensorsLayout> LayOutSafetensors(const NamedTensors& tensors,
                                                    const SafetensorsWriteOptions& options);
absl::Status WriteSafetensorsData(const NamedTensors& tensors, const SafetensorsLayout& layout,
                                  ByteSink sink);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_INGEST_SAFETENSORS_WRITER_H_
