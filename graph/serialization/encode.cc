// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/serialization/encode.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/control.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/ingest/element_bytes.h"
#include "tenfold/graph/ingest/safetensors_header.h"
#include "tenfold/graph/text/quote.h"

namespace tenfold {
namespace {

void AppendElements(const Tensor& tensor, std::string* out) {
  (void)WriteStoredElements(tensor, [&](absl::string_view piece) {
    out->append(piece.data(), piece.size());
    return absl::OkStatus();
  });
}

class Encoder {
 public:
  Encoder(const Graph& graph, v1::Graph* out, DataSection* data)
      : graph_(graph), out_(*out), data_(*data), numbers_(graph.num_values(), -1) {}

  // The graph of a file, with the functions that it calls.
  absl::Status EncodeFile() {
    for (const auto& function : FunctionsOf(graph_)) {
      TENFOLD_RETURN_IF_ERROR(Encoder(*function, out_.add_functions(), &data_).Encode());
    }
    return Encode();
  }

 private:
  absl::Status Encode() {
    TENFOLD_RETURN_IF_ERROR(Text(graph_.name, out_.mutable_name()));
    for (const auto& [symbol, bounds] : graph_.symbol_bounds) {
      v1::SymbolBounds& encoded = *out_.add_symbol_bounds();
      TENFOLD_RETURN_IF_ERROR(Text(symbol, encoded.mutable_symbol()));
      encoded.set_min(bounds.min);
      if (bounds.max) encoded.set_max(*bounds.max);
    }
    for (NodeId id : graph_.nodes()) TENFOLD_RETURN_IF_ERROR(EncodeNode(graph_.node(id), out_.add_nodes()));
    for (const GraphOutput& output : graph_.outputs()) {
      v1::GraphOutput& encoded = *out_.add_outputs();
      TENFOLD_RETURN_IF_ERROR(Text(output.name, encoded.mutable_name()));
      TENFOLD_ASSIGN_OR_RETURN(const int64_t number, NumberOf(output.value));
      encoded.set_value(static_cast<uint32_t>(number));
    }
    for (const auto& [input, contract] : graph_.contracts) {
      TENFOLD_RETURN_IF_ERROR(EncodeContract(input, contract, out_.add_contracts()));
    }
    return absl::OkStatus();
  }

  static absl::Status Text(absl::string_view text, std::string* out) {
    if (FindInvalidUtf8(text)) {
      return MakeError("E0502",
                       absl::StrCat("the text ", QuoteString(text), " is not UTF-8, so no file can hold it"),
                       "give the value a name in UTF-8");
    }
    out->assign(text.data(), text.size());
    return absl::OkStatus();
  }

  absl::StatusOr<int64_t> NumberOf(ValueId id) const {
    const int64_t number = numbers_[static_cast<size_t>(id)];
    if (number >= 0) return number;
    return MakeError("E9001", absl::StrCat("'", graph_.DisplayName(id), "' is read before it is produced"));
  }

