// SPDX-License-Identifier: Apache-2.0
//
// NumPy's .npy format, versions 1.0 to 3.0: both byte orders, C and Fortran order, 0-d and empty
// arrays.
//
// Reading is raw: a tensor has the dtype and the bits that the file has, and what is no number of
// ours is refused. Casts, NaN policies and parsing of text are a step of their own, after this one.
#ifndef TENFOLD_GRAPH_INGEST_NPY_H_
#define TENFOLD_GRAPH_INGEST_NPY_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tenfold/graph/ingest/array_name.h"
#include "tenfold/graph/ingest/byte_source.h"
#include "tenfold/graph/ingest/storage.h"
#include "tenfold/graph/limits.h"
#include "tenfold/graph/tensor.h"

namespace tenfold {

// Asks for text to be read as numbers.
struct TextAs {
  DType dtype = DType::kF64;
  bool used = false;  // set by a reader that met text
};

// The one array that `source` consists of, read straight into the tensor's memory. Text is read as numbers,
// if `text_as` is given. Errors: E0301 to E0308, E0326, E0402, and what the source reports.
absl::StatusOr<Tensor> ReadNpyFrom(ByteSource& source, const ArrayName& name, const Limits& limits = {},
                                   TextAs* text_as = nullptr);

// The same from memory; `file_name` is for messages.
absl::StatusOr<Tensor> ReadNpy(absl::string_view bytes, absl::string_view file_name,
                               const Limits& limits = {});
absl::StatusOr<Tensor> LoadNpy(absl::string_view path, const Limits& limits = {});
// Mapped where `options.storage` says so and the elements lie in the file as in a tensor. Errors: E0334 too,
// for what cannot be mapped or borrowed.
absl::StatusOr<Tensor> LoadNpy(const ArrayName& name, const ReadOptions& options, TextAs* text_as = nullptr);

// Version 1.0, little-endian, C order, NaNs canonical: equal tensors give equal bytes. Errors:
// E0303 for bf16, which the format has not.
absl::StatusOr<std::string> WriteNpy(const Tensor& tensor);
// The part of these bytes before the elements.
absl::StatusOr<std::string> NpyHeaderOf(const Tensor& tensor);
// The file appears whole or not at all; no second copy of the tensor is made.
absl::Status SaveNpy(const Tensor& tensor, absl::string_view path);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_INGEST_NPY_H_
