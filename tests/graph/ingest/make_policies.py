#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes testdata/casts.npz, nans.npz and texts.npz: what policies make of arrays, by NumPy and by exact arithmetic.

Made with NumPy 1.24.2 and Python 3.11. Running the script again writes the same bytes.

casts.npz: for each source dtype S an array of probes (bits as unsigned integers, as is every bf16 array); for each
pair "S-T" the outcomes (0 same, 1 changed, 2 outside, 3 not finite) and "S-T-bits", what they become. Computed with
Python's exact fractions; where NumPy has both dtypes, its own astype must agree for every value in range (but for
integers to float16, which NumPy rounds twice, by way of float32).
"""

import math
import pathlib
from fractions import Fraction

import numpy as np

HERE = pathlib.Path(__file__).parent / "testdata"

INTEGERS = {
    "i8": (-(2**7), 2**7 - 1), "i16": (-(2**15), 2**15 - 1), "i32": (-(2**31), 2**31 - 1),
    "i64": (-(2**63), 2**63 - 1), "u8": (0, 2**8 - 1), "u16": (0, 2**16 - 1), "u32": (0, 2**32 - 1),
    "u64": (0, 2**64 - 1), "bool": (0, 1),
}
# Bits of the significand, lowest exponent of a normal number, bits of the whole.
FLOATS = {"f16": (11, -14, 16), "bf16": (8, -126, 16), "f32": (24, -126, 32), "f64": (53, -1022, 64)}
NUMPY = {"bool": "?", "i8": "i1", "i16": "i2", "i32": "i4", "i64": "i8", "u8": "u1", "u16": "u2", "u32": "u4",
         "u64": "u8", "f16": "f2", "f32": "f4", "f64": "f8"}
SAME, CHANGED, OUTSIDE, NOT_FINITE = range(4)


def round_half_even(x):
    return round(x)  # Fraction's own rounding is that


def largest(dtype):
    precision, low, _ = FLOATS[dtype]
    return (2 - Fraction(1, 2 ** (precision - 1))) * Fraction(2) ** (1 - low)


def to_float(dtype, x):
    """The nearest number of the format, half to even; None if that is infinite."""
    precision, low, _ = FLOATS[dtype]
    if x == 0:
        return Fraction(0)
    exponent = low
    magnitude = abs(x)
    while magnitude >= Fraction(2) ** (exponent + 1):
        exponent += 1
    unit = Fraction(2) ** (exponent - precision + 1)
    rounded = round_half_even(x / unit) * unit
    return rounded if abs(rounded) <= largest(dtype) else None


def encode(dtype, x, negative_zero=False):
    """The bits of a number of the format."""
    precision, low, bits = FLOATS[dtype]
    sign = (x < 0 or negative_zero) << (bits - 1)
    magnitude = abs(x)
    exponent = low
    while magnitude >= Fraction(2) ** (exponent + 1):
        exponent += 1
    units = magnitude / Fraction(2) ** (exponent - precision + 1)
    assert units.denominator == 1
    units = units.numerator
    if units < 2 ** (precision - 1):
        return sign | units  # subnormal
    return sign | ((exponent - low + 1) << (precision - 1)) + (units - 2 ** (precision - 1))


def special(dtype, name):
    precision, _, bits = FLOATS[dtype]
    infinity = (2 ** (bits - precision) - 1) << (precision - 1)
    return {"nan": infinity | 1 << (precision - 2), "inf": infinity, "-inf": infinity | 1 << (bits - 1)}[name]


def cast(target, x, negative_zero):
    """Outcome and bits of a probe: a Fraction, or "nan", "inf", "-inf"."""
    if isinstance(x, str):
        return (NOT_FINITE, 0) if target in INTEGERS else (SAME, special(target, x))
    if target in INTEGERS:
        low, high = INTEGERS[target]
        rounded = round_half_even(x)
        width = 64
        outcome = SAME if rounded == x else CHANGED
        if rounded < low or rounded > high:
            outcome, rounded = OUTSIDE, low if rounded < low else high
        return outcome, rounded % 2**width
    rounded = to_float(target, x)
    if rounded is None:
        return OUTSIDE, encode(target, largest(target) if x > 0 else -largest(target))
    return (SAME if rounded == x else CHANGED), encode(target, rounded, rounded == 0 and (negative_zero or x < 0))


def probes(source):
    if source in INTEGERS:
        low, high = INTEGERS[source]
        wanted = {low, low + 1, high - 1, high, 65504, 65519, 65520, 65521, 2049, 2051, 257, 259}
        wanted |= {s * (2**k + d) for k in range(0, 64) for d in (-1, 0, 1) for s in (-1, 1)}
        wanted |= {2**62 + 2**54, 2**62 + 2**54 + 1, 2**53 + 2**45, 2**53 + 2**45 + 1, 2**63 + 2**55 + 1}
        return [(Fraction(v), False) for v in sorted(wanted) if low <= v <= high]
    wanted = {Fraction(v) for v in (
        0, 0.5, 1.5, 2.5, 0.25, 0.75, 0.1, 1, 2, 3, 100, 127, 127.5, 128, 128.5, 255, 255.5, 256, 32767.5, 65503,
        65504, 65519.99, 65520, 1e-8, 1e-45, 1e-46, 2**31, 2**31 - 0.5, 2**32 - 0.5, 2**63, 2**63 - 1024, 2**64,
        2**64 - 2048, 3.4028234663852886e38, 3.4028235677973366e38, 3.39e38, 1e39, 5e-324, 1.7976931348623157e308,
        2**-14, 2**-24, 2**-25, 2**-126, 2**-149, 2**-150, 2**-133, 2**-134)}
    wanted |= {Fraction(1, 3), 1 + Fraction(1, 2**8), 1 + Fraction(3, 2**8), 1 + Fraction(1, 2**11),
               1 + Fraction(1, 2**11) + Fraction(1, 2**40), 1 + Fraction(1, 2**8) + Fraction(1, 2**40),
               1 + Fraction(1, 2**24), 1 + Fraction(1, 2**24) + Fraction(1, 2**50), Fraction(1, 2) - Fraction(1, 2**54)}
    wanted |= {-v for v in wanted}
    rounded = {to_float(source, v) for v in wanted} - {None}
    return ([(v, False) for v in sorted(rounded)] + [(Fraction(0), True)] +
            [(name, False) for name in ("nan", "inf", "-inf")])


def bits_of(dtype, x, negative_zero):
    if isinstance(x, str):
        return special(dtype, x)
    return x.numerator % 2**64 if dtype in INTEGERS else encode(dtype, x, negative_zero)


def unsigned(dtype, values):
    width = 1 if dtype == "bool" else int(dtype.lstrip("iubf")) // 8
    return np.array([v % 2 ** (8 * width) for v in values], dtype=f"u{width}")


def check_against_numpy(source, target, probe_bits, outcomes, result_bits):
    if "bf16" in (source, target) or (source in INTEGERS and target == "f16"):
        return
    array = probe_bits.view(NUMPY[source])
    with np.errstate(all="ignore"):
        rounded = np.rint(array) if source in FLOATS and target in INTEGERS else array
        theirs = rounded.astype(NUMPY[target])
    for i, outcome in enumerate(outcomes):
        if outcome == OUTSIDE and target in FLOATS:
            assert np.isinf(theirs[i]), (source, target, array[i], theirs[i])
        if outcome > CHANGED:
            continue
        ours = result_bits[i : i + 1].view(NUMPY[target])[0]
        same = theirs[i] == ours or (theirs[i] != theirs[i] and ours != ours)
        assert same, (source, target, array[i], theirs[i], ours)


def write_casts():
    arrays = {}
    for source in list(INTEGERS) + list(FLOATS):
        values = probes(source)
        arrays[source] = unsigned(source, [bits_of(source, x, z) for x, z in values])
        for target in list(INTEGERS) + list(FLOATS):
            results = [cast(target, x, z) for x, z in values]
            outcomes = np.array([o for o, _ in results], dtype="u1")
            bits = unsigned(target, [b for _, b in results])
            check_against_numpy(source, target, arrays[source], outcomes, bits)
            arrays[f"{source}-{target}"] = outcomes
            arrays[f"{source}-{target}-bits"] = bits
    np.savez_compressed(HERE / "casts.npz", **arrays)


def write_nans():
    """NaN policies: "S" is the array, "S-mean-0" what nan=mean:axis=0 makes of it; infinities take no part."""
    generator = np.random.default_rng(7)
    arrays = {}
    for name in ("f16", "f32", "f64"):
        x = (generator.standard_normal((5, 4, 3)) * 100).astype(NUMPY[name])
        x[0, :, 0] = np.nan
        x[3, 2, 1] = np.nan
        x[4, 3, 2] = np.inf
        x[2, 3, 2] = np.nan
        x[1, 1, 1] = -np.inf
        arrays[name] = x
        arrays[f"{name}-zero"] = np.where(np.isnan(x), np.zeros((), x.dtype), x)
        wide = x.astype("f8")
        finite = np.where(np.isfinite(wide), wide, np.nan)
        for axis in range(3):
            for rule in ("mean", "median"):
                if axis == 1:
                    continue  # x[0, :, 0] has no finite value along it
                value = np.expand_dims(getattr(np, "nan" + rule)(finite, axis=axis), axis)
                if rule == "mean":  # correctly rounded, where NumPy's sum may be an ULP off
                    exact = np.apply_along_axis(
                        lambda v: math.fsum(v[np.isfinite(v)]) / np.isfinite(v).sum(), axis, finite)
                    assert np.allclose(exact, np.squeeze(value, axis), rtol=1e-15)
                    value = np.expand_dims(exact, axis)
                arrays[f"{name}-{rule}-{axis}"] = np.where(np.isnan(x), value.astype(x.dtype), x)
    np.savez_compressed(HERE / "nans.npz", **arrays)


def write_texts():
    """text=parse: "floats" and "integers" as text, and what NumPy reads in them."""
    floats = np.array(["1.5", " -2e3 ", "+7", "nan", "-Inf", "Infinity", ".5", "5.", "1e-400", "0.1", "65519",
                       "1.00048828125000001", "3.4028235e38", "4.9e-324"])
    integers = np.array(["0", "127", "-128", " 42 ", "+5", "-0"])
    big = np.array(["9223372036854775807", "-9223372036854775808", "9007199254740993"])
    arrays = {"floats": floats, "floats-bytes": floats.astype("S"), "floats-big-endian": floats.astype(">U20"),
              "fortran": np.asfortranarray(floats[:6].reshape(2, 3)), "integers": integers, "big": big,
              "floats-f64": floats.astype("f8"), "floats-f32": floats.astype("f8").astype("f4"),
              "fortran-f64": floats[:6].reshape(2, 3).astype("f8"),
              "integers-i8": integers.astype("i8").astype("i1"), "integers-i64": integers.astype("i8"),
              "big-i64": big.astype("i8"),
              "bools": np.array(["True", "false", "1", "0", "TRUE"]),
              "bools-bool": np.array([True, False, True, False, True])}
    np.savez_compressed(HERE / "texts.npz", **arrays)


if __name__ == "__main__":
    write_casts()
    write_nans()
    write_texts()
