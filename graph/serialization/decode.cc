// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/serialization/decode.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/control.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/no_such_op.h"
#include "tenfold/graph/serialization/decode_values.h"
#include "tenfold/graph/serialization/encode.h"

namespace tenfold {
namespace {

class Decoder {
 public:
  // `contents`: of a body, what is known of the values that its inputs are given.
  Decoder(const v1::Graph& encoded, DecodeContext& context, int depth,
          std::vector<std::optional<Contents>> contents = {})
      : encoded_(encoded),
        context_(context),
        limits_(context.options.limits),
        depth_(depth),
        contents_(std::move(contents)),
        graph_(context.options.registry) {
    graph_.limits = limits_;
  }

  absl::StatusOr<Graph> Decode() {
    TENFOLD_RETURN_IF_ERROR(CheckKnown(encoded_, "a graph"));
    TENFOLD_RETURN_IF_ERROR(CheckCount(depth_, limits_.nesting, "nesting", "levels of bodies"));
    context_.nodes += encoded_.nodes_size();
    TENFOLD_RETURN_IF_ERROR(CheckCount(context_.nodes, limits_.nodes, "nodes", "nodes"));
    TENFOLD_RETURN_IF_ERROR(
        CheckCount(encoded_.outputs_size(), limits_.node_values, "node_values", "outputs"));
    TENFOLD_RETURN_IF_ERROR(CheckName(encoded_.name()));
    if (depth_ > 0 && encoded_.functions_size() > 0) return WrongStructure("a body has functions of its own");
    graph_.name = encoded_.name();
    for (const v1::SymbolBounds& bounds : encoded_.symbol_bounds())
      TENFOLD_RETURN_IF_ERROR(AddBounds(bounds));
    for (const v1::Node& node : encoded_.nodes()) total_values_ += node.outputs_size();
    for (const v1::Node& node : encoded_.nodes()) {
      if (absl::Status status = AddNode(node); !status.ok()) return Placed(status, node);
    }
    for (const v1::GraphOutput& output : encoded_.outputs()) {
      TENFOLD_RETURN_IF_ERROR(CheckKnown(output, "an output"));
      TENFOLD_RETURN_IF_ERROR(CheckName(output.name()));
      TENFOLD_ASSIGN_OR_RETURN(const ValueId value, Find(output.value()));
      TENFOLD_RETURN_IF_ERROR(graph_.AddOutput(output.name(), value));
    }
    for (const v1::Contract& contract : encoded_.contracts()) {
      TENFOLD_RETURN_IF_ERROR(AddContract(contract));
    }
    return std::move(graph_);
  }

 private:
  absl::Status CheckName(absl::string_view name) const {
    if (name.empty()) return WrongStructure("a name is empty");
    return CheckCount(static_cast<int64_t>(name.size()), limits_.name_bytes, "name_bytes",
                      "bytes in one name");
  }

  absl::Status AddBounds(const v1::SymbolBounds& encoded) {
    TENFOLD_RETURN_IF_ERROR(CheckKnown(encoded, "bounds of a symbol"));
    TENFOLD_RETURN_IF_ERROR(CheckName(encoded.symbol()));
    DimBounds bounds = {encoded.min(), std::nullopt};
    if (encoded.has_max()) bounds.max = encoded.max();
    if (bounds.min < 0 || (bounds.max && *bounds.max < bounds.min)) {
      return WrongStructure(absl::StrCat("no dim lies within the bounds of '", encoded.symbol(), "'"));
    }
    if (graph_.symbol_bounds.emplace(encoded.symbol(), bounds).second) return absl::OkStatus();
    return WrongStructure(absl::StrCat("the symbol '", encoded.symbol(), "' has bounds twice"));
  }

  absl::StatusOr<ValueId> Find(uint32_t number) const {
    if (number < values_.size()) return values_[number];
    if (number < total_values_) {
      return MakeError("E0106", absl::StrCat("value ", number, " is read before it is produced"),
                       "write the file again from its source: a graph has no cycles");
    }
    return WrongStructure(
        absl::StrCat("value ", number, " is read, but only ", total_values_, " are produced"));
  }

