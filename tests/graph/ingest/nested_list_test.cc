// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/ingest/nested_list.h"

#include <limits>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace tenfold {
namespace {

std::string Text(const absl::StatusOr<Tensor>& tensor) {
  return tensor.ok() ? tensor->ToString() : std::string(tensor.status().message());
}

TEST(NestedList, GivesTheArrayThatIsWritten) {
  EXPECT_EQ(Text(NestedList<float>{{1, 2}, {3, 4}}.ToTensor()), "f32[2,2] {1, 2, 3, 4}");
  EXPECT_EQ(Text(NestedList<float>(5).ToTensor()), "f32[] {5}");
  EXPECT_EQ(Text(NestedList<int32_t>{7}.ToTensor()), "i32[1] {7}");
  EXPECT_EQ(Text(NestedList<int64_t>{{{1}, {2}}, {{3}, {4}}, {{5}, {6}}}.ToTensor()),
            "i64[3,2,1] {1, 2, 3, 4, 5, 6}");
  EXPECT_EQ(Text(NestedList<bool>{{true, false}, {false, true}}.ToTensor()),
            "bool[2,2] {true, false, false, true}");
  EXPECT_EQ(Text(NestedList<BF16>{0.5, ToBF16(1.0f), 3}.ToTensor()), "bf16[3] {0.5, 1, 3}");
  EXPECT_EQ(Text(NestedList<uint64_t>{std::numeric_limits<uint64_t>::max()}.ToTensor()),
            "u64[1] {18446744073709551615}");
  EXPECT_EQ(Text(NestedList<float>{{{{{{{{1.5f}}}}}}}}.ToTensor()), "f32[1,1,1,1,1,1,1,1] {1.5}");
}

TEST(NestedList, EmptyLists) {
  EXPECT_EQ(Text(NestedList<float>{}.ToTensor()), "f32[0] {}");
  EXPECT_EQ(Text(NestedList<float>{{}, {}}.ToTensor()), "f32[2,0] {}");
}

TEST(NestedList, NumbersAreRoundedOnceAndNeverChangedOtherwise) {
  EXPECT_EQ(Text(NestedList<float>{0.1}.ToTensor()), "f32[1] {0.1}");
  const int line = __LINE__ + 1;
  const absl::StatusOr<Tensor> too_wide = NestedList<int8_t>{{1, 2}, {3, 300}}.ToTensor();
  EXPECT_EQ(Text(too_wide),
            absl::StrCat(
                "error[E0204 bad-literal]: the literal 300 does not fit i8, which holds -128 to 127\n  --> ",
                __FILE__, ":", line, "\n  it is element [1,1] of the list"));
  const auto first_line = [](const absl::StatusOr<Tensor>& tensor) {
    const std::string text = Text(tensor);
    return text.substr(0, text.find('\n'));
  };
  EXPECT_EQ(first_line(NestedList<float>{16777217}.ToTensor()),
            "error[E0204 bad-literal]: the integer literal 16777217 is not exact in f32");
  EXPECT_EQ(first_line(NestedList<int32_t>{1.0}.ToTensor()),
            "error[E0204 bad-literal]: the literal 1.0 is floating-point, but the tensor is i32");
  EXPECT_EQ(first_line(NestedList<float>(1e300).ToTensor()),
            "error[E0204 bad-literal]: the literal 1e+300 overflows f32");
  EXPECT_EQ(first_line(NestedList<bool>{1}.ToTensor()),
            "error[E0204 bad-literal]: the literal 1 is not a bool");
  EXPECT_EQ(first_line(NestedList<float>{std::numeric_limits<uint64_t>::max()}.ToTensor()),
            "error[E0204 bad-literal]: the literal 18446744073709551615 does not fit i64");
}

TEST(NestedList, RaggedOnesNameTheFirstPlaceThatDiffers) {
  const auto what = [](const absl::StatusOr<Tensor>& tensor) {
    const std::string text = Text(tensor);
    return text.substr(0, text.find("\n  -->"));
  };
  const std::string ragged = "error[E0331 ragged-list]: the list is ragged: ";
  EXPECT_EQ(what(NestedList<float>{{1, 2}, {3}}.ToTensor()),
            ragged + "[1] is a list of 1, but [0] is a list of 2");
  EXPECT_EQ(what(NestedList<float>{{1}, 3}.ToTensor()), ragged + "[1] is a number, but [0] is a list of 1");
  EXPECT_EQ(what(NestedList<float>{1, 2, {3, 4}}.ToTensor()),
            ragged + "[2] is a list of 2, but [0] is a number");
  EXPECT_EQ(what(NestedList<float>{{{1, 2}, {3, 4}}, {{5, 6}, {7}}}.ToTensor()),
            ragged + "[1,1] is a list of 1, but [1,0] is a list of 2");
  EXPECT_EQ(what(NestedList<float>{{{1, 2}, {3, 4}}, {{5}, {7}}}.ToTensor()),
            ragged + "[1,0] is a list of 1, but [0,0] is a list of 2");
  EXPECT_EQ(what(NestedList<float>{{{1, 2}}, {3, 4}}.ToTensor()),
            ragged + "[1] is a list of 2, but [0] is a list of 1");
  EXPECT_EQ(what(NestedList<float>{{{1}}, {2}}.ToTensor()),
            ragged + "[1,0] is a number, but [0,0] is a list of 1");
  const int line = __LINE__ + 1;
  EXPECT_EQ(Text(NestedList<float>{{}, {1}}.ToTensor()),
            absl::StrCat(ragged, "[1] is a list of 1, but [0] is a list of 0\n  --> ", __FILE__, ":", line,
                         "\n  help: give all lists of one depth the same length"));
}

}  // namespace
}  // namespace tenfold
