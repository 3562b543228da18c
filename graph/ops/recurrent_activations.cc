// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/ops/recurrent_activations.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tenfold/graph/diagnostic.h"

namespace tenfold {

struct ActivationKind {
  const char* name;
  Value (*apply)(Value x, double alpha, double beta);
  bool has_alpha = false, has_beta = false;
  // Where the specification knows one.
  std::optional<double> default_alpha = std::nullopt, default_beta = std::nullopt;
};

namespace {

Value Affine(Value x, double alpha, double beta) { return x * alpha + beta; }

// At the threshold itself the function of recurrent ops passes x on, where the op ThresholdedRelu gives 0.
Value ThresholdedRelu(Value x, double alpha, double) {
  return ApplyOp("Where", {ApplyOp("Less", {x, alpha}), 0.0, x});
}

Value ScaledTanh(Value x, double alpha, double beta) { return ApplyOp("Tanh", {x * beta}) * alpha; }

template <const char* op>
Value Plain(Value x, double, double) {
  return ApplyOp(op, {x});
}
template <const char* op>
Value WithAlpha(Value x, double alpha, double) {
  return ApplyOp(op, {x}, {{"alpha", alpha}});
}

constexpr char kElu[] = "Elu", kLeakyRelu[] = "LeakyRelu", kRelu[] = "Relu", kSigmoid[] = "Sigmoid",
               kSoftplus[] = "Softplus", kSoftsign[] = "Softsign", kTanh[] = "Tanh";

constexpr ActivationKind kKinds[] = {
    {"Affine", Affine, true, true, 1.0, 0.0},
    {kElu, WithAlpha<kElu>, true, false, 1.0},
    {"HardSigmoid",
     [](Value x, double alpha, double beta) {
       return ApplyOp("HardSigmoid", {x}, {{"alpha", alpha}, {"beta", beta}});
     },
     true, true, 0.2, 0.5},
    {kLeakyRelu, WithAlpha<kLeakyRelu>, true, false, 0.01},
    {kRelu, Plain<kRelu>},
    {"ScaledTanh", ScaledTanh, true, true},
    {kSigmoid, Plain<kSigmoid>},
    {kSoftplus, Plain<kSoftplus>},
    {kSoftsign, Plain<kSoftsign>},
    {kTanh, Plain<kTanh>},
    {"ThresholdedRelu", ThresholdedRelu, true, false, 1.0},
};

std::string KindNames() {
  return absl::StrJoin(kKinds, ", ", [](std::string* out, const ActivationKind& kind) { *out += kind.name; });
}

absl::Status Refuse(const std::string& message) { return absl::InvalidArgumentError(message); }

// The numbers of one attribute, which the functions that have such a number take in order.
class Numbers {
 public:
  Numbers(const Attrs& attrs, const char* attr, const char* what)
      : attr_(attr), what_(what), values_(attrs.Get<std::vector<double>>(attr)) {}

  absl::StatusOr<double> Next(const char* function, const std::optional<double>& fallback) {
    if (taken_ == values_.size()) {
      if (fallback) return *fallback;
      return Refuse(absl::StrCat(function, " needs ", what_, ", which has no default: attribute '", attr_,
                                 "' has ", values_.size(), values_.size() == 1 ? " number" : " numbers"));
    }
    const double value = values_[taken_++];
    if (std::abs(value) <= std::numeric_limits<float>::max()) return value;
    return Refuse(
        absl::StrCat("attribute '", attr_, "' holds ", value, ", but must be finite numbers of f32"));
  }

  absl::Status AllTaken() const {
    if (taken_ == values_.size()) return absl::OkStatus();
    return Refuse(absl::StrCat("attribute '", attr_, "' has ", values_.size(),
                               values_.size() == 1 ? " number" : " numbers", ", but the activations take ",
                               taken_, ": one for each that has ", what_));
  }

 private:
  const char* const attr_;
  const char* const what_;
  const std::vector<double> values_;
  size_t taken_ = 0;
};

}  // namespace

Value RecurrentActivation::operator()(Value x) const { return kind->apply(x, alpha, beta); }

std::vector<AttrDef> ActivationAttrs(const char* doc) {
  return {{"activation_alpha", AttrKind::kFloats, std::vector<double>(),
           "of each activation that has an alpha, in order; those beyond have their default: Affine 1, Elu "
           "1, HardSigmoid 0.2, LeakyRelu 0.01, ThresholdedRelu 1"},
          {"activation_beta", AttrKind::kFloats, std::vector<double>(),
           "the same of beta: Affine 0, HardSigmoid 0.5"},
          {"activations", AttrKind::kStrings, std::vector<std::string>(), doc}};
}

absl::StatusOr<std::vector<RecurrentActivation>> ReadActivations(const Attrs& attrs,
                                                                 std::span<const char* const> defaults,
                                                                 int directions, int most) {
  auto names = attrs.Get<std::vector<std::string>>("activations");
  const size_t needed = defaults.size() * directions;
  if (names.empty()) {
    for (int d = 0; d < directions; ++d) names.insert(names.end(), defaults.begin(), defaults.end());
  }
  if (names.size() < needed || names.size() > std::max(needed, static_cast<size_t>(most))) {
    return Refuse(absl::StrCat("attribute 'activations' has ", names.size(),
                               names.size() == 1 ? " name, but " : " names, but ", needed,
                               needed == 1 ? " is needed" : " are needed"));
  }
  names.resize(needed);
  Numbers alphas(attrs, "activation_alpha", "an alpha"), betas(attrs, "activation_beta", "a beta");
  std::vector<RecurrentActivation> functions;
  for (const std::string& name : names) {
    const auto* const kind = std::find_if(std::begin(kKinds), std::end(kKinds), [&](const ActivationKind& k) {
      return absl::EqualsIgnoreCase(k.name, name);
    });
    if (kind == std::end(kKinds)) {
      return Refuse(absl::StrCat("attribute 'activations' holds \"", name, "\", but may hold ", KindNames()));
    }
    RecurrentActivation& function = functions.emplace_back(RecurrentActivation{kind});
    if (kind->has_alpha) {
      TENFOLD_ASSIGN_OR_RETURN(function.alpha, alphas.Next(kind->name, kind->default_alpha));
    }
    if (kind->has_beta) {
      TENFOLD_ASSIGN_OR_RETURN(function.beta, betas.Next(kind->name, kind->default_beta));
    }
  }
  TENFOLD_RETURN_IF_ERROR(alphas.AllTaken());
  TENFOLD_RETURN_IF_ERROR(betas.AllTaken());
  return functions;
}

}  // namespace tenfold