  absl::Status AddNode(const v1::Node& encoded) {
    TENFOLD_RETURN_IF_ERROR(CheckKnown(encoded, "a node"));
    TENFOLD_RETURN_IF_ERROR(
        CheckCount(encoded.inputs_size(), limits_.node_values, "node_values", "inputs of one node"));
    TENFOLD_RETURN_IF_ERROR(
        CheckCount(encoded.outputs_size(), limits_.node_values, "node_values", "outputs of one node"));
    TENFOLD_RETURN_IF_ERROR(
        CheckCount(encoded.attributes_size(), limits_.node_values, "node_values", "attributes of one node"));
    const OpDef* op = graph_.registry().Find(encoded.op());
    if (op == nullptr) return NoSuchOp(encoded.op(), graph_.registry());
    std::vector<ValueId> inputs;
    for (uint32_t number : encoded.inputs()) {
      if (number == kAbsentInput) {
        inputs.push_back(kNoValue);
        continue;
      }
      TENFOLD_ASSIGN_OR_RETURN(const ValueId value, Find(number));
      inputs.push_back(value);
    }
    TENFOLD_ASSIGN_OR_RETURN(Attrs attrs, DecodeAttrs(encoded));
    TENFOLD_ASSIGN_OR_RETURN(std::vector<std::string> names, DecodeNames(encoded));
    TENFOLD_ASSIGN_OR_RETURN(Provenance provenance, DecodeProvenance(encoded.provenance()));
    TENFOLD_ASSIGN_OR_RETURN(Bodies bodies, DecodeBodies(encoded, *op, inputs, attrs));
    TENFOLD_ASSIGN_OR_RETURN(const NodeId id,
                             graph_.AddNode(*op, std::move(inputs), std::move(attrs), std::move(names),
                                            std::move(provenance), std::move(bodies)));
    const size_t input = graph_.inputs().size() - 1;
    if (op->name == "Input" && input < contents_.size() && contents_[input])
      graph_.AssumeContents(graph_.inputs()[input], *contents_[input]);
    return CheckResults(encoded, graph_.node(id).outputs);
  }

  absl::StatusOr<Attrs> DecodeAttrs(const v1::Node& encoded) const {
    Attrs attrs;
    for (const v1::Attribute& attribute : encoded.attributes()) {
      TENFOLD_RETURN_IF_ERROR(CheckName(attribute.name()));
      if (attrs.Find(attribute.name()) != nullptr) {
        return MakeError("E0102", absl::StrCat("the attribute '", attribute.name(), "' is given twice"));
      }
      TENFOLD_ASSIGN_OR_RETURN(AttrValue value, DecodeAttr(attribute, context_));
      attrs.Set(attribute.name(), std::move(value));
    }
    return attrs;
  }

  absl::StatusOr<std::vector<std::string>> DecodeNames(const v1::Node& encoded) const {
    std::vector<std::string> names;
    for (const v1::Value& value : encoded.outputs()) {
      TENFOLD_RETURN_IF_ERROR(CheckKnown(value, "a value"));
      const std::string& name = value.name();
      if (!name.empty() || encoded.op() != "Const") TENFOLD_RETURN_IF_ERROR(CheckName(name));
      bool taken = !name.empty() && graph_.FindValue(name).has_value();
      if (encoded.outputs_size() > 1) {  // then within the node too; nodes of many results are rare
        for (const std::string& earlier : names) taken = taken || earlier == name;
      }
      if (taken)
        return MakeError("E0104", absl::StrCat("two values are named '", name, "'"),
                         "give one of them another name in the source, and write the file again");
      names.push_back(name);
    }
    return names;
  }

