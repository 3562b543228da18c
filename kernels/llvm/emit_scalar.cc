// SPDX-License-Identifier: Apache-2.0
#include "tenfold/kernels/llvm/emit_scalar.h"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "llvm/IR/Constants.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/Intrinsics.h"
#include "llvm/IR/IntrinsicsX86.h"
#include "tenfold/kernels/llvm/emit_convert.h"
#include "tenfold/kernels/llvm/exp_idiom.h"
#include "tenfold/kernels/llvm/logic_chain.h"

namespace tenfold {
namespace {

using llvm::Value;
using llvm::Intrinsic::ID;

llvm::Type* ElementType(llvm::LLVMContext& context, DType type) {
  switch (type) {
    case DType::kBool:
      return llvm::Type::getInt1Ty(context);
    case DType::kF32:
      return llvm::Type::getFloatTy(context);
    case DType::kF64:
      return llvm::Type::getDoubleTy(context);
    default:
      return llvm::IntegerType::get(context, BitWidth(type));
  }
}

llvm::Type* Widen(llvm::Type* type, int lanes) {
  return lanes == 1 ? type : llvm::FixedVectorType::get(type, lanes);
}

// f32 and f64, on which arithmetic is defined; f16 and bf16 are bits here.
bool IsComputeFloat(DType t) { return t == DType::kF32 || t == DType::kF64; }

class Emitter {
 public:
  Emitter(llvm::IRBuilderBase& builder, const EmitTarget& target, const ScalarProgram& program)
      : b_(builder), target_(target), program_(program) {}

  EmittedProgram Run(std::span<Value* const> inputs) {
    const size_t count = program_.instrs.size();
    exp_of_.resize(count);
    std::vector<bool> live(count);
    for (const int32_t output : program_.outputs) live[output] = true;
    // What no output needs is not computed and cannot fail, as in the interpreter.
    for (size_t i = count; i-- > 0;) {
      if (!live[i]) continue;
      if (target_.avx512 && FillsVectors(program_.instrs[i].type)) {
        exp_of_[i] = MatchExp(program_, static_cast<int32_t>(i));
      }
      if (exp_of_[i].has_value()) {
        live[*exp_of_[i]] = true;
        continue;
      }
      for (int k = 0; k < NumArgs(program_.instrs[i].prim); ++k) live[program_.instrs[i].args[k]] = true;
    }
    values_.resize(count);
    for (size_t i = 0; i < count; ++i) {
      const Instr& instr = program_.instrs[i];
      if (!live[i]) continue;
      if (exp_of_[i].has_value()) {
        values_[i] = Exp(*exp_of_[i], instr.type);
      } else {
        values_[i] = instr.prim == Prim::kInput ? inputs[instr.bits] : Emit(instr);
        if (target_.avx512 && IsLogicChain(program_, static_cast<int32_t>(i))) {
          values_[i] = Fenced(b_, values_[i]);
        }
      }
    }
    EmittedProgram result;
    for (const int32_t output : program_.outputs) result.outputs.push_back(values_[output]);
    result.failed = failed_;
    return result;
  }

 private:
  Value* Emit(const Instr& instr) {
    const DType type = instr.type;
    switch (instr.prim) {
      case Prim::kInput:
        break;  // handled by Run
      case Prim::kConst:
        return Const(type, instr.bits);
      case Prim::kSelect:
        return b_.CreateSelect(Arg(instr, 0), Arg(instr, 1), Arg(instr, 2));
      case Prim::kConvert:
        return EmitConvert(b_, target_, Arg(instr, 0), ArgType(instr, 0), type);
      case Prim::kBitcast:
        return Bitcast(Arg(instr, 0), ArgType(instr, 0), type);
      case Prim::kEq:
      case Prim::kNe:
      case Prim::kLt:
      case Prim::kLe:
        return Compare(instr);
      default:
        return IsComputeFloat(type) ? FloatArithmetic(instr) : IntegerArithmetic(instr);
    }
    return llvm::UndefValue::get(RegisterType(b_.getContext(), type, target_.lanes));
  }

  bool FillsVectors(DType type) const { return SizeOf(type) * target_.lanes == 64; }

