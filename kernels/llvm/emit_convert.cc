// SPDX-License-Identifier: Apache-2.0
#include "tenfold/kernels/llvm/emit_convert.h"

#include <cmath>
#include <cstdint>

#include "llvm/ADT/APInt.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/IRBuilder.h"

namespace tenfold {
namespace {

using llvm::Value;

// One conversion under construction: the builder, and short names for the types of this lane count.
class Converter {
 public:
  Converter(llvm::IRBuilderBase& builder, const EmitTarget& target) : b_(builder), target_(target) {}

  Value* Convert(Value* v, DType from, DType to) {
    if (from == to) return v;
    if (IsBool(from)) return b_.CreateSelect(v, One(to), llvm::Constant::getNullValue(Register(to)));
    if (IsBool(to)) return ToBool(v, from);
    if (IsHalf(from)) {
      Value* f = from == DType::kF16 ? F16ToF32(v) : BF16ToF32(v);
      return Convert(f, DType::kF32, to);
    }
    if (IsFloat(from)) return IsInteger(to) ? FloatToInt(v, from, to) : FloatToFloat(v, from, to);
    if (IsInteger(to)) {
      return IsSignedInteger(from) ? b_.CreateSExtOrTrunc(v, Register(to))
                                   : b_.CreateZExtOrTrunc(v, Register(to));
    }
    return IntToFloat(v, from, to);
  }

 private:
  llvm::Type* Register(DType t) { return RegisterType(b_.getContext(), t, target_.lanes); }
  llvm::Constant* Bits(DType t, uint64_t bits) {
    return RegisterConstant(b_.getContext(), t, bits, target_.lanes);
  }
  llvm::Constant* Float(DType t, double value) { return llvm::ConstantFP::get(Register(t), value); }

  llvm::Constant* One(DType t) {
    switch (t) {
      case DType::kF16:
        return Bits(t, 0x3c00);
      case DType::kBF16:
        return Bits(t, 0x3f80);
      case DType::kF32:
      case DType::kF64:
        return Float(t, 1);
      default:
        return Bits(t, 1);
    }
  }

  Value* ToBool(Value* v, DType from) {
    if (IsHalf(from)) v = b_.CreateAnd(v, Bits(DType::kU16, 0x7fff));
    llvm::Constant* zero = llvm::Constant::getNullValue(v->getType());
    return IsFloat(from) && !IsHalf(from) ? b_.CreateFCmpUNE(v, zero) : b_.CreateICmpNE(v, zero);
  }

  Value* FloatToFloat(Value* v, DType from, DType to) {
    if (to == DType::kF64) return b_.CreateFPExt(v, Register(to));
    if (to == DType::kF32) return b_.CreateFPTrunc(v, Register(to));
    // To 16 bits, rounding once: a first step to f32 that rounds to odd keeps the second one
    // honest.
    if (from == DType::kF64) v = RoundToOdd(v);
    return to == DType::kF16 ? F32ToF16(v) : F32ToBF16(v);
  }

  // f64 -> f32; an inexact result is the neighbour whose last bit is set.
  Value* RoundToOdd(Value* d) {
    Value* f = b_.CreateFPTrunc(d, Register(DType::kF32));
    Value* back = b_.CreateFPExt(f, Register(DType::kF64));
    Value* u = b_.CreateBitCast(f, Register(DType::kU32));
    Value* odd = b_.CreateICmpNE(b_.CreateAnd(u, Bits(DType::kU32, 1)), Bits(DType::kU32, 0));
    Value* infinite =
        b_.CreateICmpEQ(b_.CreateAnd(u, Bits(DType::kU32, 0x7fffffff)), Bits(DType::kU32, 0x7f800000));
    Value* exact_or_nan = b_.CreateFCmpUEQ(back, d);
    Value* keep = b_.CreateOr(exact_or_nan, b_.CreateOr(odd, infinite));
    Value* nearer_zero = b_.CreateFCmpOLT(b_.CreateUnaryIntrinsic(llvm::Intrinsic::fabs, back),
                                          b_.CreateUnaryIntrinsic(llvm::Intrinsic::fabs, d));
    Value* step = b_.CreateSelect(nearer_zero, Bits(DType::kU32, 1), Bits(DType::kU32, 0xffffffff));
    u = b_.CreateSelect(keep, u, b_.CreateAdd(u, step));
    return b_.CreateBitCast(u, Register(DType::kF32));
  }

