// SPDX-License-Identifier: Apache-2.0
//
// Fourier transforms of signals. The last dim holds a number's parts: one of a real number, two of a complex.
#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/fourier_transform.h"
#include "tenfold/graph/graph_builder.h"
#include "tenfold/graph/infer_context.h"
#include "tenfold/graph/kernel_context.h"
#include "tenfold/graph/ops/checks.h"
#include "tenfold/graph/ops/composing.h"
#include "tenfold/graph/ops/standard.h"

namespace tenfold {
namespace {

// Input `i` has a last dim of 1 or 2; gives which.
absl::StatusOr<int64_t> PartsOf(InferContext& c, int i) {
  const Dim& parts = c.shape(i).dim(c.shape(i).rank() - 1);
  if (parts == Dim(1) || parts == Dim(2)) return parts.constant();
  return c.Fail(
      "E0212",
      absl::StrCat(c.InputText(i), ", but its last dim must be 1, of real numbers, or 2, of complex ones"),
      absl::StrCat("Unsqueeze(", c.NameOf(i), ", {-1}) makes real numbers of it"));
}

// --- DFT ---------------------------------------------------------------------------------------------------

enum DftInput { kX, kLength, kAxis };

absl::StatusOr<int> DftAxis(InferContext& c) {
  const int rank = c.shape(kX).rank();
  Dim wanted = -2;
  if (c.has(kAxis)) {
    TENFOLD_ASSIGN_OR_RETURN(wanted, KnownValue(c, kAxis));
  }
  if (!wanted.is_constant()) return c.Fail("E0211", "axis is no number");
  const int64_t listed = wanted.constant();
  TENFOLD_ASSIGN_OR_RETURN(const std::vector<int> axes, c.NormalizeAxes("axis", {&listed, 1}, rank));
  if (axes[0] == rank - 1)
    return c.Fail("E0203", absl::StrCat("axis ", listed, " is the dim of a number's parts"));
  return axes[0];
}

absl::Status InferDft(InferContext& c) {
  const Shape& x = c.shape(kX);
  if (!x.has_rank()) return c.Fail("E0209", "the rank of x is not known");
  TENFOLD_RETURN_IF_ERROR(c.RankAtLeast(kX, 2));
  TENFOLD_ASSIGN_OR_RETURN(const int64_t parts, PartsOf(c, kX));
  TENFOLD_ASSIGN_OR_RETURN(const int axis, DftAxis(c));
  const bool onesided = c.attrs().Get<bool>("onesided"), inverse = c.attrs().Get<bool>("inverse");
  if (onesided && !inverse && parts == 2) {
    return c.Fail(
        "E0102",
        absl::StrCat("onesided is true, but ", c.InputText(kX), ", whose transform has no symmetric half"),
        "onesided=false gives all of it");
  }
  Dim length = onesided && inverse ? (x.dim(axis) - 1) * Dim(2) : x.dim(axis);
  if (c.has(kLength)) {
    TENFOLD_ASSIGN_OR_RETURN(length, KnownValue(c, kLength));
  }
  if (length.is_constant() && length.constant() < 1) {
    return c.Fail("E0212", absl::StrCat("the length of the transform is ", length.ToString(),
                                        ", but must be at least 1"));
  }
  std::vector<Dim> dims = x.dims();
  dims[axis] = onesided && !inverse ? FloorDiv(length, 2) + 1 : length;
  dims.back() = onesided && inverse ? 1 : 2;
  return c.SetOutput(0, Shape(std::move(dims)));
}

// One run: which transform, and where a line of numbers lies.
struct Transform {
  bool onesided, inverse;
  int64_t in, out, in_parts, out_parts, inner;  // inner: numbers from one of a line to the next

  // The numbers of a line, as many as the transform is long: cut off, or followed by zeros. Of a symmetric
  // half, all of it. Both parts are exchanged for an inverse.
  template <typename T>
  void Read(const T* line, std::span<Complex> numbers) const {
    const auto length = static_cast<int64_t>(numbers.size());
    const bool half = onesided && inverse;
    const int64_t given = std::min(in, half ? length / 2 + 1 : length);
    for (int64_t k = 0; k < given; ++k) {
      const T* const at = line + k * inner * in_parts;
      Complex number = {static_cast<double>(Widen(at[0])),
                        in_parts == 2 ? static_cast<double>(Widen(at[1])) : 0};
      // What is its own mirror image is real.
      if (half && (k == 0 || 2 * k == length)) number.imaginary = 0;
      numbers[k] = number;
    }
    std::fill(numbers.begin() + given, numbers.end(), Complex{});
    for (int64_t k = length / 2 + 1; half && k < length; ++k) {
      numbers[k] = {numbers[length - k].real, -numbers[length - k].imaginary};
    }
    if (!inverse) return;
    for (Complex& number : numbers) std::swap(number.real, number.imaginary);
  }

