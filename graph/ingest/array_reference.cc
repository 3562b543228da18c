// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/ingest/array_reference.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/ingest/files.h"
#include "tenfold/graph/ingest/npy.h"
#include "tenfold/graph/ingest/npz.h"
#include "tenfold/graph/ingest/printable.h"
#include "tenfold/graph/ingest/safetensors.h"

namespace tenfold {

bool IsSafetensors(absl::string_view file) { return absl::EndsWith(file, ".safetensors"); }

bool HoldsManyArrays(absl::string_view file) { return absl::EndsWith(file, ".npz") || IsSafetensors(file); }

absl::StatusOr<ArrayReference> ResolveArrayReference(absl::string_view model_folder,
                                                     absl::string_view reference) {
  const size_t colon = reference.find(':');
  const bool has_member = colon != absl::string_view::npos;
  const absl::string_view file = reference.substr(0, colon);
  const absl::string_view member = has_member ? reference.substr(colon + 1) : "";
  const auto refuse = [&](absl::string_view why, std::string help) {
    return MakeError("E0524", absl::StrCat("the reference '", Printable(reference), "' ", why),
                     std::move(help));
  };
  if (HoldsManyArrays(file)) {
    if (member.empty())
      return refuse("names no array of the file", absl::StrCat("write ", Printable(file), ":NAME"));
  } else if (absl::EndsWith(file, ".npy")) {
    if (has_member)
      return refuse("names a member, but an .npy file is one array", absl::StrCat("write ", Printable(file)));
  } else {
    return refuse("names no .npy, .npz or .safetensors file",
                  "write FILE.npy, or FILE.npz:NAME or FILE.safetensors:NAME for one array of several");
  }
  TENFOLD_ASSIGN_OR_RETURN(std::string path, ResolveFileBeneath(model_folder, file));
  return ArrayReference{std::move(path), std::string(member)};
}

absl::StatusOr<Tensor> LoadArray(absl::string_view path, absl::string_view member, const Limits& limits) {
  return LoadArray({std::string(path), std::string(member)}, {.limits = limits});
}

absl::StatusOr<Tensor> LoadArray(const ArrayName& name, const ReadOptions& options, TextAs* text_as) {
  if (name.member.empty() && HoldsManyArrays(name.file)) {
    return MakeError("E0524",
                     absl::StrCat(name.ToString(), " is a file of several arrays, and none is named"),
                     absl::StrCat("write ", Printable(name.reference.empty() ? name.file : name.reference),
                                  ":NAME; tenfold-dump ", ShellQuote(name.file), " shows what there is"));
  }
  if (name.member.empty()) return LoadNpy(name, options, text_as);
  if (IsSafetensors(name.file)) return LoadSafetensorsMember(name, options);
  return LoadNpzMember(name, options, text_as);
}

}  // namespace tenfold
