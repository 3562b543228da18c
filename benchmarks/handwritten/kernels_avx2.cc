// SPDX-License-Identifier: Apache-2.0
//
// Compiled with -mavx2 -mfma; called only on such a CPU.
#include <immintrin.h>

#include <cmath>

#include "tenfold/benchmarks/handwritten/kernels_internal.h"

namespace tenfold::handwritten {
namespace {

// 2^n for integral n in [-126, 127], given as n + 1.5 * 2^23.
inline __m256 PowerOfTwo(__m256 shifted) {
  return _mm256_castsi256_ps(
      _mm256_slli_epi32(_mm256_add_epi32(_mm256_castps_si256(shifted), _mm256_set1_epi32(127)), 23));
}

// exp(x) clamped to normal results: one multiplication by a power of two then does.
inline __m256 Exp(__m256 x) {
  x = _mm256_min_ps(_mm256_max_ps(x, _mm256_set1_ps(-87.3f)), _mm256_set1_ps(88));
  const __m256 magic = _mm256_set1_ps(0x1.8p23f);
  const __m256 shifted = _mm256_fmadd_ps(x, _mm256_set1_ps(0x1.715476p0f), magic);
  const __m256 n = _mm256_sub_ps(shifted, magic);
  __m256 r = _mm256_fmadd_ps(n, _mm256_set1_ps(-0x1.62e400p-1f), x);
  r = _mm256_fmadd_ps(n, _mm256_set1_ps(-0x1.7f7d1cp-20f), r);
  __m256 p = _mm256_set1_ps(0x1.685b36p-10f);
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(0x1.123d52p-7f));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(0x1.555b92p-5f));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(0x1.55548cp-3f));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(0x1.fffff8p-2f));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1));
  return _mm256_mul_ps(p, PowerOfTwo(shifted));
}

void Gelu(const float* x, float* y, int64_t count) {
  constexpr float kScale = -1.5957691216057308f;  // -2 sqrt(2/pi)
  const __m256 one = _mm256_set1_ps(1);
  for (int64_t i = 0; i < count; i += 8) {
    const __m256 v = _mm256_load_ps(x + i);
    const __m256 inner =
        _mm256_fmadd_ps(_mm256_mul_ps(v, v), _mm256_set1_ps(kScale * 0.044715f), _mm256_set1_ps(kScale));
    const __m256 e = Exp(_mm256_mul_ps(v, inner));
    _mm256_store_ps(y + i, _mm256_div_ps(v, _mm256_add_ps(one, e)));
  }
}

inline float Fold(__m256 v, bool max) {
  float lanes[8];
  _mm256_storeu_ps(lanes, v);
  float r = lanes[0];
  for (int i = 1; i < 8; ++i) r = !max ? r + lanes[i] : lanes[i] > r ? lanes[i] : r;
  return r;
}

inline __m256 RowMax(const float* x, int64_t columns) {
  __m256 m[4];
  for (int v = 0; v < 4; ++v) m[v] = _mm256_load_ps(x + 8 * v);
  for (int64_t i = 32; i < columns; i += 32) {
    for (int v = 0; v < 4; ++v) m[v] = _mm256_max_ps(m[v], _mm256_load_ps(x + i + 8 * v));
  }
  return _mm256_set1_ps(Fold(_mm256_max_ps(_mm256_max_ps(m[0], m[1]), _mm256_max_ps(m[2], m[3])), true));
}

inline float Sum(const __m256 (&s)[4]) {
  return Fold(_mm256_add_ps(_mm256_add_ps(s[0], s[1]), _mm256_add_ps(s[2], s[3])), false);
}

// y = exp(x - max); gives the sum.
inline float ExpRow(const float* x, float* y, int64_t columns, __m256 max) {
  __m256 s[4] = {_mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps()};
  for (int64_t i = 0; i < columns; i += 32) {
    for (int v = 0; v < 4; ++v) {
      const __m256 e = Exp(_mm256_sub_ps(_mm256_load_ps(x + i + 8 * v), max));
      _mm256_store_ps(y + i + 8 * v, e);
      s[v] = _mm256_add_ps(s[v], e);
    }
  }
  return Sum(s);
}

