# SPDX-License-Identifier: Apache-2.0
"""What ops that move, pick and order elements give, by NumPy: part of expected_values.py.

A function takes the attributes as text and the inputs by port, a list of Tensors each (empty: absent), and gives the
outputs as (port, dtype, values).
"""

import numpy as np


def numbers(tensors):
    return [int(v) for v in tensors[0].values.reshape(-1)]


def one(port, tensor, values):
    return [(port, tensor.dtype, values)]


def squeeze(attrs, ins):
    data = ins["data"][0]
    axes = tuple(numbers(ins["axes"])) if ins.get("axes") else None
    return one("y", data, np.squeeze(data.values, axes))


def unsqueeze(attrs, ins):
    data = ins["data"][0]
    return one("y", data, np.expand_dims(data.values, tuple(numbers(ins["axes"]))))


def flatten(attrs, ins):
    data = ins["data"][0]
    axis = int(attrs.get("axis", "1"))
    axis += data.values.ndim if axis < 0 else 0
    shape = data.values.shape
    return one("y", data, data.values.reshape(int(np.prod(shape[:axis], dtype=int)), int(np.prod(shape[axis:], dtype=int))))


def slice_(attrs, ins):
    data = ins["data"][0]
    starts, ends = numbers(ins["starts"]), numbers(ins["ends"])
    axes = numbers(ins["axes"]) if ins.get("axes") else list(range(len(starts)))
    steps = numbers(ins["steps"]) if ins.get("steps") else [1] * len(starts)
    index = [slice(None)] * data.values.ndim
    for start, end, axis, step in zip(starts, ends, axes, steps):
        if step < 0 and end < -data.values.shape[axis]:
            end = None  # as far back as there is, which NumPy writes so
        index[axis] = slice(start, end, step)
    return one("y", data, data.values[tuple(index)])