  absl::Status EncodeNode(const Node& node, v1::Node* out) {
    TENFOLD_RETURN_IF_ERROR(Text(node.op->name, out->mutable_op()));
    for (ValueId input : node.inputs) {
      if (input == kNoValue) {
        out->add_inputs(kAbsentInput);
        continue;
      }
      TENFOLD_ASSIGN_OR_RETURN(const int64_t number, NumberOf(input));
      out->add_inputs(static_cast<uint32_t>(number));
    }
    for (ValueId output : node.outputs) {
      numbers_[static_cast<size_t>(output)] = next_number_++;
      v1::Value& value = *out->add_outputs();
      TENFOLD_RETURN_IF_ERROR(Text(graph_.value(output).name, value.mutable_name()));
      TENFOLD_RETURN_IF_ERROR(EncodeType(graph_.value(output).type, value.mutable_type()));
    }
    const std::string owner = node.outputs.empty() ? "" : graph_.value(node.outputs[0]).name;
    for (const auto& [name, value] : node.attrs) {
      const AttrDef* def = node.op->FindAttr(name);
      if (def != nullptr && def->default_value && *def->default_value == value) continue;
      v1::Attribute& attribute = *out->add_attributes();
      TENFOLD_RETURN_IF_ERROR(Text(name, attribute.mutable_name()));
      TENFOLD_RETURN_IF_ERROR(EncodeAttr(value, owner, &attribute));
    }
    const Provenance& provenance = node.provenance;
    if (!(provenance == Provenance())) {
      v1::Provenance& encoded = *out->mutable_provenance();
      TENFOLD_RETURN_IF_ERROR(Text(provenance.location, encoded.mutable_location()));
      TENFOLD_RETURN_IF_ERROR(Text(provenance.array, encoded.mutable_array()));
      for (const std::string& name : provenance.from) TENFOLD_RETURN_IF_ERROR(Text(name, encoded.add_from()));
      if (!provenance.ingest.empty()) {
        TENFOLD_RETURN_IF_ERROR(EncodeIngest(provenance.ingest, encoded.mutable_ingest()));
      }
    }
    if (IsCall(*node.op)) return absl::OkStatus();
    for (const auto& body : node.bodies) {
      v1::Graph* const encoded = node.op->Is<FusedBody>() ? out->mutable_body() : out->add_bodies();
      TENFOLD_RETURN_IF_ERROR(Encoder(*body, encoded, &data_).Encode());
    }
    return absl::OkStatus();
  }

  static absl::Status EncodeIngest(const IngestRecord& record, v1::Ingest* out) {
    TENFOLD_RETURN_IF_ERROR(Text(record.source, out->mutable_source()));
    TENFOLD_RETURN_IF_ERROR(Text(record.policy, out->mutable_policy()));
    out->set_values(record.values);
    out->set_changed(record.changed);
    out->set_largest_change(record.largest_change);
    out->set_nans_replaced(record.nans_replaced);
    return absl::OkStatus();
  }

  absl::Status EncodeContract(const std::string& input, const Contract& contract, v1::Contract* out) {
    TENFOLD_RETURN_IF_ERROR(Text(input, out->mutable_input()));
    const std::optional<ValueId> value = graph_.FindValue(input);
    if (!value)
      return MakeError("E9001", absl::StrCat("there is a contract of '", input, "', which is no input"));
    if (!(contract.type == graph_.value(*value).type)) {
      TENFOLD_RETURN_IF_ERROR(EncodeType(contract.type, out->mutable_type()));
    }
    for (const std::string& sample : contract.samples)
      TENFOLD_RETURN_IF_ERROR(Text(sample, out->add_samples()));
    if (contract.axis) out->set_axis(static_cast<uint32_t>(*contract.axis));
    out->set_rows(contract.rows);
    EncodeTensor(contract.min, absl::StrCat(input, ".min"), out->mutable_min());
    EncodeTensor(contract.max, absl::StrCat(input, ".max"), out->mutable_max());
    if (contract.nans.num_elements() > 0) {
      EncodeTensor(contract.nans, absl::StrCat(input, ".nans"), out->mutable_nans());
    }
    return absl::OkStatus();
  }

  static absl::Status EncodeType(const TensorType& type, v1::Type* out) {
    out->set_dtype(std::string(Name(type.dtype)));
    out->set_unknown_rank(!type.shape.has_rank());
    if (!type.shape.has_rank()) return absl::OkStatus();
    for (const Dim& dim : type.shape.dims()) {
      v1::Dim& encoded = *out->add_dims();
      if (dim.is_constant()) {
        encoded.set_constant(dim.constant());
      } else {
        TENFOLD_RETURN_IF_ERROR(Text(dim.ToString(), encoded.mutable_expression()));
      }
    }
    return absl::OkStatus();
  }