  // Never fptrunc: AVX512-BF16's instruction flushes subnormals, and elsewhere it is a library
  // call.
  Value* F32ToBF16(Value* f) {
    const DType u32 = DType::kU32;
    Value* u = b_.CreateBitCast(f, Register(u32));
    Value* last = b_.CreateAnd(b_.CreateLShr(u, Bits(u32, 16)), Bits(u32, 1));
    Value* rounded = b_.CreateAdd(b_.CreateAdd(u, Bits(u32, 0x7fff)), last);
    Value* high = b_.CreateTrunc(b_.CreateLShr(rounded, Bits(u32, 16)), Register(DType::kU16));
    return b_.CreateSelect(b_.CreateFCmpUNO(f, f), Bits(DType::kU16, 0x7fc0), high);
  }

  Value* BF16ToF32(Value* h) {
    Value* u = b_.CreateShl(b_.CreateZExt(h, Register(DType::kU32)), Bits(DType::kU32, 16));
    return b_.CreateBitCast(u, Register(DType::kF32));
  }

  llvm::Type* HalfType() {
    llvm::Type* half = b_.getHalfTy();
    return target_.lanes == 1 ? half : llvm::FixedVectorType::get(half, target_.lanes);
  }

  // The arithmetic of ToF16 in graph/half.h where there is no instruction.
  Value* F32ToF16(Value* f) {
    if (target_.f16_conversions) {
      return b_.CreateBitCast(b_.CreateFPTrunc(f, HalfType()), Register(DType::kU16));
    }
    const DType u32 = DType::kU32;
    Value* u = b_.CreateBitCast(f, Register(u32));
    Value* sign = b_.CreateAnd(b_.CreateLShr(u, Bits(u32, 16)), Bits(u32, 0x8000));
    Value* a = b_.CreateAnd(u, Bits(u32, 0x7fffffff));
    Value* shifted = b_.CreateFAdd(b_.CreateBitCast(a, Register(DType::kF32)), Float(DType::kF32, 0.5));
    Value* subnormal = b_.CreateSub(b_.CreateBitCast(shifted, Register(u32)), Bits(u32, 0x3f000000));
    Value* last = b_.CreateAnd(b_.CreateLShr(a, Bits(u32, 13)), Bits(u32, 1));
    Value* rounded = b_.CreateAdd(b_.CreateAdd(a, Bits(u32, 0xfff)), last);
    Value* normal = b_.CreateLShr(b_.CreateSub(rounded, Bits(u32, 0x38000000)), Bits(u32, 13));
    Value* r = b_.CreateSelect(b_.CreateICmpULT(a, Bits(u32, 0x38800000)), subnormal, normal);
    r = b_.CreateSelect(b_.CreateICmpUGE(a, Bits(u32, 0x477ff000)), Bits(u32, 0x7c00), r);
    r = b_.CreateOr(r, sign);
    r = b_.CreateSelect(b_.CreateICmpUGT(a, Bits(u32, 0x7f800000)), Bits(u32, 0x7e00), r);
    return b_.CreateTrunc(r, Register(DType::kU16));
  }

  Value* F16ToF32(Value* h) {
    if (target_.f16_conversions) {
      return b_.CreateFPExt(b_.CreateBitCast(h, HalfType()), Register(DType::kF32));
    }
    const DType u32 = DType::kU32;
    Value* wide = b_.CreateZExt(h, Register(u32));
    Value* sign = b_.CreateShl(b_.CreateAnd(wide, Bits(u32, 0x8000)), Bits(u32, 16));
    Value* magnitude = b_.CreateAnd(wide, Bits(u32, 0x7fff));
    Value* moved = b_.CreateBitCast(b_.CreateShl(magnitude, Bits(u32, 13)), Register(DType::kF32));
    Value* finite = b_.CreateFMul(moved, Float(DType::kF32, 0x1p112));
    Value* r = b_.CreateBitCast(finite, Register(u32));
    r = b_.CreateSelect(b_.CreateICmpEQ(magnitude, Bits(u32, 0x7c00)), Bits(u32, 0x7f800000), r);
    r = b_.CreateSelect(b_.CreateICmpUGT(magnitude, Bits(u32, 0x7c00)), Bits(u32, 0x7fc00000), r);
    return b_.CreateBitCast(b_.CreateOr(r, sign), Register(DType::kF32));
  }

