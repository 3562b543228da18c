// SPDX-License-Identifier: Apache-2.0
#include "tenfold/tools/random_tensor.h"

#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/half.h"

namespace tenfold {
namespace {

// Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators (2014).
class SplitMix64 {
 public:
  explicit SplitMix64(uint64_t seed) : state_(seed) {}
  uint64_t Next() {
    uint64_t z = state_ += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }

 private:
  uint64_t state_;
};

// FNV-1a.
uint64_t HashOf(absl::string_view name) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return hash;
}

// The sum of twelve uniform numbers less 6. The numbers have 16 bits, so everything is exact and no machine's
// log or cos has a say.
double NearlyNormal(SplitMix64& random) {
  int64_t sum = 0;
  for (int draw = 0; draw < 3; ++draw) {
    const uint64_t bits = random.Next();
    sum += (bits & 0xffff) + (bits >> 16 & 0xffff) + (bits >> 32 & 0xffff) + (bits >> 48);
  }
  return static_cast<double>(2 * (sum - 6 * 65536) + 12) / 131072;  // each number in the middle of its cell
}

template <typename T>
T Draw(SplitMix64& random) {
  constexpr DType kType = DTypeOf<T>();
  if constexpr (kType == DType::kF16)
    return ToF16(static_cast<float>(NearlyNormal(random)));
  else if constexpr (kType == DType::kBF16)
    return ToBF16(static_cast<float>(NearlyNormal(random)));
  else if constexpr (IsFloat8(kType))
    return ToFloat8<T>(static_cast<float>(NearlyNormal(random)));
  else if constexpr (IsFloat(kType))
    return static_cast<T>(NearlyNormal(random));
  else if constexpr (IsBool(kType))
    return (random.Next() >> 63) != 0;
  else if constexpr (IsSignedInteger(kType))
    return static_cast<T>(static_cast<int>((random.Next() >> 32) * 201 >> 32) - 100);
  else
    return static_cast<T>((random.Next() >> 32) * 101 >> 32);
}

}  // namespace

absl::StatusOr<Tensor> RandomTensor(DType dtype, std::span<const int64_t> dims, uint64_t seed,
                                    absl::string_view name, const Limits& limits) {
  const std::optional<int64_t> count = NumElements(dims);
  const int64_t size = static_cast<int64_t>(SizeOf(dtype));
  if (count && *count > limits.tensor_bytes / size && *count <= INT64_MAX / size) {
    return MakeError(
        "E0402",
        absl::StrCat("random values for '", name, "', ", Name(dtype), DimsToString(dims), ", take ",
                     *count * size, " bytes; the limit tensor_bytes is ", limits.tensor_bytes),
        RaiseLimitHelp("tensor_bytes", *count * size));
  }
  // Of a packed dtype the low bits of numbers, which are as uniform as the numbers.
  const DType drawn = IsPacked(dtype) ? UnpackedType(dtype) : dtype;
  TENFOLD_ASSIGN_OR_RETURN(Tensor tensor, Tensor::Allocate(drawn, dims));
  SplitMix64 random(SplitMix64(seed).Next() ^ HashOf(name));
  VisitDType(drawn, [&]<typename T>(std::type_identity<T>) {
    for (T& element : tensor.mutable_values<T>()) element = Draw<T>(random);
  });
  return IsPacked(dtype) ? tensor.Pack(dtype) : tensor;
}

}  // namespace tenfold
