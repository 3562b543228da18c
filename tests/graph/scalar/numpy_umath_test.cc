// SPDX-License-Identifier: Apache-2.0
//
// NumPy's tables of its own functions: arguments, results from a library of higher precision, and how far
// NumPy lets itself be off, 2 to 4 units. We are held to 1 for f32 and 2 for f64. They are not part of this
// repository: the environment variable TENFOLD_SHARED_DIR names the folder that holds arrays/numpy_umath/,
// and without it the test is skipped.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tenfold/graph/scalar/interpreter.h"
#include "tenfold/tests/graph/scalar/math_reference.h"
#include "tenfold/tests/graph/scalar/reference.h"

namespace tenfold::testing {
namespace {

// NumPy's name, ours.
constexpr std::pair<const char*, const char*> kTables[] = {
    {"arccos", "acos"}, {"arccosh", "acosh"}, {"arcsin", "asin"}, {"arcsinh", "asinh"},
    {"arctan", "atan"}, {"arctanh", "atanh"}, {"cos", "cos"},     {"cosh", "cosh"},
    {"exp", "exp"},     {"expm1", "expm1"},   {"log", "log"},     {"log1p", "log1p"},
    {"sin", "sin"},     {"sinh", "sinh"},     {"tan", "tan"},     {"tanh", "tanh"},
};

struct Table {
  std::vector<uint64_t> arguments, results;
};

// The rows of one dtype.
Table Read(const std::filesystem::path& path, absl::string_view dtype) {
  Table table;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const std::vector<std::string> fields = absl::StrSplit(line, ',');
    uint64_t argument, result;
    if (fields.size() < 4 || fields[0] != absl::StrCat("np.", dtype)) continue;
    if (!absl::SimpleHexAtoi(fields[1], &argument) || !absl::SimpleHexAtoi(fields[2], &result)) continue;
    table.arguments.push_back(argument);
    table.results.push_back(result);
  }
  return table;
}

// How many floats lie between two; both zeros are one.
uint64_t Distance(DType type, uint64_t a, uint64_t b) {
  const uint64_t sign = uint64_t{1} << (BitWidth(type) - 1);
  const auto ordered = [&](uint64_t v) { return (v & sign) != 0 ? sign - (v & ~sign) : sign + v; };
  const uint64_t x = ordered(a), y = ordered(b);
  return std::max(x, y) - std::min(x, y);
}

TEST(NumpyUmath, TheTablesHold) {
  const char* shared = std::getenv("TENFOLD_SHARED_DIR");
  if (shared == nullptr)
    GTEST_SKIP() << "TENFOLD_SHARED_DIR does not name the folder with arrays/numpy_umath/";
  const std::filesystem::path folder = std::filesystem::path(shared) / "arrays/numpy_umath";
  for (const auto& [table_name, function_name] : kTables) {
    const auto function = std::find_if(MathFunctions().begin(), MathFunctions().end(),
                                       [&](const MathFunction& f) { return f.name == function_name; });
    ASSERT_NE(function, MathFunctions().end()) << function_name;
    for (DType type : {DType::kF32, DType::kF64}) {
      const Table table = Read(folder / absl::StrCat("umath-validation-set-", table_name, ".csv"),
                               type == DType::kF32 ? "float32" : "float64");
      // exp and log have few rows of f64.
      ASSERT_GT(table.arguments.size(), 20u) << table_name;
      const ScalarProgram program = ProgramOf(*function, type);
      const BlockInterpreter interpreter(program);
      const std::vector<uint64_t> got = RunBlocks(interpreter, program, {table.arguments}, {false},
                                                  static_cast<int64_t>(table.arguments.size()))
                                            .outputs[0];
      for (size_t i = 0; i < got.size(); ++i) {
        if (IsNanBits(type, got[i]) && IsNanBits(type, table.results[i])) continue;
        EXPECT_LE(Distance(type, got[i], table.results[i]), type == DType::kF32 ? 1u : 2u)
            << table_name << " of " << Name(type) << " 0x" << absl::StrCat(absl::Hex(table.arguments[i]));
      }
    }
  }
}

}  // namespace
}  // namespace tenfold::testing
