// SPDX-License-Identifier: Apache-2.0
//
// Shapes as values, and tensors that follow from a shape or from where an element stands.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/graph_builder.h"
#include "tenfold/graph/infer_context.h"
#include "tenfold/graph/kernel_context.h"
#include "tenfold/graph/ops/ports.h"
#include "tenfold/graph/ops/standard.h"

namespace tenfold {
namespace {

// --- Shape, Size -------------------------------------------------------------------------------------------

absl::Status InferShapeOf(InferContext& c) {
  if (!c.shape(0).has_rank()) return c.Fail("E0209", "the rank of data is not known");
  const std::vector<Dim>& dims = c.shape(0).dims();
  const auto rank = static_cast<int64_t>(dims.size());
  // As Slice clamps.
  const auto clamped = [&](const char* name) {
    const int64_t at = c.attrs().Get<int64_t>(name);
    return std::clamp<int64_t>(at < 0 ? at + rank : at, 0, rank);
  };
  const int64_t start = clamped("start"), end = std::max(start, clamped("end"));
  TENFOLD_RETURN_IF_ERROR(c.SetOutput(0, Shape{end - start}));
  return c.SetContents(0, Contents(dims.begin() + start, dims.begin() + end));
}

absl::Status InferSize(InferContext& c) {
  if (!c.shape(0).has_rank()) return c.Fail("E0209", "the rank of data is not known");
  TENFOLD_RETURN_IF_ERROR(c.SetOutput(0, Shape()));
  return c.SetContents(0, {c.shape(0).num_elements()});
}

// --- ConstantOfShape ---------------------------------------------------------------------------------------

absl::Status InferConstantOfShape(InferContext& c) {
  TENFOLD_ASSIGN_OR_RETURN(const Contents wanted, c.Known(0));
  const Tensor value = c.attrs().Get<Tensor>("value");
  if (value.num_elements() != 1) {
    return c.Fail("E0102", absl::StrCat("value is ", value.type().ToString(), ", but it is one value"));
  }
  Shape shape(wanted);
  const std::optional<Contents> element = ContentsOf(value);
  const bool known = element && shape.rank() <= 1 && shape.is_static() &&
                     shape.num_elements().constant() <= kMaxKnownContents;
  TENFOLD_RETURN_IF_ERROR(c.SetOutputType(0, {value.dtype(), shape}));
  return known ? c.SetContents(0, Contents(shape.num_elements().constant(), element->front()))
               : absl::OkStatus();
}

Value BuildConstantOfShape(std::span<const Value> in, const Attrs& attrs) {
  const Value value = in[0].builder()->Const(attrs.Get<Tensor>("value").Reshape({}), "");
  return ApplyOp("Expand", {value, in[0]});
}

Tensor ZeroF32() {
  const float zero = 0;
  const int64_t one = 1;
  return Tensor::Splat(DType::kF32, {&one, 1}, &zero).value_or(Tensor());
}

// --- Range -------------------------------------------------------------------------------------------------

// How many steps lead from start to below limit. Integers by their known values, which may be symbols; floats
// by the constants that they must be.
absl::StatusOr<Dim> CountOfRange(InferContext& c) {
  for (int i = 0; i < 3; ++i) {
    if (c.shape(i).has_rank() && !(c.shape(i).num_elements() == Dim(1))) {
      return c.Fail("E0212", absl::StrCat(c.InputText(i), ", but it is one value"));
    }
  }
  if (!IsFloat(c.dtype(0))) {
    Dim value[3];
    for (int i = 0; i < 3; ++i) {
      TENFOLD_ASSIGN_OR_RETURN(const Contents known, c.Known(i));
      value[i] = known[0];
    }
    const auto& [start, limit, delta] = value;
    if (!delta.is_constant() || delta == Dim(0)) {
      return c.Fail("E0212",
                    absl::StrCat("delta is ", delta.ToString(), ", but it must be a number other than 0"));
    }
    if (delta.constant() > 0) return Max(FloorDiv(limit - start + delta - 1, delta), 0);
    return Max(FloorDiv(start - limit - delta - 1, Dim(0) - delta), 0);
  }
  double value[3];
  for (int i = 0; i < 3; ++i) {
    const Tensor* constant = c.constant(i);
    if (constant == nullptr) {
      return c.Fail("E0211",
                    absl::StrCat(c.InputText(i),
                                 ", whose value is not known while the graph is built, "
                                 "and the shape of the result follows from it"),
                    "write it as a constant");
    }
    value[i] = constant->dtype() == DType::kF32 ? constant->at<float>(0) : constant->at<double>(0);
  }
  const double count = std::ceil((value[1] - value[0]) / value[2]);
  if (!(std::abs(count) < 0x1p62)) {
    return c.Fail("E0212", absl::StrCat("from ", value[0], " to ", value[1], " by ", value[2],
                                        " there is no number of steps"));
  }
  return Dim(std::max<int64_t>(0, static_cast<int64_t>(count)));
}

absl::Status InferRange(InferContext& c) {
  TENFOLD_ASSIGN_OR_RETURN(const Dim count, CountOfRange(c));
  TENFOLD_RETURN_IF_ERROR(c.SetOutput(0, Shape{count}));
  const bool known = !IsFloat(c.dtype(0)) && count.is_constant() && count.constant() <= kMaxKnownContents;
  if (!known) return absl::OkStatus();
  Contents contents;
  for (int64_t i = 0; i < count.constant(); ++i) {
    contents.push_back((*c.contents(0))[0] + (*c.contents(2))[0] * Dim(i));
  }
  return c.SetContents(0, std::move(contents));
}

absl::Status RunRange(KernelContext& c) {
  const KernelTensor& y = c.output();
  return VisitComputed(y.dtype, [&]<typename T>(std::type_identity<T>) -> absl::Status {
    if constexpr (std::is_same_v<T, bool> || Half<T>) {
      return c.Fail("E9001", "a dtype that no Range has");
    } else {
      // Integers wrap.
      using Work = std::conditional_t<std::is_integral_v<T>, uint64_t, T>;
      const auto start = static_cast<Work>(c.input(0).values<T>()[0]);
      const auto delta = static_cast<Work>(c.input(2).values<T>()[0]);
      return c.ForEachRange(y.count, 1, [&](int64_t begin, int64_t end, void*) {
        T* const out = y.mutable_values<T>().data();
        for (int64_t i = begin; i < end; ++i) {
          const Work product = static_cast<Work>(i) * delta;
          out[i] = static_cast<T>(start + product);
        }
        return absl::OkStatus();
      });
    }
  });
}

// --- EyeLike, Trilu ----------------------------------------------------------------------------------------

absl::Status InferEyeLike(InferContext& c) {
  const Shape& shape = c.shape(0);
  if (shape.has_rank() && shape.rank() != 2) {
    return c.Fail("E0207", absl::StrCat(c.InputText(0), ", but a matrix is needed"));
  }
  const AttrValue* dtype = c.attrs().Find("dtype");
  if (dtype != nullptr && !kComputed.Contains(std::get<DType>(*dtype))) {
    const absl::string_view name = Name(std::get<DType>(*dtype));
    return c.Fail("E0206", absl::StrCat("attribute 'dtype' is ", name, ", which only stores values"),
                  absl::StrCat("Cast(y, to=", name, ") of the result converts it"));
  }
  return c.SetOutputType(0, {dtype == nullptr ? c.dtype(0) : std::get<DType>(*dtype), shape});
}

// 1 of any dtype, as bytes.
std::array<char, 8> OneOf(DType dtype) {
  std::array<char, 8> bytes = {};
  VisitComputed(dtype, [&]<typename T>(std::type_identity<T>) {
    const T one = Narrow<T>(1.0f);
    std::memcpy(bytes.data(), &one, sizeof(T));
  });
  return bytes;
}

absl::Status RunEyeLike(KernelContext& c) {
  const KernelTensor& y = c.output();
  const int64_t columns = y.dims[1], size = y.element_size(), k = c.attrs().Get<int64_t>("k");
  const std::array<char, 8> one = OneOf(y.dtype);
  return c.ForEachRange(y.dims[0], columns, [&](int64_t begin, int64_t end, void*) {
    for (int64_t row = begin; row < end; ++row) {
      char* const out = y.mutable_bytes() + row * columns * size;
      std::memset(out, 0, columns * size);
      int64_t column;
      if (!__builtin_add_overflow(row, k, &column) && column >= 0 && column < columns)
        std::memcpy(out + column * size, one.data(), size);
    }
    return absl::OkStatus();
  });
}

absl::Status InferTrilu(InferContext& c) {
  TENFOLD_RETURN_IF_ERROR(c.RankAtLeast(0, 2));
  if (c.has(1) && c.shape(1).has_rank() && !(c.shape(1).num_elements() == Dim(1))) {
    return c.Fail("E0212", absl::StrCat(c.InputText(1), ", but it is one value"));
  }
  return c.SetOutput(0, c.shape(0));
}

absl::Status RunTrilu(KernelContext& c) {
  const KernelTensor &x = c.input(0), &y = c.output();
  const int64_t rows = y.dims[y.rank() - 2], columns = y.dims[y.rank() - 1], size = y.element_size();
  const bool upper = c.attrs().Get<bool>("upper");
  const int64_t k = c.has(1) ? c.input(1).values<int64_t>()[0] : 0;
  return c.ForEachRange(y.count / columns, columns, [&](int64_t begin, int64_t end, void*) {
    for (int64_t unit = begin; unit < end; ++unit) {
      // The diagonal goes through this column; what stands to its left is the lower part.
      int64_t diagonal;
      if (__builtin_add_overflow(unit % rows, k, &diagonal)) diagonal = k < 0 ? -1 : columns;
      const int64_t edge =
          std::clamp<int64_t>(upper ? diagonal : std::min(diagonal, columns) + 1, 0, columns);
      const char* const from = x.bytes() + unit * columns * size;
      char* const to = y.mutable_bytes() + unit * columns * size;
      if (upper) {
        std::memset(to, 0, edge * size);
        std::memcpy(to + edge * size, from + edge * size, (columns - edge) * size);
      } else {
        std::memcpy(to, from, edge * size);
        std::memset(to + edge * size, 0, (columns - edge) * size);
      }
    }
    return absl::OkStatus();
  });
}

}  // namespace

std::vector<OpDef> ShapeOps() {
  const PortDef data = {"data", "T", kAnyType, ""}, result = {"y", "T", kAnyType, ""};
  const PortDef count = {"y", "Count", {DType::kI64}, ""};
  constexpr DTypeSet kCounting = {DType::kI16, DType::kI32, DType::kI64, DType::kF32, DType::kF64};
  const auto bound = [&](const char* name, const char* doc) {
    return PortDef{.name = name, .type_var = "T", .dtypes = kCounting, .doc = doc, .known = true};
  };
  return {
      {.name = "Shape",
       .inputs = {data},
       .attrs = {{"start", AttrKind::kInt, AttrValue(int64_t{0}), "the first dim; negative: from the end"},
                 {"end", AttrKind::kInt, AttrValue(std::numeric_limits<int64_t>::max()),
                  "behind the last dim; negative: from the end"}},
       .outputs = {count},
       .doc = "The extents of a tensor. Its elements are not read.",
       .infer = InferShapeOf,
       .computation = FromShapes{}},
      {.name = "Size",
       .inputs = {data},
       .outputs = {count},
       .doc = "The number of elements of a tensor, which are not read.",
       .infer = InferSize,
       .computation = FromShapes{}},
      {.name = "ConstantOfShape",
       .inputs = {{.name = "shape", .type_var = "I", .dtypes = {DType::kI64}, .doc = "", .known = true}},
       .attrs = {{"value", AttrKind::kTensor, AttrValue(ZeroF32()),
                  "the one value, which gives the dtype, too"}},
       .outputs = {{"y", "value", kAnyType, ""}},
       .doc = "A tensor of one value.",
       .infer = InferConstantOfShape,
       .computation = Composite{.build = BuildConstantOfShape, .only_moves = true}},
      {.name = "Range",
       .inputs = {bound("start", "the first element"), bound("limit", "no element reaches it"),
                  bound("delta", "from one element to the next; not 0")},
       .outputs = {{"y", "T", kCounting, ""}},
       .doc =
           "start + i * delta for i = 0, 1, ..., below the limit. The product and the sum are rounded each; "
           "integers wrap.",
       .infer = InferRange,
       .computation = HostKernel{RunRange}},
      {.name = "EyeLike",
       .inputs = {{"x", "T", kComputed, "whose shape it is; its elements do not matter"}},
       .attrs = {{"k", AttrKind::kInt, AttrValue(int64_t{0}),
                  "which diagonal: above the main one if positive"},
                 OptionalAttr("dtype", AttrKind::kDType, "of the result; absent: that of x")},
       .outputs = {{"y", "dtype", kComputed, ""}},
       .doc = "A matrix of zeros with ones on a diagonal.",
       .infer = InferEyeLike,
       .computation = HostKernel{RunEyeLike}},
      {.name = "Trilu",
       .inputs = {{"x", "T", kAnyType, "[..., m, n]"},
                  {"k",
                   "K",
                   {DType::kI64},
                   "which diagonal: above the main one if positive; absent: 0",
                   Arity::kOptional}},
       .attrs = {{"upper", AttrKind::kBool, AttrValue(true),
                  "the part on and above the diagonal, else below"}},
       .outputs = {result},
       .doc = "Keeps the triangle of a matrix on one side of a diagonal, the diagonal included, and puts 0 "
              "elsewhere.",
       .infer = InferTrilu,
       .computation = HostKernel{RunTrilu}},
  };
}

}  // namespace tenfold
