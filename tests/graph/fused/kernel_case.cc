// SPDX-License-Identifier: Apache-2.0
#include "tenfold/tests/graph/fused/kernel_case.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <numeric>

#include "tenfold/graph/fused/interpret.h"
#include "tenfold/graph/scalar/scalar.h"
#include "tenfold/graph/tensor.h"
#include "tenfold/tests/graph/fused/reference.h"

namespace tenfold {
namespace {

using Source = FusedKernel::Source;
using Stage = FusedKernel::Stage;

// ---- Running --------------------------------------------------------------------------------------------

// Elements that the strides reach.
int64_t Span(const FusedKernel& kernel, const std::vector<int64_t>& dims, int operand) {
  int64_t last = 0;
  for (int d = 0; d < kernel.rank(); ++d) last += (dims[d] - 1) * dims[kernel.rank() * (1 + operand) + d];
  return std::max<int64_t>(last, 0) + 1;
}

std::vector<int64_t> EvaluateDims(const FusedKernel& kernel, const SymbolValues& symbols) {
  std::vector<int64_t> dims;
  for (const Dim& d : kernel.DimExpressions()) dims.push_back(d.Evaluate(symbols).value());
  return dims;
}

KernelError NoError() { return {std::numeric_limits<int64_t>::max(), kKernelOk, 0}; }

// A buffer at a random distance from alignment.
struct Buffer {
  Tensor memory;
  size_t offset = 0;
  size_t bytes = 0;
  char* data() { return static_cast<char*>(memory.mutable_data()) + offset; }
};

Buffer MakeBuffer(size_t bytes, size_t offset) {
  const int64_t size[] = {static_cast<int64_t>(bytes + offset)};
  return {Tensor::Allocate(DType::kU8, size).value(), offset, bytes};
}

// Small values with many repetitions, so that ties, zeros and special values meet.
void FillRandom(DType dtype, char* data, int64_t count, bool special, std::mt19937& random) {
  VisitComputed(dtype, [&]<typename T>(std::type_identity<T>) {
    for (int64_t i = 0; i < count; ++i) {
      const int kind = static_cast<int>(random() % 100);
      const double small = static_cast<double>(static_cast<int>(random() % 2001) - 1000) / 64;
      T value;
      if constexpr (std::is_integral_v<T>) {
        value = static_cast<T>(kind < 3 ? 0 : static_cast<int64_t>(small));
      } else {
        double d = small;
        if (special && kind == 0) d = std::numeric_limits<double>::quiet_NaN();
        if (special && kind == 1) d = -std::numeric_limits<double>::infinity();
        if (kind == 2) d = -0.0;
        if (kind == 3) d = 1e-41;
        if constexpr (std::is_same_v<T, F16>)
          value = ToF16(d);
        else if constexpr (std::is_same_v<T, BF16>)
          value = ToBF16(d);
        else
          value = static_cast<T>(d);
      }
      std::memcpy(data + i * sizeof(T), &value, sizeof(T));
    }
  });
}

KernelError RunRange(const KernelInterpreter& interpreter, const std::vector<int64_t>& dims,
                     const std::vector<const void*>& inputs, const std::vector<void*>& outputs, int64_t begin,
                     int64_t end) {
  KernelError error = NoError();
  Buffer scratch = MakeBuffer(interpreter.ScratchBytes(dims), 0);
  const KernelCall call = {inputs.data(), outputs.data(), dims.data(), begin, end, scratch.data(), &error};
  interpreter.Run(call);
  return error;
}

}  // namespace

KernelError RunOnce(const FusedKernel& kernel, const SymbolValues& symbols,
                    const std::vector<const void*>& inputs, int64_t begin, int64_t end,
                    std::vector<void*> outputs) {
  const std::vector<int64_t> dims = EvaluateDims(kernel, symbols);
  std::vector<Buffer> buffers;
  if (outputs.empty()) {
    for (size_t o = 0; o < kernel.outputs.size(); ++o) {
      const int operand = static_cast<int>(kernel.inputs.size() + o);
      buffers.push_back(MakeBuffer(Span(kernel, dims, operand) * SizeOf(kernel.outputs[o].operand.dtype), 0));
      outputs.push_back(buffers.back().data());
    }
  }
  return RunRange(KernelInterpreter(kernel), dims, inputs, outputs, begin, end);
}

testing::AssertionResult Matches(const KernelCase& c, uint32_t seed) {
  std::mt19937 random(seed);
  const FusedKernel& kernel = c.kernel;
  const std::vector<int64_t> dims = EvaluateDims(kernel, c.symbols);
  const bool special = random() % 2 == 0;

  std::vector<Buffer> inputs;
  std::vector<const void*> input_data;
  for (size_t i = 0; i < kernel.inputs.size(); ++i) {
    const size_t size = SizeOf(kernel.inputs[i].dtype);
    const int64_t count = Span(kernel, dims, static_cast<int>(i));
    inputs.push_back(MakeBuffer(count * size, random() % 2 * size));
    FillRandom(kernel.inputs[i].dtype, inputs.back().data(), count, special, random);
    input_data.push_back(inputs.back().data());
  }
  std::vector<Buffer> expected, got;
  std::vector<void*> expected_data, got_data;
  for (size_t o = 0; o < kernel.outputs.size(); ++o) {
    const size_t size = SizeOf(kernel.outputs[o].operand.dtype);
    const size_t bytes = Span(kernel, dims, static_cast<int>(kernel.inputs.size() + o)) * size;
    const size_t offset = random() % 2 * size;
    for (auto [buffers, data] : {std::pair(&expected, &expected_data), std::pair(&got, &got_data)}) {
      buffers->push_back(MakeBuffer(bytes, offset));
      std::memset(buffers->back().data(), 0x41, bytes);
      data->push_back(buffers->back().data());
    }
  }

  KernelError expected_error = NoError();
  RunReference(kernel, dims, input_data, expected_data, expected_error);

  const KernelInterpreter interpreter(kernel);
  int64_t rows = 1;
  for (int d = 0; d < kernel.parallel_rank; ++d) rows *= dims[d];
  std::vector<int64_t> cuts = {0, rows};
  for (int i = static_cast<int>(random() % 3); i > 0 && rows > 0; --i) cuts.push_back(random() % rows);
  std::sort(cuts.begin(), cuts.end());
  KernelError error = NoError();
  for (size_t i = 0; i + 1 < cuts.size(); ++i) {
    const KernelError e = RunRange(interpreter, dims, input_data, got_data, cuts[i], cuts[i + 1]);
    if (e.index < error.index) error = e;
  }

  if (error.index != expected_error.index || error.code != expected_error.code) {
    return testing::AssertionFailure()
           << "error at " << error.index << ", expected at " << expected_error.index;
  }
  for (size_t o = 0; o < kernel.outputs.size(); ++o) {
    const DType dtype = kernel.outputs[o].operand.dtype;
    const int64_t count[] = {static_cast<int64_t>(got[o].bytes / SizeOf(dtype))};
    const Tensor a = Tensor::Wrap(dtype, count, got_data[o], nullptr).value();
    const Tensor b = Tensor::Wrap(dtype, count, expected_data[o], nullptr).value();
    if (SameBits(a, b)) continue;
    for (int64_t i = 0; i < count[0]; ++i) {
      if (ElementToString(a, i) == ElementToString(b, i)) continue;
      return testing::AssertionFailure() << "output " << o << " at " << i << " is " << ElementToString(a, i)
                                         << ", expected " << ElementToString(b, i);
    }
  }
  return testing::AssertionSuccess();
}

// ---- Random kernels -------------------------------------------------------------------------------------

namespace {

class Generator {
 public:
  explicit Generator(std::mt19937& random) : random_(random) {}

