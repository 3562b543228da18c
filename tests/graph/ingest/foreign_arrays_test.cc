// SPDX-License-Identifier: Apache-2.0
//
// Arrays from the tests of NumPy, xtensor, ndarray-npy, IREE and Burn, good and bad. They are not part of
// this repository: the environment variable TENFOLD_SHARED_DIR names the folder that holds arrays/, and
// without it the test is skipped.
#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "tenfold/graph/ingest/npy.h"
#include "tenfold/graph/ingest/npz.h"
#include "tenfold/graph/ingest/safetensors.h"

namespace tenfold {
namespace {

namespace fs = std::filesystem;
using std::string;

struct Case {
  const char* file;
  const char* expected;  // how the tensor's text, the list of contents, or the error behind "error[", begins
};

constexpr char kDoubles[] = "f64[3,3,3] {0.29731722517856973, 0.0438015";
constexpr char kBools[] = "bool[3,3,3] {false, false, true, true, true, false";
constexpr char kCounting[] = "f64[2,3,4] {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12";
constexpr char kUnsigned[] = "u64[5] {12, 14, 16, 18, 1234321}";

constexpr Case kCases[] = {
    {"burn-safetensors/crates/burn-store/safetensors-tests/tests/multi_layer/multi_layer.safetensors",
     "norm1.num_batches_tracked i64[], conv1.bias f32[4], conv1.weight f32[4,3,3,3], fc1.bias f32[16], "
     "fc1.weight f32[16,256], norm1.bias f32[4], norm1.running_mean f32[4], norm1.running_var f32[4], "
     "norm1.weight f32[4]"},
    {"burn-safetensors/examples/import-model-weights/weights/mnist.safetensors",
     "norm1.num_batches_tracked i64[], norm2.num_batches_tracked i64[], conv1.bias f32[8], "
     "conv1.weight f32[8,1,3,3], conv2.bias f32[16], conv2.weight f32[16,8,3,3], conv3.bias f32[24], "
     "conv3.weight f32[24,16,3,3], fc1.bias f32[32], fc1.weight f32[32,11616]"},
    {"iree/runtime/bindings/python/tests/testdata/parameter_weight_bias_1.safetensors",
     "bias f32[30], weight f32[30,20]"},
    {"iree/runtime/src/iree/io/formats/safetensors/testdata/empty.safetensors", "nothing"},
    {"iree/runtime/src/iree/io/formats/safetensors/testdata/multiple.safetensors",
     "tensor0 f32[2,2], tensor1 f32[1,2], tensor2 f32[4,3]"},
    {"iree/runtime/src/iree/io/formats/safetensors/testdata/single.safetensors", "tensor0 f32[2,2]"},
    {"iree/tools/test/parameters_a.safetensors", "a0 i64[4], a1 i64[4]"},
    {"iree/tools/test/parameters_b.safetensors", "b0 i64[8], b1 i64[16]"},
    {"iree/tools/test/parameters_dynamic.safetensors",
     "param0 i64[4], param1 i64[4], param2 i64[4], param3 i64[4]"},
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

// Names and types; copied and mapped alike.
string Contents(const string& path) {
  const absl::StatusOr<NamedTensors> tensors = LoadSafetensors(path);
  const absl::StatusOr<NamedTensors> mapped = LoadSafetensors(path, {.storage = Storage::kMmap});
  if (!tensors.ok()) return string(tensors.status().message()).substr(string("error[").size());
  string text;
  for (size_t i = 0; i < tensors->size(); ++i) {
    const auto& [name, tensor] = (*tensors)[i];
    text += (i == 0 ? "" : ", ") + name + " " + tensor.type().ToString();
    EXPECT_TRUE(SameBits((*mapped)[i].second, tensor)) << path << " " << name;
  }
  return text.empty() ? "nothing" : text;
}

string Outcome(const string& path) {
  absl::StatusOr<Tensor> tensor;
  if (absl::EndsWith(path, ".safetensors")) return Contents(path);
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
    if (ending == ".npy" || ending == ".npz" || ending == ".safetensors") {
      EXPECT_EQ(expected.count(entry.path()), 1u) << entry.path() << " has no expectation";
    }
  }
}

// Values, as safetensors' own reader for NumPy gives them.
TEST(ForeignArrays, SafetensorsHoldTheirValues) {
  const char* shared = std::getenv("TENFOLD_SHARED_DIR");
  const string folder = string(shared != nullptr ? shared : "") + "/arrays/";
  if (shared == nullptr || !fs::is_directory(folder)) GTEST_SKIP() << "no arrays of other projects";
  const auto text = [&](const string& file, const string& name) {
    const absl::StatusOr<Tensor> tensor = LoadSafetensorsMember({folder + file, name});
    return tensor.ok() ? tensor->ToString(4) : string(tensor.status().message());
  };
  const string burn =
      "burn-safetensors/crates/burn-store/safetensors-tests/tests/multi_layer/multi_layer.safetensors";
  EXPECT_EQ(text(burn, "norm1.num_batches_tracked"), "i64[] {1}");
  EXPECT_EQ(text(burn, "fc1.weight"),
            "f32[16,256] {0.059263416, -0.041473813, 0.0078143105, 0.04664108, ...}");
  EXPECT_EQ(text("iree/runtime/src/iree/io/formats/safetensors/testdata/multiple.safetensors", "tensor2"),
            "f32[4,3] {0, 0, 0, 0, ...}");
  EXPECT_EQ(text("iree/tools/test/parameters_b.safetensors", "b1"), "i64[16] {16, 17, 18, 19, ...}");
}

}  // namespace
}  // namespace tenfold
