// SPDX-License-Identifier: Apache-2.0
//
// Contracts: what samples show, and which feeds break it.
#include "tenfold/graph/contract.h"

#include <cstring>
#include <limits>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tenfold/graph/contract_checker.h"
#include "tenfold/graph/derive_contract.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/text/tensor_literal.h"
#include "tenfold/graph/value_order.h"

namespace tenfold {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Tensor T(absl::string_view literal) {
  const absl::StatusOr<Tensor> tensor = ParseTensorLiteral(literal);
  EXPECT_TRUE(tensor.ok()) << tensor.status();
  return tensor.ok() ? *tensor : Tensor();
}

ContractSubject Input(absl::string_view type, std::optional<int64_t> axis = std::nullopt) {
  return {"x", *TensorType::Parse(type), "model.tnt:2:9", axis};
}

absl::StatusOr<Contract> Derive(absl::string_view type, const std::vector<Tensor>& samples,
                                std::optional<int64_t> axis = std::nullopt) {
  std::vector<ContractSample> named;
  for (const Tensor& sample : samples) named.push_back({sample, absl::StrCat("s", named.size(), ".npy")});
  return DeriveContract(Input(type, axis), named);
}

Contract Of(absl::string_view type, const std::vector<Tensor>& samples,
            std::optional<int64_t> axis = std::nullopt) {
  const absl::StatusOr<Contract> contract = Derive(type, samples, axis);
  EXPECT_TRUE(contract.ok()) << contract.status();
  if (!contract.ok()) return {};
  EXPECT_EQ(FindContractFault(*contract, *TensorType::Parse(type)), "");
  return *contract;
}

std::string Refusal(absl::string_view type, const std::vector<Tensor>& samples,
                    std::optional<int64_t> axis = std::nullopt) {
  const absl::StatusOr<Contract> contract = Derive(type, samples, axis);
  EXPECT_FALSE(contract.ok());
  return std::string(contract.status().message());
}

constexpr auto kNeverStop = [] { return false; };

// First lines and counts of what `feed` breaks; Holds must agree.
std::vector<std::string> Breaches(const Contract& contract, const Tensor& feed) {
  const absl::StatusOr<ContractChecker> checker = ContractChecker::Create("x", "model.tnt:2:9", contract);
  EXPECT_TRUE(checker.ok()) << checker.status();
  const Tensor dense = *feed.Materialize();
  std::vector<std::string> texts;
  for (const Diagnostic& d : checker->Violations(dense.dims(), dense.data(), kNeverStop)) {
    texts.push_back(absl::StrCat(d.code, " ", d.message, " | ", d.notes[0]));
  }
  EXPECT_EQ(checker->Holds(dense.dims(), dense.data(), kNeverStop), texts.empty());
  return texts;
}

// --- Deriving ----------------------------------------------------------------------------------------------

TEST(DeriveContract, HasRangeAndNansOfEachColumn) {
  const Contract contract = Of("f32[N,3]", {T("f32[3,3] 1 nan nan, 2 nan 5, -inf nan 4")});
  EXPECT_EQ(contract.rows, 3);
  EXPECT_EQ(contract.axis, 1);
  EXPECT_THAT(contract.samples, ElementsAre("s0.npy"));
  EXPECT_TRUE(SameBits(contract.min, T("f32[3] -inf 0 4")));
  EXPECT_TRUE(SameBits(contract.max, T("f32[3] 2 0 5")));
  EXPECT_THAT(contract.nans.values<int64_t>(), ElementsAre(0, 3, 1));
  EXPECT_TRUE(contract.has_range(0));
  EXPECT_FALSE(contract.has_range(1));
  EXPECT_EQ(contract.ToString(), "3 rows of 3 columns from s0.npy, NaN in columns 1, 2");
}

TEST(DeriveContract, SeveralSamplesCountTogetherInAnyOrder) {
  const Tensor a = T("f64[2,2] 1 -0, 3 nan"), b = T("f64[1,2] -5 0"), none = T("f64[0,2] splat 0");
  Contract ab = Of("f64[N,2]", {a, none, b}), ba = Of("f64[N,2]", {b, none, a});
  EXPECT_THAT(ab.samples, ElementsAre("s0.npy", "s1.npy", "s2.npy"));
  EXPECT_EQ(ab.rows, 3);
  EXPECT_TRUE(SameBits(ab.min, T("f64[2] -5 0")));
  EXPECT_TRUE(SameBits(ab.max, T("f64[2] 3 0")));
  EXPECT_EQ(ab.nans_in(1), 1);
  EXPECT_EQ(ab, ba);
  ba.rows = 4;
  EXPECT_FALSE(ab == ba);
}

// Every dtype keeps its own values: no i64 or u64 goes through a double.
TEST(DeriveContract, KeepsTheLimitsOfEveryDtype) {
  for (DType dtype : kComputedDTypes) {
    VisitComputed(dtype, [&]<typename V>(std::type_identity<V>) {
      V low, high;
      if constexpr (StorageFloat<V>) {
        const uint16_t largest = std::is_same_v<V, F16> ? 0x7bff : 0x7f7f;
        low = V{static_cast<uint16_t>(largest | 0x8000)}, high = V{largest};
      } else {
        low = std::numeric_limits<V>::lowest(), high = std::numeric_limits<V>::max();
      }
      Tensor sample = *Tensor::Allocate(dtype, Dims{3, 1});
      sample.mutable_values<V>()[0] = V{};
      sample.mutable_values<V>()[1] = low;
      sample.mutable_values<V>()[2] = high;
      const Contract contract = Of(absl::StrCat(Name(dtype), "[N,1]"), {sample});
      EXPECT_TRUE(contract.min.at<V>(0) == low) << Name(dtype);
      EXPECT_TRUE(contract.max.at<V>(0) == high) << Name(dtype);
      EXPECT_EQ(contract.nans.num_elements(), 0);
      EXPECT_THAT(Breaches(contract, sample), IsEmpty()) << Name(dtype);
    });
  }
}

TEST(DeriveContract, WhatHasNoColumnsIsOne) {
  EXPECT_EQ(Of("i8[]", {T("i8[] 3"), T("i8[] 5")}).ToString(), "2 values from s0.npy, s1.npy, no NaN");
  EXPECT_EQ(Of("i8[N]", {T("i8[3] 1 2 3")}).columns(), 1);
  // The extent of the last axis varies.
  const Contract varying = Of("f32[4,M]", {T("f32[4,1] 1 2 3 4"), T("f32[4,2] 1 2 3 4 5 6 7 nan")});
  EXPECT_EQ(varying.axis, std::nullopt);
  EXPECT_EQ(varying.ToString(), "12 values from s0.npy, s1.npy, 1 NaN");
  EXPECT_TRUE(SameBits(varying.max, T("f32[1] 7")));
}

TEST(DeriveContract, AnyConstantAxisMakesTheColumns) {
  const Tensor images = T("i32[2,3,2] 1 2, 3 4, 5 6, 7 8, 9 10, 11 12");
  const Contract channels = Of("i32[N,3,W]", {images}, 1);
  EXPECT_TRUE(SameBits(channels.min, T("i32[3] 1 3 5")));
  EXPECT_TRUE(SameBits(channels.max, T("i32[3] 8 10 12")));
  EXPECT_EQ(channels.rows, 4);
  EXPECT_EQ(Of("i32[N,3,W]", {images}, -2), channels);
  EXPECT_TRUE(SameBits(Of("i32[2,3,2]", {images}, 0).max, T("i32[2] 6 12")));
  EXPECT_EQ(
      Refusal("i32[N,3,W]", {images}, 2),
      "error[E0605 input-shape]: input 'x' (model.tnt:2:9) is i32[N,3,W], and its axis 2 makes no columns: "
      "its extent varies\n"
      "  help: leave it out: the last axis makes the columns, where its extent is constant");
  EXPECT_THAT(Refusal("i32[N,3,W]", {images}, 3), HasSubstr("makes no columns: there is no such axis"));
  EXPECT_THAT(Refusal("i32[4]", {T("i32[4] 1 2 3 4")}, 0),
              HasSubstr("makes no columns: there is no other axis"));
}

TEST(DeriveContract, AnUnknownRankTakesTheSamplesDims) {
  const Contract contract = Of("f32[...]", {T("f32[2,3] splat 1"), T("f32[5,3] splat 2")});
  EXPECT_EQ(contract.type.ToString(), "f32[d0,3]");
  EXPECT_EQ(contract.columns(), 3);
  EXPECT_EQ(contract.rows, 7);
  EXPECT_EQ(Of("f32[...]", {T("f32[2,3] splat 1")}).type.ToString(), "f32[2,3]");
  EXPECT_EQ(
      Refusal("f32[...]", {T("f32[2,3] splat 1"), T("f32[6] splat 1")}),
      "error[E0605 input-shape]: 's1.npy' is f32[6], and 's0.npy' is f32[2,3]: the samples of 'x' differ in "
      "rank");
}

TEST(DeriveContract, RefusesSamplesThatDoNotFit) {
  EXPECT_EQ(
      Refusal("f32[N,64]", {T("f32[2,63] splat 1")}),
      "error[E0605 input-shape]: 's0.npy' is f32[2,63], and input 'x' (model.tnt:2:9) is f32[N,64]: dim 1 is "
      "63 instead of 64\n  help: if it varies, declare it so: f32[N,N1]");
  EXPECT_EQ(
      Refusal("f32[N,64]", {T("f32[64] splat 1")}),
      "error[E0605 input-shape]: 's0.npy' is f32[64], and input 'x' (model.tnt:2:9) is f32[N,64]: rank 1 "
      "instead of 2");
  EXPECT_EQ(Refusal("f32[N]", {T("f64[4] splat 1")}),
            "error[E0604 input-dtype]: 's0.npy' is f64[4], and input 'x' (model.tnt:2:9) is f32[N]\n"
            "  help: cast the sample as its feeds are: --cast x=nearest");
  EXPECT_EQ(
      Refusal("f32[N,N]", {T("f32[2,3] splat 1")}),
      "error[E0606 symbol-conflict]: 's0.npy' is f32[2,3], and input 'x' (model.tnt:2:9) is f32[N,N]: N "
      "would be 2 and 3");
  EXPECT_EQ(
      Refusal("f32[N,2*N]", {T("f32[2,3] splat 1")}),
      "error[E0606 symbol-conflict]: 's0.npy' is f32[2,3], and input 'x' (model.tnt:2:9) is f32[N,2*N]: dim "
      "1 is 3, and 2*N is 4");
  for (const char* none : {"f32[0,64] splat 0"}) {
    EXPECT_EQ(Refusal("f32[N,64]", {T(none)}),
              "error[E0614 empty-contract]: the samples of 'x' hold no values to learn from");
  }
  EXPECT_THAT(Refusal("f32[N,0]", {T("f32[3,0] splat 0")}), HasSubstr("E0614"));
  EXPECT_THAT(Refusal("f32[N]", {}), HasSubstr("E0614"));
}

// --- Holding feeds against it ------------------------------------------------------------------------------

TEST(ContractChecker, NamesTheFirstNanWhereNoneWasSeen) {
  const Contract contract = Of("f32[N,2]", {T("f32[1437,2] splat 1")});
  EXPECT_THAT(
      Breaches(contract, T("f32[3,2] 1 1, 1 nan, nan nan")),
      ElementsAre("E0612 column 1 of 'x': NaN at row 1; the contract saw none in 1,437 rows | 3 of 6 values "
                  "are NaN where none was seen, in 2 of 2 columns"));
  const Contract some = Of("f32[N,2]", {T("f32[2,2] 1 nan 1 1")});
  EXPECT_THAT(Breaches(some, T("f32[2,2] 1 nan, 1 nan")), IsEmpty());
  EXPECT_THAT(
      Breaches(some, T("f32[2,2] nan nan, 1 2")),
      ElementsAre("E0612 column 0 of 'x': NaN at row 0; the contract saw none in 2 rows | 1 of 4 values is "
                  "NaN where none was seen, in 1 of 2 columns",
                  "E0613 column 1 of 'x': 2 at row 1; the contract saw only 1 in 2 rows | 1 of 4 values is "
                  "outside the range of its column, in 1 of 2 columns"));
}

TEST(ContractChecker, NamesTheFirstValueOutsideItsRange) {
  const Contract contract = Of("i64[N,2]", {T("i64[2,2] -9223372036854775807 0, 9223372036854775806 16")});
  EXPECT_THAT(Breaches(contract, T("i64[2,2] -9223372036854775807 16, 9223372036854775806 0")), IsEmpty());
  EXPECT_THAT(
      Breaches(contract, T("i64[2,2] 0 16, 9223372036854775807 17")),
      ElementsAre("E0613 column 0 of 'x': 9223372036854775807 at row 1; the contract saw "
                  "-9223372036854775807 to 9223372036854775806 in 2 rows | 2 of 4 values are outside the "
                  "ranges of their columns, in 2 of 2 columns"));
  EXPECT_THAT(
      Breaches(Of("bool[N]", {T("bool[2] false false")}), T("bool[2] false true")),
      ElementsAre("E0613 'x': true at row 1; the contract saw only false in 2 rows | 1 of 2 values is "
                  "outside the range"));
}

TEST(ContractChecker, SaysWhereInAnyRank) {
  EXPECT_THAT(Breaches(Of("f64[]", {T("f64[] 1")}), T("f64[] 2"))[0],
              HasSubstr("'x': 2; the contract saw only 1 in 1 value |"));
  EXPECT_THAT(Breaches(Of("u8[2,M]", {T("u8[2,1] 1 2")}), T("u8[2,2] 1 2, 3 1"))[0],
              HasSubstr("'x': 3 at [1,0]; the contract saw 1 to 2 in 2 values |"));
  EXPECT_THAT(Breaches(Of("f32[N,2,2]", {T("f32[1,2,2] 1 2, 1 2")}, 1), T("f32[2,2,2] splat 7"))[0],
              HasSubstr("column 0 of 'x': 7 at [0,0,0]; the contract saw 1 to 2 in 2 values |"));
}

// Zeros have no sign, Inf is a value, and a column of NaN alone teaches nothing.
TEST(ContractChecker, SpecialValuesOfEveryFloat) {
  for (const char* dtype : {"f16", "bf16", "f32", "f64"}) {
    SCOPED_TRACE(dtype);
    const auto type = [&](absl::string_view rest) { return absl::StrCat(dtype, rest); };
    const Contract zeros = Of(type("[N]"), {T(type("[2] 0 0"))});
    EXPECT_THAT(Breaches(zeros, T(type("[3] -0 0 -0"))), IsEmpty());
    EXPECT_EQ(Breaches(zeros, T(type("[3] -0 0 -1e-7"))).size(), 1u);
    EXPECT_EQ(Of(type("[N]"), {T(type("[1] -0"))}),
              zeros.rows == 2 ? Of(type("[N]"), {T(type("[1] 0"))}) : zeros);
    const Contract infinite = Of(type("[N]"), {T(type("[2] 1 inf"))});
    EXPECT_THAT(Breaches(infinite, T(type("[3] inf 60000 1"))), IsEmpty());
    EXPECT_EQ(Breaches(infinite, T(type("[1] -inf"))).size(), 1u);
    EXPECT_EQ(Breaches(infinite, T(type("[1] nan"))).size(), 1u);
    const Contract only_nan = Of(type("[N,2]"), {T(type("[2,2] nan 1 nan 1"))});
    EXPECT_THAT(Breaches(only_nan, T(type("[4,2] -inf 1 inf 1 nan 1 3 1"))), IsEmpty());
    EXPECT_EQ(Breaches(only_nan, T(type("[1,2] 0 nan"))).size(), 1u);
  }
}

// A bad value is found wherever it stands: at the edges of blocks, in the rest behind them, in every layout.
TEST(ContractChecker, FindsOneBadValueAnywhere) {
  for (DType dtype : kComputedDTypes) {
    for (const Dims& dims : {Dims{1, 1}, Dims{3, 7}, Dims{2, 63}, Dims{5, 64}, Dims{3, 65}, Dims{700, 3},
                             Dims{2, 1100}, Dims{2, 3, 70}}) {
      const std::optional<int64_t> axis = dims.size() == 3 ? std::optional<int64_t>(1) : std::nullopt;
      Tensor clean = *Tensor::Allocate(dtype, dims);
      std::memset(clean.mutable_data(), 0, clean.stored_bytes());
      std::vector<Dim> symbolic(dims.begin(), dims.end());
      symbolic[0] = Dim::Symbol("N");
      const ContractSample sample = {clean, "zeros"};
      const absl::StatusOr<Contract> contract =
          DeriveContract({"x", {dtype, Shape(symbolic)}, "", axis}, std::span(&sample, 1));
      ASSERT_TRUE(contract.ok()) << contract.status();
      const absl::StatusOr<ContractChecker> checker = ContractChecker::Create("x", "", *contract);
      ASSERT_TRUE(checker.ok());
      EXPECT_TRUE(checker->Holds(dims, clean.data(), kNeverStop));
      for (int64_t i = 0; i < clean.num_elements(); i += 1 + i / 97) {
        // 1, or the least value above 0: either is outside.
        static_cast<char*>(clean.mutable_data())[i * SizeOf(dtype)] = 1;
        EXPECT_FALSE(checker->Holds(dims, clean.data(), kNeverStop))
            << Name(dtype) << DimsToString(dims) << i;
        EXPECT_EQ(checker->Violations(dims, clean.data(), kNeverStop).size(), 1u);
        static_cast<char*>(clean.mutable_data())[i * SizeOf(dtype)] = 0;
      }
    }
  }
}

TEST(ContractChecker, ErrorsSayHowToMendThem) {
  const absl::StatusOr<ContractChecker> checker =
      ContractChecker::Create("x", "model.tnt:2:9", Of("f32[N,2]", {T("f32[1437,2] splat 1")}));
  const Tensor feed = T("f32[1,2] 1 nan");
  EXPECT_EQ(ToStatus(checker->Violations(feed.dims(), feed.data(), kNeverStop)).message(),
            "error[E0612 contract-nan]: column 1 of 'x': NaN at row 0; the contract saw none in 1,437 rows\n"
            "  --> model.tnt:2:9\n"
            "  1 of 2 values is NaN where none was seen, in 1 of 2 columns\n"
            "  the contract of 'x': 1,437 rows of 2 columns from s0.npy, no NaN\n"
            "  help: to put a mean in their place: --nan x=mean:axis=0 (or median, zero)\n"
            "  help: if such values are right, make the contract anew from an array that has them, too: "
            "tenfold-import model.tnt -o model.tnf --contract x=s0.npy --contract x=MORE.npy");
}

TEST(ContractChecker, StopsWhenAsked) {
  const absl::StatusOr<ContractChecker> checker =
      ContractChecker::Create("x", "", Of("u8[N]", {T("u8[1] 0")}));
  const Tensor large = *Tensor::Allocate(DType::kU8, Dims{int64_t{1} << 24});
  std::memset(const_cast<void*>(large.data()), 0, large.stored_bytes());
  int asked = 0;
  EXPECT_TRUE(checker->Holds(large.dims(), large.data(), [&] { return ++asked == 3; }));
  EXPECT_EQ(asked, 3);
  asked = 0;
  checker->Violations(large.dims(), large.data(), [&] { return ++asked == 3; });
  EXPECT_EQ(asked, 3);
}

// --- What makes no contract --------------------------------------------------------------------------------

TEST(Contract, FaultsAreNamed) {
  const TensorType type = *TensorType::Parse("f32[N,2]");
  const Contract good = Of("f32[N,2]", {T("f32[3,2] 1 nan, 2 nan, 3 nan")});
  const auto fault = [&](auto&& change) {
    Contract contract = good;
    change(contract);
    return FindContractFault(contract, type);
  };
  EXPECT_EQ(fault([](Contract&) {}), "");
  EXPECT_EQ(fault([](Contract& c) { c.type.dtype = DType::kF64; }),
            "it is for f64[N,2], and the input is f32[N,2]");
  EXPECT_EQ(fault([](Contract& c) { c.axis = 0; }), "axis 0 of f32[N,2] has no columns");
  EXPECT_EQ(fault([](Contract& c) { c.axis = 2; }), "axis 2 of f32[N,2] has no columns");
  EXPECT_EQ(fault([](Contract& c) { c.axis = -1; }), "axis -1 of f32[N,2] has no columns");
  EXPECT_EQ(fault([](Contract& c) { c.axis = std::nullopt; }), "its least values are f32[2], not f32[1]");
  EXPECT_EQ(fault([](Contract& c) { c.rows = 0; }), "it saw 0 rows");
  EXPECT_EQ(fault([](Contract& c) { c.samples.push_back(""); }), "a sample has no name");
  EXPECT_EQ(fault([](Contract& c) { c.rows = 2; }), "it counts 3 NaNs in column 1 of 2 rows");
  EXPECT_EQ(fault([](Contract& c) { c.nans = T("i64[2] -1 3"); }), "it counts -1 NaNs in column 0 of 3 rows");
  EXPECT_EQ(fault([](Contract& c) { c.nans = T("i32[2] 0 3"); }), "its counts of NaN are i32[2], not i64[2]");
  EXPECT_EQ(fault([](Contract& c) { c.max = T("f32[3] 1 2 3"); }),
            "its greatest values are f32[3], not f32[2]");
  EXPECT_EQ(fault([](Contract& c) { c.max = T("f64[2] 1 2"); }),
            "its greatest values are f64[2], not f32[2]");
  EXPECT_EQ(fault([](Contract& c) { c.min = T("f32[2] splat 0"); }),
            "its least values are f32[2] splat, not f32[2]");
  EXPECT_EQ(fault([](Contract& c) { c.min = T("f32[2] 4 0"); }),
            "the range of column 0 is empty: from 4 to 3");
  EXPECT_EQ(fault([](Contract& c) { c.min = T("f32[2] nan 0"); }), "the range of column 0 is NaN");
  EXPECT_EQ(fault([](Contract& c) { c.max = T("f32[2] 3 1"); }),
            "column 1 has a range, and nothing but NaN was seen in it");
  Contract integers = Of("i32[N]", {T("i32[1] 1")});
  integers.nans = T("i64[1] 1");
  EXPECT_EQ(FindContractFault(integers, *TensorType::Parse("i32[N]")), "it has NaNs of i32");
}

// Names come from files that nobody vouches for.
TEST(Contract, DescriptionsAreShortAndFitForATerminal) {
  Contract contract = Of("f32[N,9]", {T("f32[1,9] splat nan")});
  EXPECT_EQ(contract.ToString(), "1 row of 9 columns from s0.npy, NaN in columns 0, 1, 2, 3, 4 and 4 others");
  contract = Of("f32[N,6]", {T("f32[2,6] splat nan")});
  contract.samples = {"a\x1b[2J", "b", "c", "d", "e", "f", "g"};
  EXPECT_EQ(contract.ToString(),
            "2 rows of 6 columns from a\\x1b[2J, b, c, d, e and 2 others, NaN in columns 0, 1, 2, 3, 4 and 1 "
            "other");
  const Tensor feed = T("f32[1,6] 1 2 3 4 5 6");
  contract = Of("f32[N,6]", {T("f32[2,6] splat 0")});
  contract.samples = {"da ta.npz: x\x1b"};
  const absl::StatusOr<ContractChecker> checker = ContractChecker::Create("x", "", contract);
  EXPECT_THAT(checker->Violations(feed.dims(), feed.data(), kNeverStop)[0].ToString(),
              HasSubstr("--contract x='da ta.npz:x\\x1b' --contract x=MORE.npy"));
}

TEST(Contract, NumbersHaveSeparators) {
  EXPECT_EQ(WithSeparators(0), "0");
  EXPECT_EQ(WithSeparators(999), "999");
  EXPECT_EQ(WithSeparators(1437), "1,437");
  EXPECT_EQ(WithSeparators(-1437), "-1,437");
  EXPECT_EQ(WithSeparators(-437), "-437");
  EXPECT_EQ(WithSeparators(std::numeric_limits<int64_t>::max()), "9,223,372,036,854,775,807");
}

}  // namespace
}  // namespace tenfold
