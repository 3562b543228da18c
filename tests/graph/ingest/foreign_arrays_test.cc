// SPDX-License-Identifier: Apache-2.0
//
// Arrays from the tests of NumPy, xtensor, ndarray-npy and IREE, good and bad. They are not part of this
// repository: the environment variable TENFOLD_SHARED_DIR names the folder that holds arrays/, and without
// it the test is skipped.
#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "tenfold/graph/ingest/npy.h"
#include "tenfold/graph/ingest/npz.h"

namespace tenfold {
namespace {

namespace fs = std::filesystem;
using std::string;

struct Case {
  const char* file;
  const char* expected;  // how the tensor's text, or the error behind "error[", begins
};

constexpr char kDoubles[] = "f64[3,3,3] {0.29731722517856973, 0.0438015";
constexpr char kBools[] = "bool[3,3,3] {false, false, true, true, true, false";
constexpr char kCounting[] = "f64[2,3,4] {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12";
constexpr char kUnsigned[] = "u64[5] {12, 14, 16, 18, 1234321}";

constexpr Case kCases[] = {
    {"iree/runtime/src/iree/tooling/testdata/npy/array_shapes.npy", "E0306 trailing-bytes"},
    {"iree/runtime/src/iree/tooling/testdata/npy/array_types.npy", "E0306 trailing-bytes"},
    {"iree/runtime/src/iree/tooling/testdata/npy/empty.npy", "E0307 not-npy"},
    {"iree/runtime/src/iree/tooling/testdata/npy/multiple.npy", "E0306 trailing-bytes"},
    {"iree/runtime/src/iree/tooling/testdata/npy/single.npy", "f32[3] {1.1, 2.2, 3.3}"},
    {"ndarray-npy/resources/array.npy", "i32[2,3] {0, 1, 2, 3, 4, 5}"},
    {"ndarray-npy/resources/example_bool_bad_value.npy", "E0304 bad-bool"},
    {"ndarray-npy/resources/example_bool_standard.npy", "bool[2,3,4] {true, false, true, false, true, true"},
    {"ndarray-npy/resources/example_c64_big_endian_fortran.npy", "E0303 unsupported-array-dtype"},
    {"ndarray-npy/resources/example_c64_big_endian_standard.npy", "E0303 unsupported-array-dtype"},
    {"ndarray-npy/resources/example_c64_little_endian_fortran.npy", "E0303 unsupported-array-dtype"},
    {"ndarray-npy/resources/example_c64_little_endian_standard.npy", "E0303 unsupported-array-dtype"},
    {"ndarray-npy/resources/example_f64_big_endian_fortran.npy", kCounting},
    {"ndarray-npy/resources/example_f64_big_endian_standard.npy", kCounting},
    {"ndarray-npy/resources/example_f64_little_endian_fortran.npy", kCounting},
    {"ndarray-npy/resources/example_f64_little_endian_standard.npy", kCounting},
    {"numpy/py2-np0-objarr.npy", "E0302 object-array"},
    {"numpy/py2-objarr.npy", "E0302 object-array"},
    {"numpy/py2-objarr.npz", "E0302 object-array"},
    {"numpy/py3-objarr.npy", "E0302 object-array"},
    {"numpy/py3-objarr.npz", "E0302 object-array"},
    {"numpy/v1.26.5/py3-objarr.npy", "E0302 object-array"},
    {"numpy/v1.26.5/py3-objarr.npz", "E0302 object-array"},
    {"numpy/v1.26.5/python3.npy", "f64[2] {1, 1}"},
    {"numpy/v1.26.5/win64python2.npy", "f64[2] {1, 1}"},
    {"xtensor/test/files/xnpy_files/bool.be.npy", kBools},
    {"xtensor/test/files/xnpy_files/bool.le.npy", kBools},
    {"xtensor/test/files/xnpy_files/bool_fortran.be.npy", kBools},
    {"xtensor/test/files/xnpy_files/bool_fortran.le.npy", kBools},
    {"xtensor/test/files/xnpy_files/double.be.npy", kDoubles},
    {"xtensor/test/files/xnpy_files/double.le.npy", kDoubles},
    {"xtensor/test/files/xnpy_files/double_fortran.be.npy", kDoubles},
    {"xtensor/test/files/xnpy_files/double_fortran.le.npy", kDoubles},
    {"xtensor/test/files/xnpy_files/int.be.npy", "i32[5] {3, 4, 5, 6, 7}"},
    {"xtensor/test/files/xnpy_files/int.le.npy", "i32[5] {3, 4, 5, 6, 7}"},
    {"xtensor/test/files/xnpy_files/unsignedlong.be.npy", kUnsigned},
    {"xtensor/test/files/xnpy_files/unsignedlong.le.npy", kUnsigned},
    {"xtensor/test/files/xnpy_files/unsignedlong_fortran.be.npy", kUnsigned},
    {"xtensor/test/files/xnpy_files/unsignedlong_fortran.le.npy", kUnsigned},
};

string Outcome(const string& path) {
  absl::StatusOr<Tensor> tensor;
  if (absl::EndsWith(path, ".npz")) {
    const absl::StatusOr<NamedTensors> all = LoadNpz(path);
    if (all.ok()) return "an archive of " + std::to_string(all->size());
    tensor = all.status();
  } else {
    tensor = LoadNpy(path);
  }
  if (tensor.ok()) return tensor->ToString();
  return string(tensor.status().message()).substr(string("error[").size());
}

TEST(ForeignArrays, EachLoadsOrIsRefusedRightly) {
  const char* shared = std::getenv("TENFOLD_SHARED_DIR");
  const string folder = string(shared != nullptr ? shared : "") + "/arrays/";
  if (shared == nullptr || !fs::is_directory(folder)) {
    GTEST_SKIP() << "no arrays of other projects: TENFOLD_SHARED_DIR names no folder with arrays/ in it";
  }
  std::set<string> expected;
  for (const Case& c : kCases) {
    expected.insert(folder + c.file);
    EXPECT_EQ(Outcome(folder + c.file).substr(0, string(c.expected).size()), c.expected) << c.file;
  }
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) {
    const string ending = entry.path().extension();
    if (ending == ".npy" || ending == ".npz") {
      EXPECT_EQ(expected.count(entry.path()), 1u) << entry.path() << " has no expectation";
    }
  }
}

}  // namespace
}  // namespace tenfold
