// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/no_such_op.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/ingest/printable.h"

namespace tenfold {
namespace {

// What NumPy, PyTorch and TensorFlow call ops of ours that take the same operands in the same order. In lower
// case, without '_'.
constexpr std::pair<absl::string_view, absl::string_view> kOtherNames[] = {
    {"absolute", "Abs"},
    {"arccos", "Acos"},
    {"arccosh", "Acosh"},
    {"arcsin", "Asin"},
    {"arcsinh", "Asinh"},
    {"arctan", "Atan"},
    {"arctanh", "Atanh"},
    {"bmm", "MatMul"},
    {"clamp", "Clip"},
    {"concatenate", "Concat"},
    {"divide", "Div"},
    {"dot", "MatMul"},
    {"greaterequal", "GreaterOrEqual"},
    {"invert", "BitwiseNot"},
    {"lessequal", "LessOrEqual"},
    {"logicaland", "And"},
    {"logicalnot", "Not"},
    {"logicalor", "Or"},
    {"logicalxor", "Xor"},
    {"logistic", "Sigmoid"},
    {"maximum", "Max"},
    {"minimum", "Min"},
    {"mm", "MatMul"},
    {"multiply", "Mul"},
    {"negative", "Neg"},
    {"permute", "Transpose"},
    {"power", "Pow"},
    {"remainder", "Mod"},
    {"rint", "Round"},
    {"select", "Where"},
    {"silu", "Swish"},
    {"subtract", "Sub"},
    {"truedivide", "Div"},
    {"view", "Reshape"},
};

// The ops of ONNX's default domain, https://onnx.ai/onnx/operators/.
constexpr absl::string_view kOnnxOps[] = {
    "Abs",
    "Acos",
    "Acosh",
    "Add",
    "AffineGrid",
    "And",
    "ArgMax",
    "ArgMin",
    "Asin",
    "Asinh",
    "Atan",
    "Atanh",
    "Attention",
    "AveragePool",
    "BatchNormalization",
    "Bernoulli",
    "BitShift",
    "BitwiseAnd",
    "BitwiseNot",
    "BitwiseOr",
    "BitwiseXor",
    "BlackmanWindow",
    "Cast",
    "CastLike",
    "Ceil",
    "Celu",
    "CenterCropPad",
    "Clip",
    "Col2Im",
    "Compress",
    "Concat",
    "ConcatFromSequence",
    "Constant",
    "ConstantOfShape",
    "Conv",
    "ConvInteger",
    "ConvTranspose",
    "Cos",
    "Cosh",
    "CumSum",
    "DFT",
    "DeformConv",
    "DepthToSpace",
    "DequantizeLinear",
    "Det",
    "Div",
    "Dropout",
    "DynamicQuantizeLinear",
    "Einsum",
    "Elu",
    "Equal",
    "Erf",
    "Exp",
    "Expand",
    "EyeLike",
    "Flatten",
    "Floor",
    "GRU",
    "Gather",
    "GatherElements",
    "GatherND",
    "Gelu",
    "Gemm",
    "GlobalAveragePool",
    "GlobalLpPool",
    "GlobalMaxPool",
    "Greater",
    "GreaterOrEqual",
    "GridSample",
    "GroupNormalization",
    "HammingWindow",
    "HannWindow",
    "HardSigmoid",
    "HardSwish",
    "Hardmax",
    "Identity",
    "If",
    "ImageDecoder",
    "InstanceNormalization",
    "IsInf",
    "IsNaN",
    "LRN",
    "LSTM",
    "LayerNormalization",
    "LeakyRelu",
    "Less",
    "LessOrEqual",
    "Log",
    "LogSoftmax",
    "Loop",
    "LpNormalization",
    "LpPool",
    "MatMul",
    "MatMulInteger",
    "Max",
    "MaxPool",
    "MaxRoiPool",
    "MaxUnpool",
    "Mean",
    "MeanVarianceNormalization",
    "MelWeightMatrix",
    "Min",
    "Mish",
    "Mod",
    "Mul",
    "Multinomial",
    "Neg",
    "NegativeLogLikelihoodLoss",
    "NonMaxSuppression",
    "NonZero",
    "Not",
    "OneHot",
    "Optional",
    "OptionalGetElement",
    "OptionalHasElement",
    "Or",
    "PRelu",
    "Pad",
    "Pow",
    "QLinearConv",
    "QLinearMatMul",
    "QuantizeLinear",
    "RMSNormalization",
    "RNN",
    "RandomNormal",
    "RandomNormalLike",
    "RandomUniform",
    "RandomUniformLike",
    "Range",
    "Reciprocal",
    "ReduceL1",
    "ReduceL2",
    "ReduceLogSum",
    "ReduceLogSumExp",
    "ReduceMax",
    "ReduceMean",
    "ReduceMin",
    "ReduceProd",
    "ReduceSum",
    "ReduceSumSquare",
    "RegexFullMatch",
    "Relu",
    "Reshape",
    "Resize",
    "ReverseSequence",
    "RoiAlign",
    "RotaryEmbedding",
    "Round",
    "STFT",
    "Scan",
    "Scatter",
    "ScatterElements",
    "ScatterND",
    "Selu",
    "SequenceAt",
    "SequenceConstruct",
    "SequenceEmpty",
    "SequenceErase",
    "SequenceInsert",
    "SequenceLength",
    "SequenceMap",
    "Shape",
    "Shrink",
    "Sigmoid",
    "Sign",
    "Sin",
    "Sinh",
    "Size",
    "Slice",
    "Softmax",
    "SoftmaxCrossEntropyLoss",
    "Softplus",
    "Softsign",
    "SpaceToDepth",
    "Split",
    "SplitToSequence",
    "Sqrt",
    "Squeeze",
    "StringConcat",
    "StringNormalizer",
    "StringSplit",
    "Sub",
    "Sum",
    "Swish",
    "Tan",
    "Tanh",
    "TensorScatter",
    "TfIdfVectorizer",
    "ThresholdedRelu",
    "Tile",
    "TopK",
    "Transpose",
    "Trilu",
    "Unique",
    "Unsqueeze",
    "Upsample",
    "Where",
    "Xor",
};

// "Reduce_sum" and "reducesum" are ReduceSum to everybody.
std::string Plain(absl::string_view name) {
  std::string plain = absl::AsciiStrToLower(name);
  plain.erase(std::remove(plain.begin(), plain.end(), '_'), plain.end());
  return plain;
}

// The registry's op that `name` is but for its case and '_'; empty if none.
std::string SameButForCase(absl::string_view name, const std::vector<std::string>& names) {
  for (const std::string& each : names) {
    if (Plain(each) == Plain(name)) return each;
  }
  return "";
}

bool IsOnnxOp(absl::string_view name) {
  return std::any_of(std::begin(kOnnxOps), std::end(kOnnxOps),
                     [&](absl::string_view each) { return Plain(each) == Plain(name); });
}

Mend Instead(const std::string& op, bool sure) {
  Mend mend = DidYouMean(op);
  if (sure) mend.edits = {ReplacePart{ReplacePart::kOp, 0, op}};
  return mend;
}

Mend MendOf(absl::string_view name, const OpRegistry& registry) {
  const std::vector<std::string> names = registry.Names();
  if (const std::string same = SameButForCase(name, names); !same.empty()) return Instead(same, true);
  for (const auto& [other, ours] : kOtherNames) {
    if (other == Plain(name) && registry.Find(ours) != nullptr) return Instead(std::string(ours), true);
  }
  if (IsOnnxOp(name)) return "ONNX has this op, Tenfold does not yet: `tenfold-dump --ops` lists what it has";
  const std::string near = NearestName(name, names);
  return near.empty() ? Mend("`tenfold-dump --ops` lists the ops") : Instead(near, IsSlip(name, near));
}

}  // namespace

absl::Status NoSuchOp(absl::string_view name, const OpRegistry& registry) {
  return MakeError("E0101", absl::StrCat("there is no op '", Printable(name), "'"), MendOf(name, registry));
}

}  // namespace tenfold
