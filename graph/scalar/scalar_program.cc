// SPDX-License-Identifier: Apache-2.0

#include "tenfold/graph/scalar/scalar_program.h"

#include <cmath>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tenfold/graph/diagnostic.h"

namespace tenfold {
namespace {

// What types a primitive takes and gives, as far as one rule covers several primitives.
enum class Signature : uint8_t {
  kLeaf,
  kArithmetic,  // (T...) -> T on integers, f32, f64
  kIntegral,    // (T...) -> T on integers
  kFloating,    // (T...) -> T on f32, f64
  kBitwise,     // (T...) -> T on integers and bool
  kCompare,     // (T, T) -> bool on integers, f32, f64
  kSelect,
  kConvert,
  kBitcast,
};

struct PrimRow {
  absl::string_view name;
  int num_args;
  Signature signature;
};

// In the order of Prim.
constexpr PrimRow kRows[kNumPrims] = {
    {"input", 0, Signature::kLeaf},          {"const", 0, Signature::kLeaf},
    {"add", 2, Signature::kArithmetic},      {"sub", 2, Signature::kArithmetic},
    {"mul", 2, Signature::kArithmetic},      {"div", 2, Signature::kArithmetic},
    {"rem", 2, Signature::kIntegral},        {"fma", 3, Signature::kFloating},
    {"neg", 1, Signature::kArithmetic},      {"abs", 1, Signature::kArithmetic},
    {"min", 2, Signature::kArithmetic},      {"max", 2, Signature::kArithmetic},
    {"sqrt", 1, Signature::kFloating},       {"floor", 1, Signature::kFloating},
    {"ceil", 1, Signature::kFloating},       {"trunc", 1, Signature::kFloating},
    {"round_even", 1, Signature::kFloating}, {"and", 2, Signature::kBitwise},
    {"or", 2, Signature::kBitwise},          {"xor", 2, Signature::kBitwise},
    {"not", 1, Signature::kBitwise},         {"shl", 2, Signature::kIntegral},
    {"shr", 2, Signature::kIntegral},        {"eq", 2, Signature::kCompare},
    {"ne", 2, Signature::kCompare},          {"lt", 2, Signature::kCompare},
    {"le", 2, Signature::kCompare},          {"select", 3, Signature::kSelect},
    {"convert", 1, Signature::kConvert},     {"bitcast", 1, Signature::kBitcast},
};

constexpr bool IsValid(Prim prim) { return static_cast<int>(prim) < kNumPrims; }
constexpr bool IsValid(DType type) { return static_cast<int>(type) < kNumDTypes && !IsPacked(type); }
constexpr const PrimRow& Row(Prim prim) { return kRows[static_cast<int>(prim)]; }

bool IsArithmetic(DType t) { return IsInteger(t) || t == DType::kF32 || t == DType::kF64; }

bool Takes(Signature signature, DType t) {
  switch (signature) {
    case Signature::kArithmetic:
    case Signature::kCompare:
      return IsArithmetic(t);
    case Signature::kIntegral:
      return IsInteger(t);
    case Signature::kFloating:
      return t == DType::kF32 || t == DType::kF64;
    case Signature::kBitwise:
      return IsInteger(t) || IsBool(t);
    default:
      return true;
  }
}

// What is wrong with instruction `index`; empty if nothing is. The instructions before it are
// right.
std::string FindFault(const ScalarProgram& program, int32_t index) {
  const Instr& instr = program.instrs[index];
  if (!IsValid(instr.prim)) return "no such primitive";
  if (!IsValid(instr.type)) return "no such type";
  const PrimRow& row = Row(instr.prim);

  DType arg_types[3] = {};
  for (int i = 0; i < 3; ++i) {
    const int32_t arg = instr.args[i];
    if (i >= row.num_args) {
      if (arg != -1) return absl::StrCat("takes ", row.num_args, " args, has more");
      continue;
    }
    if (arg < 0 || arg >= index) {
      return absl::StrCat("arg ", i, " is %", arg, ", not an earlier instruction");
    }
    arg_types[i] = program.instrs[arg].type;
  }
  if (row.num_args > 0 && instr.bits != 0) return "has bits";

  switch (row.signature) {
    case Signature::kLeaf:
      if (instr.prim == Prim::kInput) {
        if (instr.bits >= program.inputs.size()) return absl::StrCat("no input ", instr.bits);
        if (program.inputs[instr.bits] != instr.type) {
          return absl::StrCat("input ", instr.bits, " is ", Name(program.inputs[instr.bits]));
        }
        return "";
      }
      if (IsBool(instr.type) ? instr.bits > 1
                             : BitWidth(instr.type) < 64 && instr.bits >> BitWidth(instr.type) != 0) {
        return absl::StrCat("bits 0x", absl::Hex(instr.bits), " do not fit");
      }
      return "";
    case Signature::kSelect:
      if (!IsBool(arg_types[0])) return "condition is not bool";
      if (arg_types[1] != instr.type || arg_types[2] != instr.type) {
        return absl::StrCat("selects from ", Name(arg_types[1]), " and ", Name(arg_types[2]));
      }
      return "";
    case Signature::kConvert:
      if (IsFloat8(instr.type) || IsFloat8(arg_types[0])) return "an f8 is converted by other primitives";
      return "";
    case Signature::kBitcast:
      if (IsBool(instr.type) || IsBool(arg_types[0])) return "bool has no bit pattern";
      if (SizeOf(instr.type) != SizeOf(arg_types[0])) {
        return absl::StrCat(Name(arg_types[0]), " has another width");
      }
      return "";
    default:
      break;
  }

  const bool compare = row.signature == Signature::kCompare;
  const DType operand = compare ? arg_types[0] : instr.type;
  if (compare && !IsBool(instr.type)) return "does not give bool";
  if (!Takes(row.signature, operand)) return absl::StrCat("is not defined on ", Name(operand));
  for (int i = 0; i < row.num_args; ++i) {
    if (arg_types[i] != operand) {
      return absl::StrCat("arg ", i, " is ", Name(arg_types[i]), ", not ", Name(operand));
    }
  }
  return "";
}

std::string FormatConst(DType type, uint64_t bits) {
  if (IsBool(type)) return bits != 0 ? "true" : "false";
  if (IsUnsignedInteger(type)) return absl::StrCat(bits);
  if (IsSignedInteger(type)) {
    const int unused = 64 - BitWidth(type);
    return absl::StrCat(static_cast<int64_t>(bits << unused) >> unused);
  }
  const uint16_t half = static_cast<uint16_t>(bits);
  double value = 0;
  int digits = 17;
  switch (type) {
    case DType::kF16:
      value = ToFloat(F16{half});
      digits = 5;
      break;
    case DType::kBF16:
      value = ToFloat(BF16{half});
      digits = 4;
      break;
    case DType::kF32:
      value = std::bit_cast<float>(static_cast<uint32_t>(bits));
      digits = 9;
      break;
    case DType::kF8E4M3FN:
      value = ToFloat(F8E4M3FN{static_cast<uint8_t>(bits)});
      digits = 3;
      break;
    case DType::kF8E5M2:
      value = ToFloat(F8E5M2{static_cast<uint8_t>(bits)});
      digits = 3;
      break;
    default:
      value = std::bit_cast<double>(bits);
  }
  // The bits of a NaN say more than "nan".
  if (std::isnan(value)) return absl::StrCat("0x", absl::Hex(bits));
  return absl::StrFormat("%.*g", digits, value);
}

}  // namespace

absl::string_view Name(Prim prim) { return IsValid(prim) ? Row(prim).name : "?"; }

int NumArgs(Prim prim) { return IsValid(prim) ? Row(prim).num_args : 0; }

absl::Status ScalarProgram::Verify() const {
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!IsValid(inputs[i])) {
      return MakeError("E9001", absl::StrCat("scalar program: input ", i, " has no such type"));
    }
  }
  for (size_t i = 0; i < instrs.size(); ++i) {
    const std::string fault = FindFault(*this, static_cast<int32_t>(i));
    if (!fault.empty()) {
      return MakeError("E9001",
                       absl::StrCat("scalar program: %", i, " = ", Name(instrs[i].prim), " ",
                                    IsValid(instrs[i].type) ? Name(instrs[i].type) : "?", ": ", fault));
    }
  }
  if (outputs.empty()) return MakeError("E9001", "scalar program: no outputs");
  for (int32_t output : outputs) {
    if (output < 0 || output >= static_cast<int64_t>(instrs.size())) {
      return MakeError("E9001", absl::StrCat("scalar program: output %", output, " is not defined"));
    }
  }
  return absl::OkStatus();
}

std::string ScalarProgram::ToString() const {
  std::string text;
  for (size_t i = 0; i < instrs.size(); ++i) {
    const Instr& instr = instrs[i];
    absl::StrAppend(&text, "%", i, " = ", Name(instr.prim), " ", Name(instr.type));
    if (instr.prim == Prim::kInput) absl::StrAppend(&text, " ", instr.bits);
    if (instr.prim == Prim::kConst) absl::StrAppend(&text, " ", FormatConst(instr.type, instr.bits));
    for (int a = 0; a < NumArgs(instr.prim); ++a) {
      absl::StrAppend(&text, a == 0 ? " %" : ", %", instr.args[a]);
    }
    text += '\n';
  }
  text += "return";
  for (size_t i = 0; i < outputs.size(); ++i) {
    absl::StrAppend(&text, i == 0 ? " %" : ", %", outputs[i]);
  }
  text += '\n';
  return text;
}

bool ScalarProgram::CanFail() const {
  for (const Instr& instr : instrs) {
    if (instr.prim == Prim::kRem || (instr.prim == Prim::kDiv && IsInteger(instr.type))) return true;
  }
  return false;
}

}  // namespace tenfold
