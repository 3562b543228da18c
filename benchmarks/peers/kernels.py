# SPDX-License-Identifier: Apache-2.0
"""The kernels of benchmarks/ that other runtimes have, too: each as an ONNX model, in torch and in JAX."""

import dataclasses
from typing import Any, Callable

import numpy as np

OPSET = 20


@dataclasses.dataclass(frozen=True)
class Kernel:
    name: str
    input_dims: tuple  # of the one input, x
    nodes: list        # of ONNX, from x to y
    torch: Callable    # (torch, weights) -> a function or module of x
    jax: Callable      # (jax, weights) -> a function of x
    weights: dict = dataclasses.field(default_factory=dict)  # constants, by name: their dims
    scale: float = 1.0  # the standard deviation of the weights
    constants: dict = dataclasses.field(default_factory=dict)  # arrays of the ONNX model alone

    def values_of_weights(self) -> dict[str, np.ndarray]:
        rng = np.random.default_rng(7)
        return {name: (rng.standard_normal(dims) * self.scale).astype(np.float32)
                for name, dims in self.weights.items()}

    def value_of_input(self) -> np.ndarray:
        return np.random.default_rng(11).standard_normal(self.input_dims).astype(np.float32)

    def model(self):
        from onnx import TensorProto, helper, numpy_helper  # not in the processes that are measured
        graph = helper.make_graph(
            [helper.make_node(n.op, n.inputs.split(","), n.outputs.split(","), **n.attributes)
             for n in self.nodes], "kernel",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, self.input_dims)],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
            [numpy_helper.from_array(value, name)
             for name, value in (self.values_of_weights() | self.constants).items()])
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9)


class Node:
    def __init__(self, op: str, inputs: str, outputs: str = "y", **attributes: Any):
        self.op, self.inputs, self.outputs, self.attributes = op, inputs, outputs, attributes


def _conv(channels: int, out: int, size: int, window: int, stride: int, pad: int) -> Kernel:
    def in_torch(torch, weights):
        layer = torch.nn.Conv2d(channels, out, window, stride, pad, bias=False)
        layer.weight.data = weights["w"]
        return layer

    def in_jax(jax, weights):
        return lambda x: jax.lax.conv_general_dilated(x, weights["w"], (stride, stride), [(pad, pad)] * 2)

    return Kernel(f"Conv {channels} to {out}, {size}x{size}, {window}x{window}" +
                  (f", stride {stride}" if stride > 1 else ""),
                  (1, channels, size, size),
                  [Node("Conv", "x,w", strides=[stride] * 2, pads=[pad] * 4)], in_torch, in_jax,
                  weights={"w": (out, channels, window, window)}, scale=(channels * window * window) ** -0.5)


