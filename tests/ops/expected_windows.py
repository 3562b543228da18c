# SPDX-License-Identifier: Apache-2.0
"""What convolutions, Gemm and pooling give, from the formulas of the ONNX specification: part of expected_values.py.

Functions as in expected_moves.py. Sums are made in Python's floats, whatever their order: the cases have values whose
sums are exact, so that the order in which Tenfold adds does not show.
"""

import itertools
import math
import re

import numpy as np


def ints(attrs, name, default):
    found = [int(i) for i in re.findall(r"-?\d+", attrs.get(name, ""))]
    return found or default


def text(attrs, name, default):
    return attrs.get(name, f'"{default}"').strip('"')


class Geometry:
    """Of windows that slide over the dims `sizes`; the formulas of MaxPool and Conv in the specification."""

    def __init__(self, attrs, sizes, kernel):
        n = len(sizes)
        self.sizes, self.kernel = sizes, kernel
        self.strides, self.dilations = ints(attrs, "strides", [1] * n), ints(attrs, "dilations", [1] * n)
        pads = ints(attrs, "pads", [0] * 2 * n)
        self.begin, self.end = pads[:n], pads[n:]
        auto = text(attrs, "auto_pad", "NOTSET")
        self.reach = [(k - 1) * d + 1 for k, d in zip(kernel, self.dilations)]
        self.out = []
        for i in range(n):
            if auto in ("SAME_UPPER", "SAME_LOWER"):
                out = math.ceil(sizes[i] / self.strides[i])
                total = max((out - 1) * self.strides[i] + self.reach[i] - sizes[i], 0)
                small, large = total // 2, total - total // 2
                self.begin[i], self.end[i] = (small, large) if auto == "SAME_UPPER" else (large, small)
            else:
                steps = (sizes[i] + self.begin[i] + self.end[i] - self.reach[i]) / self.strides[i]
                ceil = attrs.get("ceil_mode") == "true" and auto == "NOTSET"
                out = (math.ceil(steps) if ceil else math.floor(steps)) + 1
                if ceil and (out - 1) * self.strides[i] >= sizes[i] + self.begin[i]:
                    out -= 1  # it would start behind the input
            self.out.append(out)

    def window(self, at):
        """(kernel position, input position) of one window, row-major, padding left out."""
        for k in itertools.product(*(range(k) for k in self.kernel)):
            i = tuple(o * s - b + j * d
                      for o, s, b, j, d in zip(at, self.strides, self.begin, k, self.dilations))
            if all(0 <= p < size for p, size in zip(i, self.sizes)):
                yield k, i

    def counted(self, at):
        """Elements of a window that are input or padding, not beyond."""
        count = 1
        for o, s, b, k, d, size, e in zip(at, self.strides, self.begin, self.kernel, self.dilations, self.sizes, self.end):
            count *= sum(o * s - b + j * d < size + e for j in range(k))
        return count


def number(tensor):
    """What its elements are computed as: integers without bounds, or floats."""
    return int if tensor.dtype[0] in "iu" else float


def finish(tensor, values):
    if tensor.dtype[0] not in "iu":
        return np.array(values, dtype=np.float64)
    dtype = tensor.values.dtype
    bits = 8 * dtype.itemsize
    wrapped = [v % 2**bits for v in np.array(values, dtype=object).reshape(-1)]
    signed = [v - 2**bits if dtype.kind == "i" and v >= 2 ** (bits - 1) else v for v in wrapped]
    return np.array(signed, dtype=dtype).reshape(np.shape(values))