  KernelCase Make() {
    constexpr DType kTypes[] = {DType::kF32, DType::kF32, DType::kF64, DType::kI32,
                                DType::kI64, DType::kU8,  DType::kI16};
    type_ = kTypes[Below(std::size(kTypes))];
    MakeSpace();
    const int num_inputs = 1 + Below(3);
    for (int i = 0; i < num_inputs; ++i) {
      DType dtype = type_;
      if (type_ == DType::kF32 && Below(3) == 0) dtype = Below(2) == 0 ? DType::kF16 : DType::kBF16;
      k_.inputs.push_back({dtype, Strides(/*may_broadcast=*/true, k_.rank())});
      sources_.push_back({Source::kInput, i, 0});
    }
    const int num_stages = 1 + Below(5);
    for (int s = 0; s < num_stages; ++s) AddStage();
    AddOutputs();
    return std::move(case_);
  }

 private:
  int Below(int n) { return static_cast<int>(random_() % n); }

  void MakeSpace() {
    constexpr int64_t kExtents[] = {1, 2, 3, 5, 10, 64, 65, 100};
    const int rank = Below(5);
    int64_t total = 1;
    for (int d = 0; d < rank; ++d) {
      int64_t extent = Below(40) == 0 ? 0 : kExtents[Below(std::size(kExtents))];
      if (Below(25) == 0) extent = 4090 + Below(10);
      if (total * extent > 20000) extent = 2;
      total *= std::max<int64_t>(extent, 1);
      if (Below(2) == 0) {
        k_.extents.push_back(extent);
      } else {
        const std::string name(1, static_cast<char>('A' + d));
        k_.extents.push_back(Dim::Symbol(name));
        case_.symbols[name] = extent;
      }
    }
    k_.parallel_rank = Below(2) == 0 ? rank : Below(rank + 1);
  }

  // A dense or padded layout in a random order of the dims.
  std::vector<Dim> Strides(bool may_broadcast, int used_rank) {
    std::vector<int> order(used_rank);
    std::iota(order.begin(), order.end(), 0);
    if (Below(3) == 0) std::shuffle(order.begin(), order.end(), random_);
    std::vector<Dim> strides(k_.rank(), Dim(0));
    Dim stride = Below(8) == 0 ? 2 : 1;
    const int broadcasts = may_broadcast ? Below(3) : 0;
    for (int j = used_rank - 1; j >= 0; --j) {
      const int d = order[j];
      if (broadcasts == 1 && Below(2) == 0) continue;
      if (broadcasts == 2 && d >= k_.parallel_rank) continue;
      strides[d] = stride;
      stride = stride * (Below(8) == 0 ? k_.extents[d] + 3 : k_.extents[d]);
      // With an extent of 0 nothing is read.
    }
    return strides;
  }

