# SPDX-License-Identifier: Apache-2.0
"""What ops give whose results have as many elements as values say, by NumPy: part of expected_values.py.

A function takes the attributes as text and the inputs by port, and gives the outputs as (port, dtype, values).
"""

import numpy as np


def non_zero(attrs, ins):
    x = ins["x"][0].values
    found = np.argwhere(x).T if x.ndim else np.zeros((0, int(x != 0)))
    return [("y", "i64", found.astype(np.int64))]


def compress(attrs, ins):
    x, condition = ins["x"][0], ins["condition"][0].values
    if "axis" not in attrs:
        chosen = x.values.reshape(-1)[: len(condition)][condition[: x.values.size]]
    else:
        chosen = np.compress(condition, x.values, int(attrs["axis"]))
    return [("y", x.dtype, chosen)]


def same(a, b):
    return bool(np.all((a == b) | ((a != a) & (b != b))))


def below(a, b):
    """By the first elements that differ; NaN is above all."""
    for p, q in zip(a.reshape(-1), b.reshape(-1)):
        if not same(p, q):
            return bool(q != q or (p == p and p < q))
    return False


def unique(attrs, ins):
    x = ins["x"][0]
    values = x.values if "axis" in attrs else x.values.reshape(-1)
    axis = int(attrs.get("axis", 0))
    slices = np.moveaxis(values, axis, 0)
    groups = []  # the numbers of equal slices
    for i, one in enumerate(slices):
        for group in groups:
            if same(slices[group[0]], one):
                group.append(i)
                break
        else:
            groups.append([i])
    if attrs.get("sorted") != "false":
        ordered = []
        for group in groups:
            at = 0
            while at < len(ordered) and below(slices[ordered[at][0]], slices[group[0]]):
                at += 1
            ordered.insert(at, group)
        groups = ordered
    inverse = np.zeros(len(slices), np.int64)
    for place, group in enumerate(groups):
        inverse[group] = place
    first = np.array([group[0] for group in groups], np.int64)
    counts = np.array([len(group) for group in groups], np.int64)
    return [("y", x.dtype, np.take(values, first, axis)), ("indices", "i64", first),
            ("inverse_indices", "i64", inverse), ("counts", "i64", counts)]


OPS = {
    "NonZero": non_zero,
    "Compress": compress,
    "Unique": unique,
}

OUTPUTS = {"Unique": ["y", "indices", "inverse_indices", "counts"]}
