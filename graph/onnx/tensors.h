// SPDX-License-Identifier: Apache-2.0
//
// ONNX's dtypes, types of values and tensors as ours.
#ifndef TENFOLD_GRAPH_ONNX_TENSORS_H_
#define TENFOLD_GRAPH_ONNX_TENSORS_H_

#include <functional>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "proto/onnx.pb.h"
#include "tenfold/graph/dtype.h"
#include "tenfold/graph/limits.h"
#include "tenfold/graph/onnx/model_file.h"
#include "tenfold/graph/tensor.h"

namespace tenfold::onnx {

// A value of TensorProto.DataType; nullopt for those that Tenfold does not have.
std::optional<DType> DTypeOf(int64_t data_type);
// "STRING", "COMPLEX64"; "data type 99" for one that the format did not have when this was written.
std::string DataTypeName(int64_t data_type);

// What tensors are read from.
struct TensorSource {
  FileBytes file;           // that the messages were parsed of
  ExternalFiles* external;  // null: none are opened
  const Limits* limits;
};

// Errors: E0304, E0402, E0901 where it does not say what its elements are, E0902, E0905 for a dtype that
// Tenfold does not have. Elements that lie in the file as a Tensor may hold them are not copied.
absl::StatusOr<Tensor> ReadTensor(const TensorProto& proto, const TensorSource& source);

// What a type is if it is none of a tensor of a dtype that Tenfold has: "a sequence", "a tensor of STRING".
std::optional<std::string> UnsupportedType(const TypeProto& type);

// The type of an input. `dim_of` gives the dim that a name stands for; a dim without size or name has that of
// the input, with its number.
absl::StatusOr<TensorType> ReadType(const TypeProto& type, const std::string& input, const Limits& limits,
                                    const std::function<Dim(const std::string& name)>& dim_of);

}  // namespace tenfold::onnx

#endif  // TENFOLD_GRAPH_ONNX_TENSORS_H_