  // A formula of a few steps over `inputs`, in type_.
  ScalarProgram Formula(const std::vector<Source>& inputs, int num_outputs) {
    std::vector<DType> types;
    for (const Source& s : inputs) types.push_back(k_.SourceType(s));
    return ScalarBuilder::Record(types, [&](std::span<const Scalar> in) {
      std::vector<Scalar> values;
      for (Scalar s : in) values.push_back(s.type() == type_ ? s : Convert(s, type_));
      const int steps = Below(4);
      for (int i = 0; i < steps; ++i) {
        const Scalar a = values[Below(static_cast<int>(values.size()))];
        const Scalar b = values[Below(static_cast<int>(values.size()))];
        values.push_back(Step(a, b));
      }
      return std::vector<Scalar>(num_outputs, values.back());
    });
  }

  Scalar Step(Scalar a, Scalar b) {
    switch (Below(7)) {
      case 0:
        return a + b;
      case 1:
        return a - b;
      case 2:
        return a * b;
      case 3:
        return Min(a, b);
      case 4:
        return Max(a, b);
      case 5:
        return Select(a < b, b, a);
      default:
        return Below(3) == 0 ? a / b : a + Like(a, 3);
    }
  }

  Source PickSource(bool per_row) {
    std::vector<Source> fitting;
    for (const Source& s : sources_) {
      if (!per_row || k_.IsPerRow(s)) fitting.push_back(s);
    }
    return fitting[Below(static_cast<int>(fitting.size()))];
  }

  void AddStage() {
    Stage stage;
    const bool has_rows = k_.reduced_rank() > 0;
    const bool can_be_per_row = has_rows && std::any_of(sources_.begin(), sources_.end(),
                                                        [&](const Source& s) { return k_.IsPerRow(s); });
    stage.per_row = can_be_per_row && Below(4) == 0;
    if (has_rows && !stage.per_row && Below(2) == 0) stage.kind = Stage::kReduce;
    for (int i = 1 + Below(3); i > 0; --i) stage.inputs.push_back(PickSource(stage.per_row));
    const int num_outputs = stage.kind == Stage::kMap && Below(5) == 0 ? 2 : 1;
    stage.program = Formula(stage.inputs, num_outputs);
    if (stage.kind == Stage::kReduce) MakeCombine(stage);
    k_.stages.push_back(std::move(stage));
    for (int o = 0; o < num_outputs; ++o) {
      sources_.push_back({Source::kStage, static_cast<int>(k_.stages.size()) - 1, o});
    }
  }

  template <typename T>
  static uint64_t Bits(T value) {
    uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof(T));
    return bits;
  }

  void MakeCombine(Stage& stage) {
    const int kind = Below(5);
    const DType types[] = {type_, type_};
    stage.combine = ScalarBuilder::Record(types, [kind](std::span<const Scalar> in) -> std::vector<Scalar> {
      switch (kind) {
        case 0:
          return {in[0] + in[1]};
        case 1:
          return {in[0] * in[1]};
        case 2:
          return {Min(in[0], in[1])};
        case 3:
          return {Max(in[0], in[1])};
        default:
          return {Select(in[0] < in[1], in[1], in[0])};
      }
    });
    VisitComputed(type_, [&]<typename T>(std::type_identity<T>) {
      using Limits = std::numeric_limits<T>;
      if constexpr (std::is_arithmetic_v<T>) {
        const T least = Limits::has_infinity ? -Limits::infinity() : Limits::lowest();
        const T greatest = Limits::has_infinity ? Limits::infinity() : Limits::max();
        const T zero = std::is_floating_point_v<T> ? static_cast<T>(-0.0) : T{0};
        const T identities[] = {zero, static_cast<T>(1), greatest, least, least};
        stage.identity = Bits(identities[kind]);
        stage.empty = Bits(static_cast<T>(42));
      }
    });
  }

  // Always the last stage, so that something is computed, and some of the others.
  void AddOutputs() {
    for (int s = 0; s < static_cast<int>(k_.stages.size()); ++s) {
      for (int o = 0; o < static_cast<int>(k_.stages[s].program.outputs.size()); ++o) {
        const bool last = s + 1 == static_cast<int>(k_.stages.size());
        if (!last && Below(3) != 0) continue;
        const Source source = {Source::kStage, s, o};
        const int used_rank = k_.IsPerRow(source) ? k_.parallel_rank : k_.rank();
        k_.outputs.push_back({{k_.SourceType(source), Strides(false, used_rank)}, source, Below(2) == 0});
      }
    }
  }

  std::mt19937& random_;
  KernelCase case_;
  FusedKernel& k_ = case_.kernel;
  DType type_ = DType::kF32;
  std::vector<Source> sources_;
};

}  // namespace

KernelCase RandomKernel(std::mt19937& random) { return Generator(random).Make(); }

}  // namespace tenfold
