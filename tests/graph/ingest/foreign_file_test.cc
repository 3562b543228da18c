// SPDX-License-Identifier: Apache-2.0
//
// tests/tools/mends_test.cc pastes those commands that need nothing but NumPy.
#include "tenfold/graph/ingest/foreign_file.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tenfold {
namespace {

std::string Table(const char* options) {
  return std::string(
             "it is a table in text; with NaN for cells that are empty or no number: python3 -c 'import sys, "
             "numpy as np; np.save(sys.argv[2], np.genfromtxt(sys.argv[1]") +
         options + "))' d/x.csv d/x.npy";
}

std::string Mend(absl::string_view start) { return MendForeignFile("d/x.csv", start, ".npy"); }

TEST(ForeignFile, TablesAreReadAsTheyAreWritten) {
  EXPECT_EQ(Mend("1,2.5\n-3,4e2\n"), Table(", delimiter=\",\""));
  EXPECT_EQ(Mend("1;2.5\r\n3;4\r\n"), Table(", delimiter=\";\""));
  EXPECT_EQ(Mend("1\t2\n"), Table(", delimiter=\"\\t\""));
  EXPECT_EQ(Mend("1 2\n"), Table(""));
  EXPECT_EQ(Mend("age,height\n1,2\n3,4\n"), Table(", delimiter=\",\", skip_header=1"));
}

TEST(ForeignFile, ColumnsOfTextAreLeftOutByName) {
  EXPECT_EQ(
      Mend("date,price,sold\n2024-01-02,1.5,7\n"),
      "it is a table in text; without 'date', which is no data, and with NaN for cells that are empty or no "
      "number: python3 -c 'import sys, numpy as np; np.save(sys.argv[2], np.genfromtxt(sys.argv[1], "
      "delimiter=\",\", skip_header=1, usecols=[1, 2]))' d/x.csv d/x.npy");
  // A cell that is empty does not make its column one of text; one that is text does.
  EXPECT_EQ(
      Mend("id,age,height\n1,,1.5\n2,x,NA\n3,45,\n"),
      "it is a table in text; without 'age', which is no data, and with NaN for cells that are empty or no "
      "number: python3 -c 'import sys, numpy as np; np.save(sys.argv[2], np.genfromtxt(sys.argv[1], "
      "delimiter=\",\", skip_header=1, usecols=[0, 2]))' d/x.csv d/x.npy");
  EXPECT_EQ(Mend("a,b\n,1\n2,\n"), Table(", delimiter=\",\", skip_header=1"));
  EXPECT_EQ(
      Mend("1,5;2;3\n4;NA;5\n"),
      "it is a table in text; with NaN for cells that are empty or no number: python3 -c 'import sys, numpy "
      "as "
      "np; np.save(sys.argv[2], np.genfromtxt((line.replace(\",\", \".\") for line in open(sys.argv[1])), "
      "delimiter=\";\"))' d/x.csv d/x.npy");
  // The index that pandas writes before its columns, under no title.
  EXPECT_THAT(Mend(",a,b\n0,1.5,2\n"), testing::HasSubstr("without column 0, which is no data, "));
  // Of a line that is not all there, nobody knows the columns.
  EXPECT_EQ(Mend("a,b,c\n" + std::string(kForeignStart, '1')), "");
}

TEST(ForeignFile, WhatIsNoTableIsNotCalledOne) {
  EXPECT_EQ(Mend("on the 5 of may\nall went well\n"), "");
  EXPECT_EQ(Mend(""), "");
  EXPECT_EQ(Mend("hello\nworld\n"), "");
  EXPECT_EQ(Mend("1,2"), "");  // no line ends: anything
  EXPECT_EQ(Mend("\n\n"), "");
  EXPECT_EQ(Mend(absl::string_view("1,2\n\0,3\n", 9)), "");
}

TEST(ForeignFile, KnowsFilesByTheirFirstBytes) {
  EXPECT_EQ(MendForeignFile("w.npz", "version https://git-lfs.github.com/spec/v1\noid sha256:12\n", ".npz"),
            "it is a pointer of Git LFS, not the file that it stands for: git -C . lfs pull --include w.npz");
  EXPECT_EQ(MendForeignFile("w.npz", "<!DOCTYPE html><html>", ".npz"),
            "it is a web page, as a download gives it that was refused: download the file itself");
  EXPECT_EQ(MendForeignFile("w.npz", "PK\x03\x04", ".npz"),
            "the archive is cut off or damaged: download or copy it again, whole");
  EXPECT_EQ(MendForeignFile("my w.npz", "\x93NUMPY", ".npz"), "it is an .npy file: mv 'my w.npz' 'my w.npy'");
  EXPECT_EQ(
      MendForeignFile("state.pt", "PK\x03\x04", ".npy"),
      "it is a file of torch.save: python3 -c 'import sys, numpy as np, torch; np.savez(sys.argv[2], "
      "**{k: v.numpy() for k, v in torch.load(sys.argv[1], weights_only=True).items()})' state.pt state.npz");
  EXPECT_EQ(MendForeignFile("x.npy", "[[1, 2]]", ".npy"),
            "it looks like a list in JSON: python3 -c 'import sys, numpy as np, json; np.save(sys.argv[2], "
            "np.array(json.load(open(sys.argv[1]))))' x.npy x.mended.npy");
}

}  // namespace
}  // namespace tenfold
