// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/fused/fused_kernel.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "tenfold/graph/diagnostic.h"

namespace tenfold {
namespace {

using Source = FusedKernel::Source;
using Stage = FusedKernel::Stage;
using Operand = FusedKernel::Operand;

std::string DimsText(const std::vector<Dim>& dims) {
  return absl::StrCat(
      "[", absl::StrJoin(dims, ",", [](std::string* out, const Dim& d) { *out += d.ToString(); }), "]");
}

std::string SourceText(const FusedKernel& kernel, const Source& source) {
  if (source.kind == Source::kInput) return absl::StrCat("in", source.index);
  const bool several = kernel.stages[source.index].program.outputs.size() > 1;
  return several ? absl::StrCat("s", source.index, ".", source.output) : absl::StrCat("s", source.index);
}

// A kernel is made by the compiler, never read from a file: what is wrong with one is our bug.
class Verifier {
 public:
  explicit Verifier(const FusedKernel& kernel) : kernel_(kernel) {}

  absl::Status Run() const {
    if (kernel_.parallel_rank < 0 || kernel_.parallel_rank > kernel_.rank()) {
      return Bad("parallel_rank is outside [0, rank]");
    }
    for (const Dim& d : kernel_.extents) {
      if (!d.valid() || (d.is_constant() && d.constant() < 0)) return Bad("an extent is invalid");
    }
    for (size_t i = 0; i < kernel_.inputs.size(); ++i) {
      TENFOLD_RETURN_IF_ERROR(CheckOperand(kernel_.inputs[i], absl::StrCat("in", i)));
    }
    for (size_t s = 0; s < kernel_.stages.size(); ++s) {
      TENFOLD_RETURN_IF_ERROR(CheckStage(static_cast<int>(s)));
    }
    if (kernel_.outputs.empty()) return Bad("it has no output");
    for (size_t i = 0; i < kernel_.outputs.size(); ++i) {
      TENFOLD_RETURN_IF_ERROR(CheckOutput(kernel_.outputs[i], absl::StrCat("out", i)));
    }
    return absl::OkStatus();
  }

 private:
  absl::Status Bad(absl::string_view why) const {
    return MakeError("E9001", absl::StrCat("fused kernel '", kernel_.name, "': ", why));
  }

  absl::Status CheckOperand(const Operand& operand, absl::string_view name) const {
    if (operand.strides.size() != kernel_.extents.size())
      return Bad(absl::StrCat(name, " lacks a stride for each dim"));
    for (const Dim& d : operand.strides) {
      if (!d.valid()) return Bad(absl::StrCat(name, " has an invalid stride"));
    }
    if (!operand.offset.valid()) return Bad(absl::StrCat(name, " has an invalid offset"));
    return absl::OkStatus();
  }

  // `source` exists and is computed before stage `before`.
  bool Exists(const Source& source, int before) const {
    if (source.index < 0 || source.output < 0) return false;
    if (source.kind == Source::kInput) return source.index < static_cast<int>(kernel_.inputs.size());
    return source.index < before &&
           source.output < static_cast<int>(kernel_.stages[source.index].program.outputs.size());
  }

  absl::Status CheckStage(int index) const {
    const Stage& stage = kernel_.stages[index];
    const std::string name = absl::StrCat("stage s", index);
    TENFOLD_RETURN_IF_ERROR(stage.program.Verify());
    if (stage.program.outputs.empty()) return Bad(absl::StrCat(name, " computes nothing"));
    if (stage.inputs.size() != stage.program.inputs.size()) {
      return Bad(absl::StrCat(name, " lacks a source for each program input"));
    }
    for (size_t i = 0; i < stage.inputs.size(); ++i) {
      if (!Exists(stage.inputs[i], index)) return Bad(absl::StrCat(name, " reads what is not there"));
      if (kernel_.SourceType(stage.inputs[i]) != stage.program.inputs[i]) {
        return Bad(absl::StrCat(name, " reads input ", i, " as another type"));
      }
      if (stage.per_row && !kernel_.IsPerRow(stage.inputs[i])) {
        return Bad(absl::StrCat(name, " is per row, but input ", i, " has a value for each element"));
      }
    }
    if (stage.per_row && (kernel_.reduced_rank() == 0 || stage.kind != Stage::kMap)) {
      return Bad(absl::StrCat(name, " cannot be per row"));
    }
    return stage.kind == Stage::kReduce ? CheckReduction(stage, name) : absl::OkStatus();
  }

