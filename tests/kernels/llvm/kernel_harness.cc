// SPDX-License-Identifier: Apache-2.0
#include "tenfold/tests/kernels/llvm/kernel_harness.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tenfold/graph/fused/interpret.h"
#include "tenfold/kernels/llvm/llvm_kernel_compiler.h"

namespace tenfold::testing {
namespace {

using Source = FusedKernel::Source;
using Stage = FusedKernel::Stage;

// An array as an operand sees it, between guard bytes; element-aligned and no better.
class Buffer {
 public:
  static constexpr uint8_t kGuard = 0xa5;

  Buffer(DType type, int64_t elements)
      : type_(type), elements_(elements), bytes_(elements * SizeOf(type) + 2 * kMargin, kGuard) {}

  uint8_t* data() { return bytes_.data() + kMargin; }
  const std::vector<uint8_t>& bytes() const { return bytes_; }
  int64_t elements() const { return elements_; }
  DType type() const { return type_; }

  uint64_t Bits(int64_t i) const {
    uint64_t bits = 0;
    std::memcpy(&bits, bytes_.data() + kMargin + i * SizeOf(type_), SizeOf(type_));
    return bits;
  }
  void SetBits(int64_t i, uint64_t bits) { std::memcpy(data() + i * SizeOf(type_), &bits, SizeOf(type_)); }