  // fptosi is poison out of range, and llvm.fptosi.sat on vectors is scalarised for x86: so
  // selects.
  Value* FloatToInt(Value* v, DType from, DType to) {
    const int width = BitWidth(to);
    const bool is_signed = IsSignedInteger(to);
    const double upper = std::ldexp(1.0, is_signed ? width - 1 : width);  // the first value too large
    const double lower = is_signed ? -upper : 0;
    // -128.9 truncates to -128: the bound is lower - 1, unless the type has no such number.
    const int mantissa = from == DType::kF32 ? 24 : 53;
    const bool has_below = !is_signed || width <= mantissa;
    Value* below =
        has_below ? b_.CreateFCmpOLE(v, Float(from, lower - 1)) : b_.CreateFCmpOLT(v, Float(from, lower));
    Value* fits_below =
        has_below ? b_.CreateFCmpOGT(v, Float(from, lower - 1)) : b_.CreateFCmpOGE(v, Float(from, lower));
    Value* in_range = b_.CreateAnd(fits_below, b_.CreateFCmpOLT(v, Float(from, upper)));
    Value* safe = b_.CreateSelect(in_range, v, Float(from, 0));
    Value* r = is_signed ? b_.CreateFPToSI(safe, Register(to)) : b_.CreateFPToUI(safe, Register(to));
    const llvm::APInt max =
        is_signed ? llvm::APInt::getSignedMaxValue(width) : llvm::APInt::getMaxValue(width);
    r = b_.CreateSelect(b_.CreateFCmpOGE(v, Float(from, upper)), Bits(to, max.getZExtValue()), r);
    if (!is_signed) return r;
    return b_.CreateSelect(below, Bits(to, llvm::APInt::getSignedMinValue(width).getZExtValue()), r);
  }

  Value* IntToFloat(Value* v, DType from, DType to) {
    const auto convert = [&](Value* x, DType type) {
      return IsSignedInteger(from) ? b_.CreateSIToFP(x, Register(type)) : b_.CreateUIToFP(x, Register(type));
    };
    if (!IsHalf(to)) return convert(v, to);
    // Up to 2^24 f32 is exact, and above 65520 every f16 is Inf.
    if (to == DType::kF16) return F32ToF16(convert(v, DType::kF32));
    if (BitWidth(from) <= 16) return F32ToBF16(convert(v, DType::kF32));
    if (BitWidth(from) == 64) v = StickyInteger(v, from);
    return F32ToBF16(RoundToOdd(convert(v, DType::kF64)));
  }

  // Wide integers with their low 11 bits gathered into one, so that f64 holds them exactly and a
  // later rounding to few bits sees on which side of a tie they lie.
  Value* StickyInteger(Value* v, DType type) {
    Value* low = b_.CreateAnd(v, Bits(type, 0x7ff));
    Value* any = b_.CreateICmpNE(low, Bits(type, 0));
    Value* high = b_.CreateAnd(v, Bits(type, ~uint64_t{0x7ff}));
    Value* sticky = b_.CreateOr(high, b_.CreateSelect(any, Bits(type, 0x800), Bits(type, 0)));
    // |v| < 2^53 is exact as it is.
    Value* biased = IsSignedInteger(type) ? b_.CreateAdd(v, Bits(type, uint64_t{1} << 53)) : v;
    Value* small = b_.CreateICmpULT(biased, Bits(type, uint64_t{1} << (IsSignedInteger(type) ? 54 : 53)));
    return b_.CreateSelect(small, v, sticky);
  }

  llvm::IRBuilderBase& b_;
  const EmitTarget& target_;
};

}  // namespace

llvm::Value* EmitConvert(llvm::IRBuilderBase& builder, const EmitTarget& target, llvm::Value* value,
                         DType from, DType to) {
  return Converter(builder, target).Convert(value, from, to);
}

}  // namespace tenfold