  absl::Status EncodeAttr(const AttrValue& value, const std::string& owner, v1::Attribute* out) {
    switch (KindOf(value)) {
      case AttrKind::kBool:
        out->set_bool_value(std::get<bool>(value));
        break;
      case AttrKind::kInt:
        out->set_int_value(std::get<int64_t>(value));
        break;
      case AttrKind::kFloat: {
        double number = std::get<double>(value);
        CanonicalizeNans(DType::kF64, &number, 1);
        out->set_float_value(number);
        break;
      }
      case AttrKind::kString:
        return Text(std::get<std::string>(value), out->mutable_string_value());
      case AttrKind::kInts: {
        v1::Ints& ints = *out->mutable_ints_value();
        for (int64_t number : std::get<std::vector<int64_t>>(value)) ints.add_values(number);
        break;
      }
      case AttrKind::kFloats: {
        v1::Floats& floats = *out->mutable_floats_value();
        for (double number : std::get<std::vector<double>>(value)) {
          CanonicalizeNans(DType::kF64, &number, 1);
          floats.add_values(number);
        }
        break;
      }
      case AttrKind::kStrings: {
        v1::Strings& strings = *out->mutable_strings_value();
        for (const std::string& text : std::get<std::vector<std::string>>(value)) {
          TENFOLD_RETURN_IF_ERROR(Text(text, strings.add_values()));
        }
        break;
      }
      case AttrKind::kDType:
        out->set_dtype_value(std::string(Name(std::get<DType>(value))));
        break;
      case AttrKind::kType:
        return EncodeType(std::get<TensorType>(value), out->mutable_type_value());
      case AttrKind::kTensor:
        EncodeTensor(std::get<Tensor>(value), owner, out->mutable_tensor_value());
        break;
    }
    return absl::OkStatus();
  }

  // A name that no other tensor of the file has.
  std::string ExternalName(const std::string& owner) {
    const std::string name = owner.empty() || owner == "__metadata__" ? "constant" : owner;
    std::string unique = name;
    for (int i = 2; !data_.names.insert(unique).second; ++i) unique = absl::StrCat(name, "#", i);
    return unique;
  }

  bool IsExternal(const Tensor& tensor) const {
    if (SafetensorsName(tensor.dtype()).empty()) return false;  // a dtype that such a file has not
    return data_.external_bytes && static_cast<int64_t>(tensor.stored_bytes()) >= *data_.external_bytes;
  }

  // `owner` is the value whose node has the tensor.
  void EncodeTensor(const Tensor& tensor, const std::string& owner, v1::Tensor* out) {
    out->set_dtype(std::string(Name(tensor.dtype())));
    for (int64_t extent : tensor.dims()) out->add_dims(extent);
    if (tensor.is_splat() && tensor.num_elements() > 0) {
      AppendElements(tensor, out->mutable_splat());
    } else if (tensor.num_elements() == 0 || tensor.stored_bytes() <= kLargestInline) {
      AppendElements(tensor, out->mutable_inline_());
    } else if (IsExternal(tensor)) {
      v1::ExternalArray* const reference = out->mutable_external();
      reference->set_member(ExternalName(owner));
      data_.external.emplace_back(reference->member(), tensor);
      data_.references.push_back(reference);
    } else {
      data_.size = (data_.size + kDataAlignment - 1) / kDataAlignment * kDataAlignment;
      out->mutable_data()->set_offset(data_.size);
      out->mutable_data()->set_size(tensor.stored_bytes());
      data_.size += tensor.stored_bytes();
      data_.tensors.push_back(tensor);
    }
  }

  const Graph& graph_;
  v1::Graph& out_;
  DataSection& data_;
  std::vector<int64_t> numbers_;  // of each ValueId in the file, -1 before its node
  int64_t next_number_ = 0;
};

}  // namespace

absl::Status EncodeGraph(const Graph& graph, v1::Graph* out, DataSection* data) {
  return Encoder(graph, out, data).EncodeFile();
}

}  // namespace tenfold
