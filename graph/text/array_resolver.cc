// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/text/array_resolver.h"

#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/ingest/array_reference.h"
#include "tenfold/graph/ingest/files.h"

namespace tenfold {

ArrayResolver FolderResolver(std::string folder, const Limits& limits) {
  return [folder = std::move(folder), limits](absl::string_view file,
                                              absl::string_view member) -> absl::StatusOr<Tensor> {
    TENFOLD_ASSIGN_OR_RETURN(const std::string path, ResolveFileBeneath(folder, file));
    return LoadArray(path, member, limits);
  };
}

std::string ReferenceName(absl::string_view file, absl::string_view member) {
  return member.empty() ? std::string(file) : absl::StrCat(file, ": ", member);
}

absl::StatusOr<Tensor> ResolveArray(const ArrayResolver& resolver, absl::string_view file,
                                    absl::string_view member, const TensorType* type) {
  const std::vector<absl::string_view> parts = absl::StrSplit(file, '/');
  if (parts.front().empty() || absl::c_linear_search(parts, "..")) {
    return MakeError(
        "E0525", absl::StrCat("the array ", ReferenceName(file, member), " lies outside the graph's folder"),
        "name a file beneath it, such as @\"data/weights.npz:w1\"");
  }
  if (!resolver) {
    return MakeError("E0524", absl::StrCat("the graph refers to the array ", ReferenceName(file, member),
                                           ", but is read where no files can be opened"));
  }
  TENFOLD_ASSIGN_OR_RETURN(Tensor tensor, resolver(file, member));
  if (type != nullptr && !(tensor.type() == *type)) {
    return MakeError("E0504",
                     absl::StrCat("the array ", ReferenceName(file, member), " is ", tensor.type().ToString(),
                                  ", but the graph says ", type->ToString()));
  }
  return tensor;
}

}  // namespace tenfold
