// SPDX-License-Identifier: Apache-2.0
//
// Writes docs/errors.md from the table of error codes: errors_md FILE.
#include <cstdio>
#include <fstream>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tenfold/graph/diagnostic.h"

namespace tenfold {
namespace {

struct Family {
  absl::string_view prefix;
  absl::string_view title;
};

// In the order of the codes.
constexpr Family kFamilies[] = {
    {"E01", "Structure of a graph"},
    {"E02", "Types and shapes"},
    {"E03", "Arrays"},
    {"E04", "Sizes and limits"},
    {"E05", "Files and text"},
    {"E06", "Run time"},
    {"E07", "Devices"},
    {"E08", "Compiler"},
    {"E09", "Models of other formats"},
    {"E90", "Bugs of ours"},
};

constexpr absl::string_view kIntroduction =
    R"(# Error codes

Every error that Tenfold reports has a code. Codes are stable: a code keeps its meaning for ever, so
that scripts and searches can rely on it. An error is printed like this:

```
error[E0201 shape-mismatch]: MatMul 'fc1/matmul': inner dims differ: lhs 'x' is f32[28,28], rhs 'fc1/w' is f32[784,10]
  --> examples/digits.cc:31
  lhs comes from Input 'x' (examples/digits.cc:24), rhs from Const 'fc1/w' (weights.npz: fc1/w)
  help: x has 28*28 = 784 elements: Reshape(x, {-1, 784}) gives f32[1,784]
```

First what is wrong and where, then how the pieces came to be, then what mends it, the likeliest first.
The tools print errors on stderr. In C++ an error is an `absl::Status` of the category that stands below
its code, and `DiagnosticsOf(status)` gives its parts.

Many mends a machine can make: an argument more on the command line, other bytes in a text graph, one more
node before an operand. `tenfold-import --fix` and `tenfold-run --fix` make them: they print what the command
line should have had, one a line, the missing flags and the name of the mended graph, `model.fixed.tnt`,
which they write beside `model.tnt`:

```
$ tenfold-run digits.tnf --input image=image_f64.npy --fix 2>/dev/null
--cast=image=nearest
```

`--diagnostics=json` prints each diagnostic as one line of JSON, with its edits, as
`proto/diagnostic.proto` has it.

<!-- Generated from graph/error_codes.cc by `./dev docs`. -->
)";

// Paragraphs are written in lines of the width of the prose above.
std::string Wrapped(absl::string_view paragraph) {
  constexpr size_t kWidth = 100;
  std::string text;
  size_t column = 0;
  for (absl::string_view word : absl::StrSplit(paragraph, ' ', absl::SkipEmpty())) {
    if (column > 0 && column + 1 + word.size() > kWidth) {
      text.push_back('\n');
      column = 0;
    }
    if (column > 0) text.push_back(' ');
    absl::StrAppend(&text, word);
    column += word.size() + (column > 0);
  }
  return text;
}

std::string ErrorsPage(size_t& listed) {
  std::string page(kIntroduction);
  listed = 0;
  for (const Family& family : kFamilies) {
    bool has_title = false;
    for (const ErrorCode& code : AllErrorCodes()) {
      if (code.id.substr(0, 3) != family.prefix) continue;
      if (!has_title) absl::StrAppend(&page, "\n## ", family.title, "\n");
      has_title = true;
      ++listed;
      absl::StrAppend(&page, "\n### ", code.id, " ", code.slug, "\n\n", Wrapped(code.paragraph),
                      "\n\nCategory: `", absl::StatusCodeToString(code.status), "`.\n");
    }
  }
  return page;
}

}  // namespace
}  // namespace tenfold

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: errors_md FILE\n");
    return 2;
  }
  std::ofstream file(argv[1], std::ios::binary);
  size_t listed = 0;
  file << tenfold::ErrorsPage(listed);
  file.close();
  if (listed != tenfold::AllErrorCodes().size()) {
    std::fprintf(stderr, "errors_md: a code belongs to no family in kFamilies\n");
    return 1;
  }
  return file ? 0 : 1;
}
