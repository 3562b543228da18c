# SPDX-License-Identifier: Apache-2.0
"""What ops on images, regions, caches and matrices give, element by element from the formulas of the ONNX
specification: part of expected_values.py.

Functions as in expected_moves.py.
"""

import fractions
import itertools
import math
import re

import numpy as np

Fraction = fractions.Fraction
WIDE = np.longdouble
HALVES = ("f16", "bf16")


def ints(text):
    return [int(i) for i in re.findall(r"-?\d+", text)]


def is_integer(dtype):
    return dtype[0] in "iu"


def accumulator(tensor):
    return tensor.values.astype(np.float32) if tensor.dtype in HALVES else tensor.values


def one(tensor, values, port="y"):
    return [(port, tensor.dtype, values)]


def shrink(attrs, ins):
    x = ins["x"][0]
    lambd, bias = float(attrs.get("lambd", 0.5)), float(attrs.get("bias", 0))
    if is_integer(x.dtype):
        bits = int(x.dtype[1:])
        low = -(2 ** (bits - 1)) if x.dtype[0] == "i" else 0
        moved = [int(v) + int(bias) if v < -lambd else int(v) - int(bias) if v > lambd else 0
                 for v in x.values.reshape(-1)]
        wrapped = [(v - low) % 2**bits + low for v in moved]
        return one(x, np.array(wrapped, dtype=x.values.dtype).reshape(x.values.shape))
    if x.dtype == "f32":
        lambd, bias = np.float32(lambd), np.float32(bias)
    v = x.values.astype(WIDE)
    return one(x, np.where(v < -WIDE(lambd), v + WIDE(bias), np.where(v > WIDE(lambd), v - WIDE(bias), 0)))


def determinant(matrix):
    if len(matrix) == 1:
        return float(matrix[0, 0])
    exact = Fraction if np.all(np.isfinite(matrix)) else np.float64
    rows = [[exact(float(v)) for v in row] for row in matrix]
    product = exact(1)
    for k in range(len(rows)):
        pivot = next((r for r in range(k, len(rows)) if rows[r][k] != 0), None)
        if pivot is None:
            return float(product * exact(0))
        if pivot != k:
            rows[k], rows[pivot], product = rows[pivot], rows[k], -product
        product *= rows[k][k]
        for r in range(k + 1, len(rows)):
            if rows[r][k] != 0:
                factor = rows[r][k] / rows[k][k]
                rows[r] = [a - factor * b for a, b in zip(rows[r], rows[k])]
    return float(product)


def det(attrs, ins):
    x = ins["x"][0]
    n = x.values.shape[-1]
    batch = x.values.shape[:-2]
    flat = x.values.reshape((math.prod(batch), n, n))
    return one(x, np.array([determinant(m) for m in flat], dtype=np.float64).reshape(batch))


def listed(attrs, name, count, default):
    return ints(attrs[name]) if ints(attrs.get(name, "")) else [default] * count


def col2im(attrs, ins):
    x = ins["x"][0]
    image, block = [int(v) for v in ins["image_shape"][0].values], [int(v) for v in ins["block_shape"][0].values]
    rank = len(image)
    pads, strides, dilations = (listed(attrs, name, count, default) for name, count, default in
                                [("pads", 2 * rank, 0), ("strides", rank, 1), ("dilations", rank, 1)])
    blocks = [(image[d] + pads[d] + pads[d + rank] - dilations[d] * (block[d] - 1) - 1) // strides[d] + 1
              for d in range(rank)]
    columns = accumulator(x)
    batch, channels = columns.shape[0], columns.shape[1] // math.prod(block)
    columns = columns.reshape([batch, channels] + block + blocks)
    y = np.zeros([batch, channels] + image, dtype=columns.dtype)
    for tap in np.ndindex(*block):
        for at in np.ndindex(*blocks):
            to = [at[d] * strides[d] + tap[d] * dilations[d] - pads[d] for d in range(rank)]
            if all(0 <= t < image[d] for d, t in enumerate(to)):
                index = (slice(None), slice(None)) + tuple(to)
                part = columns[(slice(None), slice(None)) + tap + at]
                y[index] = y[index] | part if x.dtype == "bool" else y[index] + part
    return one(x, y)