void Softmax(const float* x, float* y, int64_t rows, int64_t columns) {
  for (; rows > 0; --rows, x += columns, y += columns) {
    const __m256 sum = _mm256_set1_ps(ExpRow(x, y, columns, RowMax(x, columns)));
    for (int64_t i = 0; i < columns; i += 8) {
      _mm256_store_ps(y + i, _mm256_div_ps(_mm256_load_ps(y + i), sum));
    }
  }
}

void SoftmaxReciprocal(const float* x, float* y, int64_t rows, int64_t columns) {
  for (; rows > 0; --rows, x += columns, y += columns) {
    const __m256 scale = _mm256_set1_ps(1 / ExpRow(x, y, columns, RowMax(x, columns)));
    for (int64_t i = 0; i < columns; i += 8) {
      _mm256_store_ps(y + i, _mm256_mul_ps(_mm256_load_ps(y + i), scale));
    }
  }
}

void RowSums(const float* x, float* sums, int64_t rows, int64_t columns) {
  for (int64_t row = 0; row < rows; ++row, x += columns) {
    __m256 s[4];
    for (int v = 0; v < 4; ++v) s[v] = _mm256_load_ps(x + 8 * v);
    for (int64_t i = 32; i < columns; i += 32) {
      for (int v = 0; v < 4; ++v) s[v] = _mm256_add_ps(s[v], _mm256_load_ps(x + i + 8 * v));
    }
    sums[row] = Sum(s);
  }
}

// Eight rows at a time, so that the sums in the first-level cache are touched once for each.
void AxisSums(const float* x, float* sums, int64_t outer, int64_t reduced, int64_t inner) {
  for (int64_t o = 0; o < outer; ++o, sums += inner) {
    for (int64_t i = 0; i < inner; i += 8) _mm256_store_ps(sums + i, _mm256_setzero_ps());
    for (int64_t r = 0; r < reduced; r += 8, x += 8 * inner) {
      for (int64_t i = 0; i < inner; i += 8) {
        __m256 row[8];
        for (int v = 0; v < 8; ++v) row[v] = _mm256_load_ps(x + v * inner + i);
        for (int step = 4; step > 0; step /= 2) {
          for (int v = 0; v < step; ++v) row[v] = _mm256_add_ps(row[v], row[v + step]);
        }
        _mm256_store_ps(sums + i, _mm256_add_ps(_mm256_load_ps(sums + i), row[0]));
      }
    }
  }
}

void LayerNorm(const float* x, const float* scale, const float* bias, float* y, int64_t rows,
               int64_t columns) {
  const float count = static_cast<float>(columns);
  for (; rows > 0; --rows, x += columns, y += columns) {
    __m256 s[4] = {_mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps()};
    for (int64_t i = 0; i < columns; i += 32) {
      for (int v = 0; v < 4; ++v) s[v] = _mm256_add_ps(s[v], _mm256_load_ps(x + i + 8 * v));
    }
    const __m256 mean = _mm256_set1_ps(Sum(s) / count);
    for (int v = 0; v < 4; ++v) s[v] = _mm256_setzero_ps();
    for (int64_t i = 0; i < columns; i += 32) {
      for (int v = 0; v < 4; ++v) {
        const __m256 d = _mm256_sub_ps(_mm256_load_ps(x + i + 8 * v), mean);
        s[v] = _mm256_fmadd_ps(d, d, s[v]);
      }
    }
    const __m256 inverse = _mm256_set1_ps(1 / std::sqrt(Sum(s) / count + 1e-5f));
    for (int64_t i = 0; i < columns; i += 8) {
      const __m256 d = _mm256_mul_ps(_mm256_sub_ps(_mm256_load_ps(x + i), mean), inverse);
      _mm256_store_ps(y + i, _mm256_fmadd_ps(d, _mm256_load_ps(scale + i), _mm256_load_ps(bias + i)));
    }
  }
}

}  // namespace

const Kernels kAvx2Kernels = {"avx2", &Gelu, &Softmax, &SoftmaxReciprocal, &RowSums, &AxisSums, &LayerNorm};

}  // namespace tenfold::handwritten