  template <typename T>
  void Write(std::span<const Complex> numbers, T* line) const {
    const double scale = static_cast<double>(numbers.size());
    for (int64_t k = 0; k < out; ++k) {
      T* const at = line + k * inner * out_parts;
      const double real = inverse ? numbers[k].imaginary / scale : numbers[k].real;
      at[0] = Narrow<T>(real);
      if (out_parts == 2) at[1] = Narrow<T>(inverse ? numbers[k].real / scale : numbers[k].imaginary);
    }
  }
};

absl::Status RunDft(KernelContext& c) {
  const KernelTensor &x = c.input(kX), &y = c.output();
  const int64_t wanted = c.has(kAxis) ? IndexAt(c.input(kAxis), 0) : -2;
  const int axis = NormalizeAxis(wanted, x.rank()).value_or(0);
  const int64_t parts = x.dims.back();
  const Transform transform = {.onesided = c.attrs().Get<bool>("onesided"),
                               .inverse = c.attrs().Get<bool>("inverse"),
                               .in = x.dims[axis],
                               .out = y.dims[axis],
                               .in_parts = parts,
                               .out_parts = y.dims.back(),
                               .inner = x.Inner(axis) / parts};
  const int64_t length = c.has(kLength)                            ? IndexAt(c.input(kLength), 0)
                         : transform.onesided && transform.inverse ? 2 * (transform.in - 1)
                                                                   : transform.in;
  if (length < 1) {
    return c.Fail("E0615",
                  absl::StrCat("the length of the transform is ", length, ", but must be at least 1"));
  }
  const auto should_stop = [&] { return c.ShouldStop(); };
  TENFOLD_ASSIGN_OR_RETURN(const FourierTransform fourier, FourierTransform::Create(length, should_stop));
  const int64_t lines = y.count / (transform.out * transform.out_parts);
  const int64_t cost = std::min<int64_t>(length, int64_t{1} << 40) * 64;
  return c.ForEachRange(lines, cost, [&](int64_t begin, int64_t end, void*) -> absl::Status {
    TENFOLD_ASSIGN_OR_RETURN(Tensor room,
                             Tensor::Allocate(DType::kF64, Dims{2 * length + fourier.work_size(), 2}));
    Complex* const numbers = static_cast<Complex*>(room.mutable_data());
    Complex* const result = numbers + length;
    for (int64_t line = begin; line < end && !c.ShouldStop(); ++line) {
      const int64_t outer = line / transform.inner, inner = line % transform.inner;
      VisitComputed(x.dtype, [&]<typename T>(std::type_identity<T>) {
        transform.Read(x.values<T>().data() + (outer * transform.in * transform.inner + inner) * parts,
                       std::span(numbers, static_cast<size_t>(length)));
        fourier.Run(numbers, result, result + length, should_stop);
        transform.Write(std::span<const Complex>(result, static_cast<size_t>(length)),
                        y.mutable_values<T>().data() +
                            (outer * transform.out * transform.inner + inner) * transform.out_parts);
      });
    }
    return absl::OkStatus();
  });
}

// --- STFT --------------------------------------------------------------------------------------------------

enum StftInput { kSignal, kStep, kWindow, kFrameLength };

absl::Status InferStft(InferContext& c) {
  const Shape& signal = c.shape(kSignal);
  if (!signal.has_rank() || signal.rank() != 3) {
    return c.Fail("E0207", absl::StrCat(c.InputText(kSignal), ", but must be [batch, length, 1 or 2]"));
  }
  TENFOLD_ASSIGN_OR_RETURN(const int64_t parts, PartsOf(c, kSignal));
  const bool onesided = c.attrs().Get<bool>("onesided");
  if (onesided && parts == 2) {
    return c.Fail("E0102",
                  absl::StrCat("onesided is true, but ", c.InputText(kSignal),
                               ", whose transform has no symmetric half"),
                  "onesided=false gives all of it");
  }
  if (!c.has(kWindow) && !c.has(kFrameLength)) {
    return c.Fail("E0103", "needs a window or a frame_length, which says how long a frame is");
  }
  if (c.has(kWindow) && (!c.shape(kWindow).has_rank() || c.shape(kWindow).rank() != 1)) {
    return c.Fail("E0207", absl::StrCat(c.InputText(kWindow), ", but must be a list"));
  }
  TENFOLD_ASSIGN_OR_RETURN(const Dim step, KnownValue(c, kStep));
  Dim length = c.has(kWindow) ? c.shape(kWindow).dim(0) : Dim(0);
  if (c.has(kFrameLength)) {
    TENFOLD_ASSIGN_OR_RETURN(length, KnownValue(c, kFrameLength));
    if (c.has(kWindow) && !(c.shape(kWindow).dim(0) == length)) {
      return c.Fail("E0201",
                    absl::StrCat(c.InputText(kWindow), ", but a frame has ", length.ToString(), " elements"));
    }
  }
  if (!step.is_constant() || step.constant() < 1) {
    return c.Fail("E0212",
                  absl::StrCat("frame_step is ", step.ToString(), ", but must be a number of at least 1"));
  }
  if (length.is_constant() && length.constant() < 1) {
    return c.Fail("E0212",
                  absl::StrCat("a frame has ", length.ToString(), " elements, but must have at least 1"));
  }
  // As Range counts.
  const Dim frames = Max(FloorDiv(signal.dim(1) - length + 1 + step - 1, step), 0);
  return c.SetOutput(0, Shape{signal.dim(0), frames, onesided ? FloorDiv(length, 2) + 1 : length, 2});
}

// All frames, one behind the other, times the window, transformed.
Value BuildStft(std::span<const Value> in, const Attrs& attrs) {
  GraphBuilder& builder = *in[kSignal].builder();
  const Value zero = builder.Const(Tensor::Scalar<int64_t>(0), ""),
              one = builder.Const(Tensor::Scalar<int64_t>(1), "");
  const Value step = As(in[kStep], DType::kI64);
  const Value length = ApplyOp(
      "Reshape", {IsThere(in, kWindow) ? ExtentOf(in[kWindow], 0) : As(in[kFrameLength], DType::kI64), {1}});
  const Value starts = ApplyOp("Range", {zero, ExtentOf(in[kSignal], 1) - length + one, step});
  const Value positions = ApplyOp("Unsqueeze", {starts, {1}}) + ApplyOp("Range", {zero, length, one});
  Value frames = ApplyOp("Gather", {in[kSignal], positions}, {{"axis", int64_t{1}}});
  if (IsThere(in, kWindow)) frames = frames * ApplyOp("Unsqueeze", {in[kWindow], {1}});
  return ApplyOp("DFT", {frames, std::nullopt, 2}, {{"onesided", attrs.Get<bool>("onesided")}});
}

}  // namespace

std::vector<OpDef> FourierOps() {
  const auto known = [](const char* name, const char* doc, Arity arity) {
    return PortDef{
        .name = name, .type_var = name, .dtypes = kIndex, .doc = doc, .arity = arity, .known = true};
  };
  return {
      {.name = "DFT",
       .inputs = {{"x", "T", kFloat, "[..., 1] real numbers, or [..., 2] complex ones"},
                  known("dft_length",
                        "to which the signal is cut off, or filled up with zeros; absent: its own, or that "
                        "which an even transform's half is of",
                        Arity::kOptional),
                  known("axis", "of the signal, not the last; absent: -2", Arity::kOptional)},
       .attrs = {{"inverse", AttrKind::kBool, AttrValue(false), "the inverse, divided by the length"},
                 {"onesided", AttrKind::kBool, AttrValue(false),
                  "of the symmetric transform of real numbers only the first half, length / 2 + 1 numbers; "
                  "inverse: of such a half the real numbers, [..., 1]"}},
       .outputs = {{"y", "T", kFloat, "[..., 2]"}},
       .doc =
           "The discrete Fourier transform of any length: sum of x[j] exp(-2 pi i j k / length). Computed in "
           "f64 and rounded once.",
       .bound = "In f64 the error grows with the logarithm of the length.",
       .infer = InferDft,
       .computation = HostKernel{.run = RunDft, .cost = 128}},
      {.name = "STFT",
       .inputs = {{"signal", "T", kFloat,
                   "[batch, length, 1] real numbers, or [batch, length, 2] complex ones"},
                  known("frame_step", "from the start of one frame to that of the next", Arity::kRequired),
                  {"window", "T", kFloat, "what each frame is multiplied by; as long as one",
                   Arity::kOptional},
                  known("frame_length", "absent: that of the window", Arity::kOptional)},
       .attrs = {{"onesided", AttrKind::kBool, AttrValue(true), "as of DFT"}},
       .outputs = {{"y", "T", kFloat, "[batch, frames, frame length, 2], onesided frame length / 2 + 1"}},
       .doc = "DFT of the frames of a signal, those that lie in it whole; of one that is shorter, none.",
       .bound = "That of DFT, of frames rounded once.",
       .infer = InferStft,
       .computation = Composite{BuildStft}},
  };
}

}  // namespace tenfold