  absl::Status CheckReduction(const Stage& stage, absl::string_view name) const {
    if (kernel_.reduced_rank() == 0) return Bad(absl::StrCat(name, " reduces, but no dim is reduced"));
    if (stage.program.outputs.size() != 1) return Bad(absl::StrCat(name, " must map to one value"));
    TENFOLD_RETURN_IF_ERROR(stage.combine.Verify());
    const DType type = stage.program.output_type(0);
    const std::vector<DType> two = {type, type};
    if (stage.combine.inputs != two || stage.combine.outputs.size() != 1 ||
        stage.combine.output_type(0) != type) {
      return Bad(absl::StrCat(name, " combines other types than it maps to"));
    }
    // An offence in a combination would belong to no element.
    if (stage.combine.CanFail()) return Bad(absl::StrCat(name, " has a combination that can fail"));
    return absl::OkStatus();
  }

  absl::Status CheckOutput(const FusedKernel::Output& output, absl::string_view name) const {
    TENFOLD_RETURN_IF_ERROR(CheckOperand(output.operand, name));
    if (!(output.operand.offset == Dim(0))) return Bad(absl::StrCat(name, " does not begin at its start"));
    if (output.source.kind != Source::kStage ||
        !Exists(output.source, static_cast<int>(kernel_.stages.size()))) {
      return Bad(absl::StrCat(name, " comes from no stage"));
    }
    if (kernel_.SourceType(output.source) != output.operand.dtype) {
      return Bad(absl::StrCat(name, " has another type than its source"));
    }
    if (kernel_.IsPerRow(output.source)) {
      for (int d = kernel_.parallel_rank; d < kernel_.rank(); ++d) {
        if (!(output.operand.strides[d] == Dim(0))) {
          return Bad(absl::StrCat(name, " has one value a row, but a stride in a reduced dim"));
        }
      }
    }
    return absl::OkStatus();
  }

  const FusedKernel& kernel_;
};

}  // namespace

std::vector<Dim> FusedKernel::DimExpressions() const {
  std::vector<Dim> dims = extents;
  dims.reserve(num_dims());
  for (const Operand& o : inputs) dims.insert(dims.end(), o.strides.begin(), o.strides.end());
  for (const Output& o : outputs) dims.insert(dims.end(), o.operand.strides.begin(), o.operand.strides.end());
  return dims;
}

DType FusedKernel::SourceType(const Source& source) const {
  if (source.kind == Source::kInput) return inputs[source.index].dtype;
  return stages[source.index].program.output_type(source.output);
}

bool FusedKernel::IsPerRow(const Source& source) const {
  if (reduced_rank() == 0) return false;
  if (source.kind == Source::kStage) {
    const Stage& stage = stages[source.index];
    return stage.kind == Stage::kReduce || stage.per_row;
  }
  for (int d = parallel_rank; d < rank(); ++d) {
    if (!(inputs[source.index].strides[d] == Dim(0))) return false;
  }
  return true;
}

absl::Status FusedKernel::Verify() const { return Verifier(*this).Run(); }

std::string FusedKernel::ToString() const {
  const std::vector<Dim> parallel(extents.begin(), extents.begin() + parallel_rank);
  const std::vector<Dim> reduced(extents.begin() + parallel_rank, extents.end());
  std::string text =
      absl::StrCat("kernel ", name, " parallel ", DimsText(parallel), " reduced ", DimsText(reduced), "\n");
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Dim& offset = inputs[i].offset;
    absl::StrAppend(&text, "  in", i, ": ", Name(inputs[i].dtype), " strides ", DimsText(inputs[i].strides),
                    offset == Dim(0) ? "" : absl::StrCat(" from ", offset.ToString()), "\n");
  }
  const auto append_program = [&text](const ScalarProgram& program) {
    for (absl::string_view line : absl::StrSplit(program.ToString(), '\n', absl::SkipEmpty())) {
      absl::StrAppend(&text, "    ", line, "\n");
    }
  };
  for (size_t s = 0; s < stages.size(); ++s) {
    const Stage& stage = stages[s];
    const char* kind = stage.kind == Stage::kReduce ? "reduce" : stage.per_row ? "map per row" : "map";
    absl::StrAppend(
        &text, "  s", s, ": ", kind, "(",
        absl::StrJoin(stage.inputs, ", ",
                      [this](std::string* out, const Source& i) { *out += SourceText(*this, i); }),
        ")\n");
    append_program(stage.program);
    if (stage.kind != Stage::kReduce) continue;
    absl::StrAppend(&text, "   combine, identity 0x", absl::Hex(stage.identity), ", empty 0x",
                    absl::Hex(stage.empty), "\n");
    append_program(stage.combine);
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    const Output& o = outputs[i];
    absl::StrAppend(&text, "  out", i, ": ", Name(o.operand.dtype), " strides ", DimsText(o.operand.strides),
                    " = ", SourceText(*this, o.source), o.canonicalize_nans ? ", NaNs canonical" : "", "\n");
  }
  return text;
}

}  // namespace tenfold
