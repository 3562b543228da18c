// SPDX-License-Identifier: Apache-2.0
//
// Builds .npy files by hand, so that no test of the reader relies on the writer.
#ifndef TENFOLD_TESTS_GRAPH_INGEST_NPY_BYTES_H_
#define TENFOLD_TESTS_GRAPH_INGEST_NPY_BYTES_H_

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace tenfold {

// Any text as the header.
inline std::string NpyWithHeader(std::string header, absl::string_view contents, int major = 1) {
  std::string bytes = "\x93NUMPY";
  bytes.push_back(static_cast<char>(major));
  bytes.push_back('\0');
  for (int i = 0; i < (major == 1 ? 2 : 4); ++i) {
    bytes.push_back(static_cast<char>(header.size() >> (8 * i) & 0xff));
  }
  return absl::StrCat(bytes, header, contents);
}

// `shape` as Python writes it: "(2, 3)".
inline std::string Npy(absl::string_view descr, absl::string_view shape, absl::string_view contents,
                       bool fortran_order = false, int major = 1) {
  return NpyWithHeader(absl::StrCat("{'descr': '", descr, "', 'fortran_order': ",
                                    fortran_order ? "True" : "False", ", 'shape': ", shape, ", }\n"),
                       contents, major);
}

// UTF-32 in little-endian order, padded with zeros to `width` characters.
inline std::string Utf32(absl::string_view ascii, size_t width) {
  std::string bytes(4 * width, '\0');
  for (size_t i = 0; i < ascii.size(); ++i) bytes[4 * i] = ascii[i];
  return bytes;
}

}  // namespace tenfold

#endif  // TENFOLD_TESTS_GRAPH_INGEST_NPY_BYTES_H_
