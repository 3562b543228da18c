# SPDX-License-Identifier: Apache-2.0
"""What ops on signals give, by the sums that define them in extended precision, and random numbers, by Philox in
Python's integers: part of expected_values.py.

Functions as in expected_moves.py.
"""

import math
import re
import struct

import numpy as np

WIDE = np.longdouble
TAU = 8 * np.arctan(WIDE(1))
HALVES = ("f16", "bf16")
FLOATS = HALVES + ("f32", "f64")


def scalar(ins, name):
    return ins[name][0].values.reshape(-1)[0]


def of(dtype, values, port="y"):
    """An integer truncates."""
    return [(port, dtype, values if dtype in FLOATS else np.trunc(values).astype(np.int64))]


def window(a, b, d):
    def apply(attrs, ins):
        size, periodic = int(scalar(ins, "size")), attrs.get("periodic") != "false"
        period = size if periodic else size - 1
        turn = TAU * np.arange(size).astype(WIDE) / max(period, 1)
        y = a - b * np.cos(turn) + d * np.cos(2 * turn)
        if not periodic and size == 1:
            y = np.ones(1)
        return of(attrs.get("output_datatype", "f32"), np.round(y, 17) + 0.0)
    return apply


def mel_weight_matrix(attrs, ins):
    bands, length, rate = (int(scalar(ins, name)) for name in ("num_mel_bins", "dft_length", "sample_rate"))
    low, high = (2595 * math.log10(1 + float(scalar(ins, name)) / 700)
                 for name in ("lower_edge_hertz", "upper_edge_hertz"))
    step = (high - low) / (bands + 2)
    edges = [math.floor((length + 1) * 700 * (10 ** ((i * step + low) / 2595) - 1) / rate) for i in range(bands + 2)]
    y = np.zeros((length // 2 + 1, bands))
    for band in range(bands):
        begin, peak, end = edges[band:band + 3]
        for k in range(length // 2 + 1):
            if begin <= k < peak:
                y[k, band] = (k - begin) / (peak - begin)
            elif k == peak:
                y[k, band] = 1
            elif peak < k < end:
                y[k, band] = (end - k) / (end - peak)
    return of(attrs.get("output_datatype", "f32"), y)


# --- Fourier -----------------------------------------------------------------------------------------------


def transform(x, inverse):
    """Along the last axis, of pairs (real, imaginary) of extended numbers."""
    real, imaginary = x
    n = real.shape[-1]
    turns = TAU * (np.outer(np.arange(n), np.arange(n)) % n).astype(WIDE) / n
    cos, sin = np.cos(turns), np.sin(turns) * (1 if inverse else -1)
    for quarter in range(4):  # which a cosine of a rounded angle misses
        exact = (4 * np.outer(np.arange(n), np.arange(n))) % (4 * n) == quarter * n
        cos, sin = np.where(exact, [1, 0, -1, 0][quarter], cos), np.where(
            exact, [0, 1, 0, -1][quarter] * (1 if inverse else -1), sin)
    scale = n if inverse else 1
    return (real @ cos - imaginary @ sin) / scale, (real @ sin + imaginary @ cos) / scale


def dft_of(values, axis, length, inverse, onesided):
    """`values` [..., 1 or 2]."""
    values = np.moveaxis(values.astype(WIDE), axis, -2)
    wanted = length // 2 + 1 if inverse and onesided else length
    values = values[..., :wanted, :]
    values = np.concatenate([values, np.zeros(values.shape[:-2] + (wanted - values.shape[-2], values.shape[-1]))], -2)
    real = values[..., 0]
    imaginary = values[..., 1] if values.shape[-1] == 2 else np.zeros_like(real)
    if inverse and onesided:
        imaginary = imaginary.copy()
        imaginary[..., 0] = 0
        if length % 2 == 0:
            imaginary[..., -1] = 0
        mirror = [length - k for k in range(wanted, length)]
        real = np.concatenate([real, real[..., mirror]], -1)
        imaginary = np.concatenate([imaginary, -imaginary[..., mirror]], -1)
    real, imaginary = transform((real, imaginary), inverse)
    if inverse and onesided:
        y = real[..., None]
    else:
        y = np.stack([real, imaginary], -1)
        if onesided:
            y = y[..., :length // 2 + 1, :]
    return np.moveaxis(y, -2, axis)


def dft(attrs, ins):
    x = ins["x"][0]
    axis = int(scalar(ins, "axis")) % x.values.ndim if "axis" in ins else x.values.ndim - 2
    inverse, onesided = (attrs.get(name) == "true" for name in ("inverse", "onesided"))
    extent = x.values.shape[axis]
    length = int(scalar(ins, "dft_length")) if "dft_length" in ins else 2 * (extent - 1) if inverse and onesided else extent
    return [("y", x.dtype, dft_of(x.values, axis, length, inverse, onesided))]


def stft(attrs, ins):
    signal, step = ins["signal"][0], int(scalar(ins, "frame_step"))
    values = signal.values.astype(np.float32) if signal.dtype in HALVES else signal.values
    length = len(ins["window"][0].values) if "window" in ins else int(scalar(ins, "frame_length"))
    starts = range(0, values.shape[1] - length + 1, step)
    frames = np.zeros((values.shape[0], len(starts), length, values.shape[2]), dtype=values.dtype)
    for i, at in enumerate(starts):
        frames[:, i] = values[:, at:at + length]
    if "window" in ins:
        frames = frames * ins["window"][0].values.astype(frames.dtype)[:, None]
    return [("y", signal.dtype, dft_of(frames, 2, length, False, attrs.get("onesided") != "false"))]


# --- Random numbers ----------------------------------------------------------------------------------------


def philox(counter, key):
    """Salmon et al., Parallel Random Numbers: As Easy as 1, 2, 3 (SC 2011), section 4.4."""
    mask = 0xFFFFFFFF
    for _ in range(10):
        a, b = 0xD2511F53 * counter[0], 0xCD9E8D57 * counter[2]
        counter = [(b >> 32) ^ counter[1] ^ key[0], b & mask, (a >> 32) ^ counter[3] ^ key[1], a & mask]
        key = [(key[0] + 0x9E3779B9) & mask, (key[1] + 0xBB67AE85) & mask]
    return counter


def bits_of(attrs, count):
    """Two numbers of 64 bits for each element."""
    seed = struct.unpack("<II", struct.pack("<d", float(attrs.get("seed", 0)) + 0.0))
    blocks = [philox([i & 0xFFFFFFFF, i >> 32, 0, 0], list(seed)) for i in range(count)]
    return [(b[0] | b[1] << 32, b[2] | b[3] << 32) for b in blocks]


def shape_and_dtype(attrs, ins):
    if "x" in ins:
        return ins["x"][0].values.shape, attrs.get("dtype", ins["x"][0].dtype)
    return tuple(int(i) for i in re.findall(r"\d+", attrs["shape"])), attrs.get("dtype", "f32")


def random_uniform(attrs, ins):
    shape, dtype = shape_and_dtype(attrs, ins)
    low, high = float(attrs.get("low", 0)), float(attrs.get("high", 1))
    bits = {"f16": 11, "bf16": 8, "f32": 24, "f64": 53}[dtype]
    unit = np.array([(a >> (64 - bits)) / 2.0**bits for a, _ in bits_of(attrs, math.prod(shape))], dtype=np.float64)
    return [("y", dtype, (low + (high - low) * unit).reshape(shape))]


def random_normal(attrs, ins):
    shape, dtype = shape_and_dtype(attrs, ins)
    numbers = bits_of(attrs, math.prod(shape))
    a = np.array([((a >> 11) + 1) / 2.0**53 for a, _ in numbers], dtype=WIDE)
    b = np.array([(b >> 11) / 2.0**53 for _, b in numbers], dtype=WIDE)
    z = np.sqrt(-2 * np.log(a)) * np.cos(TAU * b)
    return [("y", dtype, (WIDE(float(attrs.get("mean", 0))) + WIDE(float(attrs.get("scale", 1))) * z).reshape(shape))]


def bernoulli(attrs, ins):
    x = ins["x"][0]
    unit = np.array([(a >> 11) / 2.0**53 for a, _ in bits_of(attrs, x.values.size)]).reshape(x.values.shape)
    return [("y", attrs.get("dtype", x.dtype), (unit < x.values.astype(np.float64)).astype(np.float64))]


def multinomial(attrs, ins):
    x, samples = ins["x"][0].values.astype(np.float64), int(attrs.get("sample_size", 1))
    units = iter([(a >> 11) / 2.0**53 for a, _ in bits_of(attrs, len(x) * samples)])
    y = np.zeros((len(x), samples), dtype=np.int64)
    for row in range(len(x)):
        sums = np.cumsum(np.exp(x[row] - x[row].max()))
        for i in range(samples):
            y[row, i] = np.searchsorted(sums, next(units) * sums[-1], side="right")
    return [("y", attrs.get("dtype", "i32"), y)]


OPS = {
    "HannWindow": window(0.5, 0.5, 0),
    "HammingWindow": window(WIDE(25) / 46, WIDE(21) / 46, 0),
    "BlackmanWindow": window(WIDE("0.42"), 0.5, WIDE("0.08")),
    "MelWeightMatrix": mel_weight_matrix,
    "DFT": dft,
    "STFT": stft,
    "RandomUniform": random_uniform,
    "RandomUniformLike": random_uniform,
    "RandomNormal": random_normal,
    "RandomNormalLike": random_normal,
    "Bernoulli": bernoulli,
    "Multinomial": multinomial,
}

# Those that have no inputs at all.
WITHOUT_INPUTS = ("RandomUniform", "RandomNormal")
