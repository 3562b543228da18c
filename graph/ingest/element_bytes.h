// SPDX-License-Identifier: Apache-2.0
//
// A tensor's elements as files hold them: row-major, little-endian, NaNs canonical; and the bytes that no
// file may hold.
#ifndef TENFOLD_GRAPH_INGEST_ELEMENT_BYTES_H_
#define TENFOLD_GRAPH_INGEST_ELEMENT_BYTES_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "tenfold/graph/ingest/array_name.h"
#include "tenfold/graph/tensor.h"

namespace tenfold {

// Takes the next bytes of a file; an error ends the writing.
using ByteSink = absl::FunctionRef<absl::Status(absl::string_view)>;

// Every element, those of a splat too, in pieces, so that no second copy of the tensor is ever needed.
absl::Status WriteElements(const Tensor& tensor, ByteSink sink);
// The stored elements: one of a splat.
absl::Status WriteStoredElements(const Tensor& tensor, ByteSink sink);

// The same bytes as WriteElements gives, for those who ask for them instead: from any place, fastest front to
// back.
class ElementReader {
 public:
  explicit ElementReader(Tensor tensor) : tensor_(std::move(tensor)) {}
  uint64_t size() const { return tensor_.logical_bytes(); }
  // offset + out.size() is at most size().
  void Read(uint64_t offset, std::span<char> out);

 private:
  void FillPiece(uint64_t begin);

  const Tensor tensor_;
  std::string piece_;  // some elements, as files hold them
  uint64_t piece_begin_ = 0;
};

// A bool is a byte that must be 0 or 1: any other is undefined behaviour in C++, and a guess anyway.
struct BadBool {
  int64_t first;  // position
  int value;      // of the byte there
  int64_t count;  // how many are neither 0 nor 1
};
// Nothing if all are; `bytes` are those of bools.
std::optional<BadBool> FindBadBool(absl::string_view bytes);
// E0304 if one of the bools of an array in a file is neither; `mend` makes the help then.
absl::Status CheckBools(absl::string_view bytes, const ArrayName& name, std::span<const int64_t> dims,
                        absl::FunctionRef<std::string()> mend);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_INGEST_ELEMENT_BYTES_H_
