// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/evaluate_control.h"

#include <cstring>
#include <limits>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/control.h"
#include "tenfold/graph/diagnostic.h"

namespace tenfold {
namespace {

using Tensors = std::vector<Tensor>;

// A tensor cut along an axis: `outer` times, `length` pieces of `bytes` each.
struct Cut {
  int64_t outer = 1, length = 1;
  size_t bytes = 0;

  Cut(const Dims& dims, int axis, DType dtype) : length(dims[axis]), bytes(SizeOf(dtype)) {
    for (int d = 0; d < axis; ++d) outer *= dims[d];
    for (size_t d = axis + 1; d < dims.size(); ++d) bytes *= dims[d];
  }
  size_t At(int64_t o, int64_t index) const { return (o * length + index) * bytes; }
};

// Element `index` of a dense tensor along an axis.
absl::StatusOr<Tensor> Element(const Tensor& tensor, int axis, int64_t index) {
  Dims dims = tensor.dims();
  const Cut cut(dims, axis, tensor.dtype());
  dims.erase(dims.begin() + axis);
  const auto* const from = static_cast<const char*>(tensor.data());
  if (cut.outer == 1 && cut.bytes > 0)
    return Tensor::Wrap(tensor.dtype(), dims, from + cut.At(0, index), std::make_shared<Tensor>(tensor));
  TENFOLD_ASSIGN_OR_RETURN(Tensor element, Tensor::Allocate(tensor.dtype(), dims));
  auto* to = static_cast<char*>(element.mutable_data());
  for (int64_t o = 0; o < cut.outer && cut.bytes > 0; ++o, to += cut.bytes)
    std::memcpy(to, from + cut.At(o, index), cut.bytes);
  return element;
}

// Rows of one shape along a new axis.
absl::StatusOr<Tensor> Stack(const Tensors& rows, DType dtype, Dims dims, const ControlLayout::Axis& how) {
  const int axis = NormalizeAxis(how.axis, static_cast<int>(dims.size()) + 1).value_or(0);
  dims.insert(dims.begin() + axis, static_cast<int64_t>(rows.size()));
  TENFOLD_ASSIGN_OR_RETURN(Tensor stacked, Tensor::Allocate(dtype, dims));
  if (stacked.num_elements() == 0) return stacked;
  const Cut cut(dims, axis, dtype);
  auto* const to = static_cast<char*>(stacked.mutable_data());
  for (size_t i = 0; i < rows.size(); ++i) {
    TENFOLD_ASSIGN_OR_RETURN(const Tensor row, rows[i].Materialize());
    const auto* from = static_cast<const char*>(row.data());
    const int64_t index = how.reversed ? cut.length - 1 - static_cast<int64_t>(i) : static_cast<int64_t>(i);
    for (int64_t o = 0; o < cut.outer; ++o, from += cut.bytes)
      std::memcpy(to + cut.At(o, index), from, cut.bytes);
  }
  return stacked;
}

class LoopEvaluation {
 public:
  LoopEvaluation(const Graph& graph, const Node& node, std::span<const Tensor> inputs, const ControlRun& run,
                 ControlLayout layout)
      : graph_(graph),
        node_(node),
        inputs_(inputs),
        run_(run),
        layout_(std::move(layout)),
        body_(*node.bodies[0]),
        rows_(body_.outputs().size() - layout_.output_lead - layout_.carried) {}

  absl::StatusOr<Tensors> Run() {
    TENFOLD_RETURN_IF_ERROR(Begin());
    for (int64_t t = 0; t < trips_ && go_on_; ++t) {
      if (run_.should_stop()) break;
      if (run_.steps_left-- <= 0) {
        return TooManySteps(absl::StrCat(node_.op->name, " '", graph_.DisplayName(node_.outputs[0]), "'"),
                            node_.provenance.location, graph_.limits.loop_steps);
      }
      TENFOLD_RETURN_IF_ERROR(Step(t));
    }
    return Results();
  }

 private:
  absl::Status Begin() {
    for (int i = 0; i < layout_.carried; ++i) carried_.push_back(inputs_[layout_.lead + i]);
    if (layout_.kind == ControlKind::kLoop) {
      const auto given = [&](size_t i) { return i < node_.inputs.size() && node_.inputs[i] != kNoValue; };
      if (given(0)) trips_ = inputs_[0].at<int64_t>(0);
      if (given(1)) go_on_ = inputs_[1].at<bool>(0);
    }
    for (int i = 0; i < layout_.scanned; ++i) {
      const Tensor& input = inputs_[layout_.lead + layout_.carried + i];
      TENFOLD_ASSIGN_OR_RETURN(Tensor dense, input.Materialize());
      const std::optional<int> axis = NormalizeAxis(layout_.scan_inputs[i].axis, input.rank());
      if (!axis) return MakeError("E9001", "a scanned input has no such axis");
      trips_ = std::min(trips_, dense.dims()[*axis]);
      scanned_.push_back(std::move(dense));
    }
    return absl::OkStatus();
  }

