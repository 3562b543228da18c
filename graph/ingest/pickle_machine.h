// SPDX-License-Identifier: Apache-2.0
//
// Pickles are programs for a small stack machine, and unpickling runs them: it imports what they name and
// calls it. Here the same opcodes, those of Python's pickletools, protocols 0 to 5, are walked over a stack
// of descriptions; nothing is imported, called or built, and memory stays in proportion to the bytes.
#ifndef TENFOLD_GRAPH_INGEST_PICKLE_MACHINE_H_
#define TENFOLD_GRAPH_INGEST_PICKLE_MACHINE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"

namespace tenfold {

// A value. `begin` and `size` are a part of the pickle, for what has contents; what holds other values has a
// chain of links. Values may be shared, and may hold themselves.
struct PickleItem {
  enum class Kind : uint8_t {
    kMark,
    kNone,
    kBool,
    kInteger,
    kFloat,
    kText,
    kBytes,
    kTuple,
    kList,
    kDict,
    kSet,
    kGlobal,  // "module\nname"
    kObject,  // what calling something gives; its first link is what was called
    kUnknown
  };
  Kind kind = Kind::kUnknown;
  uint32_t begin = 0;
  uint32_t size = 0;   // in bytes, or links; of a dict, its entries
  uint32_t first = 0;  // links, counted from 1; 0: none
  uint32_t last = 0;
};
struct PickleLink {
  uint32_t item;
  uint32_t next;
};

// What a pickle made.
class PickleValues {
 public:
  explicit PickleValues(absl::string_view pickle) : pickle_(pickle) {}
  // Whether the pickle's end was met, and not that of the bytes or what is no opcode.
  bool complete() const { return complete_; }
  // The values that are left, the bottom first.
  const std::vector<uint32_t>& stack() const { return stack_; }
  const PickleItem& item(uint32_t i) const { return items_[i]; }
  absl::string_view TextOf(const PickleItem& item) const { return pickle_.substr(item.begin, item.size); }
  // What `item` holds, in order.
  std::vector<uint32_t> Held(const PickleItem& item, size_t most = SIZE_MAX) const;

 protected:
  absl::string_view pickle_;
  bool complete_ = false;
  std::vector<PickleItem> items_;
  std::vector<PickleLink> links_;
  std::vector<uint32_t> stack_;
};

// `pickle`, which may be cut off, must outlive what is returned.
PickleValues WalkPickle(absl::string_view pickle);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_INGEST_PICKLE_MACHINE_H_