 private:
  static constexpr size_t kMargin = 72;  // a multiple of every element, not of a vector
  DType type_;
  int64_t elements_;
  std::vector<uint8_t> bytes_;
};

bool IsNanBits(DType type, uint64_t bits) {
  switch (type) {
    case DType::kF16:
      return (bits & 0x7fff) > 0x7c00;
    case DType::kBF16:
      return (bits & 0x7fff) > 0x7f80;
    case DType::kF32:
      return (bits & 0x7fffffff) > 0x7f800000;
    case DType::kF64:
      return (bits & 0x7fffffffffffffff) > 0x7ff0000000000000;
    default:
      return false;
  }
}

// A value that finds mistakes: an edge of this or another type, or anything.
uint64_t RandomBits(DType type, bool nans, std::mt19937_64& random) {
  const uint64_t any = random();
  if (IsBool(type)) return any & 1;
  const uint64_t mask = ~uint64_t{0} >> (64 - BitWidth(type));
  if (IsInteger(type)) {
    constexpr uint64_t kEdges[] = {0,  1,  2,  3,  7,   8,   15,  16,     31,    32,
                                   33, 63, 64, 65, 127, 128, 255, 0x7fff, 0x8000};
    switch (any % 5) {
      case 0:
        return kEdges[(any >> 8) % std::size(kEdges)] & mask;
      case 1:
        return (0 - kEdges[(any >> 8) % std::size(kEdges)]) & mask;
      case 2:
        return ((uint64_t{1} << (BitWidth(type) - 1)) + (any >> 8) % 3 - 1) & mask;
      default:
        return random() & mask;
    }
  }
  constexpr double kEdges[] = {0.0,    0.5,   1,       1.5,      2,        2.5,    3,      127.5,  128,
                               255,    256,   32767.5, 65504,    65519.9,  65520,  0x1p31, 0x1p32, 0x1p63,
                               0x1p64, 1e-40, 6e-8,    0x1p-126, 0x1p-149, 3.4e38, 0x1p53};
  uint64_t bits;
  switch (any % 6) {
    case 0:
      bits = FloatBits(type, kEdges[(any >> 8) % std::size(kEdges)]);
      break;
    case 1:
      bits = FloatBits(type, -kEdges[(any >> 8) % std::size(kEdges)]);
      break;
    case 2:
      bits = FloatBits(type, (any >> 8) % 2 ? INFINITY : -INFINITY);
      break;
    case 3:
    case 4:
      bits = FloatBits(type, static_cast<double>(static_cast<int64_t>(random() % 40000) - 20000) / 1000);
      break;
    default:
      bits = random() & mask;
  }
  return IsNanBits(type, bits) && !nans ? FloatBits(type, 1) : bits;
}

// Elements from the first to the last that the iteration space reaches.
int64_t Span(const std::vector<int64_t>& dims, int rank, int operand) {
  int64_t last = 0;
  for (int d = 0; d < rank; ++d) {
    const int64_t stride = dims[rank * (operand + 1) + d];
    if (stride == 0) continue;
    if (dims[d] == 0) return 0;
    last += (dims[d] - 1) * stride;
  }
  return last + 1;
}

struct Run {
  std::vector<Buffer> outputs;
  KernelError error{std::numeric_limits<int64_t>::max(), kKernelOk, 0};
};

std::unique_ptr<uint8_t, void (*)(void*)> AlignedScratch(size_t bytes) {
  auto* memory = static_cast<uint8_t*>(std::aligned_alloc(64, (bytes + 127) / 64 * 64));
  std::memset(memory, Buffer::kGuard, (bytes + 127) / 64 * 64);
  return {memory, &std::free};
}

}  // namespace

Source Input(int index) { return {.kind = Source::kInput, .index = index}; }
Source StageOutput(int stage, int output) {
  return {.kind = Source::kStage, .index = stage, .output = output};
}

ScalarProgram Program(std::vector<DType> inputs,
                      const std::function<std::vector<Scalar>(std::span<const Scalar>)>& formula) {
  return ScalarBuilder::Record(inputs, formula);
}

Stage Map(ScalarProgram program, std::vector<Source> inputs, bool per_row) {
  Stage stage;
  stage.per_row = per_row;
  stage.program = std::move(program);
  stage.inputs = std::move(inputs);
  return stage;
}

bool Reduces(Reduction reduction, DType type) {
  const bool bitwise = reduction == Reduction::kAnd || reduction == Reduction::kOr;
  return bitwise ? IsInteger(type) || IsBool(type) : IsInteger(type) || (IsFloat(type) && !IsHalf(type));
}

Stage Reduce(Reduction reduction, DType type, Source input) {
  Stage stage;
  stage.kind = Stage::kReduce;
  stage.program = Program({type}, [](auto in) { return std::vector<Scalar>{in[0]}; });
  stage.inputs = {input};
  const uint64_t ones = IsBool(type) ? 1 : ~uint64_t{0} >> (64 - BitWidth(type));
  const uint64_t smallest = IsUnsignedInteger(type) ? 0 : (ones >> 1) + 1;
  Prim prim = Prim::kAdd;
  switch (reduction) {
    case Reduction::kSum:
      stage.identity = IsFloat(type) ? FloatBits(type, -0.0) : 0;
      break;
    case Reduction::kProduct:
      prim = Prim::kMul;
      stage.identity = IsFloat(type) ? FloatBits(type, 1) : 1;
      break;
    case Reduction::kMin:
      prim = Prim::kMin;
      stage.identity = IsFloat(type) ? FloatBits(type, INFINITY) : ones - smallest;
      break;
    case Reduction::kMax:
      prim = Prim::kMax;
      stage.identity = IsFloat(type) ? FloatBits(type, -INFINITY) : smallest;
      break;
    case Reduction::kAnd:
      prim = Prim::kAnd;
      stage.identity = ones;
      break;
    case Reduction::kOr:
      prim = Prim::kOr;
      break;
  }
  stage.empty = IsFloat(type) ? FloatBits(type, 42) : 1;
  stage.combine = Program({type, type}, [&](auto in) {
    const Scalar args[] = {in[0], in[1]};
    return std::vector<Scalar>{in[0].builder()->Emit(prim, type, args)};
  });
  return stage;
}

std::vector<Dim> ToDims(const std::vector<int64_t>& values) { return {values.begin(), values.end()}; }

std::vector<int64_t> DenseStrides(const std::vector<int64_t>& extents) {
  std::vector<int64_t> strides(extents.size());
  int64_t stride = 1;
  for (size_t d = extents.size(); d-- > 0;) {
    strides[d] = stride;
    stride *= extents[d];
  }
  return strides;
}

FusedKernel WithSymbols(const FusedKernel& kernel) {
  FusedKernel result = kernel;
  int count = 0;
  const auto replace = [&](std::vector<Dim>& dims, bool strides) {
    for (Dim& dim : dims) {
      if (strides && (dim == Dim(0) || dim == Dim(1))) continue;
      dim = Dim::Symbol(absl::StrCat("d", count++));
    }
  };
  replace(result.extents, false);
  for (FusedKernel::Operand& input : result.inputs) replace(input.strides, true);
  for (FusedKernel::Output& output : result.outputs) replace(output.operand.strides, true);
  return result;
}

std::vector<int64_t> ConstantDims(const FusedKernel& kernel) {
  std::vector<int64_t> dims;
  for (const Dim& dim : kernel.DimExpressions()) dims.push_back(dim.constant());
  return dims;
}

void ExpectSameBits(const FusedKernel& kernel, const std::vector<int64_t>& dims,
                    const CompiledKernel& compiled, const RunOptions& options, uint32_t seed) {
  const int rank = kernel.rank();
  std::mt19937_64 random(seed);
  std::vector<Buffer> inputs;
  std::vector<const void*> input_pointers;
  for (size_t i = 0; i < kernel.inputs.size(); ++i) {
    inputs.emplace_back(kernel.inputs[i].dtype, Span(dims, rank, static_cast<int>(i)));
    Buffer& buffer = inputs.back();
    for (int64_t e = 0; e < buffer.elements(); ++e) {
      buffer.SetBits(e, RandomBits(buffer.type(), options.nans, random));
    }
    input_pointers.push_back(buffer.data());
  }
  int64_t rows = 1, length = 1;
  for (int d = 0; d < rank; ++d) (d < kernel.parallel_rank ? rows : length) *= dims[d];

  const auto run = [&](size_t scratch_bytes, int64_t rows_a_block, const auto& call_kernel) {
    Run run;
    std::vector<void*> output_pointers;
    for (size_t o = 0; o < kernel.outputs.size(); ++o) {
      const int operand = static_cast<int>(kernel.inputs.size() + o);
      run.outputs.emplace_back(kernel.outputs[o].operand.dtype, Span(dims, rank, operand));
    }
    for (Buffer& output : run.outputs) output_pointers.push_back(output.data());
    auto scratch = AlignedScratch(scratch_bytes);
    for (int64_t begin = 0; begin < rows; begin += rows_a_block) {
      KernelCall call{input_pointers.data(),
                      output_pointers.data(),
                      dims.data(),
                      begin,
                      std::min(rows, begin + rows_a_block),
                      scratch.get(),
                      &run.error};
      call_kernel(call);
    }
    EXPECT_EQ(scratch.get()[scratch_bytes], Buffer::kGuard) << "wrote past its scratch";
    return run;
  };

  const KernelInterpreter interpreter(kernel);
  const Run expected = run(interpreter.ScratchBytes(dims), std::max<int64_t>(rows, 1),
                           [&](const KernelCall& call) { interpreter.Run(call); });
  const int64_t block = options.rows_a_block > 0 ? options.rows_a_block : std::max<int64_t>(rows, 1);
  const Run actual = run(compiled.scratch_bytes + compiled.scratch_bytes_per_row_element * length, block,
                         [&](const KernelCall& call) { compiled.function(&call); });

  EXPECT_EQ(expected.error.index, actual.error.index);
  EXPECT_EQ(expected.error.code, actual.error.code);
  for (size_t o = 0; o < expected.outputs.size(); ++o) {
    if (expected.outputs[o].bytes() == actual.outputs[o].bytes()) continue;
    const Buffer& e = expected.outputs[o];
    const Buffer& a = actual.outputs[o];
    int64_t shown = 0;
    bool explained = false;
    for (int64_t i = 0; i < e.elements(); ++i) {
      if (e.Bits(i) == a.Bits(i)) continue;
      explained = true;
      const bool both_nan = IsNanBits(e.type(), e.Bits(i)) && IsNanBits(a.type(), a.Bits(i));
      if (both_nan && !kernel.outputs[o].canonicalize_nans) continue;
      if (shown++ == 3) break;
      ADD_FAILURE() << "output " << o << " element " << i << ": expected 0x" << std::hex << e.Bits(i)
                    << ", got 0x" << a.Bits(i);
    }
    EXPECT_TRUE(explained) << "output " << o << ": wrote outside its elements";
  }
  if (::testing::Test::HasFailure()) ADD_FAILURE() << kernel.ToString();
}

void ExpectSameBitsEverywhere(const std::vector<FusedKernel>& kernels, const RunOptions& options) {
  std::vector<FusedKernel> all;
  std::vector<std::vector<int64_t>> dims;
  for (const FusedKernel& kernel : kernels) {
    ASSERT_TRUE(kernel.Verify().ok()) << std::string(kernel.Verify().message());
    for (const bool symbolic : {false, true}) {
      all.push_back(symbolic ? WithSymbols(kernel) : kernel);
      dims.push_back(ConstantDims(kernel));
    }
  }
  std::vector<const FusedKernel*> pointers;
  for (const FusedKernel& kernel : all) pointers.push_back(&kernel);
  const std::unique_ptr<KernelCompiler> compiler = CreateLlvmKernelCompiler();
  for (const IsaLevel isa : {IsaLevel::kBaseline, IsaLevel::kAvx2, IsaLevel::kAvx512}) {
    if (isa > HostIsaLevel()) continue;
    for (const bool quick : {false, true}) {
      auto compiled = compiler->Compile(pointers, {.isa = isa, .quick = quick});
      ASSERT_TRUE(compiled.ok()) << std::string(compiled.status().message());
      for (size_t i = 0; i < all.size(); ++i) {
        SCOPED_TRACE(
            absl::StrCat(all[i].name, " ", Name(isa), quick ? " quick" : "", i % 2 ? " symbolic" : ""));
        ExpectSameBits(all[i], dims[i], (*compiled)[i], options, static_cast<uint32_t>(i / 2 + 1));
        if (::testing::Test::HasFatalFailure() || ::testing::Test::HasNonfatalFailure()) return;
      }
    }
  }
}

}  // namespace tenfold::testing