def split(attrs, ins):
    data = ins["data"][0]
    axis = int(attrs.get("axis", "0"))
    if ins.get("split"):
        at = np.cumsum(numbers(ins["split"]))[:-1]
    else:
        count, extent = int(attrs["num_outputs"]), data.values.shape[axis]
        at = [-(-extent // count) * (i + 1) for i in range(count - 1)]
    return [("parts", data.dtype, part) for part in np.split(data.values, at, axis)]


def concat(attrs, ins):
    parts = ins["inputs"]
    return one("y", parts[0], np.concatenate([p.values for p in parts], int(attrs["axis"])))


def expand(attrs, ins):
    data = ins["data"][0]
    shape = np.broadcast_shapes(data.values.shape, tuple(numbers(ins["shape"])))
    return one("y", data, np.broadcast_to(data.values, shape))


def tile(attrs, ins):
    data = ins["data"][0]
    return one("y", data, np.tile(data.values, numbers(ins["repeats"])))


def pad(attrs, ins):
    data = ins["data"][0]
    pads = numbers(ins["pads"])
    axes = numbers(ins["axes"]) if ins.get("axes") else list(range(data.values.ndim))
    width = [(0, 0)] * data.values.ndim
    values = data.values
    for i, axis in enumerate(axes):
        before, after = pads[i], pads[i + len(axes)]
        cut = [slice(None)] * values.ndim
        cut[axis] = slice(max(0, -before), values.shape[axis] - max(0, -after))
        values = values[tuple(cut)]
        width[axis] = (max(0, before), max(0, after))
    mode = attrs.get("mode", '"constant"').strip('"')
    if mode != "constant":
        return one("y", data, np.pad(values, width, mode))
    fill = ins["constant_value"][0].values.reshape(()) if ins.get("constant_value") else values.dtype.type(0)
    return one("y", data, np.pad(values, width, constant_values=fill))


def depth_to_space(attrs, ins):
    x = ins["x"][0]
    n, c, h, w = x.values.shape
    b = int(attrs["blocksize"])
    if attrs.get("mode", '"DCR"') == '"DCR"':
        y = x.values.reshape(n, b, b, c // (b * b), h, w).transpose(0, 3, 4, 1, 5, 2)
    else:
        y = x.values.reshape(n, c // (b * b), b, b, h, w).transpose(0, 1, 4, 2, 5, 3)
    return one("y", x, y.reshape(n, c // (b * b), h * b, w * b))


def space_to_depth(attrs, ins):
    x = ins["x"][0]
    n, c, h, w = x.values.shape
    b = int(attrs["blocksize"])
    y = x.values.reshape(n, c, h // b, b, w // b, b).transpose(0, 3, 5, 1, 2, 4)
    return one("y", x, y.reshape(n, c * b * b, h // b, w // b))


def shape(attrs, ins):
    dims = list(ins["data"][0].values.shape)
    end = attrs.get("end")
    return [("y", "i64", np.array(dims[int(attrs.get("start", "0")):None if end is None else int(end)], dtype=np.int64))]


def size(attrs, ins):
    return [("y", "i64", np.array(ins["data"][0].values.size, dtype=np.int64))]


def range_(attrs, ins):
    start, limit, delta = (ins[name][0].values.reshape(()) for name in ["start", "limit", "delta"])
    count = max(0, int(np.ceil((float(limit) - float(start)) / float(delta))))
    kind = start.dtype.type
    with np.errstate(over="ignore"):
        values = [kind(start) + kind(i) * kind(delta) for i in range(count)]
    return one("y", ins["start"][0], np.array(values, dtype=start.dtype))


def eye_like(attrs, ins):
    x = ins["x"][0]
    return [("y", attrs.get("dtype", x.dtype), np.eye(*x.values.shape, k=int(attrs.get("k", "0"))))]


def trilu(attrs, ins):
    x = ins["x"][0]
    k = int(np.clip(numbers(ins["k"])[0], -1000, 1000)) if ins.get("k") else 0
    mask = np.tri(*x.values.shape[-2:], k=k - 1 if attrs.get("upper", "true") == "true" else k, dtype=bool)
    return one("y", x, np.where(~mask if attrs.get("upper", "true") == "true" else mask, x.values, x.values.dtype.type(0)))


def gather(attrs, ins):
    data = ins["data"][0]
    return one("y", data, np.take(data.values, ins["indices"][0].values, int(attrs.get("axis", "0"))))


def gather_elements(attrs, ins):
    data, indices = ins["data"][0].values, ins["indices"][0].values
    axis = int(attrs.get("axis", "0")) % data.ndim
    y = np.empty(indices.shape, data.dtype)
    for at in np.ndindex(indices.shape):
        y[at] = data[at[:axis] + (indices[at],) + at[axis + 1:]]
    return one("y", ins["data"][0], y)


def gather_nd(attrs, ins):
    data, indices = ins["data"][0].values, ins["indices"][0].values
    batch = int(attrs.get("batch_dims", "0"))
    y = np.empty(indices.shape[:-1] + data.shape[batch + indices.shape[-1]:], data.dtype)
    for at in np.ndindex(indices.shape[:-1]):
        y[at] = data[at[:batch] + tuple(indices[at])]
    return one("y", ins["data"][0], y)


def combine(attrs, tensor, y, at, update):
    """One update of y[at], an element or a slice; halves are computed in f32 and rounded by the caller's storage."""
    with np.errstate(all="ignore"):
        how = attrs.get("reduction", '"none"').strip('"')
        if how == "none":
            y[at] = update
            return
        f = {"add": np.add, "mul": np.multiply, "max": np.maximum, "min": np.minimum}[how]
        result = np.asarray(f(y[at], update))
        if how in ("max", "min") and y.dtype.kind == "f":  # IEEE 754-2019: -0 is below 0
            zeros = (np.asarray(y[at]) == 0) & (np.asarray(update) == 0)
            negative = (np.logical_and if how == "max" else np.logical_or)(np.signbit(y[at]), np.signbit(update))
            result = np.where(zeros, np.where(negative, -0.0, 0.0), result)
        y[at] = result.astype(y.dtype)


def scatter_elements(attrs, ins):
    y, indices, updates = ins["data"][0].values.copy(), ins["indices"][0].values, ins["updates"][0].values
    axis = int(attrs.get("axis", "0")) % y.ndim
    for at in np.ndindex(indices.shape):
        combine(attrs, ins["data"][0], y, at[:axis] + (indices[at],) + at[axis + 1:], updates[at])
    return one("y", ins["data"][0], y)


def scatter_nd(attrs, ins):
    y, indices, updates = ins["data"][0].values.copy(), ins["indices"][0].values, ins["updates"][0].values
    for at in np.ndindex(indices.shape[:-1]):
        combine(attrs, ins["data"][0], y, tuple(indices[at]), updates[at])
    return one("y", ins["data"][0], y)


def one_hot(attrs, ins):
    indices, depth, values = ins["indices"][0].values, numbers(ins["depth"])[0], ins["values"][0].values
    axis = int(attrs.get("axis", "-1")) % (indices.ndim + 1)
    hot = np.where(indices < 0, indices + depth, indices)
    y = np.where(np.expand_dims(hot, axis) == np.arange(depth).reshape((-1,) + (1,) * (indices.ndim - axis)),
                 values[1], values[0])
    return one("y", ins["values"][0], y)


def reverse_sequence(attrs, ins):
    x, lengths = ins["x"][0].values, numbers(ins["sequence_lens"])
    batch, time = int(attrs.get("batch_axis", "1")) % x.ndim, int(attrs.get("time_axis", "0")) % x.ndim
    y = x.copy()
    for b, length in enumerate(lengths):
        head = [slice(None)] * x.ndim
        head[batch], head[time] = slice(b, b + 1), slice(0, length)
        y[tuple(head)] = np.flip(x[tuple(head)], time)
    return one("y", ins["x"][0], y)


def top_k(attrs, ins):
    x, k = ins["x"][0].values, numbers(ins["k"])[0]
    axis = int(attrs.get("axis", "-1"))
    if attrs.get("largest", "true") == "true":
        # Stable from the other end: NaN, which NumPy sorts last, comes first, and equal ones keep their order.
        flipped = np.flip(x, axis)
        order = x.shape[axis] - 1 - np.flip(np.argsort(flipped, axis=axis, kind="stable"), axis)
    else:
        order = np.argsort(x, axis=axis, kind="stable")
    indices = np.take(order, range(k), axis)
    return [("values", ins["x"][0].dtype, np.take_along_axis(x, indices, axis)), ("indices", "i64", indices)]


def cumulative(start, f):
    def run(attrs, ins):
        tensor = ins["x"][0]
        x = tensor.computed()
        axis = numbers(ins["axis"])[0]
        x = np.moveaxis(x, axis, 0)
        x = np.flip(x, 0) if attrs.get("reverse") == "true" else x
        y = np.empty_like(x)
        total = np.full(x.shape[1:], start, x.dtype)
        with np.errstate(all="ignore"):
            for i in range(x.shape[0]):
                before = total.copy()
                total = x[i].copy() if i == 0 else f(total, x[i])
                y[i] = before if attrs.get("exclusive") == "true" else total
        y = np.flip(y, 0) if attrs.get("reverse") == "true" else y
        return [("y", tensor.dtype, np.moveaxis(y, 0, axis))]
    return run


OPS = {
    "Squeeze": squeeze,
    "Unsqueeze": unsqueeze,
    "Flatten": flatten,
    "Identity": lambda attrs, ins: one("y", ins["x"][0], ins["x"][0].values),
    "Slice": slice_,
    "Split": split,
    "Concat": concat,
    "Expand": expand,
    "Tile": tile,
    "Pad": pad,
    "DepthToSpace": depth_to_space,
    "SpaceToDepth": space_to_depth,
    "Shape": shape,
    "Size": size,
    "Range": range_,
    "EyeLike": eye_like,
    "Trilu": trilu,
    "Gather": gather,
    "GatherElements": gather_elements,
    "GatherND": gather_nd,
    "ScatterElements": scatter_elements,
    "ScatterND": scatter_nd,
    "OneHot": one_hot,
    "ReverseSequence": reverse_sequence,
    "TopK": top_k,
    "CumSum": cumulative(0, np.add),
    "CumProd": cumulative(1, np.multiply),
}
