// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/serialization/decode_values.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "tenfold/graph/ingest/element_bytes.h"
#include "tenfold/graph/serialization/encode.h"

namespace tenfold {
namespace {

absl::StatusOr<DType> DecodeDType(absl::string_view name) {
  if (const std::optional<DType> dtype = ParseDType(name)) return *dtype;
  return WrongStructure(absl::StrCat("there is no dtype '", name.substr(0, 40), "'"));
}

absl::StatusOr<Dim> DecodeDim(const v1::Dim& encoded, const Limits& limits) {
  TENFOLD_RETURN_IF_ERROR(CheckKnown(encoded, "a dim"));
  switch (encoded.value_case()) {
    case v1::Dim::kConstant:
      if (encoded.constant() < 0) return WrongStructure(absl::StrCat("a dim is ", encoded.constant()));
      return Dim(encoded.constant());
    case v1::Dim::kExpression: {
      TENFOLD_RETURN_IF_ERROR(
          CheckCount(encoded.expression().size(), limits.name_bytes, "name_bytes", "bytes of a dim"));
      TENFOLD_ASSIGN_OR_RETURN(Dim dim, Dim::Parse(encoded.expression()));
      if (dim.is_constant() && dim.constant() < 0)
        return WrongStructure(absl::StrCat("a dim is ", dim.constant()));
      return dim;
    }
    case v1::Dim::VALUE_NOT_SET:
      break;
  }
  return WrongStructure("a dim has no value");
}

// A bool is 0 or 1: any other byte would be a value that no op is defined for.
absl::Status CheckBools(DType dtype, absl::string_view bytes) {
  const std::optional<BadBool> bad = dtype == DType::kBool ? FindBadBool(bytes) : std::nullopt;
  return bad ? WrongStructure(absl::StrCat("a bool is stored as ", bad->value)) : absl::OkStatus();
}

// Behind an odd number of packed elements stands 0, so that equal graphs have equal bytes.
absl::Status CheckUnusedHalf(DType dtype, int64_t count, absl::string_view bytes) {
  const bool clear = !IsPacked(dtype) || count % 2 == 0 || (static_cast<uint8_t>(bytes.back()) >> 4) == 0;
  return clear ? absl::OkStatus()
               : WrongStructure(absl::StrCat("behind the last ", Name(dtype), " stands no 0"));
}

absl::StatusOr<Tensor> Copied(DType dtype, const Dims& dims, absl::string_view bytes) {
  TENFOLD_ASSIGN_OR_RETURN(Tensor tensor, Tensor::Allocate(dtype, dims));
  if (!bytes.empty()) std::memcpy(tensor.mutable_data(), bytes.data(), bytes.size());
  return tensor;
}

}  // namespace

absl::Status WrongStructure(absl::string_view what) {
  return MakeError("E0502", absl::StrCat("the file's structure is wrong: ", what),
                   "write it again from its source");
}

absl::Status CheckCount(int64_t count, int64_t limit, const char* limit_name, absl::string_view what) {
  if (count <= limit) return absl::OkStatus();
  return MakeError("E0402", absl::StrCat("the file has ", count, " ", what, "; the limit is ", limit),
                   RaiseLimitHelp(limit_name, count));
}

absl::StatusOr<TensorType> DecodeType(const v1::Type& encoded, const Limits& limits) {
  TENFOLD_RETURN_IF_ERROR(CheckKnown(encoded, "a type"));
  TENFOLD_ASSIGN_OR_RETURN(const DType dtype, DecodeDType(encoded.dtype()));
  if (encoded.unknown_rank()) {
    if (encoded.dims_size() > 0) return WrongStructure("a type of unknown rank has dims");
    return TensorType{dtype, Shape::UnknownRank()};
  }
  TENFOLD_RETURN_IF_ERROR(CheckCount(encoded.dims_size(), limits.rank, "rank", "dims in a type"));
  std::vector<Dim> dims;
  for (const v1::Dim& each : encoded.dims()) {
    TENFOLD_ASSIGN_OR_RETURN(Dim dim, DecodeDim(each, limits));
    dims.push_back(std::move(dim));
  }
  return TensorType{dtype, Shape(std::move(dims))};
}

absl::StatusOr<Tensor> DecodeTensor(const v1::Tensor& encoded, const DecodeContext& context) {
  TENFOLD_RETURN_IF_ERROR(CheckKnown(encoded, "a tensor"));
  const Limits& limits = context.options.limits;
  TENFOLD_ASSIGN_OR_RETURN(const DType dtype, DecodeDType(encoded.dtype()));
  TENFOLD_RETURN_IF_ERROR(CheckCount(encoded.dims_size(), limits.rank, "rank", "dims in a tensor"));
  const Dims dims(encoded.dims().begin(), encoded.dims().end());
  const TensorType type = {dtype, Shape::Of(dims)};
  const std::optional<int64_t> count = NumElements(dims);
  if (!count) return WrongStructure(absl::StrCat("no tensor can be ", type.ToString()));
  const int64_t element = static_cast<int64_t>(SizeOf(dtype));

  if (encoded.contents_case() == v1::Tensor::kExternal) {
    const v1::ExternalArray& array = encoded.external();
    TENFOLD_RETURN_IF_ERROR(CheckKnown(array, "an external array"));
    ArrayRequest request = {.file = array.file(), .member = array.member(), .checksum = std::nullopt};
    if (array.has_checksum()) request.checksum = array.checksum();
    TENFOLD_ASSIGN_OR_RETURN(IngestedArray resolved, ResolveArray(context.options.resolve, request, &type));
    return std::move(resolved.tensor);
  }
  if (encoded.contents_case() == v1::Tensor::kSplat) {
    if (static_cast<int64_t>(encoded.splat().size()) != element) {
      return WrongStructure(
          absl::StrCat("a splat of ", Name(dtype), " is ", encoded.splat().size(), " bytes long"));
    }
    TENFOLD_RETURN_IF_ERROR(CheckBools(dtype, encoded.splat()));
    TENFOLD_RETURN_IF_ERROR(CheckUnusedHalf(dtype, 1, encoded.splat()));
    return Tensor::Splat(dtype, dims, encoded.splat().data());
  }
  absl::string_view bytes = encoded.inline_();
  const bool in_data = encoded.contents_case() == v1::Tensor::kData;
  if (in_data) {
    const v1::DataRange& range = encoded.data();
    TENFOLD_RETURN_IF_ERROR(CheckKnown(range, "a data range"));
    if (range.offset() % kDataAlignment != 0 || range.offset() > context.data.size() ||
        range.size() > context.data.size() - range.offset()) {
      return WrongStructure(absl::StrCat("a tensor lies outside the data section, or not at a multiple of ",
                                         kDataAlignment, " bytes"));
    }
    bytes = context.data.substr(range.offset(), range.size());
  } else if (encoded.contents_case() != v1::Tensor::kInline) {
    return WrongStructure("a tensor has no contents");
  }
  if (*count > limits.tensor_bytes / element) {
    return MakeError("E0402",
                     absl::StrCat("the constant ", type.ToString(), " is larger than the limit of ",
                                  limits.tensor_bytes, " bytes"),
                     *count <= INT64_MAX / element ? RaiseLimitHelp("tensor_bytes", *count * element) : "");
  }
  if (const uint64_t needed = BytesOf(dtype, *count); bytes.size() != needed) {
    return WrongStructure(absl::StrCat(type.ToString(), " needs ", needed, " bytes, but has ", bytes.size()));
  }
  TENFOLD_RETURN_IF_ERROR(CheckBools(dtype, bytes));
  TENFOLD_RETURN_IF_ERROR(CheckUnusedHalf(dtype, *count, bytes));
  if (in_data && context.owner != nullptr) return Tensor::Wrap(dtype, dims, bytes.data(), context.owner);
  return Copied(dtype, dims, bytes);
}

absl::StatusOr<AttrValue> DecodeAttr(const v1::Attribute& encoded, const DecodeContext& context) {
  TENFOLD_RETURN_IF_ERROR(CheckKnown(encoded, "an attribute"));
  switch (encoded.value_case()) {
    case v1::Attribute::kBoolValue:
      return AttrValue(encoded.bool_value());
    case v1::Attribute::kIntValue:
      return AttrValue(int64_t{encoded.int_value()});
    case v1::Attribute::kFloatValue:
      return AttrValue(encoded.float_value());
    case v1::Attribute::kStringValue:
      return AttrValue(encoded.string_value());
    case v1::Attribute::kIntsValue: {
      TENFOLD_RETURN_IF_ERROR(CheckKnown(encoded.ints_value(), "a list of integers"));
      const auto& values = encoded.ints_value().values();
      TENFOLD_RETURN_IF_ERROR(CheckCount(values.size(), context.options.limits.node_values, "node_values",
                                         "integers in one attribute"));
      return AttrValue(std::vector<int64_t>(values.begin(), values.end()));
    }
    case v1::Attribute::kFloatsValue: {
      TENFOLD_RETURN_IF_ERROR(CheckKnown(encoded.floats_value(), "a list of floats"));
      const auto& values = encoded.floats_value().values();
      TENFOLD_RETURN_IF_ERROR(CheckCount(values.size(), context.options.limits.node_values, "node_values",
                                         "floats in one attribute"));
      return AttrValue(std::vector<double>(values.begin(), values.end()));
    }
    case v1::Attribute::kStringsValue: {
      TENFOLD_RETURN_IF_ERROR(CheckKnown(encoded.strings_value(), "a list of strings"));
      const auto& values = encoded.strings_value().values();
      TENFOLD_RETURN_IF_ERROR(CheckCount(values.size(), context.options.limits.node_values, "node_values",
                                         "strings in one attribute"));
      return AttrValue(std::vector<std::string>(values.begin(), values.end()));
    }
    case v1::Attribute::kDtypeValue: {
      TENFOLD_ASSIGN_OR_RETURN(const DType dtype, DecodeDType(encoded.dtype_value()));
      return AttrValue(dtype);
    }
    case v1::Attribute::kTypeValue: {
      TENFOLD_ASSIGN_OR_RETURN(TensorType type, DecodeType(encoded.type_value(), context.options.limits));
      return AttrValue(std::move(type));
    }
    case v1::Attribute::kTensorValue: {
      TENFOLD_ASSIGN_OR_RETURN(Tensor tensor, DecodeTensor(encoded.tensor_value(), context));
      return AttrValue(std::move(tensor));
    }
    case v1::Attribute::VALUE_NOT_SET:
      break;
  }
  return WrongStructure(absl::StrCat("the attribute '", encoded.name().substr(0, 40), "' has no value"));
}

}  // namespace tenfold
