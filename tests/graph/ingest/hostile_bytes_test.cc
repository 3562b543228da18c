// SPDX-License-Identifier: Apache-2.0
//
// Every prefix and every change of one byte of good files gives an error with a code, or a tensor that the
// file really describes; never a crash, a hang or much memory.
#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/ingest/files.h"
#include "tenfold/graph/ingest/npy.h"
#include "tenfold/graph/ingest/npz.h"
#include "tenfold/tests/graph/ingest/npy_bytes.h"

namespace tenfold {
namespace {

using std::string;

std::vector<string> NpyFiles() {
  return {
      Npy("<f4", "(2, 3)", "abcdefghijklmnopqrstuvwx"),
      Npy(">u2", "(2, 2, 2)", "abcdefghijklmnop", true, 2),
      Npy("|b1", "(3,)", string("\1\0\1", 3), false, 3),
      Npy("<U2", "(2,)", Utf32("1", 2) + Utf32("ab", 2)),
      Npy("|S3", "(2,)", string("1,5\0\0\xff", 6)),
      NpyWithHeader("{'descr': [('x', '<f4'), (('t', 'y'), '|O')], 'fortran_order': False, 'shape': (1L,)}",
                    "ab"),
      Npy("<f8", "()", "abcdefgh"),
  };
}

void ExpectOwnError(const absl::Status& status, absl::string_view what) {
  ASSERT_FALSE(status.ok()) << what;
  const std::vector<Diagnostic> diagnostics = DiagnosticsOf(status);
  ASSERT_EQ(diagnostics.size(), 1u);
  ASSERT_NE(diagnostics[0].code, "E9001") << diagnostics[0].message;
  ASSERT_LT(status.message().size(), 4000u);
}

void CheckNpy(absl::string_view bytes) {
  const absl::StatusOr<Tensor> tensor = ReadNpy(bytes, "x.npy");
  if (!tensor.ok()) return ExpectOwnError(tensor.status(), "");
  // What was loaded accounts for the file to its last byte.
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const size_t header = byte(6) == 1 ? 10u + byte(8) + 256u * byte(9) : 12u + byte(8) + 256u * byte(9);
  ASSERT_EQ(header + tensor->stored_bytes(), bytes.size());
  const absl::StatusOr<string> again = WriteNpy(*tensor);
  ASSERT_TRUE(again.ok()) << again.status().message();
  ASSERT_TRUE(SameBits(*tensor, *ReadNpy(*again, "y.npy")));
}

TEST(HostileNpy, EveryPrefix) {
  for (const string& file : NpyFiles()) {
    for (size_t n = 0; n < file.size(); ++n) {
      ExpectOwnError(ReadNpy(absl::string_view(file).substr(0, n), "x.npy").status(), file.substr(0, n));
    }
  }
}

TEST(HostileNpy, EveryChangeOfOneByte) {
  for (const string& file : NpyFiles()) {
    for (size_t at = 0; at < file.size(); ++at) {
      for (int value = 0; value < 256; ++value) {
        string changed = file;
        changed[at] = static_cast<char>(value);
        ASSERT_NO_FATAL_FAILURE(CheckNpy(changed)) << at << " = " << value;
      }
    }
  }
}

TEST(HostileNpy, DeepNestingIsAnError) {
  for (const char* bracket : {"(", "[", "{'a':"}) {
    string header = "{'descr': ";
    for (int i = 0; i < 10000; ++i) header += bracket;
    ExpectOwnError(ReadNpy(NpyWithHeader(header, ""), "x.npy").status(), bracket);
  }
}

TEST(HostileNpy, AHeaderAloneAsksForNoMemory) {
  const absl::StatusOr<Tensor> tensor = ReadNpy(Npy("<f8", "(1000000000,)", "12345678"), "x.npy");
  EXPECT_EQ(DiagnosticsOf(tensor.status())[0].code, "E0305");
}

string TestData(const string& name) {
  const absl::StatusOr<string> bytes = ReadFile("tests/graph/ingest/testdata/" + name, 1 << 20);
  EXPECT_TRUE(bytes.ok()) << bytes.status().message();
  return bytes.ok() ? *bytes : "";
}

// Checksums cover the contents, and both copies of the directory must agree: what still loads is one of the
// arrays of the original, under whatever name.
void CheckNpz(absl::string_view bytes, const NamedTensors& original) {
  const absl::StatusOr<NamedTensors> tensors = ReadNpz(bytes, "x.npz");
  if (!tensors.ok()) return ExpectOwnError(tensors.status(), "");
  for (const auto& [name, tensor] : *tensors) {
    bool known = false;
    for (const auto& [other, expected] : original) known = known || SameBits(tensor, expected);
    ASSERT_TRUE(known) << name << " is " << tensor.ToString();
  }
}

class HostileNpz : public testing::TestWithParam<const char*> {};

TEST_P(HostileNpz, EveryPrefix) {
  const string file = TestData(GetParam());
  for (size_t n = 0; n < file.size(); ++n) {
    ExpectOwnError(ReadNpz(absl::string_view(file).substr(0, n), "x.npz").status(), GetParam());
  }
}

TEST_P(HostileNpz, ChangesOfOneByte) {
  const string file = TestData(GetParam());
  const NamedTensors original = *ReadNpz(file, "x.npz");
  for (size_t at = 0; at < file.size(); ++at) {
    for (int value : {0, 1, 0x7f, 0x80, 0xff, file[at] ^ 1, file[at] ^ 0x10, file[at] + 1}) {
      string changed = file;
      changed[at] = static_cast<char>(value);
      ASSERT_NO_FATAL_FAILURE(CheckNpz(changed, original)) << GetParam() << ": " << at << " = " << value;
    }
  }
}

TEST_P(HostileNpz, ChangesOfSeveralBytes) {
  const string file = TestData(GetParam());
  const NamedTensors original = *ReadNpz(file, "x.npz");
  std::mt19937 random(20240229);
  for (int trial = 0; trial < 3000; ++trial) {
    string changed = file;
    for (unsigned i = 0; i < 2 + random() % 6; ++i)
      changed[random() % changed.size()] = static_cast<char>(random());
    ASSERT_NO_FATAL_FAILURE(CheckNpz(changed, original)) << GetParam() << ": trial " << trial;
  }
}

INSTANTIATE_TEST_SUITE_P(Archives, HostileNpz,
                         testing::Values("stored.npz", "deflated.npz", "zip64.npz", "bare_name.npz"),
                         [](const auto& info) {
                           return string(info.param).substr(0, string(info.param).find('.'));
                         });

}  // namespace
}  // namespace tenfold
