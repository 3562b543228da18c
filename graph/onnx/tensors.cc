// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/onnx/tensors.h"

#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/ingest/element_bytes.h"
#include "tenfold/graph/ingest/printable.h"

namespace tenfold::onnx {
namespace {

// By the number that files have; gaps are none.
struct DataType {
  const char* name;
  std::optional<DType> ours = std::nullopt;
};
constexpr DataType kDataTypes[] = {
    {"UNDEFINED"},
    {"FLOAT", DType::kF32},
    {"UINT8", DType::kU8},
    {"INT8", DType::kI8},
    {"UINT16", DType::kU16},
    {"INT16", DType::kI16},
    {"INT32", DType::kI32},
    {"INT64", DType::kI64},
    {"STRING"},
    {"BOOL", DType::kBool},
    {"FLOAT16", DType::kF16},
    {"DOUBLE", DType::kF64},
    {"UINT32", DType::kU32},
    {"UINT64", DType::kU64},
    {"COMPLEX64"},
    {"COMPLEX128"},
    {"BFLOAT16", DType::kBF16},
    {"FLOAT8E4M3FN", DType::kF8E4M3FN},
    {"FLOAT8E4M3FNUZ"},
    {"FLOAT8E5M2", DType::kF8E5M2},
    {"FLOAT8E5M2FNUZ"},
    {"UINT4", DType::kU4},
    {"INT4", DType::kI4},
    {"FLOAT4E2M1"},
    {"FLOAT8E8M0"},
    {"UINT2"},
    {"INT2"},
};

std::string NameOf(const TensorProto& proto) {
  return proto.name().empty() ? "a tensor" : absl::StrCat("the tensor '", Printable(proto.name()), "'");
}

absl::Status Wrong(const TensorProto& proto, absl::string_view why) {
  return MakeError("E0901", absl::StrCat(NameOf(proto), " ", why), "download or export the model again");
}

// Elements as they lie in memory: those of raw_data, of packed floats, or of a file beside the model.
absl::StatusOr<Tensor> FromBytes(const TensorProto& proto, DType dtype, const Dims& dims,
                                 const FileBytes& from) {
  const int64_t count = *NumElements(dims);
  const uint64_t needed = BytesOf(dtype, static_cast<uint64_t>(count));
  if (from.bytes.size() != needed) {
    return Wrong(proto, absl::StrCat("is ", TensorType{dtype, Shape::Of(dims)}.ToString(), ", which takes ",
                                     needed, " bytes, but has ", from.bytes.size()));
  }
  if (dtype == DType::kBool) {
    if (const std::optional<BadBool> bad = FindBadBool(from.bytes)) {
      return MakeError("E0304", absl::StrCat("a bool of ", NameOf(proto), " is stored as ", bad->value,
                                             ", but false is 0 and true is 1"));
    }
  }
  const bool aligned = reinterpret_cast<uintptr_t>(from.bytes.data()) % SizeOf(dtype) == 0;
  const bool odd = IsPacked(dtype) && count % 2 != 0;  // whose unused half must be 0
  if (from.owner != nullptr && needed > 0 && aligned && !odd)
    return Tensor::Wrap(dtype, dims, from.bytes.data(), from.owner);
  TENFOLD_ASSIGN_OR_RETURN(Tensor tensor, Tensor::Allocate(dtype, dims));
  if (needed > 0) std::memcpy(tensor.mutable_data(), from.bytes.data(), needed);
  if (odd) ClearUnusedHalf(tensor.mutable_data(), count);
  return tensor;
}

// Elements of a field that has more bits for each than the dtype.
template <typename Stored, typename Field>
absl::StatusOr<Tensor> Narrowed(const TensorProto& proto, DType dtype, const Dims& dims, const Field& field) {
  std::vector<Stored> values;
  values.reserve(field.size());
  for (const auto value : field) {
    const Stored narrow = static_cast<Stored>(value);
    // Bits of a float stand in an integer; those of a signed type may stand as unsigned ones.
    const auto wide = static_cast<int64_t>(value);
    if (sizeof(Stored) < 8 &&
        (wide < -(int64_t{1} << (8 * sizeof(Stored) - 1)) || wide >= int64_t{1} << (8 * sizeof(Stored)))) {
      return Wrong(proto, absl::StrCat("holds ", wide, ", which is no ", Name(dtype)));
    }
    values.push_back(narrow);
  }
  return FromBytes(proto, dtype, dims,
                   {{reinterpret_cast<const char*>(values.data()), values.size() * sizeof(Stored)}, nullptr});
}

template <typename Field>
absl::string_view BytesOfField(const Field& field) {
  return {reinterpret_cast<const char*>(field.data()), field.size() * sizeof(*field.data())};
}

// What was detached of the field of elements that the dtype has, or of raw_data; nullopt if nothing was.
absl::StatusOr<std::optional<FileBytes>> DetachedBytes(const TensorProto& proto, const TensorSource& source) {
  if (proto.detached().empty()) return std::optional<FileBytes>();
  if (proto.detached_size() > 1) return Wrong(proto, "has its elements in several pieces");
  const TensorProto::Detached& range = proto.detached(0);
  const bool floats = range.field() == TensorProto::kFloatDataFieldNumber;
  const bool doubles = range.field() == TensorProto::kDoubleDataFieldNumber;
  if ((floats && (proto.data_type() != 1 || proto.float_data_size() > 0)) ||
      (doubles && (proto.data_type() != 11 || proto.double_data_size() > 0)) || proto.has_raw_data())
    return Wrong(proto, "has elements that are not of its dtype, or in several pieces");
  const absl::string_view file = source.file.bytes;
  if (range.offset() > file.size() || range.size() > file.size() - range.offset())
    return Wrong(proto, "lies outside of the file");
  return std::optional(FileBytes{file.substr(range.offset(), range.size()), source.file.owner});
}

absl::StatusOr<Tensor> FromFields(const TensorProto& proto, DType dtype, const Dims& dims) {
  switch (dtype) {
    case DType::kF32:
      return FromBytes(proto, dtype, dims, {BytesOfField(proto.float_data()), nullptr});
    case DType::kF64:
      return FromBytes(proto, dtype, dims, {BytesOfField(proto.double_data()), nullptr});
    case DType::kI32:
      return FromBytes(proto, dtype, dims, {BytesOfField(proto.int32_data()), nullptr});
    case DType::kI64:
      return FromBytes(proto, dtype, dims, {BytesOfField(proto.int64_data()), nullptr});
    case DType::kU64:
      return FromBytes(proto, dtype, dims, {BytesOfField(proto.uint64_data()), nullptr});
    case DType::kU32:
      return Narrowed<uint32_t>(proto, dtype, dims, proto.uint64_data());
    case DType::kI16:
    case DType::kU16:
    case DType::kF16:
    case DType::kBF16:
      return Narrowed<uint16_t>(proto, dtype, dims, proto.int32_data());
    default:  // one byte an element, or two elements
      return Narrowed<uint8_t>(proto, dtype, dims, proto.int32_data());
  }
}

absl::StatusOr<FileBytes> FromExternal(const TensorProto& proto, const TensorSource& source,
                                       uint64_t needed) {
  ExternalFiles::Range range;
  for (const StringStringEntryProto& entry : proto.external_data()) {
    uint64_t number = 0;
    const bool is_number = absl::SimpleAtoi(entry.value(), &number);
    if (entry.key() == "location") range.location = entry.value();
    if (entry.key() != "offset" && entry.key() != "length") continue;
    if (!is_number) {
      return MakeError("E0902", absl::StrCat(NameOf(proto), ": the ", entry.key(), " of its elements is '",
                                             Printable(entry.value()), "', which is no number of bytes"));
    }
    if (entry.key() == "offset") range.offset = number;
    if (entry.key() == "length") range.size = number;
  }
  if (!range.size) range.size = needed;
  if (source.external == nullptr)
    return MakeError("E0902", absl::StrCat(NameOf(proto), " lies in another file, which is not opened here"));
  absl::StatusOr<FileBytes> found = source.external->Find(range);
  if (!found.ok()) return WithNote(found.status(), absl::StrCat("the elements of ", NameOf(proto)));
  return found;
}

}  // namespace

std::optional<DType> DTypeOf(int64_t data_type) {
  if (data_type < 0 || data_type >= static_cast<int64_t>(std::size(kDataTypes))) return std::nullopt;
  return kDataTypes[data_type].ours;
}

std::string DataTypeName(int64_t data_type) {
  if (data_type < 0 || data_type >= static_cast<int64_t>(std::size(kDataTypes)))
    return absl::StrCat("data type ", data_type);
  return kDataTypes[data_type].name;
}

absl::StatusOr<Tensor> ReadTensor(const TensorProto& proto, const TensorSource& source) {
  const std::optional<DType> dtype = DTypeOf(proto.data_type());
  if (!dtype) {
    return MakeError("E0905", absl::StrCat(NameOf(proto), " is of ", DataTypeName(proto.data_type()),
                                           ", a dtype that Tenfold does not have"));
  }
  if (proto.has_segment()) return Wrong(proto, "is a segment of another, which no known writer makes");
  const Limits& limits = *source.limits;
  if (proto.dims_size() > limits.rank) {
    return MakeError(
        "E0402", absl::StrCat(NameOf(proto), " has ", proto.dims_size(), " dims; the limit is ", limits.rank),
        RaiseLimitHelp("rank", proto.dims_size()));
  }
  const Dims dims(proto.dims().begin(), proto.dims().end());
  const std::optional<int64_t> count = NumElements(dims);
  if (!count || *count > INT64_MAX / static_cast<int64_t>(SizeOf(*dtype)))
    return Wrong(proto, absl::StrCat("has the dims ", DimsToString(dims), ", which no tensor can have"));
  const uint64_t bytes = BytesOf(*dtype, static_cast<uint64_t>(*count));
  if (bytes > static_cast<uint64_t>(limits.tensor_bytes)) {
    return MakeError(
        "E0402", absl::StrCat(NameOf(proto), " has ", bytes, " bytes; the limit is ", limits.tensor_bytes),
        RaiseLimitHelp("tensor_bytes", static_cast<int64_t>(bytes)));
  }
  if (proto.data_location() != 0) {
    TENFOLD_ASSIGN_OR_RETURN(const FileBytes external, FromExternal(proto, source, bytes));
    return FromBytes(proto, *dtype, dims, external);
  }
  TENFOLD_ASSIGN_OR_RETURN(const std::optional<FileBytes> detached, DetachedBytes(proto, source));
  if (detached) return FromBytes(proto, *dtype, dims, *detached);
  if (proto.has_raw_data()) return FromBytes(proto, *dtype, dims, {proto.raw_data(), nullptr});
  return FromFields(proto, *dtype, dims);
}

std::optional<std::string> UnsupportedType(const TypeProto& type) {
  if (type.has_sequence_type()) return "a sequence";
  if (type.has_map_type()) return "a map";
  if (type.has_optional_type()) return "an optional";
  if (type.has_sparse_tensor_type()) return "a sparse tensor";
  if (type.has_opaque_type()) return "opaque";
  if (!type.has_tensor_type()) return "of no type";
  if (DTypeOf(type.tensor_type().elem_type())) return std::nullopt;
  return absl::StrCat("a tensor of ", DataTypeName(type.tensor_type().elem_type()));
}

absl::StatusOr<TensorType> ReadType(const TypeProto& type, const std::string& input, const Limits& limits,
                                    const std::function<Dim(const std::string& name)>& dim_of) {
  if (const std::optional<std::string> what = UnsupportedType(type))
    return MakeError("E0905", absl::StrCat("it is ", *what, ", which Tenfold does not have"));
  const TypeProto::Tensor& tensor = type.tensor_type();
  const DType dtype = *DTypeOf(tensor.elem_type());
  if (!tensor.has_shape()) return TensorType{dtype, Shape::UnknownRank()};
  if (tensor.shape().dim_size() > limits.rank) {
    return MakeError("E0402",
                     absl::StrCat("it has ", tensor.shape().dim_size(), " dims; the limit is ", limits.rank),
                     RaiseLimitHelp("rank", tensor.shape().dim_size()));
  }
  std::vector<Dim> dims;
  for (int i = 0; i < tensor.shape().dim_size(); ++i) {
    const TensorShapeProto::Dimension& dim = tensor.shape().dim(i);
    // Exporters write -1, too, for what they do not know.
    if (dim.has_dim_value() && dim.dim_value() >= 0) {
      dims.push_back(Dim(dim.dim_value()));
    } else if (!dim.dim_param().empty() && dim.dim_param() != "?") {
      dims.push_back(dim_of(Printable(dim.dim_param())));
    } else {
      dims.push_back(dim_of(absl::StrCat(input, "_", i)));
    }
  }
  return TensorType{dtype, Shape(std::move(dims))};
}

}  // namespace tenfold::onnx