  absl::Status AddContract(const v1::Contract& encoded) {
    TENFOLD_RETURN_IF_ERROR(CheckKnown(encoded, "a contract"));
    TENFOLD_RETURN_IF_ERROR(CheckName(encoded.input()));
    const std::string& name = encoded.input();
    const auto wrong = [&](auto... what) {
      return WrongStructure(absl::StrCat("the contract of '", name.substr(0, 80), "': ", what...));
    };
    if (depth_ > 0) return wrong("inputs of a body have none");
    const std::optional<ValueId> input = graph_.FindValue(name);
    if (!input || graph_.producer(*input).op->name != "Input") return wrong("the graph has no such input");
    const TensorType& declared = graph_.value(*input).type;
    Contract contract;
    contract.type = declared;
    if (encoded.has_type()) {
      TENFOLD_ASSIGN_OR_RETURN(contract.type, DecodeType(encoded.type(), limits_));
    }
    TENFOLD_RETURN_IF_ERROR(
        CheckCount(encoded.samples_size(), limits_.node_values, "node_values", "samples of one contract"));
    for (const std::string& sample : encoded.samples()) {
      TENFOLD_RETURN_IF_ERROR(CheckName(sample));
      contract.samples.push_back(sample);
    }
    if (encoded.has_axis()) {
      if (encoded.axis() > static_cast<uint32_t>(INT32_MAX))
        return wrong("axis ", encoded.axis(), " is none");
      contract.axis = static_cast<int>(encoded.axis());
    }
    contract.rows = encoded.rows();
    TENFOLD_ASSIGN_OR_RETURN(contract.min, DecodeTensor(encoded.min(), context_));
    TENFOLD_ASSIGN_OR_RETURN(contract.max, DecodeTensor(encoded.max(), context_));
    if (encoded.has_nans()) {
      TENFOLD_ASSIGN_OR_RETURN(contract.nans, DecodeTensor(encoded.nans(), context_));
      if (contract.nans.num_elements() == 0) return wrong("it has counts of NaN, and none of them");
    }
    const std::string fault = FindContractFault(contract, declared);
    if (!fault.empty()) return wrong(fault);
    if (graph_.contracts.emplace(name, std::move(contract)).second) return absl::OkStatus();
    return wrong("there are two");
  }

  static absl::StatusOr<Provenance> DecodeProvenance(const v1::Provenance& encoded) {
    TENFOLD_RETURN_IF_ERROR(CheckKnown(encoded, "a provenance"));
    Provenance provenance{
        encoded.location(), encoded.array(), {encoded.from().begin(), encoded.from().end()}};
    if (encoded.has_ingest()) {
      const v1::Ingest& ingest = encoded.ingest();
      TENFOLD_RETURN_IF_ERROR(CheckKnown(ingest, "what was done to an array"));
      provenance.ingest = {ingest.source(),  ingest.policy(),         ingest.values(),
                           ingest.changed(), ingest.largest_change(), ingest.nans_replaced()};
      // It would be taken for nothing done, and lost.
      if (provenance.ingest.empty()) return WrongStructure("what was done to an array has no policy");
    }
    return provenance;
  }

  absl::StatusOr<Bodies> DecodeBodies(const v1::Node& encoded, const OpDef& op,
                                      const std::vector<ValueId>& inputs, const Attrs& attrs) {
    const bool fused = op.Is<FusedBody>(), call = IsCall(op);
    if (fused != encoded.has_body()) {
      return WrongStructure(absl::StrCat(op.name, encoded.has_body() ? " has a body" : " has no body"));
    }
    const size_t wanted = fused || call ? 0 : op.NumBodies();
    if (wanted != static_cast<size_t>(encoded.bodies_size())) {
      return WrongStructure(
          absl::StrCat(op.name, " has ", CountText(encoded.bodies_size(), "body"), ", not ", wanted));
    }
    if (call) return FindFunction(attrs);
    if (fused) return DecodeFusedBody(encoded, inputs);
    if (wanted == 0) return Bodies();
    TENFOLD_ASSIGN_OR_RETURN(const ControlLayout layout, LayOutControl(op, inputs.size(), attrs));
    std::vector<std::optional<Contents>> contents(layout.body_lead + layout.num_passed());
    for (int i = layout.carried + layout.scanned; i < layout.num_passed(); ++i) {
      const ValueId outer = inputs[layout.lead + i];
      if (outer != kNoValue) contents[layout.body_lead + i] = graph_.value(outer).contents;
    }
    Bodies bodies;
    for (const v1::Graph& body : encoded.bodies()) {
      TENFOLD_ASSIGN_OR_RETURN(Graph decoded, Decoder(body, context_, depth_ + 1, contents).Decode());
      bodies.push_back(std::make_shared<const Graph>(std::move(decoded)));
    }
    return bodies;
  }

