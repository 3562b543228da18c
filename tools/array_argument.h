// SPDX-License-Identifier: Apache-2.0
//
// Arrays on a command line: `x=x.npy`, `x=@x.npy`, `w=weights.npz:w1`, `y=f32[2,3] 1 2 3 4 5 6`, `z=random`,
// `z=random:f32[4,64]`.
#ifndef TENFOLD_TOOLS_ARRAY_ARGUMENT_H_
#define TENFOLD_TOOLS_ARRAY_ARGUMENT_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tenfold/graph/ingest/array_name.h"
#include "tenfold/graph/limits.h"
#include "tenfold/graph/tensor.h"

namespace tenfold {

// NAME=VALUE, split at the first '='; nullopt if there is none, or nothing on one side.
struct NamedArgument {
  std::string name;
  std::string value;
};
// Its mends are written with `names`, what the name can be.
absl::Status LacksName(absl::string_view flag, const NamedArgument& argument, absl::string_view what,
                       std::span<const std::string> names);
std::optional<NamedArgument> SplitNamedArgument(absl::string_view text);

enum class ArrayForm : uint8_t { kFile, kLiteral, kRandom };
// A type with its bracket makes a literal; a path that looks like one, or is called random, is written with
// an '@' before it.
ArrayForm FormOf(absl::string_view value);

// A path without the '@' that may stand before it.
absl::string_view StripAt(absl::string_view path);

// The file, and the array in it. `FILE.npz` and `FILE.safetensors` need `:NAME` (E0524).
absl::StatusOr<ArrayName> NameArrayFile(absl::string_view path, const Limits& limits = {});

// E0521 for a VALUE of bare numbers, `x=1,2,3` or `x=[[1, 2], [3, 4]]`: with the literal that they make.
// `type` is what the name is declared as, null where nobody knows. Every other error is given back as it is.
absl::Status WithLiteral(const absl::Status& error, const NamedArgument& argument, const TensorType* type);

// kFile or kLiteral. The command line is trusted: a path may lead anywhere.
absl::StatusOr<Tensor> ReadArray(absl::string_view value, const Limits& limits = {});

}  // namespace tenfold

#endif  // TENFOLD_TOOLS_ARRAY_ARGUMENT_H_
