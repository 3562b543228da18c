// SPDX-License-Identifier: Apache-2.0
//
// Compiled with -mavx512f -mavx512dq; called only on such a CPU.
#include <immintrin.h>

#include <cmath>

#include "tenfold/benchmarks/handwritten/kernels_internal.h"

namespace tenfold::handwritten {
namespace {

// exp(x) for x <= kExpMax, 1 ULP. vscalefps gives 0 and subnormals where they belong.
constexpr float kExpMax = 104;  // as good as inf
inline __m512 Exp(__m512 x) {
  x = _mm512_max_ps(x, _mm512_set1_ps(-104));  // exp is 0 there; far below, the reduction would overflow
  const __m512 magic = _mm512_set1_ps(0x1.8p23f);
  const __m512 n = _mm512_sub_ps(_mm512_fmadd_ps(x, _mm512_set1_ps(0x1.715476p0f), magic), magic);
  __m512 r = _mm512_fmadd_ps(n, _mm512_set1_ps(-0x1.62e400p-1f), x);
  r = _mm512_fmadd_ps(n, _mm512_set1_ps(-0x1.7f7d1cp-20f), r);
  __m512 p = _mm512_set1_ps(0x1.685b36p-10f);
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0x1.123d52p-7f));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0x1.555b92p-5f));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0x1.55548cp-3f));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0x1.fffff8p-2f));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1));
  return _mm512_scalef_ps(p, n);
}

void Gelu(const float* x, float* y, int64_t count) {
  constexpr float kScale = -1.5957691216057308f;  // -2 sqrt(2/pi)
  const __m512 one = _mm512_set1_ps(1);
  for (int64_t i = 0; i < count; i += 16) {
    const __m512 v = _mm512_load_ps(x + i);
    const __m512 inner =
        _mm512_fmadd_ps(_mm512_mul_ps(v, v), _mm512_set1_ps(kScale * 0.044715f), _mm512_set1_ps(kScale));
    const __m512 e = Exp(_mm512_min_ps(_mm512_mul_ps(v, inner), _mm512_set1_ps(kExpMax)));
    _mm512_store_ps(y + i, _mm512_div_ps(v, _mm512_add_ps(one, e)));
  }
}

inline __m512 RowMax(const float* x, int64_t columns) {
  __m512 m[4];
  for (int v = 0; v < 4; ++v) m[v] = _mm512_load_ps(x + 16 * v);
  for (int64_t i = 64; i < columns; i += 64) {
    for (int v = 0; v < 4; ++v) m[v] = _mm512_max_ps(m[v], _mm512_load_ps(x + i + 16 * v));
  }
  return _mm512_set1_ps(
      _mm512_reduce_max_ps(_mm512_max_ps(_mm512_max_ps(m[0], m[1]), _mm512_max_ps(m[2], m[3]))));
}

inline float Sum(const __m512 (&s)[4]) {
  return _mm512_reduce_add_ps(_mm512_add_ps(_mm512_add_ps(s[0], s[1]), _mm512_add_ps(s[2], s[3])));
}

// y = exp(x - max); gives the sum.
inline float ExpRow(const float* x, float* y, int64_t columns, __m512 max) {
  __m512 s[4] = {_mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps()};
  for (int64_t i = 0; i < columns; i += 64) {
    for (int v = 0; v < 4; ++v) {
      const __m512 e = Exp(_mm512_sub_ps(_mm512_load_ps(x + i + 16 * v), max));
      _mm512_store_ps(y + i + 16 * v, e);
      s[v] = _mm512_add_ps(s[v], e);
    }
  }
  return Sum(s);
}

void Softmax(const float* x, float* y, int64_t rows, int64_t columns) {
  for (; rows > 0; --rows, x += columns, y += columns) {
    const __m512 sum = _mm512_set1_ps(ExpRow(x, y, columns, RowMax(x, columns)));
    for (int64_t i = 0; i < columns; i += 16) {
      _mm512_store_ps(y + i, _mm512_div_ps(_mm512_load_ps(y + i), sum));
    }
  }
}

void SoftmaxReciprocal(const float* x, float* y, int64_t rows, int64_t columns) {
  for (; rows > 0; --rows, x += columns, y += columns) {
    const __m512 scale = _mm512_set1_ps(1 / ExpRow(x, y, columns, RowMax(x, columns)));
    for (int64_t i = 0; i < columns; i += 16) {
      _mm512_store_ps(y + i, _mm512_mul_ps(_mm512_load_ps(y + i), scale));
    }
  }
}

void RowSums(const float* x, float* sums, int64_t rows, int64_t columns) {
  for (int64_t row = 0; row < rows; ++row, x += columns) {
    __m512 s[4];
    for (int v = 0; v < 4; ++v) s[v] = _mm512_load_ps(x + 16 * v);
    for (int64_t i = 64; i < columns; i += 64) {
      for (int v = 0; v < 4; ++v) s[v] = _mm512_add_ps(s[v], _mm512_load_ps(x + i + 16 * v));
    }
    sums[row] = Sum(s);
  }
}

// Eight rows at a time, so that the sums in the first-level cache are touched once for each.
void AxisSums(const float* x, float* sums, int64_t outer, int64_t reduced, int64_t inner) {
  for (int64_t o = 0; o < outer; ++o, sums += inner) {
    for (int64_t i = 0; i < inner; i += 16) _mm512_store_ps(sums + i, _mm512_setzero_ps());
    for (int64_t r = 0; r < reduced; r += 8, x += 8 * inner) {
      for (int64_t i = 0; i < inner; i += 16) {
        __m512 row[8];
        for (int v = 0; v < 8; ++v) row[v] = _mm512_load_ps(x + v * inner + i);
        for (int step = 4; step > 0; step /= 2) {
          for (int v = 0; v < step; ++v) row[v] = _mm512_add_ps(row[v], row[v + step]);
        }
        _mm512_store_ps(sums + i, _mm512_add_ps(_mm512_load_ps(sums + i), row[0]));
      }
    }
  }
}

void LayerNorm(const float* x, const float* scale, const float* bias, float* y, int64_t rows,
               int64_t columns) {
  const float count = static_cast<float>(columns);
  for (; rows > 0; --rows, x += columns, y += columns) {
    __m512 s[4] = {_mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps()};
    for (int64_t i = 0; i < columns; i += 64) {
      for (int v = 0; v < 4; ++v) s[v] = _mm512_add_ps(s[v], _mm512_load_ps(x + i + 16 * v));
    }
    const __m512 mean = _mm512_set1_ps(Sum(s) / count);
    for (int v = 0; v < 4; ++v) s[v] = _mm512_setzero_ps();
    for (int64_t i = 0; i < columns; i += 64) {
      for (int v = 0; v < 4; ++v) {
        const __m512 d = _mm512_sub_ps(_mm512_load_ps(x + i + 16 * v), mean);
        s[v] = _mm512_fmadd_ps(d, d, s[v]);
      }
    }
    const __m512 inverse = _mm512_set1_ps(1 / std::sqrt(Sum(s) / count + 1e-5f));
    for (int64_t i = 0; i < columns; i += 16) {
      const __m512 d = _mm512_mul_ps(_mm512_sub_ps(_mm512_load_ps(x + i), mean), inverse);
      _mm512_store_ps(y + i, _mm512_fmadd_ps(d, _mm512_load_ps(scale + i), _mm512_load_ps(bias + i)));
    }
  }
}

}  // namespace

const Kernels kAvx512Kernels = {"avx512", &Gelu,     &Softmax,  &SoftmaxReciprocal,
                                &RowSums, &AxisSums, &LayerNorm};

}  // namespace tenfold::handwritten