  absl::StatusOr<Bodies> FindFunction(const Attrs& attrs) const {
    const auto function = context_.functions.find(attrs.Get<std::string>("function"));
    if (function != context_.functions.end()) return Bodies{function->second};
    return WrongStructure("a Call names no function that stands before it");
  }

  absl::StatusOr<Bodies> DecodeFusedBody(const v1::Node& encoded, const std::vector<ValueId>& inputs) {
    TENFOLD_ASSIGN_OR_RETURN(Graph body, Decoder(encoded.body(), context_, depth_ + 1).Decode());
    bool same = body.inputs().size() == inputs.size();
    for (size_t i = 0; same && i < inputs.size(); ++i) {
      if (inputs[i] == kNoValue) return WrongStructure("an input of a body is absent");
      same = body.value(body.inputs()[i]).type == graph_.value(inputs[i]).type;
    }
    if (!same) return MakeError("E0504", "the inputs of the body are not of the types of the node's inputs");
    // A node without values has no name, and nothing reads it.
    if (body.outputs().empty()) return WrongStructure("the body of a fused node has no outputs");
    return Bodies{std::make_shared<const Graph>(std::move(body))};
  }

  absl::Status CheckResults(const v1::Node& encoded, const std::vector<ValueId>& outputs) {
    if (static_cast<int>(outputs.size()) != encoded.outputs_size()) {
      return WrongStructure(absl::StrCat("the op gives ", outputs.size(), " results, but ",
                                         encoded.outputs_size(), " are listed"));
    }
    for (size_t i = 0; i < outputs.size(); ++i) {
      TENFOLD_ASSIGN_OR_RETURN(const TensorType stored,
                               DecodeType(encoded.outputs(static_cast<int>(i)).type(), limits_));
      const TensorType& inferred = graph_.value(outputs[i]).type;
      if (!(stored == inferred)) {
        return MakeError("E0504", absl::StrCat("'", graph_.DisplayName(outputs[i]), "' is stored as ",
                                               stored.ToString(), ", but is ", inferred.ToString()));
      }
      values_.push_back(outputs[i]);
    }
    return absl::OkStatus();
  }

  // Says which node it was, unless the message does.
  static absl::Status Placed(const absl::Status& status, const v1::Node& node) {
    const std::string name = node.outputs_size() > 0 ? node.outputs(0).name() : "";
    const absl::Status located = WithLocation(status, node.provenance().location());
    return WithNote(located,
                    absl::StrCat("in node ", node.op().substr(0, 80), " '", name.substr(0, 80), "'"));
  }

  const v1::Graph& encoded_;
  DecodeContext& context_;
  const Limits& limits_;
  const int depth_;
  const std::vector<std::optional<Contents>> contents_;
  Graph graph_;
  std::vector<ValueId> values_;  // by their number in the file
  uint64_t total_values_ = 0;
};

}  // namespace

absl::StatusOr<Graph> DecodeGraph(const v1::Graph& encoded, DecodeContext& context) {
  for (const v1::Graph& function : encoded.functions()) {
    TENFOLD_ASSIGN_OR_RETURN(Graph decoded, Decoder(function, context, 1).Decode());
    const std::string name = decoded.name;
    if (!context.functions.emplace(name, std::make_shared<const Graph>(std::move(decoded))).second)
      return WrongStructure(absl::StrCat("there are two functions '", name.substr(0, 80), "'"));
  }
  return Decoder(encoded, context, 0).Decode();
}

}  // namespace tenfold
