// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/ingest/pickle_machine.h"

#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/numbers.h"

namespace tenfold {
namespace {

using Kind = PickleItem::Kind;

class Machine : public PickleValues {
 public:
  explicit Machine(absl::string_view pickle) : PickleValues(pickle) {
    for (int kind = 0; kind <= static_cast<int>(Kind::kFloat); ++kind) {
      items_.push_back({static_cast<Kind>(kind)});
    }
  }

  void Walk() {
    while (!complete_ && Step()) {
    }
  }

 private:
  // --- Reading ---
  bool Bytes(uint64_t n, absl::string_view& out) {
    if (n > pickle_.size() - at_) return false;
    out = pickle_.substr(at_, n);
    at_ += n;
    return true;
  }
  bool Number(size_t bytes, uint64_t& out) {
    absl::string_view text;
    if (!Bytes(bytes, text)) return false;
    out = 0;
    for (size_t i = bytes; i-- > 0;) out = out << 8 | static_cast<unsigned char>(text[i]);
    return true;
  }
  bool Line(absl::string_view& out) {
    const size_t end = pickle_.find('\n', at_);
    if (end == absl::string_view::npos) return false;
    out = pickle_.substr(at_, end - at_);
    at_ = end + 1;
    return true;
  }
  bool Skip(uint64_t n) {
    absl::string_view ignored;
    return Bytes(n, ignored);
  }

  // --- The stack ---
  bool Push(Kind kind, absl::string_view contents = {}) {
    if (kind <= Kind::kFloat && contents.empty()) {  // one for all, at the front
      stack_.push_back(static_cast<uint32_t>(kind));
      return true;
    }
    PickleItem item{kind};
    if (!contents.empty()) {
      item.begin = static_cast<uint32_t>(contents.data() - pickle_.data());
      item.size = static_cast<uint32_t>(contents.size());
    }
    stack_.push_back(static_cast<uint32_t>(items_.size()));
    items_.push_back(item);
    return true;
  }
  bool Pop(size_t n = 1) {
    if (stack_.size() < n) return false;
    stack_.resize(stack_.size() - n);
    return true;
  }
  bool Sized(size_t length_bytes, Kind kind) {
    uint64_t n = 0;
    absl::string_view contents;
    return Number(length_bytes, n) && Bytes(n, contents) && Push(kind, contents);
  }
  bool Lines(Kind kind) {
    absl::string_view line;
    return Line(line) && Push(kind, line);
  }
  void Hold(uint32_t holder, uint32_t held) {
    links_.push_back({held, 0});
    const uint32_t link = static_cast<uint32_t>(links_.size());
    PickleItem& item = items_[holder];
    (item.first == 0 ? item.first : links_[item.last - 1].next) = link;
    item.last = link;
    ++item.size;
  }
  // Where the topmost mark stands.
  std::optional<size_t> Mark() const {
    for (size_t i = stack_.size(); i-- > 0;) {
      if (items_[stack_[i]].kind == Kind::kMark) return i;
    }
    return std::nullopt;
  }
  // A new value that holds the topmost ones, from `begin` on; `drop` more below them go.
  bool Collect(Kind kind, size_t begin, size_t drop) {
    const std::vector<uint32_t> held(stack_.begin() + begin, stack_.end());
    stack_.resize(begin - drop);
    Push(kind);
    for (const uint32_t item : held) Hold(stack_.back(), item);
    return true;
  }
  bool CollectToMark(Kind kind) {
    const std::optional<size_t> mark = Mark();
    return mark && Collect(kind, *mark + 1, 1);
  }
  bool CollectTop(Kind kind, size_t n) { return stack_.size() >= n && Collect(kind, stack_.size() - n, 0); }
  // Adds what stands above the mark to what stands below it.
  bool AddToMark() {
    const std::optional<size_t> mark = Mark();
    if (!mark || *mark == 0) return false;
    const uint32_t holder = stack_[*mark - 1];
    const Kind kind = items_[holder].kind;
    const size_t count = stack_.size() - *mark - 1;
    if (kind == Kind::kList) {
      for (size_t i = *mark + 1; i < stack_.size(); ++i) Hold(holder, stack_[i]);
    } else if (kind == Kind::kDict) {
      items_[holder].size += static_cast<uint32_t>(count / 2);
    }
    stack_.resize(*mark);
    return true;
  }
  bool Append() {
    if (stack_.size() < 2) return false;
    const uint32_t holder = stack_[stack_.size() - 2];
    if (items_[holder].kind == Kind::kList) Hold(holder, stack_.back());
    return Pop();
  }
  bool SetItem() {
    if (stack_.size() < 3) return false;
    PickleItem& holder = items_[stack_[stack_.size() - 3]];
    if (holder.kind == Kind::kDict) ++holder.size;
    return Pop(2);
  }
  // What a call gives: it holds what was called, and the arguments.
  bool Call(size_t operands) { return CollectTop(Kind::kObject, operands); }
  // The state is held behind the others.
  bool Build() {
    if (stack_.size() < 2) return false;
    const uint32_t object = stack_[stack_.size() - 2];
    if (items_[object].kind == Kind::kObject) Hold(object, stack_.back());
    return Pop();
  }
  bool Global() {
    const size_t begin = at_;
    absl::string_view line;
    return Line(line) && Line(line) && Push(Kind::kGlobal, pickle_.substr(begin, at_ - 1 - begin));
  }
  // Module and name are two texts of the stack, which need not lie side by side.
  bool StackGlobal() { return CollectTop(Kind::kGlobal, 2); }
  bool Put(uint64_t key) {
    if (stack_.empty()) return false;
    memo_[key] = stack_.back();
    return true;
  }
  bool Get(uint64_t key) {
    const auto found = memo_.find(key);
    if (found == memo_.end()) return false;
    stack_.push_back(found->second);
    return true;
  }
  bool LineKey(uint64_t& key) {
    absl::string_view line;
    return Line(line) && absl::SimpleAtoi(line, &key);
  }

