// SPDX-License-Identifier: Apache-2.0
//
// The full text of every refusal of the .npy reader.
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tenfold/graph/ingest/npy.h"
#include "tenfold/tests/graph/ingest/npy_bytes.h"

namespace tenfold {
namespace {

using std::string;
using testing::EndsWith;
using testing::HasSubstr;

string Error(absl::string_view bytes, absl::string_view file = "x.npy", const Limits& limits = {}) {
  const absl::StatusOr<Tensor> tensor = ReadNpy(bytes, file, limits);
  return tensor.ok() ? "loaded: " + tensor->ToString() : string(tensor.status().message());
}

string HeaderError(const string& header) { return Error(NpyWithHeader(header, "")); }

// The help line that a command is expected in.
string Command(absl::string_view expression, absl::string_view output, absl::string_view load = "") {
  return absl::StrCat("python3 -c 'import sys, numpy as np; a = np.load(sys.argv[1]", load,
                      "); np.save(sys.argv[2], ", expression, ")' x.npy ", output);
}

TEST(NpyRefusal, TextOfLabels) {
  const string contents = Utf32("seven", 7) + Utf32("3,14", 7) + Utf32("", 7) + Utf32("nine", 7);
  EXPECT_EQ(Error(Npy("<U7", "(4,)", contents), "text.npy"),
            "error[E0301 not-numeric]: 'text.npy' holds text (<U7), not numbers: element [0] is \"seven\" "
            "(3 of 4 elements are no numbers)\n"
            "  \"3,14\" has a decimal comma\n"
            "  help: if these are labels, number them: python3 -c 'import sys, numpy as np; "
            "a = np.load(sys.argv[1]); np.save(sys.argv[2], "
            "np.unique(a, return_inverse=True)[1].reshape(a.shape))' text.npy text.labels.npy");
}

TEST(NpyRefusal, TextOfNumbers) {
  EXPECT_EQ(Error(Npy("<U4", "(1, 2)", Utf32("1.5", 4) + Utf32("-2e3", 4))),
            "error[E0301 not-numeric]: 'x.npy' holds text (<U4), not numbers: element [0,0] is \"1.5\" "
            "(2 elements)\n"
            "  help: read the text as numbers: " +
                Command("a.astype(\"f8\")", "x.f8.npy"));
}

TEST(NpyRefusal, TextWithDecimalCommas) {
  EXPECT_EQ(Error(Npy("<U4", "()", Utf32("3,14", 4))),
            "error[E0301 not-numeric]: 'x.npy' holds text (<U4), not numbers: the element is \"3,14\" "
            "(1 element)\n"
            "  \"3,14\" has a decimal comma\n"
            "  help: read the text as numbers: " +
                Command("np.char.replace(a, \",\", \".\").astype(\"f8\")", "x.f8.npy"));
}

TEST(NpyRefusal, TextInTheOtherByteOrderAndOddCharacters) {
  const string big_endian("\0\0\x20\xac\0\0\0\n\0\0\xd8\0\0\0\0\0", 16);
  EXPECT_NE(
      Error(Npy(">U4", "(1,)", big_endian)).find("element [0] is \"\xe2\x82\xac\\n\\ud800\" (1 element)"),
      string::npos)
      << Error(Npy(">U4", "(1,)", big_endian));
}

// One text may be two numbers: no reading is taken without being named, and one that no other element allows
// is not offered.
TEST(NpyRefusal, TextWithThousands) {
  const auto replaced = [](absl::string_view expression) {
    return Command(absl::StrCat(expression, ".astype(\"f8\")"), "x.f8.npy");
  };
  EXPECT_THAT(
      Error(Npy("<U6", "(2,)", Utf32("1,234", 6) + Utf32("-12", 6))),
      EndsWith("\"1,234\" has a comma, which may part thousands or be a decimal comma\n"
               "  help: if the commas part thousands: " +
               replaced("np.char.replace(a, \",\", \"\")") +
               "\n  help: if they are decimal commas: " + replaced("np.char.replace(a, \",\", \".\")")));
  EXPECT_THAT(Error(Npy("<U9", "(2,)", Utf32("1,234.5", 9) + Utf32("1,234,567", 9))),
              EndsWith("\"1,234.5\" has a comma that parts thousands\n  help: read the text as numbers: " +
                       replaced("np.char.replace(a, \",\", \"\")")));
  EXPECT_THAT(Error(Npy("<U9", "(2,)", Utf32("1.234,5", 9) + Utf32("12", 9))),
              EndsWith("\"1.234,5\" has a decimal comma\n  help: read the text as numbers: " +
                       replaced("np.char.replace(np.char.replace(a, \".\", \"\"), \",\", \".\")")));
  // No reading makes numbers of both.
  EXPECT_THAT(Error(Npy("<U9", "(2,)", Utf32("1.234,5", 9) + Utf32("1,234.5", 9))),
              HasSubstr("help: put NaN for what is no number: "));
}

TEST(NpyRefusal, TextThatIsEmptyOrCutOff) {
  const string expected =
      "error[E0301 not-numeric]: 'x.npy' holds text (<U4), not numbers (0 elements)\n"
      "  help: read the text as numbers: " +
      Command("a.astype(\"f8\")", "x.f8.npy");
  EXPECT_EQ(Error(Npy("<U4", "(0,)", "")), expected);
  EXPECT_NE(Error(Npy("<U4", "(9,)", "abc")).find("(9 elements)"), string::npos);
  EXPECT_NE(Error(Npy("<U0", "(9,)", "")).find("(9 elements)"), string::npos);
}

TEST(NpyRefusal, ByteStrings) {
  EXPECT_EQ(
      Error(Npy("|S3", "(2,)", "abcxyz")),
      "error[E0301 not-numeric]: 'x.npy' holds byte strings (|S3), not numbers: element [0] is b\"abc\" "
      "(2 elements)\n"
      "  help: if these are labels, number them: " +
          Command("np.unique(a, return_inverse=True)[1].reshape(a.shape)", "x.labels.npy"));
  EXPECT_EQ(
      Error(Npy("|S3", "(1,)", "1,5")),
      "error[E0301 not-numeric]: 'x.npy' holds byte strings (|S3), not numbers: element [0] is b\"1,5\" "
      "(1 element)\n"
      "  b\"1,5\" has a decimal comma\n"
      "  help: read the text as numbers: " +
          Command("np.char.replace(a, b\",\", b\".\").astype(\"f8\")", "x.f8.npy"));
}

// The culprit is what is no number.
TEST(NpyRefusal, TextOfNumbersWithSomethingElse) {
  const string numbers =
      "help: put NaN for what is no number: python3 -c 'import sys, numpy as np, re; a = "
      "np.load(sys.argv[1]); "
      "np.save(sys.argv[2], np.array([x if re.fullmatch(r\"(?i)\\s*[-+]?((\\d+\\.?\\d*|\\.\\d+)(e[-+]?\\d+)?|"
      "inf(inity)?|nan)\\s*\", x) else \"nan\" for x in ";
  EXPECT_EQ(Error(Npy("<U3", "(2,)", Utf32("1.5", 3) + Utf32("n/a", 3))),
            "error[E0301 not-numeric]: 'x.npy' holds text (<U3), not numbers: element [1] is \"n/a\" (1 of 2 "
            "elements is no number)\n"
            "  " +
                numbers + "a.flat]).astype(\"f8\").reshape(a.shape))' x.npy x.f8.npy");
  EXPECT_EQ(Error(Npy("|S3", "(2,)", string("1,5\0x\xff", 6))),
            "error[E0301 not-numeric]: 'x.npy' holds byte strings (|S3), not numbers: element [1] is "
            "b\"\\x00x\\xff\" (1 of 2 elements is no number)\n"
            "  b\"1,5\" has a decimal comma\n"
            "  " +
                numbers +
                "np.char.replace(np.char.decode(a, \"latin1\"), \",\", \".\").flat]).astype(\"f8\")"
                ".reshape(a.shape))' x.npy x.f8.npy");
}

TEST(NpyRefusal, OtherTypes) {
  EXPECT_EQ(
      Error(Npy("<c8", "(1,)", "")),
      "error[E0303 unsupported-array-dtype]: 'x.npy' holds complex numbers, which are not supported yet "
      "(<c8)\n"
      "  help: save pairs of real and imaginary part: " +
          Command("np.stack([a.real, a.imag], -1)", "x.pairs.npy"));
  EXPECT_EQ(
      Error(Npy("<f16", "(1,)", "")),
      "error[E0303 unsupported-array-dtype]: 'x.npy' holds long doubles, whose bits differ from machine to "
      "machine (<f16)\n"
      "  help: round to f64: " +
          Command("a.astype(\"f8\")", "x.f8.npy"));
  EXPECT_EQ(Error(Npy("<M8[ns]", "(1,)", "")),
            "error[E0303 unsupported-array-dtype]: 'x.npy' holds dates (<M8[ns])\n"
            "  help: save the counts of their unit since 1970 as i64, NaT as the least i64: " +
                Command("a.astype(\"i8\")", "x.i8.npy"));
  EXPECT_EQ(Error(Npy("<m8[s]", "(1,)", "")),
            "error[E0303 unsupported-array-dtype]: 'x.npy' holds durations (<m8[s])\n"
            "  help: save the counts of their unit as i64, NaT as the least i64: " +
                Command("a.astype(\"i8\")", "x.i8.npy"));
  EXPECT_EQ(
      HeaderError("{'descr': [('x', '<f4'), ('Obey', '<i4', (2,))], 'fortran_order': False, 'shape': (3,)}"),
      "error[E0303 unsupported-array-dtype]: 'x.npy' holds records of 'x', 'Obey', not one number an "
      "element\n"
      "  help: save the fields that are numbers side by side: " +
          Command("np.stack([a[n] for n in a.dtype.names if a.dtype[n].kind in \"biuf\"], -1)",
                  "x.fields.npy") +
          "\n  help: save one field: " + Command("a[a.dtype.names[0]]", "x.field.npy"));
}

TEST(NpyRefusal, RawBytesAreNotGuessed) {
  EXPECT_EQ(Error(Npy("|V2", "(1,)", "ab")),
            "error[E0303 unsupported-array-dtype]: 'x.npy' holds raw bytes (|V2); the file does not say what "
            "they mean\n"
            "  help: if these are bfloat16 of ml_dtypes, save them as f32, which holds every one: "
            "python3 -c 'import sys, numpy as np, ml_dtypes; a = np.load(sys.argv[1]); np.save(sys.argv[2], "
            "a.view(ml_dtypes.bfloat16).astype(\"f4\"))' x.npy x.f4.npy");
  EXPECT_NE(Error(Npy("|V1", "(1,)", "a")).find("help: to have the bits as u8: "), string::npos);
  EXPECT_NE(Error(Npy("|V8", "(1,)", "")).find("help: to have the plain bytes: "), string::npos);
}

TEST(NpyRefusal, BoolsOtherThanZeroAndOne) {
  EXPECT_EQ(Error(Npy("|b1", "(2, 2)", string("\1\0\7\2", 4))),
            "error[E0304 bad-bool]: 'x.npy' holds bool, but the byte of element [1,0] is 7 (2 of 4 elements "
            "neither 0 nor 1)\n"
            "  help: to read what is not 0 as true: " +
                Command("a.view(\"u1\") != 0", "x.bool.npy"));
  // In Fortran order the index is that of the array, not of the file.
  EXPECT_NE(Error(Npy("|b1", "(2, 2)", string("\1\0\7\1", 4), true)).find("element [0,1] is 7 (1 of"),
            string::npos);
}

TEST(NpyRefusal, Truncated) {
  EXPECT_EQ(
      Error(Npy("<f4", "(2, 3)", "12345678901234567890")),
      "error[E0305 truncated-array]: 'x.npy' is truncated: f32[2,3] takes 24 bytes after the header, 20 "
      "found\n"
      "  help: the file was cut off while it was written or copied: write or copy it again");
  EXPECT_EQ(Error(absl::string_view("\x93NUM")),
            "error[E0305 truncated-array]: 'x.npy' is cut off inside its header: 8 bytes wanted, 4 found\n"
            "  help: the file was cut off while it was written or copied: write or copy it again");
  EXPECT_EQ(Error(absl::string_view("\x93NUMPY\x01\x00\x40\x00{'descr", 17)),
            "error[E0305 truncated-array]: 'x.npy' is cut off inside its header: 74 bytes wanted, 17 found\n"
            "  help: the file was cut off while it was written or copied: write or copy it again");
}

TEST(NpyRefusal, TrailingBytes) {
  EXPECT_EQ(
      Error(Npy("|i1", "(1,)", "123")),
      "error[E0306 trailing-bytes]: 'x.npy' goes on after its array: i8[1] takes 1 byte after the header, "
      "3 found\n"
      "  help: if only the array matters, save it alone: " +
          Command("a", "x.alone.npy"));
  const string one = Npy("|i1", "(1,)", "1");
  EXPECT_EQ(
      Error(one + one),
      absl::StrCat("error[E0306 trailing-bytes]: 'x.npy' goes on after its array: i8[1] takes 1 byte after "
                   "the header, ",
                   1 + one.size(),
                   " found\n"
                   "  another array begins there: numpy.save was called again on the open file\n"
                   "  help: make an .npz of them, arr_0, arr_1, ...: python3 -c 'import os, sys, numpy as "
                   "np; f = open(sys.argv[1], \"rb\"); n = os.path.getsize(sys.argv[1]); "
                   "np.savez(sys.argv[2], *[np.load(f) for _ in iter(lambda: f.tell() < n, False)])' "
                   "x.npy x.npz"));
}

TEST(NpyRefusal, NotNpy) {
  EXPECT_EQ(Error(""),
            "error[E0307 not-npy]: 'x.npy' is empty: it has 0 bytes\n"
            "  help: the file was cut off while it was written or copied: write or copy it again");
  EXPECT_EQ(Error("1.5, 2.5"),
            "error[E0307 not-npy]: 'x.npy' is no .npy file: it begins with '1.5, 2', not with '\\x93NUMPY'\n"
            "  help: write it with NumPy: numpy.save(\"x.npy\", array)");
  EXPECT_EQ(
      Error(absl::string_view("PK\3\4....")),
      "error[E0307 not-npy]: 'x.npy' is no .npy file: it begins with 'PK\\x03\\x04..', not with "
      "'\\x93NUMPY'\n"
      "  help: it is a zip archive: rename it, and name one of its arrays as FILE.npz:NAME: mv x.npy x.npz");
  EXPECT_EQ(Error(absl::string_view("\x1f\x8b....", 6), "it's.npy"),
            "error[E0307 not-npy]: 'it's.npy' is no .npy file: it begins with '\\x1f\\x8b....', not with "
            "'\\x93NUMPY'\n"
            "  help: it is compressed by gzip: gunzip < 'it'\\''s.npy' > 'it'\\''s.mended.npy'");
  EXPECT_EQ(
      Error(absl::string_view("\x80\x04\x95\0\0\0", 6)),
      "error[E0307 not-npy]: 'x.npy' is no .npy file: it begins with '\\x80\\x04\\x95\\x00\\x00\\x00', not "
      "with '\\x93NUMPY'\n"
      "  help: it looks like a Python pickle, which is never loaded, since it can run any code: write it "
      "with NumPy: numpy.save(\"x.npy\", array)");
  EXPECT_EQ(Error(absl::string_view("\x93NUMPY\4\0", 8)),
            "error[E0307 not-npy]: 'x.npy' is version 4.0 of the .npy format; known are 1.0, 2.0 and 3.0\n"
            "  help: write it with NumPy: numpy.save(\"x.npy\", array)");
}

// A transfer in text mode puts a carriage return before each line feed, the header's and those among the
// numbers.
TEST(NpyRefusal, ChangedLineEnds) {
  string bytes = Npy("<f4", "(2,)", string(8, '\n'));
  bytes = absl::StrReplaceAll(bytes, {{"\n", "\r\n"}});
  EXPECT_EQ(Error(bytes),
            "error[E0308 bad-npy-header]: 'x.npy' was changed by a transfer in text mode: line feeds became "
            "pairs of "
            "bytes, in its numbers, too\n"
            "  help: copy it again, in binary: what was put between the bytes cannot be told from them");
}

TEST(NpyRefusal, MalformedHeaders) {
  EXPECT_EQ(HeaderError("{'descr' '<f4'}"),
            "error[E0308 bad-npy-header]: 'x.npy' has a malformed header: at byte 9: ':' is due after a key\n"
            "  the header is: {'descr' '<f4'}\n"
            "  help: write it with NumPy: numpy.save(\"x.npy\", array)");
  const auto problem = [](const string& header) {
    const string error = HeaderError(header);
    const absl::string_view start = "error[E0308 bad-npy-header]: 'x.npy' has a malformed header: ";
    const size_t end = error.find('\n');
    return error.substr(0, start.size()) == start ? error.substr(start.size(), end - start.size()) : error;
  };
  EXPECT_EQ(problem("(1, 2)"), "it is no dict");
  EXPECT_EQ(problem("{'descr': '<f4', 'shape': ()}"), "the key 'fortran_order' is missing");
  EXPECT_EQ(problem("{'descr': '<f4', 'descr': '<f8', 'fortran_order': False, 'shape': ()}"),
            "the key 'descr' is there twice");
  EXPECT_EQ(problem("{'descr': '<f4', 'fortran_order': False, 'shape': (), 'x': 1}"),
            "it has keys beyond those three");
  EXPECT_EQ(problem("{'descr': '<f4', 'fortran_order': 0, 'shape': ()}"),
            "fortran_order is neither True nor False");
  EXPECT_EQ(problem("{'descr': '<f4', 'fortran_order': False, 'shape': (3)}"),
            "the shape is no tuple; of one dim it is written (3,)");
  EXPECT_EQ(problem("{'descr': '<f4', 'fortran_order': False, 'shape': ('3',)}"), "an extent is no integer");
  EXPECT_EQ(problem("{'descr': '<f4', 'fortran_order': False, 'shape': (-3,)}"), "the extent -3 is negative");
  EXPECT_EQ(problem("{'descr': '<f4', 'fortran_order': False, 'shape': (03,)}"),
            "at byte 51: an integer with a leading zero");
  EXPECT_EQ(problem("__import__('os')"),
            "at byte 0: a string, an integer, True, False, None, or one of ( [ { is due");
  for (const string descr : {"<f3", "f4", "=f4", "|f4", "|i8", "<q8", "", "<", "<U", "<f4,<f4", "<M4"}) {
    EXPECT_EQ(problem("{'descr': '" + descr + "', 'fortran_order': False, 'shape': ()}"),
              "its descr names no type that NumPy writes")
        << descr;
  }
}

TEST(NpyRefusal, HeaderTooLong) {
  string bytes("\x93NUMPY\x02\x00\xff\xff\xff\xff", 12);
  EXPECT_EQ(Error(bytes),
            "error[E0308 bad-npy-header]: 'x.npy' has a header of 4294967295 bytes; at most 65536 are read\n"
            "  help: write it with NumPy: numpy.save(\"x.npy\", array)");
}

TEST(NpyRefusal, SizesBeyondLimits) {
  EXPECT_EQ(Error(Npy("<f4", "(9223372036854775807, 2)", "")),
            "error[E0402 too-large]: 'x.npy' has shape [9223372036854775807,2], more elements than can be "
            "counted in 64 bits\n"
            "  help: write it with NumPy: numpy.save(\"x.npy\", array)");
  EXPECT_EQ(Error(Npy("<f4", "(99999999999999999999,)", "")),
            "error[E0402 too-large]: 'x.npy' has an extent of 99999999999999999999, more than can be counted "
            "in 64 bits\n"
            "  help: write it with NumPy: numpy.save(\"x.npy\", array)");
  Limits limits;
  limits.tensor_bytes = 15;
  limits.rank = 2;
  EXPECT_EQ(Error(Npy("<f4", "(4,)", "1234567890123456"), "x.npy", limits),
            "error[E0402 too-large]: 'x.npy' holds f32[4], more than 15 bytes, the limit tensor_bytes\n"
            "  help: if that is meant, allow it: --tensor-bytes 16 (in C++, Limits::tensor_bytes)");
  EXPECT_EQ(Error(Npy("<f4", "(1, 1, 1)", "1234"), "x.npy", limits),
            "error[E0402 too-large]: 'x.npy' has 3 dims; the limit rank is 2\n"
            "  help: if that is meant, allow it: --rank 3 (in C++, Limits::rank)");
  // An empty array whose other extents overflow has no strides either.
  EXPECT_NE(Error(Npy("<f4", "(0, 9223372036854775807, 2)", "")).find("E0402"), string::npos);
}

TEST(NpyRefusal, BF16CannotBeWritten) {
  const absl::StatusOr<string> bytes = WriteNpy(Tensor::Scalar(BF16{0x3f80}));
  EXPECT_EQ(string(bytes.status().message()),
            "error[E0303 unsupported-array-dtype]: bf16[] cannot be written: the .npy format has no bf16\n"
            "  help: write it as f32, which holds every bf16 value: Cast(x, DType::kF32)");
}

}  // namespace
}  // namespace tenfold
