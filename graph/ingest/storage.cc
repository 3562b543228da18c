// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/ingest/storage.h"

#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"

namespace tenfold {
namespace {

constexpr absl::string_view kNames[] = {"auto", "copy", "borrow", "mmap"};

}  // namespace

absl::Status CannotStay(const ArrayName& name, Storage storage, absl::string_view why) {
  return MakeError("E0334",
                   absl::StrCat(name.ToString(), " cannot be ",
                                storage == Storage::kMmap ? "mapped" : "borrowed", ": ", why),
                   name.argument.empty()
                       ? "to copy it: .storage = Storage::kCopy"
                       : MendByFlag("to copy it: ", "--storage", absl::StrCat(name.argument, "=copy")));
}

absl::string_view Name(Storage storage) { return kNames[static_cast<int>(storage)]; }

std::optional<Storage> ParseStorage(absl::string_view name) {
  for (int i = 0; i < 4; ++i) {
    if (kNames[i] == name) return static_cast<Storage>(i);
  }
  return std::nullopt;
}

}  // namespace tenfold