def _lstm(batch: int, steps: int = 64, units: int = 128) -> Kernel:
    def in_torch(torch, weights):
        layer = torch.nn.LSTM(units, units)

        def gates_of_torch(value):  # input, output, forget, cell -> input, forget, cell, output
            i, o, f, c = value[0].reshape(4, units, -1)
            return torch.cat([i, f, c, o]).squeeze(-1)
        layer.weight_ih_l0.data = gates_of_torch(weights["w"])
        layer.weight_hh_l0.data = gates_of_torch(weights["r"])
        layer.bias_ih_l0.data = gates_of_torch(weights["b"][:, :4 * units])
        layer.bias_hh_l0.data = gates_of_torch(weights["b"][:, 4 * units:])

        class Sequence(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.layer = layer

            def forward(self, x):
                return self.layer(x)[0].unsqueeze(1)
        return Sequence()

    def in_jax(jax, weights):
        w, r = weights["w"][0].T, weights["r"][0].T
        bias = weights["b"][0, :4 * units] + weights["b"][0, 4 * units:]

        def layer(x):
            def step(state, gates):
                h, c = state
                i, o, f, g = jax.numpy.split(gates + h @ r, 4, axis=-1)
                c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jax.numpy.tanh(g)
                h = jax.nn.sigmoid(o) * jax.numpy.tanh(c)
                return (h, c), h
            zero = jax.numpy.zeros((batch, units), x.dtype)
            return jax.lax.scan(step, (zero, zero), x @ w + bias)[1][:, None]
        return layer

    return Kernel(f"LSTM, batch {batch}, {steps} steps of {units}", (steps, batch, units),
                  [Node("LSTM", "x,w,r,b", hidden_size=units)], in_torch, in_jax,
                  weights={"w": (1, 4 * units, units), "r": (1, 4 * units, units), "b": (1, 8 * units)},
                  scale=0.05)


def _transpose(name: str, dims: tuple, perm: tuple) -> Kernel:
    return Kernel(f"Transpose, {name} {'x'.join(map(str, dims))}", dims, [Node("Transpose", "x", perm=perm)],
                  lambda torch, _: lambda x: x.permute(perm).contiguous(),
                  lambda jax, _: lambda x: x.transpose(perm))


def _sum(name: str, dims: tuple, axis: int) -> Kernel:
    return Kernel(name, dims, [Node("ReduceSum", "x,axes", keepdims=0)],
                  lambda torch, _: lambda x: x.sum(axis),
                  lambda jax, _: lambda x: x.sum(axis), constants={"axes": np.array([axis])})


def _layer_norm(torch, weights):
    layer = torch.nn.LayerNorm(768)
    layer.weight.data, layer.bias.data = weights["scale"], weights["bias"]
    return layer


def _layer_norm_jax(jax, weights):
    def normalize(x):
        centred = x - x.mean(-1, keepdims=True)
        variance = (centred * centred).mean(-1, keepdims=True)
        return centred * jax.lax.rsqrt(variance + 1e-5) * weights["scale"] + weights["bias"]
    return normalize


def _matmul(torch, weights):
    layer = torch.nn.Linear(1024, 1024, bias=False)
    layer.weight.data = weights["w"].T.contiguous()
    return layer


def _join_of_parts(concat):
    def join(x):
        return concat([x[i:i + 1] * (i + 2.0) for i in range(8)])
    return join


_JOIN = [Node("Split", "x", ",".join(f"p{i}" for i in range(8)), axis=0, num_outputs=8),
         *(Node("Mul", f"p{i},c{i}", f"q{i}") for i in range(8)),
         Node("Concat", ",".join(f"q{i}" for i in range(8)), axis=0)]

KERNELS = [
    Kernel("Gelu, tanh form, 4 Mi", (4 << 20,), [Node("Gelu", "x", approximate="tanh")],
           lambda torch, _: lambda x: torch.nn.functional.gelu(x, approximate="tanh"),
           lambda jax, _: lambda x: jax.nn.gelu(x, approximate=True)),
    Kernel("Tanh(x) * Sigmoid(x) - x * x, 4 Mi", (4 << 20,),
           [Node("Tanh", "x", "t"), Node("Sigmoid", "x", "s"), Node("Mul", "t,s", "p"),
            Node("Mul", "x,x", "q"), Node("Sub", "p,q")],
           lambda torch, _: lambda x: torch.tanh(x) * torch.sigmoid(x) - x * x,
           lambda jax, _: lambda x: jax.numpy.tanh(x) * jax.nn.sigmoid(x) - x * x),
    Kernel("Softmax 4096x1024", (4096, 1024), [Node("Softmax", "x", axis=-1)],
           lambda torch, _: lambda x: torch.softmax(x, -1), lambda jax, _: lambda x: jax.nn.softmax(x)),
    Kernel("LayerNormalization 4096x768", (4096, 768), [Node("LayerNormalization", "x,scale,bias", axis=-1)],
           _layer_norm, _layer_norm_jax, weights={"scale": (768,), "bias": (768,)}),
    _sum("ReduceSum of rows, 4096x1024", (4096, 1024), 1),
    _sum("ReduceSum of columns, 4096x1024", (4096, 1024), 0),
    _sum("ReduceSum of the middle, 64x64x1024", (64, 64, 1024), 1),
    Kernel("MatMul 1024", (1024, 1024), [Node("MatMul", "x,w")], _matmul,
           lambda jax, weights: lambda x: x @ weights["w"], weights={"w": (1024, 1024)}, scale=1 / 32),
    _conv(64, 64, 56, 3, 1, 1),
    _conv(3, 64, 224, 7, 2, 3),
    _conv(256, 64, 56, 1, 1, 0),
    _conv(512, 512, 7, 3, 1, 1),
    _lstm(1),
    _lstm(16),
    _transpose("matrix", (4096, 4096), (1, 0)),
    _transpose("channels last", (16, 64, 128, 128), (0, 2, 3, 1)),
    _transpose("heads", (32, 512, 16, 64), (0, 2, 1, 3)),
    Kernel("Split, Mul, Concat 8x1024x1024", (8, 1024, 1024), _JOIN,
           lambda torch, _: _join_of_parts(torch.cat),
           lambda jax, _: _join_of_parts(jax.numpy.concatenate),
           constants={f"c{i}": np.float32(i + 2).reshape(()) for i in range(8)}),
]
