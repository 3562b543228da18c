#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the op cases expect, from NumPy, SciPy and exact fractions: never from Tenfold.

    tests/ops/expected_values.py tests/ops/*.case           adds `y:` to op cases without one
    tests/ops/expected_values.py --check tests/ops/*.case   computes every `y:` again and names those that differ

Needs python3-numpy and python3-scipy (Debian); the build does not. A new op needs a function here only if its
expectations are not written by hand.
"""

import fractions
import math
import re
import sys

import expected_images
import expected_layers
import expected_moves
import expected_quantized
import expected_recurrent
import expected_resize
import expected_selected
import expected_signals
import expected_windows
import numpy as np
import scipy.special

Fraction = fractions.Fraction

INTEGERS = {f"{sign}{bits}": np.dtype(f"{name}{bits}")
            for sign, name in [("i", "int"), ("u", "uint")] for bits in [8, 16, 32, 64]}
INTEGERS |= {"i4": np.dtype("int8"), "u4": np.dtype("uint8")}
# Bits of precision, exponent of the smallest normal number, largest number.
FORMATS = {
    "f16": (11, -14, Fraction(65504)),
    "bf16": (8, -126, Fraction(255) * 2**120),
    "f32": (24, -126, Fraction(2**24 - 1) * 2**104),
    "f64": (53, -1022, Fraction(2**53 - 1) * 2**971),
    "f8e4m3fn": (4, -6, Fraction(448)),
    "f8e5m2": (3, -14, Fraction(57344)),
}
FLOAT8 = ("f8e4m3fn", "f8e5m2")


def storage(dtype):
    """The NumPy type that holds `dtype`; a bf16 or f8 is held as the f32 of the same value."""
    if dtype in FLOAT8:
        return np.float32
    if dtype in INTEGERS:
        return INTEGERS[dtype]
    return {"bool": np.bool_, "f16": np.float16, "bf16": np.float32, "f32": np.float32, "f64": np.float64}[dtype]


class Tensor:
    def __init__(self, dtype, values):
        self.dtype, self.values = dtype, np.asarray(values, dtype=storage(dtype))

    def computed(self):
        """The values in the type in which arithmetic is done."""
        return self.values.astype(np.float32) if self.dtype in ("f16", "bf16") else self.values

    def exactly(self):
        return self.values.astype(np.longdouble)

    def reshaped(self, shape):
        return Tensor(self.dtype, self.values.reshape(shape))


def round_once(dtype, x):
    """A finite number of any kind to `dtype`, half to even."""
    if isinstance(x, (float, np.floating)):
        if not np.isfinite(x) or x == 0:
            return float(x)
        if isinstance(x, np.longdouble):  # Fraction() would go through float
            mantissa, exponent = np.frexp(x)
            x = Fraction(int(np.ldexp(mantissa, 64))) * Fraction(2) ** (int(exponent) - 64)
        else:
            x = Fraction(float(x))
    x = Fraction(x)
    if x == 0:
        return 0.0
    precision, smallest, largest = FORMATS[dtype]
    magnitude = abs(x)
    exponent = magnitude.numerator.bit_length() - magnitude.denominator.bit_length()
    if Fraction(2) ** exponent > magnitude:
        exponent -= 1
    step = Fraction(2) ** (max(exponent, smallest) - precision + 1)
    rounded = round(magnitude / step) * step  # Python rounds half to even
    value = math.inf if rounded > largest else float(rounded)
    return -value if x < 0 else value


def round_to_float8(dtype, v, saturate=True):
    """As round_once; what lies beyond the range is its end, or what the format has there."""
    rounded_value = round_once(dtype, v)
    if not np.isinf(rounded_value):
        return rounded_value
    beyond = float(FORMATS[dtype][2]) if saturate else np.nan if dtype == "f8e4m3fn" else np.inf
    return float(np.copysign(beyond, rounded_value))


def rounded(dtype, values):
    values = np.asarray(values)
    flat = [round_once(dtype, v) for v in values.reshape(-1)]
    return Tensor(dtype, np.array(flat, dtype=np.float64).reshape(values.shape))


def like(tensor, values):
    """`values`, computed in the type in which arithmetic on tensor.dtype is done, as that dtype."""
    if tensor.dtype in ("f16", "bf16"):
        return rounded(tensor.dtype, values.astype(np.float64))
    return Tensor(tensor.dtype, values)


# --- Elementwise -------------------------------------------------------------------------------------------


def arithmetic(function):
    return lambda attrs, a, b: like(a, function(a.computed(), b.computed()))


def folded(function, after=lambda v, count: v):
    def apply(attrs, *inputs):
        result = inputs[0].computed()
        for x in inputs[1:]:
            result = function(result, x.computed())
        return like(inputs[0], after(result, len(inputs)))

    return apply


def clip(attrs, ports):
    result = ports["x"][0].computed()
    if "min" in ports:
        result = maximum(result, ports["min"][0].computed())
    if "max" in ports:
        result = minimum(result, ports["max"][0].computed())
    return [("y", ports["x"][0].dtype, result)]


def div(attrs, a, b):
    if a.dtype not in INTEGERS:
        return like(a, a.computed() / b.computed())
    x, y = np.broadcast_arrays(a.values, b.values)
    quotients = [abs(int(p)) // abs(int(q)) * (1 if (p < 0) == (q < 0) else -1)
                 for p, q in zip(x.reshape(-1), y.reshape(-1))]
    return Tensor(a.dtype, np.array([wrap(a.dtype, q) for q in quotients], dtype=storage(a.dtype)).reshape(x.shape))


def wrap(dtype, integer):
    bits = int(dtype[1:])
    integer %= 2**bits
    return integer - 2**bits if dtype[0] == "i" and integer >= 2 ** (bits - 1) else integer


def maximum(x, y):
    larger = np.maximum(x, y)  # NaN if either is
    if x.dtype.kind != "f":
        return larger
    return np.where((x == y) & np.signbit(x), y, np.where(x == y, x, larger))


def function(f):
    return lambda attrs, x: rounded(x.dtype, f(x.exactly()))


def gelu(attrs, x):
    v = x.exactly()
    if attrs.get("approximate") == '"tanh"':
        u = np.longdouble(2) / np.pi
        y = v / (1 + np.exp(-2 * np.sqrt(u) * (v + np.longdouble("0.044715") * v**3)))
    else:
        y = v * scipy.special.erfc((-v / np.sqrt(np.longdouble(2))).astype(np.float64)) / 2
    return rounded(x.dtype, np.where(v == -np.inf, np.longdouble(-0.0), y))


def integers(function):
    """A function of Python's integers, wrapped."""
    def apply(attrs, *inputs):
        operands = np.broadcast_arrays(*[x.values for x in inputs])
        flat = [wrap(inputs[0].dtype, function(*[int(v) for v in vs])) for vs in zip(*[o.reshape(-1) for o in operands])]
        return Tensor(inputs[0].dtype, np.array(flat, dtype=storage(inputs[0].dtype)).reshape(operands[0].shape))
    return apply


def minimum(x, y):
    smaller = np.minimum(x, y)  # NaN if either is
    if x.dtype.kind != "f":
        return smaller
    return np.where((x == y) & np.signbit(y), y, np.where(x == y, x, smaller))


def mod(attrs, a, b):
    if attrs.get("fmod") == "true":
        return like(a, np.fmod(a.computed(), b.computed()))
    return integers(lambda x, y: x % y)(attrs, a, b)


def power(attrs, base, exponent):
    if base.dtype not in INTEGERS:
        return rounded(base.dtype, np.power(base.exactly(), exponent.exactly()))
    return integers(lambda b, e: b**e if e >= 0 else b**-e if b in (1, -1) else 0)(attrs, base, exponent)


def bit_shift(attrs, a, b):
    width = INTEGERS[a.dtype].itemsize * 8
    fill = lambda x: -1 if x < 0 else 0
    if attrs["direction"] == '"LEFT"':
        return integers(lambda x, n: x << n if 0 <= n < width else 0)(attrs, a, b)
    return integers(lambda x, n: x >> n if 0 <= n < width else fill(x))(attrs, a, b)


def float8_values(dtype):
    """The value of each of the 256 bit patterns."""
    mantissa, bias = (3, 7) if dtype == "f8e4m3fn" else (2, 15)
    values = []
    for bits in range(256):
        exponent, fraction = (bits & 127) >> mantissa, bits & (2**mantissa - 1)
        if dtype == "f8e4m3fn" and bits & 127 == 127 or dtype == "f8e5m2" and exponent == 31:
            magnitude = np.inf if dtype == "f8e5m2" and fraction == 0 else np.nan
        else:
            magnitude = (fraction / 2**mantissa + (exponent > 0)) * 2.0 ** (max(exponent, 1) - bias)
        values.append(-magnitude if bits & 128 else magnitude)
    return np.array(values, dtype=np.float32)


def float8_bit_cast(to, x):
    if x.dtype in FLOAT8:
        nan = 0x7F if x.dtype == "f8e4m3fn" else 0x7E
        table = {v.tobytes(): bits for bits, v in enumerate(float8_values(x.dtype))}
        bits = [nan if np.isnan(v) else table[v.tobytes()] for v in x.values.reshape(-1)]
    else:
        bits = [int(v) % 256 for v in x.values.reshape(-1)]
    if to in FLOAT8:
        return Tensor(to, float8_values(to)[bits].reshape(x.values.shape))
    return Tensor(to, np.array(bits, dtype=np.uint8).view(storage(to)).reshape(x.values.shape))


def bit_cast(attrs, x):
    if attrs["to"] in FLOAT8 or x.dtype in FLOAT8:
        return float8_bit_cast(attrs["to"], x)
    to, values = attrs["to"], x.values
    if x.dtype in FORMATS:
        values = np.where(np.isnan(values), np.copysign(np.nan, 1.0), values).astype(values.dtype)
    if x.dtype == "bf16":
        values = (values.view(np.uint32) >> 16).astype(np.uint16)
    if to == "bf16":
        values = (values.view(np.uint16).astype(np.uint32) << 16).view(np.float32)
        return Tensor(to, values)
    return Tensor(to, values.view(storage(to)))


def number(attrs, name, default):
    return np.longdouble(attrs.get(name, default))


def prelu(attrs, x, slope):
    return like(x, np.where(x.computed() < 0, x.computed() * slope.computed(), x.computed()))


def leaky_relu(attrs, x):
    # The attribute has the precision of the dtype in which the op computes.
    alpha = float(attrs.get("alpha", 0.01))
    v = x.exactly()
    return rounded(x.dtype, np.where(v < 0, v * np.longdouble(np.float32(alpha) if x.dtype == "f32" else alpha), v))


def thresholded_relu(attrs, x):
    zero = x.computed().dtype.type(0)
    return like(x, np.where(x.computed() <= float(attrs.get("alpha", 1)), zero, x.computed()))


def hard_sigmoid(attrs, x):
    alpha, beta = float(attrs.get("alpha", 0.2)), float(attrs.get("beta", 0.5))
    if x.dtype == "f32":
        alpha, beta = np.float32(alpha), np.float32(beta)
    y = np.longdouble(alpha) * x.exactly() + np.longdouble(beta)
    return rounded(x.dtype, np.where(np.isnan(y), y, np.clip(y, 0, 1)))


def elu(v, alpha=np.longdouble(1)):
    return np.where(v < 0, alpha * np.expm1(np.minimum(v, 0)), v)


def softplus(v):
    return np.maximum(v, 0) + np.log1p(np.exp(-np.abs(v)))


def limit_at_minus_infinity(v, y):
    return np.where(v == -np.inf, np.longdouble(-0.0), y)


def with_square(x, y, c):
    """y, or where x is so small that y has lost a term, x/2 + c x^2, exactly."""
    flat = [Fraction(float(v)) / 2 + c * Fraction(float(v))**2 if 0 < abs(v) < 2.0**-60 else r
            for v, r in zip(x.exactly().reshape(-1), y.reshape(-1))]
    return rounded(x.dtype, np.array(flat, dtype=object).reshape(y.shape))


def mish(v):
    e = np.exp(-np.abs(v))
    n = np.where(v < 0, e * (e + 2), 1 + 2 * e)
    return limit_at_minus_infinity(v, v * n / np.where(v < 0, n + 2, n + 2 * e * e))


def swish(attrs, x):
    v, alpha = x.exactly(), number(attrs, "alpha", 1)
    e = np.exp(-np.abs(alpha * v))
    y = limit_at_minus_infinity(v, v * np.where(alpha * v < 0, e, 1) / (1 + e))
    return with_square(x, y, Fraction(float(alpha)) / 4)


def hard_swish(attrs, x):
    v = x.exactly()
    y = np.where(v >= 3, v, v * (v + 3) / 6)
    return with_square(x, np.where(v <= -3, np.longdouble(-0.0), y), Fraction(1, 6))


def softsign(v):
    return np.where(np.isinf(v), np.sign(v), v / (1 + np.abs(v)))


def selu(attrs, x):
    alpha, gamma = number(attrs, "alpha", 1.67326319217681884765625), number(attrs, "gamma", 1.05070102214813232421875)
    return rounded(x.dtype, gamma * elu(x.exactly(), alpha))


def celu(attrs, x):
    alpha = number(attrs, "alpha", 1)
    v = x.exactly()
    return rounded(x.dtype, np.where(v < 0, alpha * np.expm1(np.minimum(v / alpha, 0)), v))


def is_inf(attrs, x):
    negative, positive = (attrs.get(name) != "false" for name in ("detect_negative", "detect_positive"))
    return Tensor("bool", (np.isposinf(x.values) & positive) | (np.isneginf(x.values) & negative))


def compare(f):
    return lambda attrs, a, b: Tensor("bool", f(a.values, b.values))


def same_dtype(f):
    return lambda attrs, *inputs: Tensor(inputs[0].dtype, f(*[x.values for x in inputs]))


def where(attrs, condition, a, b):
    return Tensor(a.dtype, np.where(condition.values, a.values, b.values))


def cast(attrs, x):
    to = attrs["to"]

    def one(v):
        if to == "bool":
            return v != 0
        if to in FLOAT8 and to == x.dtype:
            return v
        if to in FLOAT8:
            return round_to_float8(to, v if x.dtype in FORMATS else int(v), attrs.get("saturate") != "false")
        if to not in INTEGERS:
            return round_once(to, v if x.dtype in FORMATS else int(v))
        if x.dtype not in FORMATS:
            return wrap(to, int(v))
        bits = int(to[1:]) - (to[0] == "i")
        least, greatest = (-(2**bits) if to[0] == "i" else 0), 2**bits - 1
        if np.isnan(v):
            return 0
        if np.isinf(v):
            return greatest if v > 0 else least
        return min(max(int(v), least), greatest)

    converted = [one(v) for v in x.values.reshape(-1)]
    return Tensor(to, np.array(converted, dtype=storage(to)).reshape(x.values.shape))


# --- Movement, reductions, contractions, composites --------------------------------------------------------


def reshape(attrs, data, shape):
    dims = [int(d) for d in shape.values]
    if attrs.get("allowzero") != "true":
        dims = [data.values.shape[i] if d == 0 else d for i, d in enumerate(dims)]
    return Tensor(data.dtype, data.values.reshape(dims))


def transpose(attrs, data):
    perm = ints(attrs.get("perm", "[]"))
    return Tensor(data.dtype, np.transpose(data.values, perm or None))


def ints(text):
    return [int(i) for i in re.findall(r"-?\d+", text)]


def rows(attrs, x):
    """The reduced elements along a last axis, and the shape of the result."""
    rank = x.ndim
    axes = sorted(a % rank for a in ints(attrs.get("axes", "[]"))) or list(range(rank))
    kept = [d for d in range(rank) if d not in axes]
    moved = np.transpose(x, kept + axes).reshape([x.shape[d] for d in kept] + [math.prod(x.shape[d] for d in axes)])
    keep = attrs.get("keepdims", "true") == "true"
    return moved, [1 if d in axes else x.shape[d] for d in range(rank) if keep or d in kept]


def in_order(row, combine, identity):
    """The order that docs/numerics.md fixes: 64 accumulators in chunks of 4096, halved; chunks in pairs."""
    chunks = []
    for begin in range(0, len(row), 4096):
        lanes = np.full(64, identity, dtype=row.dtype)
        for i, v in enumerate(row[begin:begin + 4096]):
            lanes[i % 64] = combine(lanes[i % 64], v)
        while len(lanes) > 1:
            lanes = combine(lanes[:len(lanes) // 2], lanes[len(lanes) // 2:])
        chunks.append(lanes[0])
    while len(chunks) > 1:
        pairs = [combine(chunks[i], chunks[i + 1]) for i in range(0, len(chunks) - 1, 2)]
        chunks = pairs + chunks[2 * len(pairs):]
    return chunks[0] if chunks else None


def reduced(attrs, x, before, combine, identity, empty):
    """In the type in which arithmetic is done: `before` of each element, combined along the axes."""
    along, shape = rows(attrs, before(x.computed()))
    flat = [in_order(row, combine, identity) for row in along.reshape(math.prod(along.shape[:-1]), along.shape[-1])]
    return np.array([empty if v is None else v for v in flat], dtype=along.dtype).reshape(shape)


def sum_of(before):
    return lambda attrs, x: reduced(attrs, x, before, np.add, -0.0 if x.dtype in FORMATS else 0, 0)


def reduction(result, after=lambda v: v):
    return lambda attrs, x: like(x, after(result(attrs, x)))


def reduce_mean(attrs, x):
    total = sum_of(lambda v: v)(attrs, x)
    count = x.values.size // max(total.size, 1) if total.size else 0
    if x.dtype in INTEGERS:
        return Tensor(x.dtype, [abs(int(t)) // count * (1 if t >= 0 else -1) for t in total.reshape(-1)]).reshaped(total.shape)
    return like(x, total / total.dtype.type(count))


def reduce_log_sum_exp(attrs, x):
    along, shape = rows(attrs, x.exactly())
    if along.shape[-1] == 0:
        return rounded(x.dtype, np.full(shape, -np.inf))
    m = along.max(axis=-1, keepdims=True)
    m = np.where(np.isfinite(m), m, 0)
    return rounded(x.dtype, (np.log(np.exp(along - m).sum(axis=-1, keepdims=True)) + m).reshape(shape))


def position(better):
    def apply(attrs, x):
        axis = int(attrs.get("axis", "0"))
        keep = attrs.get("keepdims", "true") == "true"
        v = x.values
        find = np.argmax if better == "largest" else np.argmin  # the first; a NaN is found before all others
        if attrs.get("select_last_index") == "true":
            found = v.shape[axis] - 1 - find(np.flip(v, axis=axis), axis=axis)
        else:
            found = find(v, axis=axis)
        return Tensor("i64", np.expand_dims(found, axis) if keep else found)
    return apply


def reduce_max(attrs, x):
    along, shape = rows(attrs, x.values)
    lowest = False if x.dtype == "bool" else np.iinfo(along.dtype).min if x.dtype in INTEGERS else -np.inf
    result = np.full(along.shape[:-1], lowest, dtype=along.dtype)
    for i in range(along.shape[-1]):
        result = maximum(result, along[..., i])
    return Tensor(x.dtype, result.reshape(shape))


def reduce_min(attrs, x):
    along, shape = rows(attrs, x.values)
    highest = True if x.dtype == "bool" else np.iinfo(along.dtype).max if x.dtype in INTEGERS else np.inf
    result = np.full(along.shape[:-1], highest, dtype=along.dtype)
    for i in range(along.shape[-1]):
        result = result & along[..., i] if x.dtype == "bool" else minimum(result, along[..., i])
    return Tensor(x.dtype, result.reshape(shape))


def matmul(attrs, lhs, rhs):
    if lhs.dtype in INTEGERS:
        return Tensor(lhs.dtype, np.matmul(lhs.values, rhs.values))
    accumulator = "f64" if lhs.dtype == "f64" else "f32"
    a, b = lhs.values.astype(np.float64), rhs.values.astype(np.float64)
    left, right = (a[None, :] if a.ndim == 1 else a), (b[:, None] if b.ndim == 1 else b)
    batch = np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
    left = np.broadcast_to(left, batch + left.shape[-2:])
    right = np.broadcast_to(right, batch + right.shape[-2:])
    out = np.zeros(batch + (left.shape[-2], right.shape[-1]))
    for index in np.ndindex(*out.shape):
        total = 0.0
        for x, y in zip(left[index[:-1]], right[index[:-2] + (slice(None), index[-1])]):
            x, y = float(x), float(y)
            if math.isfinite(x * y + total) and x * y != 0 and total != 0:
                total = round_once(accumulator, Fraction(x) * Fraction(y) + Fraction(total))  # fma
            else:
                total = x * y + total
        out[index] = total
    shape = list(out.shape)
    if b.ndim == 1:
        del shape[-1]
    if a.ndim == 1:
        del shape[-2 if b.ndim > 1 else -1]
    return rounded(lhs.dtype, out.reshape(shape))


def softmax(attrs, x):
    v = x.exactly()
    axis = int(attrs.get("axis", "-1"))
    if v.size == 0:
        return Tensor(x.dtype, v)
    e = np.exp(v - v.max(axis=axis, keepdims=True))
    return rounded(x.dtype, e / e.sum(axis=axis, keepdims=True))


OPS = {
    "Add": arithmetic(lambda a, b: a + b),
    "Sub": arithmetic(lambda a, b: a - b),
    "Mul": arithmetic(lambda a, b: a * b),
    "Div": div,
    "Max": folded(maximum),
    "Min": folded(minimum),
    "Sum": folded(lambda a, b: a + b),
    "Mean": folded(lambda a, b: a + b, lambda total, count: total / total.dtype.type(count)),
    "Mod": mod,
    "Pow": power,
    "Abs": same_dtype(np.abs),
    "Sign": same_dtype(np.sign),
    "Reciprocal": lambda attrs, x: like(x, 1 / x.computed()),
    "Sqrt": lambda attrs, x: like(x, np.sqrt(x.computed())),
    "Floor": same_dtype(np.floor),
    "Ceil": same_dtype(np.ceil),
    "Round": same_dtype(np.rint),
    "Neg": lambda attrs, x: Tensor(x.dtype, -x.values),
    "Exp": function(np.exp),
    "Log": function(np.log),
    "Erf": function(lambda v: scipy.special.erf(v.astype(np.float64)).astype(np.longdouble)),
    "Sin": function(np.sin),
    "Cos": function(np.cos),
    "Tan": function(np.tan),
    "Asin": function(np.arcsin),
    "Acos": function(np.arccos),
    "Atan": function(np.arctan),
    "Sinh": function(np.sinh),
    "Cosh": function(np.cosh),
    "Tanh": function(np.tanh),
    "Asinh": function(np.arcsinh),
    "Acosh": function(np.arccosh),
    "Atanh": function(np.arctanh),
    "Sigmoid": function(lambda v: 1 / (1 + np.exp(-v))),
    "Gelu": gelu,
    "Relu": lambda attrs, x: like(x, maximum(x.computed(), np.zeros_like(x.computed()))),
    "LeakyRelu": leaky_relu,
    "PRelu": prelu,
    "ThresholdedRelu": thresholded_relu,
    "HardSigmoid": hard_sigmoid,
    "HardSwish": hard_swish,
    "Swish": swish,
    "Mish": function(mish),
    "Softplus": function(softplus),
    "Softsign": function(softsign),
    "Elu": lambda attrs, x: rounded(x.dtype, elu(x.exactly(), number(attrs, "alpha", 1))),
    "Celu": celu,
    "Selu": selu,
    "Equal": lambda attrs, a, b: Tensor("bool", a.values == b.values),
    "Less": compare(np.less),
    "LessOrEqual": compare(np.less_equal),
    "Greater": compare(np.greater),
    "GreaterOrEqual": compare(np.greater_equal),
    "And": compare(np.logical_and),
    "Or": compare(np.logical_or),
    "Xor": compare(np.logical_xor),
    "Not": lambda attrs, x: Tensor("bool", ~x.values),
    "IsNaN": lambda attrs, x: Tensor("bool", np.isnan(x.values)),
    "IsInf": is_inf,
    "BitwiseAnd": same_dtype(np.bitwise_and),
    "BitwiseOr": same_dtype(np.bitwise_or),
    "BitwiseXor": same_dtype(np.bitwise_xor),
    "BitwiseNot": same_dtype(np.invert),
    "BitShift": bit_shift,
    "BitCast": bit_cast,
    "Where": where,
    "Cast": cast,
    "CastLike": lambda attrs, x, like: cast(attrs | {"to": like.dtype}, x),
    "OptimizationBarrier": lambda attrs, x: x,
    "Reshape": reshape,
    "Transpose": transpose,
    "ReduceSum": reduction(sum_of(lambda v: v)),
    "ReduceMax": reduce_max,
    "ReduceMin": reduce_min,
    "ReduceProd": reduction(lambda attrs, x: reduced(attrs, x, lambda v: v, np.multiply, 1, 1)),
    "ReduceL1": reduction(sum_of(np.abs)),
    "ReduceSumSquare": reduction(sum_of(np.square)),
    "ReduceMean": reduce_mean,
    "ReduceL2": reduction(sum_of(np.square), np.sqrt),
    "ReduceLogSum": lambda attrs, x: rounded(x.dtype, np.log(sum_of(lambda v: v)(attrs, x).astype(np.longdouble))),
    "ReduceLogSumExp": reduce_log_sum_exp,
    "ArgMax": position("largest"),
    "ArgMin": position("smallest"),
    "MatMul": matmul,
    "Softmax": softmax,
    "Const": lambda attrs, value: value,
    "Input": lambda attrs, x: x,
}

# Whose inputs may be absent.
OPS_BY_PORTS = [{"Clip": clip}, expected_images.OPS, expected_layers.OPS, expected_moves.OPS, expected_quantized.OPS,
                expected_recurrent.OPS, expected_resize.OPS, expected_selected.OPS, expected_signals.OPS,
                expected_windows.OPS]

# --- Text --------------------------------------------------------------------------------------------------

SECTION = re.compile(r"^([a-z_]+):", re.M)


def parse_tensor(text):
    match = re.match(r"(?:\w+\[[^\]]*\]\s*=\s*)?(\w+)\[([\d,]*)\]\s*(?:splat\s+(\S+)|\{(.*)\})\s*$", text.strip(), re.S)
    if not match:
        return None
    dtype, dims, splat, elements = match.groups()
    shape = [int(d) for d in dims.split(",")] if dims else []
    texts = [splat] * math.prod(shape) if splat else re.findall(r"[^\s,]+", elements)
    parse = {"bool": lambda t: t == "true"}.get(dtype, int if dtype in INTEGERS else float)
    values = [parse(t) for t in texts]
    if dtype in FORMATS:
        values = [round_once(dtype, v) for v in values]
    return Tensor(dtype, np.array(values, dtype=storage(dtype)).reshape(shape))


def element_text(dtype, v):
    if dtype == "bool":
        return "true" if v else "false"
    if dtype in INTEGERS:
        return str(int(v))
    if not np.isfinite(v):
        return "nan" if np.isnan(v) else "inf" if v > 0 else "-inf"
    for digits in range(1, 18):
        text = f"{float(v):.{digits}g}"
        if round_once(dtype, float(text)) == v:
            return re.sub(r"e([+-])0+(\d)", r"e\1\2", text).replace("e+", "e")
    raise AssertionError(v)


def tensor_text(tensor):
    shape = ",".join(str(d) for d in tensor.values.shape)
    texts = [element_text(tensor.dtype, v) for v in tensor.values.reshape(-1)]
    lines = [", ".join(texts[i:i + 16]) for i in range(0, len(texts), 16)]
    contents = ",\n  ".join(lines)
    return f"{tensor.dtype}[{shape}] {{" + (f"\n  {contents}\n}}" if len(lines) > 2 else f"{contents}}}")


def stored(dtype, values):
    if dtype in FLOAT8:
        values = np.asarray(values)
        flat = [round_to_float8(dtype, v, saturate=False) for v in values.reshape(-1)]
        return Tensor(dtype, np.array(flat, dtype=np.float64).reshape(values.shape))
    return rounded(dtype, values) if dtype in ("f16", "bf16") else Tensor(dtype, values)


def expected(case):
    """The outputs of the case's op for its inputs, as (port, Tensor); None if the case is not about values."""
    head = re.search(r"^op (\w+)(?:\((.*)\))?$", case, re.M)
    if not head:
        return None
    name, attr_text = head.groups()
    attrs = dict(re.findall(r'(\w+)=(\[[^\]]*\]|"[^"]*"|[^,]+)', attr_text or ""))
    by_ports = next((ops[name] for ops in OPS_BY_PORTS if name in ops), None)
    bounds = [m.start() for m in SECTION.finditer(case)] + [len(case)]
    inputs, by_port = [], {}
    several = {"TopK": ["values", "indices"], "MaxPool": ["y", "indices"], "Split": ["parts"],
               "DynamicQuantizeLinear": ["y", "scale", "zero_point"]}
    outputs = (several | expected_images.OUTPUTS | expected_layers.OUTPUTS | expected_recurrent.OUTPUTS
               | expected_selected.OUTPUTS).get(name, ["y"])
    for begin, end in zip(bounds, bounds[1:]):
        key, text = case[begin:end].split(":", 1)
        text = re.sub(r"^#.*$", "", text, flags=re.M)
        if key == "error":
            return None
        if name == "DynamicQuantizeLinear" and key in outputs:
            continue
        if key not in outputs + ["ulp", "absolute"]:
            inputs.append(parse_tensor(text))
            by_port.setdefault(key, []).append(inputs[-1])
    if (not inputs and name not in expected_signals.WITHOUT_INPUTS) or None in inputs or not (by_ports or name in OPS):
        return None
    with np.errstate(all="ignore"):
        if by_ports:
            return [(port, stored(dtype, values)) for port, dtype, values in by_ports(attrs, by_port)]
        return [("y", OPS[name](attrs, *inputs))]


def given_outputs(case, ports):
    """What the case says of its outputs, as text, in order."""
    bounds = [m.start() for m in SECTION.finditer(case)] + [len(case)]
    sections = [case[begin:end].split(":", 1) for begin, end in zip(bounds, bounds[1:])]
    return [re.sub(r"^#.*$", "", text, flags=re.M) for key, text in sections if key in ports]


def main():
    check = "--check" in sys.argv[1:]
    differ = 0
    for path in [a for a in sys.argv[1:] if a != "--check"]:
        with open(path, encoding="utf-8") as file:
            cases = file.read().split("\n---\n")
        for i, case in enumerate(cases):
            value = expected(case)
            if value is None:
                continue
            given = given_outputs(case, [port for port, _ in value])
            texts = [tensor_text(tensor) for _, tensor in value]
            lines = "".join(f"{port}: {text}\n" for (port, _), text in zip(value, texts))
            if not given and not check:
                tolerance = re.search(r"^(ulp|absolute):", case, re.M)
                at = tolerance.start() if tolerance else len(case.rstrip("\n")) + 1
                case = case.rstrip("\n") + "\n"
                cases[i] = (case[:at] + lines + case[at:]).rstrip("\n")
            elif check and [tensor_text(parse_tensor(g)) for g in given] != texts:
                differ += 1
                print(f"{path}: {case.splitlines()[0]}: expected {lines}", end="")
        if not check:
            with open(path, "w", encoding="utf-8") as file:
                file.write("\n---\n".join(cases).rstrip("\n") + "\n")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
