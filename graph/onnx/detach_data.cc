// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/onnx/detach_data.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/onnx.pb.h"
#include "tenfold/graph/allocation.h"
#include "tenfold/graph/diagnostic.h"

namespace tenfold::onnx {
namespace {

// Below it, data are parsed with the rest: a reference to them would be as long.
constexpr uint64_t kDetachedBytes = 256;

// The kinds of a field's value in protobuf's encoding.
enum WireType : uint32_t { kVarint = 0, kFixed64 = 1, kLengthDelimited = 2, kFixed32 = 5 };

// Which field of which message leads on to tensors.
struct Step {
  MessageKind kind;
  int field;
  MessageKind child;
};
constexpr Step kSteps[] = {
    {MessageKind::kModel, ModelProto::kGraphFieldNumber, MessageKind::kGraph},
    {MessageKind::kModel, ModelProto::kFunctionsFieldNumber, MessageKind::kFunction},
    {MessageKind::kGraph, GraphProto::kNodeFieldNumber, MessageKind::kNode},
    {MessageKind::kGraph, GraphProto::kInitializerFieldNumber, MessageKind::kTensor},
    {MessageKind::kFunction, FunctionProto::kNodeFieldNumber, MessageKind::kNode},
    {MessageKind::kFunction, FunctionProto::kAttributeProtoFieldNumber, MessageKind::kAttribute},
    {MessageKind::kNode, NodeProto::kAttributeFieldNumber, MessageKind::kAttribute},
    {MessageKind::kAttribute, AttributeProto::kTFieldNumber, MessageKind::kTensor},
    {MessageKind::kAttribute, AttributeProto::kTensorsFieldNumber, MessageKind::kTensor},
    {MessageKind::kAttribute, AttributeProto::kGFieldNumber, MessageKind::kGraph},
    {MessageKind::kAttribute, AttributeProto::kGraphsFieldNumber, MessageKind::kGraph},
};

std::optional<MessageKind> ChildOf(MessageKind kind, uint64_t field) {
  for (const Step& step : kSteps) {
    if (step.kind == kind && static_cast<uint64_t>(step.field) == field) return step.child;
  }
  return std::nullopt;
}

bool HoldsElements(uint64_t field) {
  return field == TensorProto::kRawDataFieldNumber || field == TensorProto::kFloatDataFieldNumber ||
         field == TensorProto::kDoubleDataFieldNumber;
}

// nullopt where it is cut off or longer than 64 bits take.
std::optional<uint64_t> ReadVarint(absl::string_view bytes, size_t& position) {
  uint64_t value = 0;
  for (int shift = 0; shift < 64 && position < bytes.size(); shift += 7) {
    const uint8_t byte = static_cast<uint8_t>(bytes[position++]);
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

void AppendVarint(uint64_t value, std::string& out) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

void AppendMessage(uint64_t field, absl::string_view bytes, std::string& out) {
  AppendVarint(field << 3 | kLengthDelimited, out);
  AppendVarint(bytes.size(), out);
  out.append(bytes.data(), bytes.size());
}

class Detacher {
 public:
  Detacher(absl::string_view file, const Limits& limits) : file_(file), limits_(limits) {}

  // Appends what remains of `message`, which lies in the file.
  absl::Status Walk(absl::string_view message, MessageKind kind, int64_t depth, std::string& out) {
    if (depth > limits_.nesting + 1) {
      return MakeError("E0402", absl::StrCat("graphs are nested more than ", limits_.nesting, " deep"),
                       RaiseLimitHelp("nesting", depth - 1));
    }
    size_t position = 0;
    while (position < message.size()) {
      const size_t begin = position;
      const std::optional<uint64_t> tag = ReadVarint(message, position);
      if (!tag || *tag >> 3 == 0) return Damaged(message, begin);
      const uint64_t field = *tag >> 3;
      uint64_t size = 0;
      switch (*tag & 7) {
        case kVarint:
          if (!ReadVarint(message, position)) return Damaged(message, begin);
          break;
        case kFixed64:
          size = 8;
          break;
        case kFixed32:
          size = 4;
          break;
        case kLengthDelimited:
          if (const std::optional<uint64_t> length = ReadVarint(message, position)) {
            size = *length;
            break;
          }
          return Damaged(message, begin);
        default:  // groups, which the format never had
          return Damaged(message, begin);
      }
      if (size > message.size() - position) return Damaged(message, begin);
      const absl::string_view value = message.substr(position, size);
      position += size;
      const absl::string_view whole = message.substr(begin, position - begin);
      TENFOLD_RETURN_IF_ERROR((*tag & 7) == kLengthDelimited ? AddValue(field, value, whole, kind, depth, out)
                                                             : Add(whole, out));
    }
    return absl::OkStatus();
  }

 private:
  absl::Status AddValue(uint64_t field, absl::string_view value, absl::string_view whole, MessageKind kind,
                        int64_t depth, std::string& out) {
    if (kind == MessageKind::kTensor) {
      if (field == TensorProto::kDetachedFieldNumber) return absl::OkStatus();
      if (!HoldsElements(field) || value.size() < kDetachedBytes) return Add(whole, out);
      TensorProto::Detached detached;
      detached.set_offset(static_cast<uint64_t>(value.data() - file_.data()));
      detached.set_size(value.size());
      detached.set_field(static_cast<uint32_t>(field));
      AppendMessage(TensorProto::kDetachedFieldNumber, detached.SerializeAsString(), out);
      return absl::OkStatus();
    }
    const std::optional<MessageKind> child = ChildOf(kind, field);
    if (!child) return Add(whole, out);
    std::string rest;
    TENFOLD_RETURN_IF_ERROR(Walk(value, *child, depth + (child == MessageKind::kGraph ? 1 : 0), rest));
    AppendMessage(field, rest, out);
    return CheckSize(out.size());
  }

  absl::Status Add(absl::string_view bytes, std::string& out) {
    TENFOLD_RETURN_IF_ERROR(CheckSize(out.size() + bytes.size()));
    out.append(bytes.data(), bytes.size());
    return absl::OkStatus();
  }

  absl::Status CheckSize(uint64_t size) const {
    if (size <= static_cast<uint64_t>(limits_.graph_bytes)) return absl::OkStatus();
    return MakeError("E0402",
                     absl::StrCat("the structure of the model, without its weights, has more than ",
                                  limits_.graph_bytes, " bytes, which is the limit"),
                     RaiseLimitHelp("graph_bytes", static_cast<int64_t>(file_.size())));
  }

  absl::Status Damaged(absl::string_view message, size_t position) const {
    return MakeError("E0901",
                     absl::StrCat("the file is no ONNX model, or damaged: no field of a protobuf message "
                                  "begins at byte ",
                                  static_cast<uint64_t>(message.data() - file_.data()) + position),
                     "download or copy it again, whole");
  }

  const absl::string_view file_;
  const Limits& limits_;
};

}  // namespace

absl::StatusOr<std::string> DetachData(absl::string_view bytes, MessageKind kind, const Limits& limits) {
  return RefuseIfOutOfMemory("read a model", "", [&]() -> absl::StatusOr<std::string> {
    std::string rest;
    TENFOLD_RETURN_IF_ERROR(Detacher(bytes, limits).Walk(bytes, kind, 0, rest));
    return rest;
  });
}

}  // namespace tenfold::onnx