  absl::Status Step(int64_t t) {
    Tensors given;
    if (layout_.kind == ControlKind::kLoop) {
      given.push_back(Tensor::Scalar<int64_t>(t));
      given.push_back(Tensor::Scalar(go_on_));
    }
    given.insert(given.end(), carried_.begin(), carried_.end());
    for (size_t i = 0; i < scanned_.size(); ++i) {
      const ControlLayout::Axis& how = layout_.scan_inputs[i];
      TENFOLD_ASSIGN_OR_RETURN(Tensor element,
                               Element(scanned_[i], *NormalizeAxis(how.axis, scanned_[i].rank()),
                                       how.reversed ? trips_ - 1 - t : t));
      given.push_back(std::move(element));
    }
    for (size_t i = inputs_.size() - layout_.captured; i < inputs_.size(); ++i) given.push_back(inputs_[i]);
    TENFOLD_ASSIGN_OR_RETURN(Tensors results, run_.run_body(body_, given));
    if (run_.should_stop()) return absl::OkStatus();  // nothing that was computed may be used
    if (layout_.kind == ControlKind::kLoop) go_on_ = results[0].at<bool>(0);
    for (int i = 0; i < layout_.carried; ++i) carried_[i] = std::move(results[layout_.output_lead + i]);
    for (size_t k = 0; k < rows_.size(); ++k) {
      Tensor& row = results[layout_.output_lead + layout_.carried + k];
      row_bytes_ += static_cast<int64_t>(row.logical_bytes());
      rows_[k].push_back(std::move(row));
    }
    if (row_bytes_ <= graph_.limits.tensor_bytes) return absl::OkStatus();
    return MakeError("E0402",
                     absl::StrCat(node_.op->name, " '", graph_.DisplayName(node_.outputs[0]),
                                  "': its stacked rows take ", row_bytes_, " bytes after ", t + 1,
                                  " iterations; the limit tensor_bytes is ", graph_.limits.tensor_bytes),
                     RaiseLimitHelp("tensor_bytes", row_bytes_));
  }

  absl::StatusOr<Tensors> Results() {
    Tensors results = std::move(carried_);
    for (size_t k = 0; k < rows_.size(); ++k) {
      const TensorType& type =
          body_.value(body_.outputs()[layout_.output_lead + layout_.carried + k].value).type;
      Dims dims;
      if (!rows_[k].empty()) {
        dims = rows_[k][0].dims();
      } else {
        TENFOLD_ASSIGN_OR_RETURN(dims, DimsOfNoRow(type));
      }
      TENFOLD_ASSIGN_OR_RETURN(Tensor stacked, Stack(rows_[k], type.dtype, std::move(dims),
                                                     layout_.OutputAxis(static_cast<int>(k))));
      results.push_back(std::move(stacked));
    }
    return results;
  }

  // Of a row that no iteration has given: by the operands.
  absl::StatusOr<Dims> DimsOfNoRow(const TensorType& type) const {
    SymbolValues symbols;
    std::vector<TensorType> passed;
    for (size_t i = layout_.lead; i < inputs_.size(); ++i) passed.push_back(inputs_[i].type());
    const std::optional<std::vector<TensorType>> types = PassedTypes(layout_, passed);
    for (size_t i = 0; types && i < types->size(); ++i) {
      const ValueId input = body_.inputs()[layout_.body_lead + i];
      BindSymbols(body_.value(input).type, (*types)[i].shape.static_dims(), symbols);
    }
    for (const auto& [name, value] : run_.symbols) symbols.try_emplace(name, value);
    const std::optional<Dims> dims = type.shape.has_rank() ? type.shape.Evaluate(symbols) : std::nullopt;
    if (dims) return *dims;
    return MakeError("E9001", absl::StrCat("no iteration has given a row, and its type ", type.ToString(),
                                           " does not say its shape"));
  }

  const Graph& graph_;
  const Node& node_;
  const std::span<const Tensor> inputs_;
  const ControlRun& run_;
  const ControlLayout layout_;
  const Graph& body_;
  int64_t trips_ = std::numeric_limits<int64_t>::max();
  bool go_on_ = true;
  Tensors carried_, scanned_;
  std::vector<Tensors> rows_;
  int64_t row_bytes_ = 0;
};

}  // namespace

absl::StatusOr<Tensors> EvaluateControl(const Graph& graph, const Node& node, std::span<const Tensor> inputs,
                                        const ControlRun& run) {
  TENFOLD_ASSIGN_OR_RETURN(ControlLayout layout, LayOutControl(*node.op, inputs.size(), node.attrs));
  switch (layout.kind) {
    case ControlKind::kIf:
      return run.run_body(*node.bodies[inputs[0].at<bool>(0) ? 0 : 1], inputs.subspan(1));
    case ControlKind::kCall:
      if (run.steps_left-- <= 0) {
        return TooManySteps(absl::StrCat("Call '", graph.DisplayName(node.outputs[0]), "'"),
                            node.provenance.location, graph.limits.loop_steps);
      }
      return run.run_body(*node.bodies[0], inputs);
    default:
      return LoopEvaluation(graph, node, inputs, run, std::move(layout)).Run();
  }
}

void BindSymbols(const TensorType& type, std::span<const int64_t> dims, SymbolValues& symbols) {
  if (!type.shape.has_rank() || type.shape.rank() != static_cast<int>(dims.size())) return;
  for (size_t d = 0; d < dims.size(); ++d) {
    if (const auto symbol = type.shape.dims()[d].symbol()) symbols.try_emplace(*symbol, dims[d]);
  }
}

absl::Status TooManySteps(const std::string& node, const std::string& location, int64_t limit) {
  int64_t more;
  if (__builtin_mul_overflow(limit, int64_t{10}, &more)) more = std::numeric_limits<int64_t>::max();
  return WithLocation(
      MakeError("E0402",
                absl::StrCat(node, ": the loops and calls of a run have made ", limit, " steps, the limit"),
                RaiseLimitHelp("loop_steps", more)),
      location);
}

}  // namespace tenfold
