# SPDX-License-Identifier: Apache-2.0
"""What the ops on quantized tensors give, from the formulas of the ONNX specification: part of expected_values.py.

Functions as in expected_moves.py. Divisions and products are NumPy's in f32, integers Python's.
"""

import re
import types

import expected_windows
import numpy as np

LIMITS = {f"{sign}{bits}": (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if sign == "i" else (0, 2**bits - 1)
          for sign in "iu" for bits in [4, 8, 16, 32]}
STORED = {"i4": np.int8, "u4": np.uint8, "i8": np.int8, "u8": np.uint8, "i16": np.int16, "u16": np.uint16, "i32": np.int32}


def given(by, name):
    return by[name][0] if name in by else None


def number(attrs, name, default):
    return int(re.sub(r"\s", "", attrs.get(name, str(default))))


def spread(attrs, x, v):
    """A scale or zero point for each element of x."""
    values = v.values.astype(np.float32)
    axis, block = number(attrs, "axis", 1), number(attrs, "block_size", 0)
    if block > 0:
        repeated = np.repeat(values, block, axis=axis)
        return np.take(repeated, range(x.values.shape[axis]), axis=axis)
    if values.size == 1 and values.ndim <= 1:
        return values.reshape(())
    shape = [1] * x.values.ndim
    shape[axis] = values.size
    return values.reshape(shape)


def to_integers(dtype, x, zero_point):
    """f32 to the nearest integers, half to even, plus the zero point, within the range."""
    least, greatest = LIMITS[dtype]
    flat = [0 if np.isnan(v) else min(max(np.rint(v) + float(z), least), greatest)
            for v, z in zip(x.reshape(-1), np.broadcast_to(zero_point, x.shape).reshape(-1))]
    return np.array(flat, dtype=np.float64).astype(STORED[dtype]).reshape(x.shape)


def requantized(dtype, x, zero_point, saturate=True):
    if not dtype.startswith("f8"):
        return [("y", dtype, to_integers(dtype, x, zero_point))]
    largest = np.float32(448 if dtype == "f8e4m3fn" else 57344)
    return [("y", dtype, np.clip(x, -largest, largest) if saturate else x)]


def quantize(attrs, by):
    x, scale, zero_point = given(by, "x"), given(by, "scale"), given(by, "zero_point")
    dtype = zero_point.dtype if zero_point else attrs.get("output_dtype", "u8")
    quotient = x.values.astype(np.float32) / spread(attrs, x, scale)
    precision = attrs.get("precision", scale.dtype)
    if precision == "f16":
        quotient = quotient.astype(np.float16).astype(np.float32)
    if precision == "bf16":
        bits = np.asarray(quotient, dtype=np.float32).view(np.uint32)
        quotient = (bits + 0x7FFF + ((bits >> 16) & 1) & np.uint32(0xFFFF0000)).view(np.float32)
    zero_points = spread(attrs, x, zero_point) if zero_point else 0
    return requantized(dtype, np.asarray(quotient, dtype=np.float32), zero_points, attrs.get("saturate") != "false")


def dequantize(attrs, by):
    x, scale, zero_point = given(by, "x"), given(by, "scale"), given(by, "zero_point")
    shifted = x.values.astype(np.float32) - (spread(attrs, x, zero_point) if zero_point else np.float32(0))
    return [("y", attrs.get("output_dtype", scale.dtype), shifted * spread(attrs, x, scale))]


def dynamic_quantize(attrs, by):
    x = given(by, "x").values
    low, high = np.float32(min(x.min(initial=0), 0)), np.float32(max(x.max(initial=0), 0))
    scale = np.float32((high - low) / np.float32(255))
    zero_point = 0 if scale == 0 else np.clip(np.rint(np.float32(0) - low / scale), 0, 255)
    y = to_integers("u8", (x / scale).astype(np.float32), zero_point)
    return [("y", "u8", y), ("scale", "f32", scale), ("zero_point", "u8", np.uint8(zero_point))]


def rows(v):
    """One value, or a list along the rows as a column."""
    return v.reshape(-1, 1) if v.ndim == 1 and v.size > 1 else v.reshape(()) if v.size == 1 and v.ndim < 2 else v


def one(v):
    return v.reshape(()) if v.size == 1 and v.ndim < 2 else v


def less(x, zero_point, kind, shape):
    return x.values.astype(kind) - (shape(zero_point.values.astype(kind)) if zero_point else kind(0))


def matmul_integer(attrs, by):
    a = less(given(by, "a"), given(by, "a_zero_point"), np.int64, rows)
    b = less(given(by, "b"), given(by, "b_zero_point"), np.int64, one)
    return [("y", "i32", np.matmul(a, b).astype(np.int32))]


def scales(by, *names):
    return [given(by, name).values.astype(np.float32) for name in names]


def qlinear_matmul(attrs, by):
    float8 = any(given(by, name).dtype.startswith("f8") for name in ("a", "b"))
    kind = np.float32 if float8 else np.int64
    a, b = less(given(by, "a"), given(by, "a_zero_point"), kind, rows), less(given(by, "b"), given(by, "b_zero_point"), kind, one)
    a_scale, b_scale, y_scale = scales(by, "a_scale", "b_scale", "y_scale")
    factor = rows(a_scale) * one(b_scale) / one(y_scale)
    zero_point = given(by, "y_zero_point")
    sums = np.matmul(a, b).astype(np.float32)
    return requantized(zero_point.dtype, np.asarray(sums * factor, dtype=np.float32), one(zero_point.values.astype(np.float32)))


def channels(v, behind):
    return v.reshape([-1] + [1] * behind) if v.size > 1 else v.reshape(())


def convolution(attrs, by, bias):
    x, w = given(by, "x"), given(by, "w")
    integers = less(x, given(by, "x_zero_point"), np.int32, one)
    weights = less(w, given(by, "w_zero_point"), np.int32, lambda v: channels(v, w.values.ndim - 1))
    operands = {"x": [types.SimpleNamespace(dtype="i32", values=integers)],
                "w": [types.SimpleNamespace(dtype="i32", values=weights)]}
    if bias:
        operands["bias"] = [bias]
    return expected_windows.OPS["Conv"](attrs, operands)[0][2]


def conv_integer(attrs, by):
    return [("y", "i32", convolution(attrs, by, None))]


def qlinear_conv(attrs, by):
    sums = convolution(attrs, by, given(by, "bias")).astype(np.float32)
    x_scale, w_scale, y_scale = scales(by, "x_scale", "w_scale", "y_scale")
    factor = channels(one(x_scale) * one(w_scale) / one(y_scale), sums.ndim - 2)
    zero_point = given(by, "y_zero_point")
    return requantized(zero_point.dtype, np.asarray(sums * factor, dtype=np.float32), one(zero_point.values.astype(np.float32)))


OPS = {
    "QuantizeLinear": quantize,
    "DequantizeLinear": dequantize,
    "DynamicQuantizeLinear": dynamic_quantize,
    "MatMulInteger": matmul_integer,
    "ConvInteger": conv_integer,
    "QLinearMatMul": qlinear_matmul,
    "QLinearConv": qlinear_conv,
}
