// SPDX-License-Identifier: Apache-2.0
//
// Arrays of Python objects, as NumPy pickles them (make_testdata.py): what each refusal says. The commands
// that they offer were tried.
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/ingest/files.h"
#include "tenfold/graph/ingest/npy.h"
#include "tenfold/graph/ingest/npz.h"
#include "tenfold/tests/graph/ingest/npy_bytes.h"

namespace tenfold {
namespace {

using std::string;

string Error(absl::string_view bytes, absl::string_view file = "x.npy") {
  const absl::StatusOr<Tensor> tensor = ReadNpy(bytes, file);
  return tensor.ok() ? "loaded" : string(tensor.status().message());
}

string Bytes(absl::string_view name) {
  return *ReadFile(absl::StrCat("tests/graph/ingest/testdata/objects/", name, ".npy"), 1 << 20);
}

struct Case {
  const char* name;
  const char* what;  // behind "holds Python objects (|O)"
  const char* note;  // before the one that is always there
  const char* mend;
  const char* expression;  // empty: `mend` is the whole help
  const char* output = "";
  const char* modules = "";
};

constexpr char kNumbersElseNan[] =
    "np.array([x if isinstance(x, (bool, int, float, np.number)) else float(str(x)) if "
    "re.fullmatch(r\"(?i)\\s*[-+]?((\\d+\\.?\\d*|\\.\\d+)(e[-+]?\\d+)?|inf(inity)?|nan)\\s*\", str(x)) "
    "else np.nan for x in a.flat], \"f8\").reshape(a.shape)";

constexpr Case kCases[] = {
    {"none", ", not numbers: element [2] is None (NoneType) (1 of 4 elements is no number)", "",
     "put NaN for None", "a.astype(\"f8\")", "x.f8.npy"},
    {"mixed", ", not numbers: element [0,1] is None (NoneType) (2 of 4 elements are no numbers)", "",
     "put NaN for what is no number", kNumbersElseNan, "x.f8.npy", ", re"},
    {"ints", ", though all 6 elements are numbers", "", "save them as f64", "a.astype(\"f8\")", "x.f8.npy"},
    {"bools", ", though all 2 elements are numbers", "", "save them as bools", "a.astype(\"?\")",
     "x.bool.npy"},
    {"floats", ", though all 4 elements are numbers", "", "save them as f64", "a.astype(\"f8\")", "x.f8.npy"},
    {"ragged", ", not numbers: element [0] is a list of 3 (3 of 3 elements are no numbers)",
     "  they are ragged: element [0] is a list of 3, element [1] is a list of 2\n", "pad them with NaN",
     "np.array([list(x) + [np.nan] * (max(map(len, a)) - len(x)) for x in a], \"f8\")", "x.padded.npy"},
    {"ragged_arrays", ", not numbers: element [0] is a numpy.ndarray of 3 (2 of 2 elements are no numbers)",
     "  they are ragged: element [0] is a numpy.ndarray of 3, element [1] is a numpy.ndarray of 400\n",
     "pad them with NaN", "np.array([list(x) + [np.nan] * (max(map(len, a)) - len(x)) for x in a], \"f8\")",
     "x.padded.npy"},
    {"equal", ", not numbers: element [0] is a list of 2 (2 of 2 elements are no numbers)", "",
     "make one array of them", "np.array(a.tolist(), \"f8\")", "x.f8.npy"},
    {"images", ", not numbers: element [0] is a numpy.ndarray (2 of 2 elements are no numbers)", "",
     "save each as an array of its own", "np.savez(sys.argv[2], *a.flat)", "x.npz"},
    {"nested", ", not numbers: element [0] is a list of 2 (2 of 2 elements are no numbers)",
     "  they are ragged: element [0] is a list of 2, element [1] is a list of 1\n",
     "see what it holds: python3 -c 'import sys, numpy as np; print(np.load(sys.argv[1], "
     "allow_pickle=True))' x.npy",
     ""},
    {"text", ", not numbers: element [0] is \"1.5\" (str) (2 of 2 elements are no numbers)", "",
     "read the text as numbers", "a.astype(\"f8\")", "x.f8.npy"},
    {"text_and_none", ", not numbers: element [0] is \"1.5\" (str) (2 of 2 elements are no numbers)", "",
     "read the text as numbers and put NaN for None", "a.astype(\"f8\")", "x.f8.npy"},
    {"comma", ", not numbers: element [0] is \"1,5\" (str) (2 of 2 elements are no numbers)", "",
     "read the text as numbers", "np.char.replace(a.astype(\"U\"), \",\", \".\").astype(\"f8\")", "x.f8.npy"},
    {"labels", ", not numbers: element [0] is \"cat\" (str) (2 of 2 elements are no numbers)", "",
     "number the labels", "np.unique(a.astype(\"U\"), return_inverse=True)[1].reshape(a.shape)",
     "x.labels.npy"},
    {"bytes", ", not numbers: element [0] is b\"x\" (bytes) (1 of 2 elements is no number)", "",
     "put NaN for what is no number", kNumbersElseNan, "x.f8.npy", ", re"},
    {"dict", ", not numbers: the element is a dict of 2 (1 of 1 element is no number)", "",
     "save its entries as arrays", "np.savez(sys.argv[2], **a.item())", "x.npz"},
    {"dates", ", not numbers: element [0] is a datetime.date (2 of 2 elements are no numbers)", "",
     "save the microseconds since 1970 as i64", "a.astype(\"M8[us]\").astype(\"i8\")", "x.i8.npy"},
    {"others", ", not numbers: element [0] is a set (3 of 3 elements are no numbers)", "",
     "see what it holds: python3 -c 'import sys, numpy as np; print(np.load(sys.argv[1], "
     "allow_pickle=True))' x.npy",
     ""},
    {"empty", " (0 elements)", "", "save them as f64", "a.astype(\"f8\")", "x.f8.npy"},
};

TEST(ObjectRefusal, SaysWhatThereIsAndWhatMendsIt) {
  for (const Case& c : kCases) {
    const string expression = c.expression;
    const string command = expression.empty()
                               ? ""
                               : absl::StrCat(": python3 -c 'import sys, numpy as np", c.modules,
                                              "; a = np.load(sys.argv[1], allow_pickle=True); ",
                                              expression.substr(0, 8) == "np.savez"
                                                  ? expression
                                                  : absl::StrCat("np.save(sys.argv[2], ", expression, ")"),
                                              "' x.npy ", c.output);
    EXPECT_EQ(
        Error(Bytes(c.name)),
        absl::StrCat("error[E0302 object-array]: 'x.npy' holds Python objects (|O)", c.what, "\n", c.note,
                     "  pickled objects are never loaded, since loading them could run any code\n"
                     "  help: if you trust the file, ",
                     c.mend, command))
        << c.name;
  }
}

TEST(ObjectRefusal, OfRecordsNamesAField) {
  EXPECT_EQ(Error(Bytes("record")),
            "error[E0302 object-array]: 'x.npy' holds records with Python objects in them\n"
            "  pickled objects are never loaded, since loading them could run any code\n"
            "  help: if you trust the file, save one field: python3 -c 'import sys, numpy as np; "
            "a = np.load(sys.argv[1], allow_pickle=True); np.save(sys.argv[2], a[a.dtype.names[0]])' x.npy "
            "x.field.npy");
}

// A command for a member of an archive writes the archive again.
TEST(ObjectRefusal, OfAnArchive) {
  const string bytes = Bytes("none");
  MemorySource contents(bytes);
  EXPECT_EQ(
      string(ReadNpyFrom(contents, {"w.npz", "a"}, {}).status().message()),
      "error[E0302 object-array]: 'w.npz: a' holds Python objects (|O), not numbers: element [2] is None "
      "(NoneType) (1 of 4 elements is no number)\n"
      "  pickled objects are never loaded, since loading them could run any code\n"
      "  help: if you trust the file, put NaN for None: python3 -c 'import sys, numpy as np; "
      "d = dict(np.load(sys.argv[1], allow_pickle=True)); n = sys.argv[2]; a = d[n]; "
      "d[n] = a.astype(\"f8\"); np.savez(sys.argv[3], **d)' w.npz a w.f8.npz");
}

TEST(ObjectRefusal, IsTheSameForEveryProtocol) {
  for (int protocol = 0; protocol < 6; ++protocol) {
    const string error = Error(Bytes(absl::StrCat("protocol", protocol)));
    EXPECT_EQ(
        error.substr(0, error.find('\n')),
        "error[E0302 object-array]: 'x.npy' holds Python objects (|O), not numbers: element [2] is None "
        "(NoneType) (4 of 8 elements are no numbers)")
        << protocol;
  }
}

// Of a pickle that is cut off, or none at all, the elements before that are told.
TEST(ObjectRefusal, NeedsNoWholePickle) {
  const string whole = Bytes("mixed");
  // Wherever it is cut off: nothing is made out yet, or the numbers before None, or None.
  for (size_t n = whole.find('\n') + 1; n < whole.size(); ++n) {
    const string error = Error(absl::string_view(whole).substr(0, n));
    const string what = error.substr(0, error.find('\n')).substr(60);
    if (what == ", which cannot be made out" || what == ", though the first 1 element is a number") continue;
    EXPECT_EQ(what.substr(0, 47), ", not numbers: element [0,1] is None (NoneType)") << n;
  }
  EXPECT_EQ(Error(Npy("|O", "(4,)", "\x80\x02.")),
            "error[E0302 object-array]: 'x.npy' holds Python objects (|O), which cannot be made out\n"
            "  pickled objects are never loaded, since loading them could run any code\n"
            "  help: if you trust the file, see what it holds: python3 -c 'import sys, numpy as np; "
            "print(np.load(sys.argv[1], allow_pickle=True))' x.npy");
}

// 300,000 numbers, and behind them a text: more than is looked at.
TEST(ObjectRefusal, LooksAtTheBeginningOfALargeArray) {
  string pickle = Bytes("ints");
  pickle = pickle.substr(pickle.find('\n') + 1);
  pickle = pickle.substr(0, pickle.rfind('('));  // up to the list of elements, which is empty
  pickle += '(';
  for (int i = 0; i < 300'000; ++i) pickle += string("G\0\0\0\0\0\0\0\0", 9);
  pickle += string("X\1\0\0\0xetb.", 10);
  const string error = Error(Npy("|O", "(300001,)", pickle));
  EXPECT_EQ(
      error.substr(0, error.find('\n')),
      "error[E0302 object-array]: 'x.npy' holds Python objects (|O), though the first 232999 elements are "
      "numbers");
}

// Hostile pickles: nothing is called, and nothing grows beyond what is read.
TEST(ObjectRefusal, OfHostilePicklesStaysShort) {
  string state = Bytes("none");
  state = state.substr(state.find('\n') + 1);
  const size_t list = state.rfind('(');
  const auto with = [&](const string& elements) {
    return Error(Npy("|O", "(4,)", state.substr(0, list) + "(" + elements + "etb."));
  };
  // A list that holds itself, and one of shared lists that would be 64^5 numbers.
  EXPECT_NE(with("]q\x30h\x30h\x30h\x30").find("element [0] is a list of 0"), string::npos);
  string shared = "]q\x30";
  for (char level = 0x31; level < 0x36; ++level) {
    const string below(1, static_cast<char>(level - 1)), own(1, level);
    shared += "](";
    for (int i = 0; i < 64; ++i) shared += "h" + below;
    shared += "eq" + own;
  }
  EXPECT_NE(with(shared).find("element [1] is a list of 64"), string::npos) << with(shared);
  EXPECT_NE(with("cos\nsystem\n(X\4\0\0\0true" + string("tR", 2)).find("E0302"), string::npos);
  for (const string& garbage : {string(1 << 20, '('), string(1 << 20, '2'), string(1 << 20, 'N'),
                                string(1 << 20, ']'), string("]") + string(1 << 20, '2')}) {
    EXPECT_NE(with(garbage).find("E0302"), string::npos);
  }
}

}  // namespace
}  // namespace tenfold
