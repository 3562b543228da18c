// SPDX-License-Identifier: Apache-2.0
//
// What most sources include of the standard library and of Abseil. It comes before each source, so that the
// compiler reads it once; a source includes what it uses all the same, and is compiled without this by
// --config=asan.
#ifndef TENFOLD_BUILD_TOOLS_PRECOMPILED_H_
#define TENFOLD_BUILD_TOOLS_PRECOMPILED_H_

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <numeric>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/container/inlined_vector.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/types/span.h"

#endif  // TENFOLD_BUILD_TOOLS_PRECOMPILED_H_
