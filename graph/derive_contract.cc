// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/derive_contract.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/value_order.h"

namespace tenfold {
namespace {

std::string Placed(const std::string& location) {
  return location.empty() ? "" : absl::StrCat(" (", location, ")");
}

// "'train.npy' is f32[1437,63]".
std::string IsOfType(const ContractSample& sample) {
  return absl::StrCat("'", sample.source, "' is ", sample.values.type().ToString());
}

std::string Declared(const ContractSubject& input) {
  return absl::StrCat("input '", input.name, "'", Placed(input.location), " is ", input.type.ToString());
}

absl::Status Misfit(const ContractSubject& input, const ContractSample& sample, absl::string_view code,
                    std::string why, std::string help = "") {
  return MakeError(code,
                   absl::StrCat(IsOfType(sample), ", and ", Declared(input), why.empty() ? "" : ": ", why),
                   std::move(help));
}

// The declared shape with a symbol for dim `d`.
std::string WithSymbol(const TensorType& type, int d) {
  std::vector<Dim> dims = type.shape.dims();
  std::vector<std::string> taken;
  for (const Dim& dim : dims) dim.CollectSymbols(taken);
  std::string name = "N";
  while (std::find(taken.begin(), taken.end(), name) != taken.end()) name += "1";
  dims[d] = Dim::Symbol(name);
  return TensorType{type.dtype, Shape(std::move(dims))}.ToString();
}

absl::Status CheckSample(const ContractSubject& input, const ContractSample& sample) {
  const TensorType& type = input.type;
  const Dims& dims = sample.values.dims();
  if (IsPacked(type.dtype)) {
    return MakeError(
        "E0604", absl::StrCat(Declared(input), ", of which there is no contract"),
        absl::StrCat("declare it as ", Name(UnpackedType(type.dtype)), ", and Cast it in the graph"));
  }
  if (sample.values.dtype() != type.dtype) {
    return Misfit(input, sample, "E0604", "",
                  absl::StrCat("cast the sample as its feeds are: --cast ", input.name, "=nearest"));
  }
  if (!type.shape.has_rank()) return absl::OkStatus();
  if (sample.values.rank() != type.shape.rank()) {
    return Misfit(input, sample, "E0605",
                  absl::StrCat("rank ", sample.values.rank(), " instead of ", type.shape.rank()));
  }
  SymbolValues symbols;
  for (int d = 0; d < type.shape.rank(); ++d) {
    const Dim& dim = type.shape.dim(d);
    if (dim.is_constant() && dim.constant() != dims[d]) {
      return Misfit(input, sample, "E0605",
                    absl::StrCat("dim ", d, " is ", dims[d], " instead of ", dim.constant()),
                    absl::StrCat("if it varies, declare it so: ", WithSymbol(type, d)));
    }
    if (const std::optional<std::string> symbol = dim.symbol()) {
      const auto [known, is_new] = symbols.emplace(*symbol, dims[d]);
      if (is_new || known->second == dims[d]) continue;
      return Misfit(input, sample, "E0606",
                    absl::StrCat(*symbol, " would be ", known->second, " and ", dims[d]));
    }
  }
  for (int d = 0; d < type.shape.rank(); ++d) {
    const Dim& dim = type.shape.dim(d);
    std::vector<std::string> named;
    dim.CollectSymbols(named);
    const bool known =
        std::all_of(named.begin(), named.end(), [&](const std::string& s) { return symbols.contains(s); });
    const std::optional<int64_t> extent = known ? dim.Evaluate(symbols) : dims[d];
    if (extent == dims[d]) continue;
    return Misfit(input, sample, "E0606",
                  absl::StrCat("dim ", d, " is ", dims[d], ", and ", dim.ToString(),
                               extent ? absl::StrCat(" is ", *extent) : " has no value"));
  }
  return absl::OkStatus();
}

// The samples' dims; a symbol where they differ.
absl::StatusOr<Shape> CommonShape(const ContractSubject& input, std::span<const ContractSample> samples) {
  const Dims& first = samples[0].values.dims();
  std::vector<Dim> dims(first.begin(), first.end());
  for (const ContractSample& sample : samples.subspan(1)) {
    if (sample.values.rank() != static_cast<int>(dims.size())) {
      return MakeError("E0605", absl::StrCat(IsOfType(sample), ", and ", IsOfType(samples[0]),
                                             ": the samples of '", input.name, "' differ in rank"));
    }
    for (size_t d = 0; d < dims.size(); ++d) {
      if (sample.values.dims()[d] != first[d]) dims[d] = Dim::Symbol(absl::StrCat("d", d));
    }
  }
  return Shape(std::move(dims));
}

absl::StatusOr<std::optional<int>> ChooseAxis(const ContractSubject& input, const TensorType& type) {
  if (!input.axis) return ColumnAxis(type.shape);
  const std::optional<int> axis = NormalizeAxis(*input.axis, type.shape.rank());
  if (!axis || type.shape.rank() < 2 || !type.shape.dim(*axis).is_constant()) {
    const absl::string_view why = !axis                                  ? "there is no such axis"
                                  : !type.shape.dim(*axis).is_constant() ? "its extent varies"
                                                                         : "there is no other axis";
    return MakeError(
        "E0605", absl::StrCat(Declared(input), ", and its axis ", *input.axis, " makes no columns: ", why),
        "leave it out: the last axis makes the columns, where its extent is constant");
  }
  return axis;
}

// Adds what one sample shows of the columns.
template <typename T>
void Survey(const T* values, const ColumnLayout& layout, bool* seen, T* min, T* max, int64_t* nans) {
  for (int64_t o = 0; o < layout.outer; ++o) {
    for (int64_t c = 0; c < layout.columns; ++c) {
      for (int64_t i = 0; i < layout.inner; ++i) {
        const T value = UnsignedZero(*values++);
        const OrderKeyOf<T> key = OrderKey(value);
        if (kHasNan<T> && IsNanKey<T>(key)) {
          ++nans[c];
          continue;
        }
        if (!seen[c] || key < OrderKey(min[c])) min[c] = value;
        if (!seen[c] || key > OrderKey(max[c])) max[c] = value;
        seen[c] = true;
      }
    }
  }
}

}  // namespace

absl::StatusOr<Contract> DeriveContract(const ContractSubject& input,
                                        std::span<const ContractSample> samples) {
  const auto no_values = [&] {
    return MakeError("E0614", absl::StrCat("the samples of '", input.name, "' hold no values to learn from"));
  };
  if (samples.empty()) return no_values();
  for (const ContractSample& sample : samples) TENFOLD_RETURN_IF_ERROR(CheckSample(input, sample));
  Contract contract;
  contract.type = input.type;
  if (!input.type.shape.has_rank()) {
    TENFOLD_ASSIGN_OR_RETURN(contract.type.shape, CommonShape(input, samples));
  }
  TENFOLD_ASSIGN_OR_RETURN(contract.axis, ChooseAxis(input, contract.type));
  const int64_t columns = contract.axis ? contract.type.shape.dim(*contract.axis).constant() : 1;
  for (const ContractSample& sample : samples) {
    if (columns > 0) contract.rows += sample.values.num_elements() / columns;
    if (!sample.source.empty()) contract.samples.push_back(sample.source);
  }
  if (contract.rows == 0) return no_values();

  const Dims dims = {columns};
  const DType dtype = contract.type.dtype;
  TENFOLD_ASSIGN_OR_RETURN(contract.min, Tensor::Allocate(dtype, dims));
  TENFOLD_ASSIGN_OR_RETURN(contract.max, Tensor::Allocate(dtype, dims));
  TENFOLD_ASSIGN_OR_RETURN(Tensor nans, Tensor::Allocate(DType::kI64, dims));
  TENFOLD_ASSIGN_OR_RETURN(Tensor seen, Tensor::Allocate(DType::kBool, dims));
  int64_t* const counts = nans.mutable_values<int64_t>().data();
  std::fill_n(counts, columns, 0);
  std::fill_n(seen.mutable_values<bool>().data(), columns, false);
  absl::Status status;
  VisitDType(dtype, [&]<typename T>(std::type_identity<T>) {
    T* const min = contract.min.mutable_values<T>().data();
    T* const max = contract.max.mutable_values<T>().data();
    std::fill_n(min, columns, T{});
    std::fill_n(max, columns, T{});
    for (const ContractSample& sample : samples) {
      const absl::StatusOr<Tensor> dense = sample.values.Materialize();
      if (!dense.ok()) return status.Update(dense.status());
      Survey(dense->values<T>().data(), ColumnsOf(dense->dims(), contract.axis),
             seen.mutable_values<bool>().data(), min, max, counts);
    }
  });
  TENFOLD_RETURN_IF_ERROR(status);
  if (std::any_of(counts, counts + columns, [](int64_t n) { return n > 0; })) contract.nans = std::move(nans);
  return contract;
}

}  // namespace tenfold