  // -|x|: the argument of exp in sigmoid and GELU. LLVM would not drop the upper clamp.
  bool IsNegatedMagnitude(int32_t i) const {
    const Instr& neg = program_.instrs[i];
    return neg.prim == Prim::kNeg && program_.instrs[neg.args[0]].prim == Prim::kAbs;
  }

  // Clamped to where 2^n overflows or vanishes by itself, the argument needs no case of its own. NaN passes
  // both selects.
  Value* Exp(int32_t argument, DType type) {
    Value* x = values_[argument];
    const ExpIdiom& idiom = *ExpIdiomOf(type);
    Value* lowest = Const(type, idiom.lowest);
    Value* highest = b_.CreateFNeg(lowest);
    x = b_.CreateSelect(b_.CreateFCmpOLT(x, lowest), lowest, x);
    if (!IsNegatedMagnitude(argument)) {
      x = b_.CreateSelect(b_.CreateFCmpOGT(x, highest), highest, x);
    }
    ScalarProgram parts = idiom.program;
    parts.outputs = {idiom.scaled, idiom.exponent};
    Value* inputs[] = {x};
    EmitTarget plain = target_;
    plain.avx512 = false;
    const std::vector<Value*> values = EmitScalarProgram(b_, plain, parts, inputs).outputs;
    return Avx512(type == DType::kF32 ? llvm::Intrinsic::x86_avx512_mask_scalef_ps_512
                                      : llvm::Intrinsic::x86_avx512_mask_scalef_pd_512,
                  {values[0], values[1]});
  }

  // One of the 512-bit instructions that LLVM knows by name only, with no lane masked and the usual rounding.
  Value* Avx512(ID id, std::vector<Value*> args) {
    llvm::Type* type = args[0]->getType();
    const bool single = type->getScalarType()->isFloatTy();
    args.push_back(llvm::PoisonValue::get(type));
    args.push_back(single ? b_.getInt16(0xffff) : b_.getInt8(0xff));
    args.push_back(b_.getInt32(4));  // _MM_FROUND_CUR_DIRECTION
    return b_.CreateIntrinsic(id, {}, args);
  }

  // IEEE 754-2019 minimum and maximum. Not LLVM's own: between conversions from and to f16, InstCombine
  // narrows them, and LLVM 19 without AVX512-FP16 then loses a NaN against a zero.
  Value* Extremum(DType type, ID id, Value* a, Value* b) {
    const bool is_max = id == llvm::Intrinsic::maximum;
    if (!target_.avx512 || !FillsVectors(type)) {
      llvm::Type* const bits = a->getType()->getWithNewType(b_.getIntNTy(BitWidth(type)));
      Value* a_bits = b_.CreateBitCast(a, bits);
      Value* b_bits = b_.CreateBitCast(b, bits);
      // Equal values have equal bits, but for zeros, which take the sign that counts.
      Value* same = is_max ? b_.CreateAnd(a_bits, b_bits) : b_.CreateOr(a_bits, b_bits);
      Value* number = b_.CreateSelect(is_max ? b_.CreateFCmpOGT(a, b) : b_.CreateFCmpOLT(a, b), a, b);
      number = b_.CreateSelect(b_.CreateFCmpOEQ(a, b), b_.CreateBitCast(same, a->getType()), number);
      return b_.CreateSelect(b_.CreateFCmpUNO(a, b), llvm::ConstantFP::getNaN(a->getType()), number);
    }
    // vrangeps tells -0 from +0 but prefers a number to a NaN; three instructions for LLVM's six.
    Value* control = b_.getInt32(is_max ? 5 : 4);  // the result's own sign; min or max
    Value* number = Avx512(type == DType::kF32 ? llvm::Intrinsic::x86_avx512_mask_range_ps_512
                                               : llvm::Intrinsic::x86_avx512_mask_range_pd_512,
                           {a, b, control});
    return b_.CreateSelect(b_.CreateFCmpUNO(a, b), llvm::ConstantFP::getNaN(a->getType()), number);
  }

  Value* Arg(const Instr& instr, int i) const { return values_[instr.args[i]]; }
  DType ArgType(const Instr& instr, int i) const { return program_.instrs[instr.args[i]].type; }
  llvm::Constant* Const(DType type, uint64_t bits) {
    return RegisterConstant(b_.getContext(), type, bits, target_.lanes);
  }
  Value* Unary(ID id, Value* a) { return b_.CreateUnaryIntrinsic(id, a); }
  Value* Binary(ID id, Value* a, Value* b) { return b_.CreateBinaryIntrinsic(id, a, b); }

