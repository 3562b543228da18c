// SPDX-License-Identifier: Apache-2.0
#include "tenfold/tests/fuzz/mutate_message.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>

namespace tenfold::fuzz {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// Numbers at which programs go wrong, or near the one that was there.
int64_t OtherNumber(int64_t value, std::minstd_rand& random) {
  constexpr int64_t kEdges[] = {0,
                                1,
                                -1,
                                2,
                                63,
                                64,
                                65,
                                std::numeric_limits<int32_t>::max(),
                                std::numeric_limits<int64_t>::max(),
                                std::numeric_limits<int64_t>::min(),
                                int64_t{1} << 32,
                                int64_t{1} << 62};
  switch (random() % 3) {
    case 0:
      return kEdges[random() % std::size(kEdges)];
    case 1:
      return static_cast<int64_t>(static_cast<uint64_t>(value) + random() % 5 - 2);
    default:
      return static_cast<int64_t>(random() % 16);
  }
}

// Words that mean something in a graph.
constexpr const char* kWords[] = {
    "f32",   "i64",      "bool",  "f16",     "N",        "2*N + 1", "floordiv(N, 0)",
    "Add",   "MatMul",   "Cast",  "Reshape", "Softmax",  "Const",   "Input",
    "Fused", "axes",     "axis",  "to",      "keepdims", "shape",   "value",
    "Loop",  "Constant", "Slice", "Gather",  "../x.npy", "x.npz",   ""};

class Mutator {
 public:
  Mutator(std::minstd_rand& random, absl::FunctionRef<void(std::string&)> mutate_text)
      : random_(random), mutate_text_(mutate_text) {}

  void Mutate(Message& message) {
    const auto& descriptor = *message.GetDescriptor();
    if (descriptor.field_count() == 0) return;
    const Reflection& r = *message.GetReflection();
    // Mostly what is there; now and then a field that is not.
    const FieldDescriptor* field = descriptor.field(Below(descriptor.field_count()));
    for (int i = 0; i < 8 && random_() % 8 != 0; ++i) {
      if (field->is_repeated() ? r.FieldSize(message, field) > 0 : r.HasField(message, field)) break;
      field = descriptor.field(Below(descriptor.field_count()));
    }
    if (field->is_repeated()) return MutateRepeated(message, *field);
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) return MutateScalar(message, *field, 0);
    if (random_() % 10 == 0) return r.ClearField(&message, field);
    Mutate(*r.MutableMessage(&message, field));
  }

 private:
  int Below(int count) { return static_cast<int>(random_() % static_cast<uint32_t>(count)); }

  std::string OtherText(std::string text) {
    if (random_() % 2 == 0) return kWords[random_() % std::size(kWords)];
    mutate_text_(text);
    return text;
  }

  void MutateScalar(Message& message, const FieldDescriptor& field, int index);
  void MutateRepeated(Message& message, const FieldDescriptor& field);

  std::minstd_rand& random_;
  const absl::FunctionRef<void(std::string&)> mutate_text_;
};

void Mutator::MutateScalar(Message& message, const FieldDescriptor& field, int index) {
  const Reflection& r = *message.GetReflection();
  const bool repeated = field.is_repeated();
  const auto number = [&](auto get, auto get_repeated, auto set, auto set_repeated) {
    if (repeated) {
      (r.*set_repeated)(&message, &field, index,
                        OtherNumber((r.*get_repeated)(message, &field, index), random_));
    } else {
      (r.*set)(&message, &field, OtherNumber((r.*get)(message, &field), random_));
    }
  };
  const auto fraction = [&] { return static_cast<double>(OtherNumber(0, random_)) / 3; };
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return number(&Reflection::GetInt32, &Reflection::GetRepeatedInt32, &Reflection::SetInt32,
                    &Reflection::SetRepeatedInt32);
    case FieldDescriptor::CPPTYPE_INT64:
      return number(&Reflection::GetInt64, &Reflection::GetRepeatedInt64, &Reflection::SetInt64,
                    &Reflection::SetRepeatedInt64);
    case FieldDescriptor::CPPTYPE_UINT32:
      return number(&Reflection::GetUInt32, &Reflection::GetRepeatedUInt32, &Reflection::SetUInt32,
                    &Reflection::SetRepeatedUInt32);
    case FieldDescriptor::CPPTYPE_UINT64:
      return number(&Reflection::GetUInt64, &Reflection::GetRepeatedUInt64, &Reflection::SetUInt64,
                    &Reflection::SetRepeatedUInt64);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      if (repeated) return r.SetRepeatedDouble(&message, &field, index, fraction());
      return r.SetDouble(&message, &field, fraction());
    case FieldDescriptor::CPPTYPE_FLOAT:
      if (repeated) return r.SetRepeatedFloat(&message, &field, index, static_cast<float>(fraction()));
      return r.SetFloat(&message, &field, static_cast<float>(fraction()));
    case FieldDescriptor::CPPTYPE_BOOL:
      if (repeated) return r.SetRepeatedBool(&message, &field, index, random_() % 2 == 0);
      return r.SetBool(&message, &field, random_() % 2 == 0);
    case FieldDescriptor::CPPTYPE_STRING:
      if (repeated) {
        r.SetRepeatedString(&message, &field, index, OtherText(r.GetRepeatedString(message, &field, index)));
      } else {
        r.SetString(&message, &field, OtherText(r.GetString(message, &field)));
      }
      return;
    default:
      return;  // the formats have no other scalars
  }
}

void Mutator::MutateRepeated(Message& message, const FieldDescriptor& field) {
  const Reflection& r = *message.GetReflection();
  const int size = r.FieldSize(message, &field);
  const bool is_message = field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
  if (size > 0 && random_() % 3 != 0) {
    const int index = Below(size);
    if (is_message) return Mutate(*r.MutableRepeatedMessage(&message, &field, index));
    return MutateScalar(message, field, index);
  }
  const int choice = Below(3);
  if (choice == 0 && size > 0) return r.RemoveLast(&message, &field);
  if (choice == 1 && size > 1) {
    return r.SwapElements(&message, &field, Below(size), Below(size));
  }
  if (!is_message) return;
  // A copy of one that is there, at the end.
  Message& added = *r.AddMessage(&message, &field);
  if (size > 0) added.CopyFrom(r.GetRepeatedMessage(message, &field, Below(size)));
}

}  // namespace

void MutateMessage(Message& message, std::minstd_rand& random,
                   absl::FunctionRef<void(std::string& text)> mutate_text) {
  Mutator(random, mutate_text).Mutate(message);
}

}  // namespace tenfold::fuzz
