# SPDX-License-Identifier: Apache-2.0
"""Resize by its definition, in f64: every output element from the weights of all input elements."""

import functools
import math

import numpy as np


def names(attrs, name, default):
    return attrs.get(name, f'"{default}"').strip('"')


def position(mode, x, size, out, scale, length, roi):
    """Where output element x lies; None outside of a crop."""
    if mode == "half_pixel_symmetric":
        return size / 2 * (1 - out / length) + (x + 0.5) / scale - 0.5
    if mode == "pytorch_half_pixel" and out == 1:
        return 0.0
    if mode == "align_corners":
        return 0.0 if length == 1 else x * (size - 1) / (length - 1)
    if mode == "asymmetric":
        return x / scale
    if mode == "tf_crop_and_resize":
        start, end = roi
        if out == 1:
            at = (start + end) / 2 * (size - 1)
        else:
            at = start * (size - 1) + x * (end - start) * (size - 1) / (out - 1)
        return at if 0 <= at <= size - 1 else None
    return (x + 0.5) / scale - 0.5


def kernel(mode, distance, a):
    d = abs(distance)
    if mode == "linear":
        return max(0.0, 1 - d)
    if d <= 1:
        return ((a + 2) * d - (a + 3)) * d * d + 1
    return a * (((d - 5) * d + 8) * d - 4) if d < 2 else 0.0


def nearest(rule, at):
    if rule == "floor":
        return math.floor(at)
    if rule == "ceil":
        return math.ceil(at)
    return math.ceil(at - 0.5) if rule == "round_prefer_floor" else math.floor(at + 0.5)


def weights(attrs, x, size, out, scale, length, roi):
    """Of each input element, for output element x; None outside of a crop."""
    at = position(names(attrs, "coordinate_transformation_mode", "half_pixel"), x, size, out, scale, length, roi)
    if at is None:
        return None
    row = np.zeros(size)
    mode = names(attrs, "mode", "nearest")
    if mode == "nearest":
        index = nearest(names(attrs, "nearest_mode", "round_prefer_floor"), at)
        row[min(max(index, 0), size - 1)] = 1
        return row
    shrink = min(scale, 1.0) if attrs.get("antialias") == "true" else 1.0
    reach = (1 if mode == "linear" else 2) / shrink
    total = 0.0
    for index in range(math.floor(at - reach), math.ceil(at + reach) + 1):
        weight = kernel(mode, (index - at) * shrink, float(attrs.get("cubic_coeff_a", -0.75)))
        if not 0 <= index < size and attrs.get("exclude_outside") == "true":
            continue
        row[min(max(index, 0), size - 1)] += weight
        total += weight
    return row / total if attrs.get("antialias") == "true" or attrs.get("exclude_outside") == "true" else row


def weighted(row, y, axis):
    """The sum along the axis of what has weight: 0 times infinity has no part in it."""
    parts = [row[i] * np.take(y, i, axis) for i in np.flatnonzero(row)] or [np.take(y, 0, axis) * 0]
    return functools.reduce(np.add, parts)


def resize(attrs, ports):
    x = ports["x"][0]
    rank = x.values.ndim
    axes = [int(a) % rank for a in attrs.get("axes", "[]").strip("[]").split(",") if a.strip()] or list(range(rank))
    roi = [float(v) for v in ports["roi"][0].values] if "roi" in ports else []
    crops = names(attrs, "coordinate_transformation_mode", "half_pixel") == "tf_crop_and_resize"
    sizes = [x.values.shape[a] for a in axes]
    if "scales" in ports:
        scales = [float(s) for s in ports["scales"][0].values]
        lengths = [n * s for n, s in zip(sizes, scales)]
        parts = [max(0.0, roi[i + len(axes)] - roi[i]) if crops else 1 for i in range(len(axes))]
        outs = [math.floor(length * part) for length, part in zip(lengths, parts)]
    else:
        outs = [int(s) for s in ports["sizes"][0].values]
        scales = [o / n for o, n in zip(outs, sizes)]
        lengths = outs
        policy = names(attrs, "keep_aspect_ratio_policy", "stretch")
        if policy != "stretch":
            common = min(scales) if policy == "not_larger" else max(scales)
            scales = [common] * len(axes)
            lengths = [common * n for n in sizes]
            outs = [math.floor(length + 0.5) for length in lengths]
    integer = x.values.dtype.kind in "iub"
    y = x.values if integer else x.values.astype(np.float64)
    outside = np.zeros((), bool)
    for i, axis in enumerate(axes):
        rows = [weights(attrs, o, sizes[i], outs[i], scales[i], lengths[i],
                        (roi[i], roi[i + len(axes)]) if crops else None) for o in range(outs[i])]
        lost = np.array([row is None for row in rows], dtype=bool)
        shape = [1] * rank
        shape[axis] = outs[i]
        outside = outside | lost.reshape(shape)
        matrix = np.array([np.zeros(sizes[i]) if row is None else row for row in rows]).reshape(outs[i], sizes[i])
        if names(attrs, "mode", "nearest") == "nearest":
            y = np.take(y, matrix.argmax(axis=1), axis=axis)
        else:
            y = np.stack([weighted(row, y, axis) for row in matrix], axis) if outs[i] else np.take(y, [], axis)
    value = float(attrs.get("extrapolation_value", 0))
    return [("y", x.dtype, np.where(np.broadcast_to(outside, y.shape), y.dtype.type(value), y))]


OPS = {"Resize": resize}