  Value* FloatArithmetic(const Instr& instr) {
    Value* a = Arg(instr, 0);
    Value* b = NumArgs(instr.prim) > 1 ? Arg(instr, 1) : nullptr;
    switch (instr.prim) {
      case Prim::kAdd:
        return b_.CreateFAdd(a, b);
      case Prim::kSub:
        return b_.CreateFSub(a, b);
      case Prim::kMul:
        return b_.CreateFMul(a, b);
      case Prim::kDiv:
        return b_.CreateFDiv(a, b);
      case Prim::kFma:
        return b_.CreateIntrinsic(llvm::Intrinsic::fma, {a->getType()}, {a, b, Arg(instr, 2)});
      case Prim::kNeg:
        return b_.CreateFNeg(a);
      case Prim::kAbs:
        return Unary(llvm::Intrinsic::fabs, a);
      case Prim::kMin:
        return Extremum(instr.type, llvm::Intrinsic::minimum, a, b);
      case Prim::kMax:
        return Extremum(instr.type, llvm::Intrinsic::maximum, a, b);
      case Prim::kSqrt:
        return Unary(llvm::Intrinsic::sqrt, a);
      case Prim::kFloor:
        return Unary(llvm::Intrinsic::floor, a);
      case Prim::kCeil:
        return Unary(llvm::Intrinsic::ceil, a);
      case Prim::kTrunc:
        return Unary(llvm::Intrinsic::trunc, a);
      case Prim::kRoundEven:
        return Unary(llvm::Intrinsic::roundeven, a);
      default:
        return llvm::UndefValue::get(a->getType());  // Verify refuses such programs
    }
  }

  Value* IntegerArithmetic(const Instr& instr) {
    const bool is_signed = IsSignedInteger(instr.type);
    Value* a = Arg(instr, 0);
    Value* b = NumArgs(instr.prim) > 1 ? Arg(instr, 1) : nullptr;
    switch (instr.prim) {
      case Prim::kAdd:
        return b_.CreateAdd(a, b);
      case Prim::kSub:
        return b_.CreateSub(a, b);
      case Prim::kMul:
        return b_.CreateMul(a, b);
      case Prim::kDiv:
      case Prim::kRem:
        return Divide(instr);
      case Prim::kNeg:
        return b_.CreateNeg(a);
      case Prim::kAbs:
        return is_signed ? b_.CreateIntrinsic(llvm::Intrinsic::abs, {a->getType()}, {a, b_.getFalse()}) : a;
      case Prim::kMin:
        return Binary(is_signed ? llvm::Intrinsic::smin : llvm::Intrinsic::umin, a, b);
      case Prim::kMax:
        return Binary(is_signed ? llvm::Intrinsic::smax : llvm::Intrinsic::umax, a, b);
      case Prim::kAnd:
        return b_.CreateAnd(a, b);
      case Prim::kOr:
        return b_.CreateOr(a, b);
      case Prim::kXor:
        return b_.CreateXor(a, b);
      case Prim::kNot:
        return b_.CreateNot(a);
      case Prim::kShl:
      case Prim::kShr:
        return Shift(instr);
      default:
        return llvm::UndefValue::get(a->getType());  // Verify refuses such programs
    }
  }

  // A shift by the width or more is poison in LLVM; the select does not look at it then.
  Value* Shift(const Instr& instr) {
    Value* a = Arg(instr, 0);
    Value* count = b_.CreateZExtOrTrunc(Arg(instr, 1), a->getType());
    const DType type = instr.type;
    const uint64_t width = BitWidth(type);
    Value* in_range = b_.CreateICmpULT(Arg(instr, 1), Const(ArgType(instr, 1), width));
    if (instr.prim == Prim::kShr && IsSignedInteger(type)) {
      return b_.CreateAShr(a, b_.CreateSelect(in_range, count, Const(type, width - 1)));
    }
    Value* shifted = instr.prim == Prim::kShl ? b_.CreateShl(a, count) : b_.CreateLShr(a, count);
    return b_.CreateSelect(in_range, shifted, Const(type, 0));
  }

