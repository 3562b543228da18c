# SPDX-License-Identifier: Apache-2.0
"""Small ONNX models for the corpus, written as nodes in a line each and encoded by hand: field numbers are those of
proto/onnx.proto."""

import struct

FLOAT, UINT8, INT8, INT32, INT64, BOOL, FLOAT16, INT4 = 1, 2, 3, 6, 7, 9, 10, 22


def varint(value):
    value &= (1 << 64) - 1
    out = b""
    while value >= 0x80:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def field(number, value):
    """An int is a varint, a float 32 bits, a text or bytes a length and the bytes, a list one after the other."""
    if isinstance(value, list):
        return b"".join(field(number, each) for each in value)
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack("<f", value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def packed(number, values, how):
    return field(number, b"".join(varint(v) if how == "varint" else struct.pack(how, v) for v in values))


def tensor(name, dtype, dims, values, form="raw"):
    head = field(1, list(dims)) + field(2, dtype) + field(8, name)
    if form == "raw":
        letter = {FLOAT: "f", UINT8: "B", INT8: "b", INT32: "i", INT64: "q", BOOL: "?", FLOAT16: "e"}[dtype]
        return head + field(9, struct.pack("<%d%s" % (len(values), letter), *values))
    if form == "float":
        return head + packed(4, values, "<f")
    return head + packed(7 if dtype == INT64 else 5, values, "varint")


def value(name, dtype, dims):
    shape = b"".join(field(1, field(2, d) if isinstance(d, str) else field(1, d)) for d in dims)
    return field(1, name) + field(2, field(1, field(1, dtype) + field(2, shape)))


def attribute(name, v):
    """A dict is a tensor or graph: {"t": ...}, {"g": ...}; {"ref": NAME} takes the attribute of a function's call."""
    head = field(1, name)
    if isinstance(v, dict) and "t" in v:
        return head + field(5, v["t"]) + field(20, 4)
    if isinstance(v, dict) and "g" in v:
        return head + field(6, v["g"]) + field(20, 5)
    if isinstance(v, dict):
        return head + field(21, v["ref"]) + field(20, v["type"])
    if isinstance(v, float):
        return head + field(2, v) + field(20, 1)
    if isinstance(v, int):
        return head + field(3, v) + field(20, 2)
    if isinstance(v, str):
        return head + field(4, v) + field(20, 3)
    if isinstance(v[0], float):
        return head + field(7, v) + field(20, 6)
    return head + field(8, v) + field(20, 7)


def node(op, inputs, outputs, domain="", **attributes):
    """`inputs` and `outputs` are names in a text; `_` is an input that is absent."""
    names = [n if n != "_" else "" for n in inputs.split()]
    return (field(1, names) + field(2, outputs.split()) + field(3, "the " + op) + field(4, op) +
            field(5, [attribute(k, v) for k, v in attributes.items()]) + (field(7, domain) if domain else b""))


def graph(name, inputs, outputs, nodes, initializers=()):
    return (field(1, list(nodes)) + field(2, name) + field(5, list(initializers)) +
            field(11, [value(*i) for i in inputs]) + field(12, [value(*o) for o in outputs]))


def model(graph_bytes, opset, functions=(), domains=()):
    opsets = [field(2, opset)] + [field(1, d) + field(2, 1) for d in domains]
    return field(1, 8) + field(8, opsets) + field(7, graph_bytes) + field(25, list(functions))


def numbers(count):
    return [(i * 7 % 11 - 5) / 4 for i in range(count)]


MODELS = {
    "mlp": model(graph(
        "mlp", [("x", FLOAT, ["N", 4])], [("p", FLOAT, ["N", 3])],
        [node("MatMul", "x w1", "h"), node("Add", "h b1", "s"), node("Relu", "s", "r"),
         node("Gemm", "r w2 b2", "g", transB=1, alpha=0.5), node("Softmax", "g", "p", axis=-1)],
        [tensor("w1", FLOAT, [4, 80], numbers(320)), tensor("b1", FLOAT, [80], numbers(80), "float"),
         tensor("w2", FLOAT, [3, 80], numbers(240), "float"), tensor("b2", FLOAT, [3], [1.0, 0.0, -1.0])]), 17),
    "conv": model(graph(
        "conv", [("x", FLOAT, ["N", 2, 6, 6])], [("y", FLOAT, ["N", "K"])],
        [node("Conv", "x w b", "c", pads=[1, 1, 1, 1], strides=[2, 2], kernel_shape=[3, 3], group=1),
         node("BatchNormalization", "c s s m s", "n", epsilon=0.001),
         node("MaxPool", "n", "p", kernel_shape=[2, 2], ceil_mode=1),
         node("Constant", "", "shape", value={"t": tensor("", INT64, [2], [0, -1])}),
         node("Reshape", "p shape", "y")],
        [tensor("w", FLOAT, [2, 2, 3, 3], numbers(36)), tensor("b", FLOAT, [2], [0.5, -0.5]),
         tensor("s", FLOAT, [2], [1.0, 2.0], "float"), tensor("m", FLOAT, [2], [0.0, 0.25])]), 15),
    "control": model(graph(
        "control", [("x", FLOAT, ["N", 2]), ("go", BOOL, []), ("n", INT64, [])],
        [("y", FLOAT, ["N", 2]), ("rows", FLOAT, ["T", "N", 2])],
        [node("If", "go", "t",
              then_branch={"g": graph("yes", [], [("q", FLOAT, [])], [node("Mul", "x x", "q")])},
              else_branch={"g": graph("no", [], [("q", FLOAT, [])], [node("Neg", "x", "q")])}),
         node("Loop", "n go t", "y rows",
              body={"g": graph("step", [("i", INT64, []), ("c", BOOL, []), ("v", FLOAT, ["N", 2])],
                               [("c2", BOOL, []), ("w", FLOAT, []), ("row", FLOAT, [])],
                               [node("Identity", "c", "c2"), node("Add", "v x", "w"), node("Abs", "w", "row")])})]),
        16),
    "function": model(graph(
        "calls", [("x", FLOAT, [2, "N"])], [("y", FLOAT, [2, "N"])],
        [node("Scaled", "x", "h", domain="own", factor=2.0), node("Scaled", "h", "y", domain="own", factor=0.5)]),
        18, [field(1, "Scaled") + field(4, ["a"]) + field(5, ["b"]) + field(6, ["factor"]) + field(10, "own") +
             field(9, [field(2, 18)]) +
             field(7, [node("Constant", "", "f", value_float={"ref": "factor", "type": 1}),
                       node("Mul", "a f", "b")])], ["own"]),
    "old": model(graph(
        "old", [("x", FLOAT, [1, 3, 4])], [("y", FLOAT, []), ("z", FLOAT, [])],
        [node("Squeeze", "x", "s", axes=[0]), node("Slice", "s", "c", axes=[0, 1], starts=[0, 1], ends=[2, 9]),
         node("Pad", "c", "p", mode="constant", pads=[0, 1, 1, 0], value=1.5),
         node("Clip", "p", "k", min=-1.0, max=1.0), node("Unsqueeze", "k", "u", axes=[0, 1]),
         node("Upsample", "u", "y", mode="nearest", scales=[1.0, 1.0, 2.0, 2.0]),
         node("ReduceSum", "s", "r", axes=[1], keepdims=0), node("TopK", "r", "z i", k=2, axis=0)]), 8),
    "quantized": model(graph(
        "quantized", [("x", FLOAT, ["N", 4])], [("y", FLOAT, ["N", 4]), ("h", FLOAT16, ["N", 4])],
        [node("QuantizeLinear", "x scale zero", "q"), node("DequantizeLinear", "q scale zero", "d"),
         node("DequantizeLinear", "w scale4", "v", axis=0), node("MatMul", "d v", "y"),
         node("Cast", "y", "c", to=FLOAT16), node("Mul", "c half", "h")],
        [tensor("scale", FLOAT, [], [0.25]), tensor("zero", UINT8, [], [128]),
         tensor("w", INT4, [4, 4], [0x21, 0x43, 0x65, 0x07, 0x98, 0xBA, 0xDC, 0xFE], "int"),
         tensor("scale4", FLOAT, [], [0.5]), tensor("half", FLOAT16, [1], [0.5])]), 21),
    "shapes": model(graph(
        "shapes", [("x", FLOAT, ["N", 2, "M"])], [("y", FLOAT, ["A", "B"]), ("r", INT64, ["K"]), ("z", FLOAT, [])],
        [node("Shape", "x", "shape"), node("Gather", "shape zero", "n", axis=0),
         node("Concat", "n rest", "to", axis=0), node("Reshape", "x to", "y"),
         node("Gather", "shape first", "count"), node("Range", "start count step", "r"),
         node("Resize", "x _ scales", "z", mode="linear", coordinate_transformation_mode="asymmetric")],
        [tensor("zero", INT64, [1], [0]), tensor("rest", INT64, [1], [-1], "int"), tensor("first", INT64, [], [0]),
         tensor("start", INT64, [], [0]), tensor("step", INT64, [], [1]),
         tensor("scales", FLOAT, [3], [1.0, 1.0, 2.0])]), 19),
}