  bool Step();

  size_t at_ = 0;
  absl::flat_hash_map<uint64_t, uint32_t> memo_;
};

bool Machine::Step() {
  uint64_t n = 0;
  absl::string_view text;
  if (!Number(1, n)) return false;
  switch (static_cast<unsigned char>(n)) {
    case 0x80:  // PROTO
      return Skip(1);
    case 0x95:  // FRAME
      return Skip(8);
    case '.':
      complete_ = true;
      return true;
    case '(':
      return Push(Kind::kMark);
    case '0':
      return Pop();
    case '1': {  // POP_MARK
      const std::optional<size_t> mark = Mark();
      if (mark) stack_.resize(*mark);
      return mark.has_value();
    }
    case '2':  // DUP
      if (stack_.empty()) return false;
      stack_.push_back(stack_.back());
      return true;
    case 'N':
      return Push(Kind::kNone);
    case 0x88:
    case 0x89:
      return Push(Kind::kBool);
    case 'I':  // "01" and "00" are True and False
      return Line(text) && Push(text == "00" || text == "01" ? Kind::kBool : Kind::kInteger);
    case 'L':
      return Line(text) && Push(Kind::kInteger);
    case 'J':
      return Bytes(4, text) && Push(Kind::kInteger, text);
    case 'K':
      return Bytes(1, text) && Push(Kind::kInteger, text);
    case 'M':
      return Bytes(2, text) && Push(Kind::kInteger, text);
    case 0x8a:
      return Sized(1, Kind::kInteger);
    case 0x8b:
      return Sized(4, Kind::kInteger);
    case 'F':
      return Line(text) && Push(Kind::kFloat);
    case 'G':
      return Skip(8) && Push(Kind::kFloat);
    case 'S':
    case 'V':
      return Lines(Kind::kText);
    case 'T':
    case 'X':
      return Sized(4, Kind::kText);
    case 'U':
    case 0x8c:
      return Sized(1, Kind::kText);
    case 0x8d:
      return Sized(8, Kind::kText);
    case 'B':
      return Sized(4, Kind::kBytes);
    case 'C':
      return Sized(1, Kind::kBytes);
    case 0x8e:
    case 0x96:  // BYTEARRAY8
      return Sized(8, Kind::kBytes);
    case 'P':
      return Lines(Kind::kUnknown);
    case 'Q':
      return Pop() && Push(Kind::kUnknown);
    case 0x97:  // NEXT_BUFFER
      return Push(Kind::kUnknown);
    case 0x98:  // READONLY_BUFFER
      return true;
    case ')':
      return Push(Kind::kTuple);
    case ']':
      return Push(Kind::kList);
    case '}':
      return Push(Kind::kDict);
    case 0x8f:
      return Push(Kind::kSet);
    case 't':
      return CollectToMark(Kind::kTuple);
    case 'l':
      return CollectToMark(Kind::kList);
    case 'd': {
      if (!CollectToMark(Kind::kDict)) return false;
      PickleItem& dict = items_[stack_.back()];
      dict.size /= 2;
      dict.first = 0;
      return true;
    }
    case 0x91:
      return CollectToMark(Kind::kSet);
    case 0x85:
    case 0x86:
    case 0x87:
      return CollectTop(Kind::kTuple, n - 0x84);
    case 'a':
      return Append();
    case 'e':
    case 'u':
    case 0x90:
      return AddToMark();
    case 's':
      return SetItem();
    case 'c':
      return Global();
    case 0x93:
      return StackGlobal();
    case 0x82:
    case 0x83:
    case 0x84:  // EXT1, EXT2, EXT4
      return Skip(uint64_t{1} << (n - 0x82)) && Push(Kind::kUnknown);
    case 'R':
    case 0x81:  // NEWOBJ
      return Call(2);
    case 0x92:  // NEWOBJ_EX
      return Call(3);
    case 'o':
      return CollectToMark(Kind::kObject);
    case 'i': {  // INST: the global, and arguments from the mark on
      if (!Line(text) || !Line(text)) return false;
      return CollectToMark(Kind::kUnknown);
    }
    case 'b':
      return Build();
    case 'p':
      return LineKey(n) && Put(n);
    case 'q':
      return Number(1, n) && Put(n);
    case 'r':
      return Number(4, n) && Put(n);
    case 0x94:
      return Put(memo_.size());
    case 'g':
      return LineKey(n) && Get(n);
    case 'h':
      return Number(1, n) && Get(n);
    case 'j':
      return Number(4, n) && Get(n);
    default:
      return false;
  }
}

}  // namespace

std::vector<uint32_t> PickleValues::Held(const PickleItem& item, size_t most) const {
  std::vector<uint32_t> held;
  for (uint32_t l = item.first; l != 0 && held.size() < most; l = links_[l - 1].next) {
    held.push_back(links_[l - 1].item);
  }
  return held;
}

PickleValues WalkPickle(absl::string_view pickle) {
  Machine machine(pickle);
  machine.Walk();
  return PickleValues(std::move(machine));
}

}  // namespace tenfold