  Value* Divide(const Instr& instr) {
    const DType type = instr.type;
    const bool is_signed = IsSignedInteger(type);
    Value* a = Arg(instr, 0);
    Value* b = Arg(instr, 1);
    const Instr& divisor = program_.instrs[instr.args[1]];
    const uint64_t ones = ~uint64_t{0} >> (64 - BitWidth(type));
    if (divisor.prim == Prim::kConst && (divisor.bits & ones) != 0 &&
        !(is_signed && (divisor.bits & ones) == ones)) {
      return NativeDivide(instr.prim, is_signed, a, b);  // becomes multiplications
    }
    Value* zero = b_.CreateICmpEQ(b, Const(type, 0));
    failed_ = failed_ == nullptr ? zero : b_.CreateOr(failed_, zero);
    Value* guard = zero;
    if (is_signed) {
      // Dividing the smallest number by 1 instead of -1 wraps it onto itself, and leaves no
      // remainder.
      Value* smallest = b_.CreateICmpEQ(a, Const(type, uint64_t{1} << (BitWidth(type) - 1)));
      Value* minus_one = b_.CreateICmpEQ(b, Const(type, ones));
      guard = b_.CreateOr(zero, b_.CreateAnd(smallest, minus_one));
    }
    Value* safe = b_.CreateSelect(guard, Const(type, 1), b);
    // x86 has no vector division of integers. Divided in floats of more than twice the width the
    // quotient is never rounded across an integer: it differs from one by a relative 2^-width or
    // more.
    Value* r = target_.lanes > 1 && BitWidth(type) <= 32 ? DivideAsFloats(instr, a, safe)
                                                         : NativeDivide(instr.prim, is_signed, a, safe);
    return b_.CreateSelect(zero, Const(type, 0), r);
  }

  Value* NativeDivide(Prim prim, bool is_signed, Value* a, Value* b) {
    if (prim == Prim::kDiv) return is_signed ? b_.CreateSDiv(a, b) : b_.CreateUDiv(a, b);
    return is_signed ? b_.CreateSRem(a, b) : b_.CreateURem(a, b);
  }

  Value* DivideAsFloats(const Instr& instr, Value* a, Value* b) {
    const DType wide = BitWidth(instr.type) == 32 ? DType::kF64 : DType::kF32;
    llvm::Type* wide_type = RegisterType(b_.getContext(), wide, target_.lanes);
    const bool is_signed = IsSignedInteger(instr.type);
    const auto widen = [&](Value* v) {
      return is_signed ? b_.CreateSIToFP(v, wide_type) : b_.CreateUIToFP(v, wide_type);
    };
    Value* f = b_.CreateFDiv(widen(a), widen(b));
    Value* q = is_signed ? b_.CreateFPToSI(f, a->getType()) : b_.CreateFPToUI(f, a->getType());
    return instr.prim == Prim::kDiv ? q : b_.CreateSub(a, b_.CreateMul(q, b));
  }

  Value* Compare(const Instr& instr) {
    using llvm::CmpInst;
    const DType type = ArgType(instr, 0);
    const bool is_signed = IsSignedInteger(type);
    CmpInst::Predicate float_predicate, int_predicate;
    switch (instr.prim) {
      case Prim::kEq:
        float_predicate = CmpInst::FCMP_OEQ;
        int_predicate = CmpInst::ICMP_EQ;
        break;
      case Prim::kNe:
        float_predicate = CmpInst::FCMP_UNE;
        int_predicate = CmpInst::ICMP_NE;
        break;
      case Prim::kLt:
        float_predicate = CmpInst::FCMP_OLT;
        int_predicate = is_signed ? CmpInst::ICMP_SLT : CmpInst::ICMP_ULT;
        break;
      default:
        float_predicate = CmpInst::FCMP_OLE;
        int_predicate = is_signed ? CmpInst::ICMP_SLE : CmpInst::ICMP_ULE;
        break;
    }
    Value* a = Arg(instr, 0);
    Value* b = Arg(instr, 1);
    return IsComputeFloat(type) ? b_.CreateFCmp(float_predicate, a, b) : b_.CreateICmp(int_predicate, a, b);
  }