def max_unpool(attrs, ins):
    x, indices = ins["x"][0], ins["indices"][0].values
    rank = x.values.ndim - 2
    kernel, strides, pads = (listed(attrs, name, count, default) for name, count, default in
                             [("kernel_shape", rank, 1), ("strides", rank, 1), ("pads", 2 * rank, 0)])
    shape = list(x.values.shape[:2]) + [(x.values.shape[d + 2] - 1) * strides[d] + kernel[d] - pads[d] - pads[d + rank]
                                        for d in range(rank)]
    y = np.zeros(math.prod(shape), dtype=x.values.dtype)
    for index, value in zip(indices.reshape(-1), x.values.reshape(-1)):
        y[index] = value
    y = y.reshape(shape)
    if "output_shape" in ins:
        larger = np.zeros([int(v) for v in ins["output_shape"][0].values], dtype=y.dtype)
        larger[tuple(slice(0, extent) for extent in shape)] = y
        y = larger
    return one(x, y)


def center_crop_pad(attrs, ins):
    x = ins["x"][0]
    axes = ints(attrs["axes"]) if "axes" in attrs else range(x.values.ndim)
    y = x.values
    for axis, extent in zip(axes, ins["shape"][0].values):
        more = int(extent) - y.shape[axis]
        if more <= 0:
            y = np.take(y, range(-more // 2, -more // 2 + int(extent)), axis=axis)
        else:
            pads = [(0, 0)] * y.ndim
            pads[axis] = (more // 2, more - more // 2)
            y = np.pad(y, pads)
    return one(x, y)


# --- Grids -------------------------------------------------------------------------------------------------


def spread(extent, align_corners):
    if align_corners:
        return [WIDE(2 * i - (extent - 1)) / max(extent - 1, 1) for i in range(extent)]
    return [WIDE(2 * i + 1 - extent) / extent for i in range(extent)]


def affine_grid(attrs, ins):
    theta = ins["theta"][0]
    size = [int(v) for v in ins["size"][0].values]
    lines = [spread(extent, attrs.get("align_corners") == "true") for extent in size[2:]]
    y = np.zeros([size[0]] + size[2:] + [len(lines)], dtype=WIDE)
    for n in range(size[0]):
        for at in np.ndindex(*size[2:]):
            position = [lines[d][at[d]] for d in reversed(range(len(lines)))] + [WIDE(1)]
            y[(n,) + at] = theta.values[n].astype(WIDE) @ np.array(position)
    return one(theta, y, "grid")


def reflect(x, low, high):
    if high <= low or not math.isfinite(x):
        return low
    while x < low or x > high:
        x = 2 * low - x if x < low else 2 * high - x
    return x


def cubic_weight(distance):
    a, d = -0.75, abs(distance)
    if d <= 1:
        return (a + 2) * d**3 - (a + 3) * d**2 + 1
    return a * d**3 - 5 * a * d**2 + 8 * a * d - 4 * a if d < 2 else 0.0


class Sampler:
    def __init__(self, attrs, x):
        self.x, self.shape = x, x.shape
        self.mode, self.padding = attrs.get("mode", '"linear"')[1:-1], attrs.get("padding_mode", '"zeros"')[1:-1]
        self.margin = 0.0 if attrs.get("align_corners") == "true" else 0.5

    def element(self, at):
        """The number of one dim's element that `at` is, or None outside."""
        numbers = []
        for position, extent in zip(at, self.shape):
            if self.padding == "border":
                position = min(max(position, 0), extent - 1)
            elif self.padding == "reflection":
                position = int(reflect(position, -self.margin, extent - 1 + self.margin))
            if not 0 <= position < extent:
                return None
            numbers.append(int(position))
        return tuple(numbers)

    def at(self, position):
        """`position` in the order of the dims."""
        places = []
        for p, extent in zip(position, self.shape):
            p = -1.0 if math.isnan(p) else p
            at = (p + 1) / 2 * (extent - 1) if self.margin == 0 else ((p + 1) * extent - 1) / 2
            if self.mode == "nearest":
                at = float(np.rint(at))
            if at < -self.margin or at > extent - 1 + self.margin:
                if self.padding == "border":
                    at = min(max(at, 0.0), extent - 1.0)
                elif self.padding == "reflection":
                    at = reflect(at, -self.margin, extent - 1 + self.margin)
                elif abs(at) > 1e6:
                    at = -1e6
            places.append(at)
        if self.mode == "nearest":
            where = self.element([int(np.floor(p + 0.5)) for p in places])
            return self.x.dtype.type(0) if where is None else self.x[where]
        reach = range(2) if self.mode == "linear" else range(-1, 3)
        total = 0.0
        for offsets in itertools.product(reach, repeat=len(places)):
            taps = [math.floor(p) + k for p, k in zip(places, offsets)]
            weight = math.prod((1 - abs(t - p)) if self.mode == "linear" else cubic_weight(t - p)
                               for t, p in zip(taps, places))
            where = self.element(taps)
            if where is not None and weight != 0:
                total += weight * float(self.x[where])
        return total


def grid_sample(attrs, ins):
    x, grid = ins["x"][0], ins["grid"][0].values.astype(np.float64)
    batch, channels = x.values.shape[:2]
    y = np.zeros((batch, channels) + grid.shape[1:-1], dtype=object)
    for n, c in np.ndindex(batch, channels):
        sampler = Sampler(attrs, x.values[n, c])
        for at in np.ndindex(*grid.shape[1:-1]):
            y[(n, c) + at] = sampler.at(list(reversed(grid[(n,) + at])))
    if x.dtype == "bool":
        return one(x, y != 0)
    if is_integer(x.dtype):
        info = np.iinfo(x.values.dtype)
        flat = [min(max(int(v), int(info.min)), int(info.max)) for v in y.reshape(-1)]
        return one(x, np.array(flat, dtype=x.values.dtype).reshape(y.shape))
    return one(x, y.astype(np.float64))


# --- Regions -----------------------------------------------------------------------------------------------


def bilinear(image, y, x):
    """The four parts of a sample."""
    height, width = image.shape
    if not (-1 <= y <= height and -1 <= x <= width):
        return [0.0] * 4
    parts = []
    y, x = min(max(y, 0.0), height - 1.0), min(max(x, 0.0), width - 1.0)
    top, left = int(y), int(x)
    for row, column in ((top, left), (top, left + 1), (top + 1, left), (top + 1, left + 1)):
        share = (1 - abs(row - y)) * (1 - abs(column - x))
        parts.append(share * float(image[min(row, height - 1), min(column, width - 1)]))
    return parts


def largest_of(values):
    """NaN wins, and 0 is above -0."""
    return np.nan if any(v != v for v in values) else max(values, key=lambda v: (v, -int(np.signbit(v))))


def roi_align(attrs, ins):
    x, rois, batches = ins["x"][0], ins["rois"][0].values.astype(np.float64), ins["batch_indices"][0].values
    shape = [int(attrs.get("output_height", 1)), int(attrs.get("output_width", 1))]
    half = attrs.get("coordinate_transformation_mode", '"half_pixel"') == '"half_pixel"'
    scale, ratio = float(attrs.get("spatial_scale", 1)), int(attrs.get("sampling_ratio", 0))
    y = np.zeros([len(rois), x.values.shape[1]] + shape)
    for r, c in np.ndindex(*y.shape[:2]):
        if not np.all(np.isfinite(rois[r])) or x.values.size == 0:
            continue
        corners = rois[r] * scale - (0.5 if half else 0)
        starts = [corners[1], corners[0]]
        lengths = [corners[3] - corners[1], corners[2] - corners[0]]
        if not half:
            lengths = [max(length, 1.0) for length in lengths]
        bins = [length / count for length, count in zip(lengths, shape)]
        samples = [ratio or max(math.ceil(b), 0) for b in bins]
        if max(samples) > 10**6:  # of which those inside the image add nothing to the mean
            continue
        for bin_at in np.ndindex(*shape):
            found = []
            for i, j in np.ndindex(*samples):
                position = [starts[d] + bins[d] * (bin_at[d] + (k + 0.5) / samples[d]) for d, k in ((0, i), (1, j))]
                found.append(bilinear(x.values[batches[r], c], *position))
            if attrs.get("mode") == '"max"':
                largest = [largest_of(parts) for parts in found]
                y[(r, c) + bin_at] = largest_of(largest) if largest else 0.0
            else:
                y[(r, c) + bin_at] = sum(sum(parts) for parts in found) / max(len(found), 1)
    return one(x, y)


def overlap(a, b):
    area = lambda box: (box[2] - box[0]) * (box[3] - box[1])
    height, width = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if not (area(a) > 0 and area(b) > 0 and height > 0 and width > 0):
        return 0.0
    return height * width / (area(a) + area(b) - height * width)


def corners_of(box, by_center):
    box = [float(v) for v in box]
    if by_center:
        x, y, width, height = box
        return [y - height / 2, x - width / 2, y + height / 2, x + width / 2]
    return [min(box[0], box[2]), min(box[1], box[3]), max(box[0], box[2]), max(box[1], box[3])]


def non_max_suppression(attrs, ins):
    boxes, scores = ins["boxes"][0].values, ins["scores"][0].values
    value = lambda name, default: ins[name][0].values.reshape(-1)[0] if name in ins else default
    most, threshold = int(value("max_output_boxes_per_class", 0)), float(value("iou_threshold", 0.0))
    lowest = float(value("score_threshold", -np.inf))
    by_center = attrs.get("center_point_box") == "true"
    chosen = []
    for n, k in np.ndindex(*scores.shape[:2]):
        good = [i for i, s in enumerate(scores[n, k]) if (s > lowest or ("score_threshold" not in ins and s == s))]
        kept = []
        for i in sorted(good, key=lambda i: (-scores[n, k, i], i)):
            box = corners_of(boxes[n, i], by_center)
            if len(kept) < most and all(not overlap(box, corners_of(boxes[n, j], by_center)) > threshold for j in kept):
                kept.append(i)
        chosen += [(n, k, i) for i in kept]
    return [("selected_indices", "i64", np.array(chosen, dtype=np.int64).reshape(len(chosen), 3))]


# --- State -------------------------------------------------------------------------------------------------


def tensor_scatter(attrs, ins):
    cache, update = ins["past_cache"][0], ins["update"][0].values
    axis = int(attrs.get("axis", -2)) % update.ndim
    starts = ins["write_indices"][0].values if "write_indices" in ins else [0] * update.shape[0]
    y = cache.values.copy()
    for at in np.ndindex(*update.shape[:axis + 1]):
        to = int(starts[at[0]]) + at[axis]
        if attrs.get("mode") == '"circular"':
            to %= y.shape[axis]
        y[at[:axis] + (to,)] = update[at]
    return [("present_cache", cache.dtype, y)]


def causal_conv(attrs, ins):
    x, weight = ins["input"][0], ins["weight"][0].values.astype(WIDE)
    kernel = weight.shape[2]
    batch, channels, length = x.values.shape
    past = ins["past_state"][0].values if "past_state" in ins else np.zeros((batch, channels, kernel - 1), x.values.dtype)
    columns = np.concatenate([past, x.values], axis=2)
    y = np.zeros(x.values.shape, dtype=WIDE)
    for n, c, t in np.ndindex(*y.shape):
        y[n, c, t] = np.sum(columns[n, c, t:t + kernel].astype(WIDE) * weight[c, 0])
        if "bias" in ins:
            y[n, c, t] += WIDE(ins["bias"][0].values[c])
    if attrs.get("activation", '"none"') != '"none"':
        y = y / (1 + np.exp(-y))
    return [("output", x.dtype, y), ("present_state", x.dtype, columns[:, :, length:])]


def linear_attention(attrs, ins):
    query, key, value = (ins[name][0].values.astype(WIDE) for name in ("query", "key", "value"))
    heads, shared = int(attrs["q_num_heads"]), int(attrs["kv_num_heads"])
    rule = attrs.get("update_rule", '"gated_delta"')[1:-1]
    batch, length = query.shape[:2]
    apart = lambda x, count: x.reshape(batch, length, count, x.shape[2] // count)
    query, key, value = apart(query, heads), apart(key, shared), apart(value, shared)
    scale = float(attrs.get("scale", 0)) or 1 / np.sqrt(WIDE(key.shape[3]))
    state = np.zeros((batch, shared, key.shape[3], value.shape[3]), dtype=WIDE)
    dtype = query_type = ins["query"][0].dtype
    if "past_state" in ins:
        state, dtype = ins["past_state"][0].values.astype(WIDE), ins["past_state"][0].dtype
    y = np.zeros((batch, length, heads, value.shape[3]), dtype=WIDE)
    for n, t, h in np.ndindex(batch, length, shared):
        s = state[n, h]
        if rule in ("gated", "gated_delta"):
            s = s * np.exp(apart(ins["decay"][0].values.astype(WIDE), shared)[n, t, h])[:, None]
        write = value[n, t, h]
        if rule in ("delta", "gated_delta"):
            beta = ins["beta"][0].values.astype(WIDE)[n, t]
            write = beta[h if len(beta) > 1 else 0] * (write - key[n, t, h] @ s)
        state[n, h] = s + np.outer(key[n, t, h], write)
        for q in range(h * (heads // shared), (h + 1) * (heads // shared)):
            y[n, t, q] = scale * (query[n, t, q] @ state[n, h])
    return [("output", query_type, y.reshape(batch, length, heads * value.shape[3])), ("present_state", dtype, state)]


OPS = {
    "Shrink": shrink,
    "Det": det,
    "Col2Im": col2im,
    "MaxUnpool": max_unpool,
    "CenterCropPad": center_crop_pad,
    "AffineGrid": affine_grid,
    "GridSample": grid_sample,
    "RoiAlign": roi_align,
    "NonMaxSuppression": non_max_suppression,
    "TensorScatter": tensor_scatter,
    "CausalConvWithState": causal_conv,
    "LinearAttention": linear_attention,
}

OUTPUTS = {
    "AffineGrid": ["grid"],
    "NonMaxSuppression": ["selected_indices"],
    "TensorScatter": ["present_cache"],
    "CausalConvWithState": ["output", "present_state"],
    "LinearAttention": ["output", "present_state"],
}