def conv(attrs, ins):
    x, w = ins["x"][0], ins["w"][0]
    of = number(x)
    groups = int(attrs.get("group", "1"))
    g = Geometry(attrs, x.values.shape[2:], w.values.shape[2:])
    per_group, inputs = w.values.shape[0] // groups, w.values.shape[1]
    y = np.empty((x.values.shape[0], w.values.shape[0], *g.out), dtype=object)
    for n, m, *at in np.ndindex(*y.shape):
        total = of(0)
        for c in range(inputs):
            for k, i in g.window(at):
                total += of(x.values[(n, m // per_group * inputs + c) + i]) * of(w.values[(m, c) + k])
        if ins.get("bias"):
            total += of(ins["bias"][0].values[m])
        y[(n, m, *at)] = total
    return [("y", x.dtype, finish(x, y))]


def conv_transpose(attrs, ins):
    x, w = ins["x"][0], ins["w"][0]
    of = number(x)
    groups = int(attrs.get("group", "1"))
    sizes, kernel = x.values.shape[2:], w.values.shape[2:]
    n = len(sizes)
    strides, dilations = ints(attrs, "strides", [1] * n), ints(attrs, "dilations", [1] * n)
    extra, pads = ints(attrs, "output_padding", [0] * n), ints(attrs, "pads", [0] * 2 * n)
    begin, end = pads[:n], pads[n:]
    out = ints(attrs, "output_shape", [])
    auto = text(attrs, "auto_pad", "NOTSET")
    whole = [s * (i - 1) + e + (k - 1) * d + 1 for s, i, e, k, d in zip(strides, sizes, extra, kernel, dilations)]
    if not out and auto.startswith("SAME"):
        out = [i * s for i, s in zip(sizes, strides)]
    if out:
        total = [max(a - b, 0) for a, b in zip(whole, out)]
        begin = [t // 2 if auto == "SAME_UPPER" else t - t // 2 for t in total]
    else:
        out = [a - b - c for a, b, c in zip(whole, begin, end)]
    inputs, per_group = x.values.shape[1] // groups, w.values.shape[1]
    y = np.full((x.values.shape[0], per_group * groups, *out), of(0), dtype=object)
    for b, c, *i in np.ndindex(*x.values.shape):
        for m, *k in np.ndindex(*w.values.shape[1:]):
            o = tuple(p * s - f + j * d for p, s, f, j, d in zip(i, strides, begin, k, dilations))
            if all(0 <= p < size for p, size in zip(o, out)):
                to = (b, c // inputs * per_group + m) + o
                y[to] += of(x.values[(b, c, *i)]) * of(w.values[(c, m, *k)])
    for m in range(y.shape[1] if ins.get("bias") else 0):
        y[:, m] += of(ins["bias"][0].values[m])
    return [("y", x.dtype, finish(x, y))]


def above(a, b):
    """Whether a is the larger one for IEEE 754-2019's maximum."""
    if a != a or b != b:
        return a != a and b == b
    return a > b or (a == b == 0 and np.signbit(b) and not np.signbit(a))


def max_pool(attrs, ins):
    x = ins["x"][0]
    shape = x.values.shape
    g = Geometry(attrs, shape[2:], ints(attrs, "kernel_shape", None))
    order = "F" if attrs.get("storage_order") == "1" else "C"
    y = np.empty((*shape[:2], *g.out), dtype=x.values.dtype)
    indices = np.empty(y.shape, dtype=np.int64)
    for n, c, *at in np.ndindex(*y.shape):
        best = None
        for _, i in g.window(at):
            if best is None or above(x.values[(n, c) + i], x.values[(n, c) + best]):
                best = i
        plane = (n * shape[1] + c) * math.prod(shape[2:])
        lowest = -np.inf if x.values.dtype.kind == "f" else np.iinfo(x.values.dtype).min
        y[(n, c, *at)] = lowest if best is None else x.values[(n, c) + best]
        indices[(n, c, *at)] = -1 if best is None else plane + np.ravel_multi_index(best, shape[2:], order=order)
    return [("y", x.dtype, y), ("indices", "i64", indices)]


def average_pool(attrs, ins):
    x = ins["x"][0]
    shape = x.values.shape
    g = Geometry(attrs, shape[2:], ints(attrs, "kernel_shape", None))
    kind = np.float64 if x.dtype == "f64" else np.float32  # halves are computed in f32
    y = np.empty((*shape[:2], *g.out), dtype=kind)
    for n, c, *at in np.ndindex(*y.shape):
        elements = [float(x.values[(n, c) + i]) for _, i in g.window(at)]
        count = g.counted(at) if attrs.get("count_include_pad") == "true" else len(elements)
        # Negative zeros alone sum to -0.
        y[(n, c, *at)] = kind(sum(elements[1:], elements[0]) if elements else -0.0) / kind(count)
    return [("y", x.dtype, y)]


def over_planes(function):
    def result(attrs, ins):
        x = ins["x"][0]
        planes = x.values.reshape(*x.values.shape[:2], math.prod(x.values.shape[2:]))
        kind = np.float64 if x.dtype == "f64" else np.float32
        y = np.array([[function([kind(v) for v in plane], kind) for plane in image] for image in planes])
        return [("y", x.dtype, y.reshape(*x.values.shape[:2], *[1] * (x.values.ndim - 2)))]
    return result


def largest(values, kind):
    best = kind(-np.inf)
    for v in values:
        best = v if above(v, best) else best
    return best


def gemm(attrs, ins):
    of = number(ins["a"][0])
    a, b = (t.values.T if attrs.get(name) == "true" else t.values
            for t, name in [(ins["a"][0], "transA"), (ins["b"][0], "transB")])
    alpha, beta = (of(float(attrs.get(name, "1"))) for name in ["alpha", "beta"])
    y = np.empty((a.shape[0], b.shape[1]), dtype=object)
    c = np.broadcast_to(ins["c"][0].values, y.shape) if ins.get("c") else None
    for i, j in np.ndindex(*y.shape):
        y[i, j] = alpha * sum((of(p) * of(q) for p, q in zip(a[i], b[:, j])), of(0))
        if c is not None:
            y[i, j] += beta * of(c[i, j])
    return [("y", ins["a"][0].dtype, finish(ins["a"][0], y))]


OPS = {
    "Conv": conv,
    "ConvTranspose": conv_transpose,
    "Gemm": gemm,
    "MaxPool": max_pool,
    "AveragePool": average_pool,
    "GlobalMaxPool": over_planes(largest),
    "GlobalAveragePool": over_planes(lambda values, kind: kind(sum(map(float, values))) / kind(len(values))),
}
