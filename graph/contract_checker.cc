// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/contract_checker.h"

#include <algorithm>
#include <limits>
#include <map>
#include <type_traits>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "tenfold/graph/ingest/printable.h"
#include "tenfold/graph/value_order.h"

namespace tenfold {
namespace {

// Values that are compared without a branch, by a loop whose length the host compiler knows.
constexpr int64_t kBlock = 64;
// Bounds of few columns are repeated to about this many.
constexpr int64_t kMinPeriod = 1024;
// Values between two questions whether to stop: tens of microseconds of looking, some milliseconds of
// explaining.
constexpr int64_t kBetweenQuestions = int64_t{1} << 18;

// As wide as the keys, so that the comparisons of one vector fit one vector.
template <typename T>
using Flag = std::conditional_t<
    sizeof(T) == 1, uint8_t,
    std::conditional_t<sizeof(T) == 2, uint16_t, std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>>>;

template <typename T>
struct Bounds {
  const OrderKeyOf<T>* low;
  const OrderKeyOf<T>* high;
  const Flag<T>* admits;  // null: no column admits NaN

  Bounds operator+(int64_t i) const { return {low + i, high + i, admits == nullptr ? nullptr : admits + i}; }
};

// All bits of a Flag, or none. GCC 12 makes the best of one form for eight bytes, of the other for less.
template <typename T>
Flag<T> FlagOf(bool condition) {
  if constexpr (sizeof(T) == 8) return condition ? ~Flag<T>{0} : Flag<T>{0};
  return static_cast<Flag<T>>(-static_cast<Flag<T>>(condition));
}

// Not 0 if `value` is not as column `i` has it. A NaN is within no bounds.
template <typename T, bool kAdmits>
Flag<T> Fails(T value, const Bounds<T>& bounds, int64_t i) {
  const OrderKeyOf<T> key = OrderKey(value);
  Flag<T> outside;
  if constexpr (sizeof(T) == 8) {
    outside = FlagOf<T>(!(key >= bounds.low[i] && key <= bounds.high[i]));
  } else {
    outside = FlagOf<T>(!(key >= bounds.low[i])) | FlagOf<T>(!(key <= bounds.high[i]));
  }
  if constexpr (!kAdmits) return outside;
  return outside & static_cast<Flag<T>>(~(FlagOf<T>(IsNanKey<T>(key)) & bounds.admits[i]));
}

template <typename T, bool kAdmits>
bool BlockFails(const T* values, const Bounds<T>& bounds) {
  Flag<T> any = 0;
  for (int64_t i = 0; i < kBlock; ++i) any |= Fails<T, kAdmits>(values[i], bounds, i);
  return any != 0;
}

template <typename T, bool kAdmits>
bool AnyFails(const T* values, const Bounds<T>& bounds, int64_t count) {
  if (count < kBlock) {
    for (int64_t i = 0; i < count; ++i) {
      if (Fails<T, kAdmits>(values[i], bounds, i)) return true;
    }
    return false;
  }
  for (int64_t i = 0; i + kBlock <= count; i += kBlock) {
    if (BlockFails<T, kAdmits>(values + i, bounds + i)) return true;
  }
  // The rest with some that were looked at already.
  const int64_t last = count - kBlock;
  return BlockFails<T, kAdmits>(values + last, bounds + last);
}

template <typename T>
bool AnyFails(const T* values, const Bounds<T>& bounds, int64_t count) {
  return bounds.admits == nullptr ? AnyFails<T, false>(values, bounds, count)
                                  : AnyFails<T, true>(values, bounds, count);
}

// Rows of columns side by side: every value has bounds of its own.
template <typename T>
bool RowsHold(const T* values, int64_t count, const Bounds<T>& bounds, int64_t period,
              ContractChecker::Stop stop) {
  int64_t unasked = 0;
  for (int64_t begin = 0, length; begin < count; begin += length) {
    const int64_t offset = begin % period;
    length = std::min({period - offset, count - begin, kBetweenQuestions});
    if (AnyFails(values + begin, bounds + offset, length)) return false;
    unasked += length;
    if (unasked >= kBetweenQuestions && stop()) return true;
    if (unasked >= kBetweenQuestions) unasked = 0;
  }
  return true;
}

// Columns whose values stand in runs of `layout.inner`.
template <typename T>
bool RunsHold(const T* values, const ColumnLayout& layout, const Bounds<T>& bounds,
              ContractChecker::Stop stop) {
  OrderKeyOf<T> low[kMinPeriod], high[kMinPeriod];
  Flag<T> admits[kMinPeriod];
  int64_t unasked = 0;
  for (int64_t run = 0; run < layout.outer * layout.columns; ++run) {
    const int64_t column = run % layout.columns;
    const int64_t filled = std::min(layout.inner, kMinPeriod);
    std::fill_n(low, filled, bounds.low[column]);
    std::fill_n(high, filled, bounds.high[column]);
    if (bounds.admits != nullptr) std::fill_n(admits, filled, bounds.admits[column]);
    const Bounds<T> repeated = {low, high, bounds.admits == nullptr ? nullptr : admits};
    for (int64_t begin = 0; begin < layout.inner; begin += filled) {
      const int64_t length = std::min(filled, layout.inner - begin);
      if (AnyFails(values + run * layout.inner + begin, repeated, length)) return false;
      unasked += length;
      if (unasked >= kBetweenQuestions && stop()) return true;
      if (unasked >= kBetweenQuestions) unasked = 0;
    }
  }
  return true;
}

// Calls `f` with the type in which values of `dtype` are read: bytes for bools, since a caller's byte may be
// neither 0 nor 1.
template <typename F>
decltype(auto) VisitStored(DType dtype, F&& f) {
  return VisitDType(dtype, [&]<typename T>(std::type_identity<T>) -> decltype(auto) {
    return f(std::type_identity<std::conditional_t<std::is_same_v<T, bool>, uint8_t, T>>{});
  });
}

// --- Messages ----------------------------------------------------------------------------------------------

// What breaks a contract in one way.
struct Breach {
  int64_t values = 0, columns = 0;
  int64_t first = -1, first_column = 0;

