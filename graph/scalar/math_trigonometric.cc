// SPDX-License-Identifier: Apache-2.0
//
// Sine, cosine, tangent and their inverses, in f64.
//
// Polynomials: minimax, from Sollya's fpminimax with double-precision coefficients. The kernels of sine and
// cosine take their argument as a sum of two floats, after W. J. Cody and W. Waite, Software Manual for the
// Elementary Functions; large arguments are reduced as M. Payne and R. Hanek have it (SIGNUM 18, 1983).

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "tenfold/graph/scalar/math.h"
#include "tenfold/graph/scalar/math_internal.h"

namespace tenfold::math {
namespace {

constexpr double kHalfPi = 0x1.921fb54442d18p0;
constexpr double kHalfPiLow = 0x1.1a62633145c07p-54;
constexpr double kQuarterPi = 0x1.921fb54442d18p-1;
constexpr double kQuarterPiLow = 0x1.1a62633145c07p-55;

// The bits of 2/pi, first those right behind the point: enough for any f64.
constexpr uint32_t kTwoOverPi[] = {
    0xa2f9836e, 0x4e441529, 0xfc2757d1, 0xf534ddc0, 0xdb629599, 0x3c439041, 0xfe5163ab, 0xdebbc561,
    0xb7246e3a, 0x424dd2e0, 0x06492eea, 0x09d1921c, 0xfe1deb1c, 0xb129a73e, 0xe88235f5, 0x2ebb4484,
    0xe99c7026, 0xb45f7e41, 0x3991d639, 0x835339f4, 0x9c845f8b, 0xbdf9283b, 0x1ff897ff, 0xde05980f,
    0xef2f118b, 0x5a0a6d1f, 0x6d367ecf, 0x27cb09b7, 0x4f463f66, 0x9e5fea2d, 0x7527bac7, 0xebe5f17b,
    0x3d0739f7, 0x8a5292ea, 0x6bfb5fb1, 0x1f8d5d08, 0x56033046, 0xfc7b6bab,
};

Scalar U32(Scalar like, uint64_t value) { return like.builder()->ConstBits(DType::kU32, value); }
Scalar U64(Scalar like, uint64_t value) { return like.builder()->ConstBits(DType::kU64, value); }

// |x| = q pi/2 + high + low modulo 2 pi, with high + low in [-pi/4, pi/4].
struct Angle {
  Scalar q;  // u64; its two last bits count
  Pair r;
};

// kWords words of 32 bits from bit `at` of 2/pi on, where kLeading words of zeros stand before it. Three of
// every four selects would go if programs had tables.
template <int kWords>
std::array<Scalar, kWords> WindowOfTwoOverPi(Scalar at, int leading, int last_index) {
  const Scalar index = at >> 5;
  std::vector<Scalar> words;
  for (int i = 0; i <= last_index + kWords; ++i) {
    words.push_back(U32(at, i < leading ? 0 : kTwoOverPi[i - leading]));
  }
  int top_bit = 1;
  while (2 * top_bit <= last_index) top_bit *= 2;
  // Each step moves by a power of two, and leaves the words that later steps may still ask for.
  int reach = last_index;
  for (int bit = top_bit; bit > 0; bit /= 2) {
    const Scalar moves = (index & U32(at, bit)) != U32(at, 0);
    const int rest = std::min(reach, bit - 1);
    const int kept = std::max(rest, reach - bit) + kWords + 1;
    std::vector<Scalar> next;
    for (int i = 0; i < kept; ++i) {
      const size_t moved = i + bit;
      next.push_back(moved < words.size() ? Select(moves, words[moved], words[i]) : words[i]);
    }
    words = std::move(next);
    reach = rest;
  }
  const Scalar left = at & U32(at, 31);
  const Scalar right = U32(at, 32) - left;  // 32 shifts everything out
  std::array<Scalar, kWords> window;
  for (int i = 0; i < kWords; ++i) window[i] = Shl(words[i], left) | Shr(words[i + 1], right);
  return window;
}

// `top` and what follows it are the bits of |x| 2/pi modulo 4; the two first are the quadrant.
Scalar NearestQuadrant(Scalar top) { return (top + U64(top, uint64_t{1} << 61)) >> 62; }

// What is left of `top` when the quadrant is taken away, as a float without error: high 2^32 + low.
Pair Fraction(Scalar top, Scalar q) {
  const Scalar rest = top - (q << 62);
  const Scalar high = Convert(Convert(rest >> 32, DType::kI32), DType::kF64);
  const Scalar low = Convert(Convert(rest, DType::kU32), DType::kF64);
  const Scalar sum = Fma(high, Like(high, 0x1p32), low);
  return {sum, low - Fma(high, Like(high, -0x1p32), sum)};
}

// x is f32, at least 2^-7. One f64 holds what is left of it to more than f32's precision.
Angle ReduceLargeF32(Scalar a) {
  const Scalar bits = Bitcast(a, DType::kU32);
  const Scalar exponent = bits >> 23;
  const Scalar m = Convert((bits & U32(a, 0x7fffff)) | U32(a, 0x800000), DType::kU64);
  const std::array<Scalar, 3> w = WindowOfTwoOverPi<3>(exponent - U32(a, 120), 1, 4);
  const auto product = [&](Scalar word) { return m * Convert(word, DType::kU64); };
  const Scalar top = (product(w[0]) << 32) + product(w[1]) + (product(w[2]) >> 32);
  const Scalar q = NearestQuadrant(top);
  const Scalar r = Fraction(top, q).high * (kHalfPi * 0x1p-62);
  return {q, {r, Like(r, 0)}};
}

// x is f64, at least 1/2: 53 bits times 192 bits of 2/pi, modulo 2^192. The nearest that any f64 comes to a
// multiple of pi/2 leaves 60 zeros behind the quadrant.
Angle ReduceLargeF64(Scalar a) {
  const Scalar bits = Bitcast(a, DType::kU64);
  const Scalar exponent = Convert(bits >> 52, DType::kU32);
  const Scalar m = (bits & U64(a, 0xfffffffffffff)) | U64(a, 0x10000000000000);
  const Scalar mask = U64(a, 0xffffffff);
  const Scalar m_low = m & mask, m_high = m >> 32;
  constexpr int kWords = 6;
  const std::array<Scalar, kWords> w = WindowOfTwoOverPi<kWords>(exponent - U32(a, 1013), 2, 32);
  std::array<Scalar, kWords> by_low, by_high, product;
  for (int i = 0; i < kWords; ++i) {
    const Scalar word = Convert(w[i], DType::kU64);
    by_low[i] = m_low * word;
    by_high[i] = m_high * word;
  }
  // Schoolbook multiplication, from the last word up.
  Scalar carry = U64(a, 0);
  for (int i = kWords - 1; i >= 0; --i) {
    Scalar sum = (by_low[i] & mask) + carry;
    if (i + 1 < kWords) sum = sum + (by_low[i + 1] >> 32) + (by_high[i + 1] & mask);
    if (i + 2 < kWords) sum = sum + (by_high[i + 2] >> 32);
    product[i] = sum & mask;
    carry = sum >> 32;
  }
  const Scalar top = (product[0] << 32) | product[1];
  const Scalar q = NearestQuadrant(top);
  const Pair rest = Fraction(top, q);
  const auto as_float = [](Scalar word) { return Convert(Convert(word, DType::kU32), DType::kF64); };
  const Scalar further = Fma(as_float(product[2]), Like(a, 0x1p-32), as_float(product[3]) * 0x1p-64);
  const Scalar low = rest.low + further;
  const Scalar high = rest.high + low;
  const Scalar lower = low - (high - rest.high);
  // Times pi/2.
  const Scalar c = Like(a, kHalfPi * 0x1p-62);
  const Scalar r = high * c;
  return {q, {r, Fma(high, c, -r) + Fma(high, Like(a, kHalfPiLow * 0x1p-62), lower * c)}};
}

struct SinAndCos {
  Scalar q;
  Scalar sin, cos;  // of what is left of |x|
};

SinAndCos SinAndCosOf(Scalar x) {
  const Scalar a = Abs(x);
  const Angle large = IsF64(x) ? ReduceLargeF64(a) : ReduceLargeF32(a);
  const Scalar small = a < kQuarterPi;
  const Scalar q = Select(small, U64(x, 0), large.q);
  const Scalar r = Select(small, ToF64(a), large.r.high);
  const Scalar low = Select(small, Like(r, 0), large.r.low);

  const Scalar z = r * r;
  const Scalar v = z * r;
  const Scalar s = Horner(z, {0x1.1111111110c76p-7, -0x1.a01a019e9d8c9p-13, 0x1.71de37acc52b3p-19,
                              -0x1.ae601b9d2bb23p-26, 0x1.5e0f93e46c168p-33});
  const Scalar sin = r - ((z * (0.5 * low - v * s) - low) - v * -0x1.5555555555555p-3);

  const Scalar c = z * Horner(z, {0x1.5555555555555p-5, -0x1.6c16c16c168c6p-10, 0x1.a01a019f37055p-16,
                                  -0x1.27e4fa01247d8p-22, 0x1.1eeb55de3f00bp-29, -0x1.907209c227b75p-37});
  const Scalar half = 0.5 * z;
  const Scalar w = 1.0 - half;
  const Scalar cos = w + (((1.0 - w) - half) + (z * c - r * low));
  return {q, sin, cos};
}

Scalar IsSet(Scalar q, uint64_t bit) { return (q & U64(q, bit)) != U64(q, 0); }

// y with its sign flipped where that of x is set; NaN where x is infinite.
Scalar Odd(Scalar x, Scalar y) {
  const Scalar wide = ToF64(x);
  const Scalar sign = Bitcast(wide, DType::kU64) & U64(x, uint64_t{1} << 63);
  const Scalar signed_y = Bitcast(Bitcast(y, DType::kU64) ^ sign, DType::kF64);
  return Select(Abs(wide) < __builtin_inf(), signed_y, wide - wide);
}

// asin(s) / s - 1 for z = s^2 up to 1/4.
Scalar AsinTail(Scalar z) {
  return z *
         Horner(z, {0x1.555555555554ep-3, 0x1.33333333374a6p-4, 0x1.6db6db67bbbbbp-5, 0x1.f1c71fdc396c3p-6,
                    0x1.6e8b224060fdbp-6, 0x1.1c59e58df0f13p-6, 0x1.c862e963a74f8p-7, 0x1.85975e1872113p-7,
                    0x1.fafa7675402adp-8, 0x1.0a05191e1db75p-6, -0x1.6b616b05276cap-7, 0x1.d19a139ac137dp-6});
}

// For |x| > 1/2, asin |x| = pi/2 - 2 asin(s) with s = sqrt((1 - |x|) / 2).
struct HalfAngle {
  Scalar far;      // |x| > 1/2
  Scalar s, tail;  // asin(s) = s + s tail
  Scalar s_low;    // what the root rounded away
};

HalfAngle HalfAngleOf(Scalar x) {
  const Scalar a = Abs(x);
  const Scalar far = a > 0.5;
  const Scalar z = Select(far, (1.0 - a) * 0.5, a * a);
  const Scalar root = Sqrt(z);
  // The small number matters only where the root is 0.
  const Scalar s_low = Fma(-root, root, z) / (root + root + 0x1p-1000);
  return {far, Select(far, root, x), AsinTail(z), s_low};
}

}  // namespace

Scalar Sin(Scalar x) {
  const SinAndCos v = SinAndCosOf(x);
  const Scalar y = Select(IsSet(v.q, 1), v.cos, v.sin);
  return Odd(x, Select(IsSet(v.q, 2), -y, y));
}

Scalar Cos(Scalar x) {
  const SinAndCos v = SinAndCosOf(x);
  const Scalar y = Select(IsSet(v.q, 1), v.sin, v.cos);
  const Scalar wide = ToF64(x);
  // Negative in the second and third quadrants.
  const Scalar signed_y = Select(IsSet(v.q + U64(x, 1), 2), -y, y);
  return Select(Abs(wide) < __builtin_inf(), signed_y, wide - wide);
}

Scalar Tan(Scalar x) {
  const SinAndCos v = SinAndCosOf(x);
  const Scalar odd = IsSet(v.q, 1);
  return Odd(x, Select(odd, v.cos, v.sin) / Select(odd, -v.sin, v.cos));
}

Scalar Asin(Scalar x) {
  x = ToF64(x);
  const HalfAngle h = HalfAngleOf(x);
  const Scalar near = Fma(h.s, h.tail, h.s);
  // The first difference hardly rounds: it is exact where it cancels.
  const Scalar two_s = h.s + h.s;
  const Scalar far = (kHalfPi - two_s) - (2.0 * Fma(h.s, h.tail, h.s_low) - kHalfPiLow);
  return CopySign(Select(h.far, far, near), x);
}

Scalar Acos(Scalar x) {
  x = ToF64(x);
  const HalfAngle h = HalfAngleOf(x);
  const Scalar near = kHalfPi - (h.s - (kHalfPiLow - h.s * h.tail));
  const Scalar rest = Fma(h.s, h.tail, h.s_low);
  const Scalar right = 2.0 * (h.s + rest);
  const Scalar left = 2.0 * (kHalfPi - (h.s + (rest - kHalfPiLow)));
  return Select(h.far, Select(x < 0.0, left, right), near);
}

// atan a = atan(base) + atan((a - base) / (1 + a base)) for the bases 0, 1 and infinity, so that the
// polynomial is asked for |t| <= tan(pi/8) only.
Scalar Atan(Scalar x) {
  x = ToF64(x);
  const Scalar a = Abs(x);
  const Scalar one = Like(x, 1), zero = Like(x, 0);
  const Scalar low = a < 0x1.a827999fcef32p-2, high = a > 0x1.3504f333f9de6p1;
  const auto choose = [&](Scalar at_0, Scalar at_1, Scalar at_infinity) {
    return Select(low, at_0, Select(high, at_infinity, at_1));
  };
  const Scalar t = choose(a, a - 1.0, -one) / choose(one, a + 1.0, a);
  const Scalar base = choose(zero, Like(x, kQuarterPi), Like(x, kHalfPi));
  const Scalar base_low = choose(zero, Like(x, kQuarterPiLow), Like(x, kHalfPiLow));
  const Scalar z = t * t;
  const Scalar tail =
      z * Horner(z, {-0x1.5555555555555p-2, 0x1.999999999944bp-3, -0x1.249249243f3d5p-3, 0x1.c71c7189d0e78p-4,
                     -0x1.745d0bc5f91d2p-4, 0x1.3b126f7e1d73ap-4, -0x1.10fb142a71e79p-4, 0x1.dfefe11b00ef8p-5,
                     -0x1.a0c7695107958p-5, 0x1.41dc6b0fe2f97p-5, -0x1.3b4568fdda966p-6});
  return CopySign(base + (t + Fma(t, tail, base_low)), x);
}

}  // namespace tenfold::math