  Value* Bitcast(Value* v, DType from, DType to) {
    if (IsBool(from)) v = b_.CreateZExt(v, RegisterType(b_.getContext(), DType::kU8, target_.lanes));
    if (IsBool(to)) return b_.CreateICmpNE(v, Const(DType::kU8, 0));
    return b_.CreateBitCast(v, RegisterType(b_.getContext(), to, target_.lanes));
  }

  llvm::IRBuilderBase& b_;
  const EmitTarget& target_;
  const ScalarProgram& program_;
  std::vector<Value*> values_;
  std::vector<std::optional<int32_t>> exp_of_;  // the argument of an instruction that ends an exp
  Value* failed_ = nullptr;
};

}  // namespace

llvm::Type* RegisterType(llvm::LLVMContext& context, DType type, int lanes) {
  return Widen(ElementType(context, type), lanes);
}

llvm::Type* MemoryType(llvm::LLVMContext& context, DType type, int lanes) {
  return Widen(ElementType(context, IsBool(type) ? DType::kU8 : type), lanes);
}

llvm::Value* MemoryToRegister(llvm::IRBuilderBase& builder, llvm::Value* loaded, DType type) {
  if (!IsBool(type)) return loaded;
  return builder.CreateICmpNE(loaded, llvm::Constant::getNullValue(loaded->getType()));
}

llvm::Value* RegisterToMemory(llvm::IRBuilderBase& builder, llvm::Value* value, DType type) {
  if (!IsBool(type)) return value;
  return builder.CreateZExt(value, value->getType()->getWithNewBitWidth(8));
}

llvm::Constant* RegisterConstant(llvm::LLVMContext& context, DType type, uint64_t bits, int lanes) {
  const int width = IsBool(type) ? 1 : BitWidth(type);
  llvm::APInt pattern = llvm::APInt(64, bits).trunc(width);
  llvm::Type* register_type = RegisterType(context, type, lanes);
  if (!IsComputeFloat(type)) return llvm::ConstantInt::get(register_type, pattern);
  const auto& semantics = type == DType::kF32 ? llvm::APFloat::IEEEsingle() : llvm::APFloat::IEEEdouble();
  return llvm::ConstantFP::get(register_type, llvm::APFloat(semantics, pattern));
}

EmittedProgram EmitScalarProgram(llvm::IRBuilderBase& builder, const EmitTarget& target,
                                 const ScalarProgram& program, std::span<llvm::Value* const> inputs) {
  return Emitter(builder, target, program).Run(inputs);
}

llvm::Value* EmitCanonicalNan(llvm::IRBuilderBase& builder, llvm::Value* value, DType type) {
  llvm::Type* t = value->getType();
  if (IsComputeFloat(type)) {
    const bool single = type == DType::kF32;
    const llvm::APFloat nan(single ? llvm::APFloat::IEEEsingle() : llvm::APFloat::IEEEdouble(),
                            single ? llvm::APInt(32, 0x7fc00000) : llvm::APInt(64, 0x7ff8000000000000));
    return builder.CreateSelect(builder.CreateFCmpUNO(value, value), llvm::ConstantFP::get(t, nan), value);
  }
  // The largest magnitude that is no NaN, and the canonical NaN.
  uint64_t last, nan;
  switch (type) {
    case DType::kF16:
      last = 0x7c00, nan = 0x7e00;
      break;
    case DType::kBF16:
      last = 0x7f80, nan = 0x7fc0;
      break;
    case DType::kF8E4M3FN:
      last = Float8Format<F8E4M3FN>::kLargest, nan = Float8Format<F8E4M3FN>::kNan;
      break;
    case DType::kF8E5M2:
      last = Float8Format<F8E5M2>::kBeyond, nan = Float8Format<F8E5M2>::kNan;
      break;
    default:
      return value;
  }
  const uint64_t all_but_sign = (uint64_t{1} << (BitWidth(type) - 1)) - 1;
  llvm::Value* magnitude = builder.CreateAnd(value, llvm::ConstantInt::get(t, all_but_sign));
  llvm::Value* is_nan = builder.CreateICmpUGT(magnitude, llvm::ConstantInt::get(t, last));
  return builder.CreateSelect(is_nan, llvm::ConstantInt::get(t, nan), value);
}

}  // namespace tenfold