  void Add(int64_t position, int64_t column, std::vector<bool>& columns_hit) {
    if (values++ == 0) first = position, first_column = column;
    if (!columns_hit[column]) ++columns;
    columns_hit[column] = true;
  }
};

constexpr size_t kMostColumnsShown = 4;

// How far the values of one column go beyond its range.
template <typename Key>
struct Excess {
  int64_t below = 0, above = 0;             // how many
  int64_t least_at = -1, greatest_at = -1;  // positions
  Key least{}, greatest{};

  void Add(int64_t position, Key key, bool is_below) {
    if (is_below && (below++ == 0 || key < least)) least = key, least_at = position;
    if (!is_below && (above++ == 0 || key > greatest)) greatest = key, greatest_at = position;
  }
  // "34 values up to 34.9", "1 value down to -2 and 3 up to 9".
  std::string ToString(absl::FunctionRef<std::string(int64_t position)> text) const {
    const auto values = [](int64_t n) {
      return absl::StrCat(WithSeparators(n), n == 1 ? " value" : " values");
    };
    const std::string up = above == 0 ? "" : absl::StrCat(" up to ", text(greatest_at));
    if (below == 0) return absl::StrCat(values(above), up);
    const std::string down = absl::StrCat(values(below), " down to ", text(least_at));
    return above == 0 ? down : absl::StrCat(down, " and ", WithSeparators(above), up);
  }
};

bool ColumnsOfRows(std::span<const int64_t> dims, const Contract& contract) {
  return dims.size() == 2 && contract.axis == 1;
}

// " at row 17"; of higher ranks " at [17,3,5]"; nothing for a scalar.
std::string Where(std::span<const int64_t> dims, const Contract& contract, int64_t position) {
  if (dims.empty()) return "";
  if (dims.size() == 1) return absl::StrCat(" at row ", WithSeparators(position));
  if (ColumnsOfRows(dims, contract)) return absl::StrCat(" at row ", WithSeparators(position / dims[1]));
  Dims index(dims.size());
  for (size_t d = dims.size(); d-- > 0; position /= dims[d]) index[d] = position % dims[d];
  return absl::StrCat(" at ", DimsToString(index));
}

// "1,437 rows".
std::string Seen(std::span<const int64_t> dims, const Contract& contract) {
  const bool rows = dims.size() == 1 || ColumnsOfRows(dims, contract);
  return absl::StrCat(WithSeparators(contract.rows), rows ? " row" : " value", contract.rows == 1 ? "" : "s");
}

// "column 3 of 'x': ".
std::string Who(absl::string_view input, const Contract& contract, const Breach& breach) {
  const std::string column = contract.axis ? absl::StrCat("column ", breach.first_column, " of ") : "";
  return absl::StrCat(column, "'", input, "': ");
}

absl::string_view RangeOf(const Breach& breach, const Contract& contract) {
  if (!contract.axis) return "outside the range";
  return breach.values == 1 ? "outside the range of its column" : "outside the ranges of their columns";
}

// "12 of 32,768 values are outside, in 3 of 64 columns".
std::string HowMany(const Breach& breach, absl::string_view what, int64_t values, const Contract& contract) {
  std::string text = absl::StrCat(WithSeparators(breach.values), " of ", WithSeparators(values), " values ",
                                  breach.values == 1 ? "is " : "are ", what);
  if (!contract.axis) return text;
  return absl::StrCat(text, ", in ", WithSeparators(breach.columns), " of ",
                      WithSeparators(contract.columns()), contract.columns() == 1 ? " column" : " columns");
}

// " --contract x=train.npy", for each sample as a command line names it.
std::string SampleFlags(const std::string& input, const Contract& contract) {
  constexpr size_t kMostFlags = 4;
  const std::string flag = absl::StrCat(" --contract ", input, "=");
  if (contract.samples.empty() || contract.samples.size() > kMostFlags) return flag + "SAMPLE.npy";
  std::string flags;
  for (const std::string& sample : contract.samples) {
    absl::StrAppend(&flags, flag, ShellQuote(Printable(absl::StrReplaceAll(sample, {{": ", ":"}}))));
  }
  return flags;
}

// The command that makes the contract of a graph anew. The graph's own text says where the input stands:
// "net.tnt:2:11".
std::string ImportCommand(const std::string& location) {
  const size_t ending = location.find(".tnt:");
  const std::string model = ending == std::string::npos ? "MODEL" : location.substr(0, ending);
  return absl::StrCat("tenfold-import ", ShellQuote(ending == std::string::npos ? model : model + ".tnt"),
                      " -o ", ShellQuote(model + ".tnf"));
}

Diagnostic Broken(absl::string_view code, const std::string& input, const std::string& location,
                  const Contract& contract, absl::string_view file, std::string message,
                  std::string how_many) {
  Diagnostic d;
  d.code = std::string(code);
  d.message = std::move(message);
  d.location = location;
  d.notes.push_back(std::move(how_many));
  d.notes.push_back(absl::StrCat("the contract of '", input, "': ", contract.ToString()));
  d.help.push_back(
      absl::StrCat("if such values are right, make the contract anew from an array that has them, too: ",
                   ImportCommand(location), SampleFlags(input, contract), " --contract ",
                   ShellQuote(absl::StrCat(input, "=", file.empty() ? "MORE.npy" : file))));
  return d;
}

}  // namespace

absl::StatusOr<ContractChecker> ContractChecker::Create(std::string input, std::string location,
                                                        Contract contract) {
  ContractChecker checker;
  checker.input_ = std::move(input);
  checker.location_ = std::move(location);
  checker.contract_ = std::move(contract);
  TENFOLD_RETURN_IF_ERROR(VisitStored(
      checker.contract_.type.dtype, [&]<typename T>(std::type_identity<T>) { return checker.Prepare<T>(); }));
  return checker;
}

template <typename T>
absl::Status ContractChecker::Prepare() {
  using Key = OrderKeyOf<T>;
  const int64_t columns = contract_.columns();
  const int64_t repeats = (kMinPeriod + columns - 1) / columns;
  period_ = columns * repeats;
  TENFOLD_ASSIGN_OR_RETURN(low_, Tensor::Allocate(DTypeOf<Key>(), Dims{period_}));
  TENFOLD_ASSIGN_OR_RETURN(high_, Tensor::Allocate(DTypeOf<Key>(), Dims{period_}));
  any_admits_ = kHasNan<T> && contract_.nans.num_elements() > 0;
  if (any_admits_) {
    TENFOLD_ASSIGN_OR_RETURN(admits_, Tensor::Allocate(DTypeOf<Flag<T>>(), Dims{period_}));
  }
  const T* const min = static_cast<const T*>(contract_.min.data());
  const T* const max = static_cast<const T*>(contract_.max.data());
  for (int64_t i = 0; i < period_; ++i) {
    const int64_t column = i % columns;
    Key low = OrderKey(UnsignedZero(min[column])), high = OrderKey(UnsignedZero(max[column]));
    // The key of -0, which is as good as +0.
    if (StorageFloat<T> && low == Key{}) low = static_cast<Key>(-1);
    if (!contract_.has_range(column)) {  // nothing is known, so nothing is wrong
      low = std::numeric_limits<Key>::has_infinity ? -std::numeric_limits<Key>::infinity()
                                                   : std::numeric_limits<Key>::lowest();
      high = std::numeric_limits<Key>::has_infinity ? std::numeric_limits<Key>::infinity()
                                                    : std::numeric_limits<Key>::max();
    }
    low_.mutable_values<Key>()[i] = low;
    high_.mutable_values<Key>()[i] = high;
    if (any_admits_) admits_.mutable_values<Flag<T>>()[i] = FlagOf<T>(contract_.admits_nan(column));
  }
  return absl::OkStatus();
}

template <typename T>
bool ContractChecker::AllHold(const ColumnLayout& layout, const T* values, Stop stop) const {
  using Key = OrderKeyOf<T>;
  const Bounds<T> bounds = {low_.values<Key>().data(), high_.values<Key>().data(),
                            any_admits_ ? admits_.values<Flag<T>>().data() : nullptr};
  const int64_t count = layout.outer * layout.columns * layout.inner;
  const bool side_by_side = layout.inner == 1 || layout.columns == 1;
  return side_by_side ? RowsHold(values, count, bounds, period_, stop)
                      : RunsHold(values, layout, bounds, stop);
}

template <typename T>
std::vector<Diagnostic> ContractChecker::Explain(std::span<const int64_t> dims, const T* values, Stop stop,
                                                 absl::string_view file) const {
  using Key = OrderKeyOf<T>;
  const ColumnLayout layout = ColumnsOf(dims, contract_.axis);
  const int64_t count = layout.outer * layout.columns * layout.inner;
  const std::span<const Key> low = low_.values<Key>(), high = high_.values<Key>();
  Breach nans, outside;
  std::vector<bool> nan_columns(layout.columns), outside_columns(layout.columns);
  std::map<int64_t, Excess<Key>> excesses;
  for (int64_t i = 0; i < count; ++i) {
    if (i % kBetweenQuestions == kBetweenQuestions - 1 && stop()) break;
    const Key key = OrderKey(values[i]);
    const int64_t column = i / layout.inner % layout.columns;
    if (kHasNan<T> && IsNanKey<T>(key)) {
      if (!contract_.admits_nan(column)) nans.Add(i, column, nan_columns);
    } else if (key < low[column] || key > high[column]) {
      outside.Add(i, column, outside_columns);
      if (excesses.size() < kMostColumnsShown || excesses.contains(column)) {
        excesses[column].Add(i, key, key < low[column]);
      }
    }
  }
  const auto text = [&](int64_t position) {
    const absl::StatusOr<Tensor> value =
        Tensor::Wrap(contract_.type.dtype, Dims{1}, values + position, nullptr);
    return value.ok() ? ElementToString(*value, 0) : "";
  };
  std::vector<Diagnostic> breaches;
  const std::string seen = Seen(dims, contract_);
  if (nans.values > 0) {
    breaches.push_back(
        Broken("E0612", input_, location_, contract_, file,
               absl::StrCat(Who(input_, contract_, nans), "NaN", Where(dims, contract_, nans.first),
                            "; the contract saw none in ", seen),
               HowMany(nans, "NaN where none was seen", count, contract_)));
    const absl::string_view policy = dims.size() > 1 ? "mean:axis=0" : "mean";
    // No edit: what stands for NaN is a person's decision.
    breaches.back().help.insert(
        breaches.back().help.begin(),
        absl::StrCat("to put a mean in their place: --nan ", ShellQuote(absl::StrCat(input_, "=", policy)),
                     " (or median, zero)"));
  }
  if (outside.values > 0) {
    const int64_t c = outside.first_column;
    const std::string least = ElementToString(contract_.min, c), greatest = ElementToString(contract_.max, c);
    breaches.push_back(Broken(
        "E0613", input_, location_, contract_, file,
        absl::StrCat(Who(input_, contract_, outside), text(outside.first),
                     Where(dims, contract_, outside.first), "; the contract saw ",
                     least == greatest ? absl::StrCat("only ", least) : absl::StrCat(least, " to ", greatest),
                     " in ", seen),
        HowMany(outside, RangeOf(outside, contract_), count, contract_)));
    if (contract_.axis && outside.values > 1) {
      std::vector<std::string> each;
      for (const auto& [column, excess] : excesses) {
        each.push_back(absl::StrCat("column ", column, ": ", excess.ToString(text)));
      }
      if (outside.columns > static_cast<int64_t>(excesses.size())) each.push_back("...");
      breaches.back().notes.insert(breaches.back().notes.begin() + 1, absl::StrJoin(each, "; "));
    }
  }
  return breaches;
}

bool ContractChecker::Holds(std::span<const int64_t> dims, const void* data, Stop stop) const {
  return VisitStored(contract_.type.dtype, [&]<typename T>(std::type_identity<T>) {
    return AllHold(ColumnsOf(dims, contract_.axis), static_cast<const T*>(data), stop);
  });
}

std::vector<Diagnostic> ContractChecker::Violations(std::span<const int64_t> dims, const void* data,
                                                    Stop stop, absl::string_view file) const {
  return VisitStored(contract_.type.dtype, [&]<typename T>(std::type_identity<T>) {
    return Explain(dims, static_cast<const T*>(data), stop, file);
  });
}

}  // namespace tenfold
