// SPDX-License-Identifier: Apache-2.0
//
// Writes docs/onnx_ops.md from the registry and the importer's table of ops: onnx_ops_md FILE.
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <set>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "tenfold/graph/onnx/op_table.h"
#include "tenfold/graph/op_registry.h"

namespace tenfold::onnx {
namespace {

constexpr absl::string_view kIntroduction =
    R"(# Ops of ONNX

What `tenfold-import` makes of the ops of the domain ai.onnx ([onnx.md](onnx.md)). An op without a remark is imported as
it is, in every opset that has it; [ops.md](ops.md) says which inputs, attributes and dtypes it takes.

<!-- Generated from the op registry and graph/onnx/op_table.cc by `./dev docs`. -->

| op | opsets | becomes | what differs |
|---|---|---|---|
)";

// "", "until 6", "7 to 8", "since 13".
std::string Opsets(int64_t first, int64_t last) {
  if (first <= 1 && last >= kNewestOpset) return "";
  if (first <= 1) return absl::StrCat("until ", last);
  if (last >= kNewestOpset) return absl::StrCat("since ", first);
  return absl::StrCat(first, " to ", last);
}

// The line of an op, as it is imported in these opsets.
std::string TableLine(absl::string_view name, int64_t first, int64_t last, const OpImport& import) {
  const bool refused = import.row != nullptr && import.row->refused;
  std::string line = absl::StrCat("| ", name, " | ", Opsets(first, last), " | ");
  if (refused) {
    absl::StrAppend(&line, "- | not imported: it ");
  } else {
    absl::StrAppend(&line, "[", import.op->name, "](ops.md#", absl::AsciiStrToLower(import.op->name), ") | ");
  }
  return absl::StrCat(line, import.row == nullptr ? "" : import.row->differs, " |\n");
}

std::string OnnxOpsPage(const OpRegistry& registry) {
  std::set<std::string> names;
  for (const OpDef* op : registry.All()) names.insert(op->name);
  for (const OpRow& row : OpRows()) names.insert(row.names.begin(), row.names.end());
  std::string page(kIntroduction);
  for (const std::string& name : names) {
    int64_t first = 1;
    for (int64_t opset = 1; opset <= kNewestOpset; ++opset) {
      const OpImport import = FindOp(name, opset, registry);
      const bool is_last = opset == kNewestOpset || FindOp(name, opset + 1, registry).row != import.row;
      if (!is_last) continue;
      if (import.op != nullptr || import.row != nullptr)
        absl::StrAppend(&page, TableLine(name, first, opset, import));
      first = opset + 1;
    }
  }
  return page;
}

}  // namespace
}  // namespace tenfold::onnx

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: onnx_ops_md FILE\n");
    return 2;
  }
  std::ofstream file(argv[1], std::ios::binary);
  file << tenfold::onnx::OnnxOpsPage(*tenfold::OpRegistry::Standard());
  file.close();
  return file ? 0 : 1;
}
