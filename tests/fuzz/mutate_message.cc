// SPDX-License-Identifier: Apache-2.0
#include "tenfold/tests/fuzz/mutate_message.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

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

// Words that mean something in a graph, or the one that was there, changed by the fuzzer.
std::string OtherText(std::string text, std::minstd_rand& random) {
  constexpr const char* kWords[] = {
      "f32",   "i64",    "bool",     "f16",     "N",        "2*N + 1", "floordiv(N, 0)",
      "Add",   "MatMul", "Reshape",  "Softmax", "Cast",     "Const",   "Input",
      "Fused", "axes",   "keepdims", "to",      "../x.npy", "x.npz",   ""};
  if (random() % 2 == 0) return kWords[random() % std::size(kWords)];
  const size_t size = text.size();
  text.resize(size + 8);
  text.resize(LLVMFuzzerMutate(reinterpret_cast<uint8_t*>(text.data()), size, text.size()));
  return text;
}

void MutateScalar(Message& message, const FieldDescriptor& field, int index, std::minstd_rand& random) {
  const Reflection& r = *message.GetReflection();
  const bool repeated = field.is_repeated();
  const auto number = [&](auto get, auto get_repeated, auto set, auto set_repeated) {
    if (repeated) {
      (r.*set_repeated)(&message, &field, index,
                        OtherNumber((r.*get_repeated)(message, &field, index), random));
    } else {
      (r.*set)(&message, &field, OtherNumber((r.*get)(message, &field), random));
    }
  };
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
      return r.SetDouble(&message, &field, static_cast<double>(OtherNumber(0, random)) / 3);
    case FieldDescriptor::CPPTYPE_BOOL:
      return r.SetBool(&message, &field, random() % 2 == 0);
    case FieldDescriptor::CPPTYPE_STRING:
      if (repeated) {
        r.SetRepeatedString(&message, &field, index,
                            OtherText(r.GetRepeatedString(message, &field, index), random));
      } else {
        r.SetString(&message, &field, OtherText(r.GetString(message, &field), random));
      }
      return;
    default:
      return;  // the format has no other scalars
  }
}

void MutateRepeated(Message& message, const FieldDescriptor& field, std::minstd_rand& random) {
  const Reflection& r = *message.GetReflection();
  const int size = r.FieldSize(message, &field);
  const bool is_message = field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
  if (size > 0 && random() % 3 != 0) {
    const int index = static_cast<int>(random() % size);
    if (is_message) return MutateMessage(*r.MutableRepeatedMessage(&message, &field, index), random);
    return MutateScalar(message, field, index, random);
  }
  const int choice = static_cast<int>(random() % 3);
  if (choice == 0 && size > 0) return r.RemoveLast(&message, &field);
  if (choice == 1 && size > 1) {
    return r.SwapElements(&message, &field, static_cast<int>(random() % size),
                          static_cast<int>(random() % size));
  }
  if (!is_message) return;
  // A copy of one that is there, at the end.
  Message& added = *r.AddMessage(&message, &field);
  if (size > 0) added.CopyFrom(r.GetRepeatedMessage(message, &field, static_cast<int>(random() % size)));
}

}  // namespace

void MutateMessage(Message& message, std::minstd_rand& random) {
  const auto& descriptor = *message.GetDescriptor();
  if (descriptor.field_count() == 0) return;
  const Reflection& r = *message.GetReflection();
  // Mostly what is there; now and then a field that is not.
  const FieldDescriptor* field = descriptor.field(static_cast<int>(random() % descriptor.field_count()));
  for (int i = 0; i < 8 && random() % 8 != 0; ++i) {
    if (field->is_repeated() ? r.FieldSize(message, field) > 0 : r.HasField(message, field)) break;
    field = descriptor.field(static_cast<int>(random() % descriptor.field_count()));
  }
  if (field->is_repeated()) return MutateRepeated(message, *field, random);
  if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) return MutateScalar(message, *field, 0, random);
  if (random() % 10 == 0) return r.ClearField(&message, field);
  MutateMessage(*r.MutableMessage(&message, field), random);
}

}  // namespace tenfold::fuzz
