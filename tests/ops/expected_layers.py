# SPDX-License-Identifier: Apache-2.0
"""What normalisations, attention, losses and Einsum give, from the formulas of the ONNX specification: part of
expected_values.py.

Functions as in expected_moves.py. They compute in extended precision, so their results are rounded once.
"""

import re

import expected_windows
import numpy as np

WIDE = np.longdouble


def wide(tensor):
    return tensor.values.astype(WIDE)


def number(attrs, name, default):
    """As the specification says it, in decimals; our attributes are doubles."""
    return WIDE(float(attrs.get(name, default)))


def axis_of(attrs, default, rank):
    return int(attrs.get("axis", default)) % rank


def per_channel(tensor, rank):
    return wide(tensor).reshape([-1] + [1] * (rank - 2)) if rank > 1 else wide(tensor)


def standardized(x, axes, epsilon):
    mean = x.mean(axis=axes, keepdims=True)
    centered = x - mean
    inverse = 1 / np.sqrt((centered * centered).mean(axis=axes, keepdims=True) + epsilon)
    return centered * inverse, mean, inverse


def one(tensor, values, port="y"):
    return [(port, tensor.dtype, values)]


# --- Normalisations ----------------------------------------------------------------------------------------


def batch(attrs, ins):
    x = ins["x"][0]
    scale, bias, mean, var = (per_channel(ins[name][0], x.values.ndim) for name in ("scale", "bias", "mean", "var"))
    return one(x, (wide(x) - mean) / np.sqrt(var + number(attrs, "epsilon", 1e-5)) * scale + bias)


def layer(attrs, ins):
    x = ins["x"][0]
    axes = tuple(range(axis_of(attrs, -1, x.values.ndim), x.values.ndim))
    y, mean, inverse = standardized(wide(x), axes, number(attrs, "epsilon", 1e-5))
    y = y * wide(ins["scale"][0])
    if ins.get("bias"):
        y = y + wide(ins["bias"][0])
    stash = attrs.get("stash_type", "f32")
    return one(x, y) + [("mean", stash, mean), ("inv_std_dev", stash, inverse)]


def rms(attrs, ins):
    x, scale = wide(ins["x"][0]), ins["scale"][0]
    axes = tuple(range(axis_of(attrs, -1, x.ndim), x.ndim))
    root = np.sqrt((x * x).mean(axis=axes, keepdims=True) + number(attrs, "epsilon", 1e-5))
    return one(scale, x / root * wide(scale))


def instance(attrs, ins):
    x = ins["x"][0]
    rank = x.values.ndim
    y = standardized(wide(x), tuple(range(2, rank)), number(attrs, "epsilon", 1e-5))[0]
    return one(x, y * per_channel(ins["scale"][0], rank) + per_channel(ins["bias"][0], rank))


def group(attrs, ins):
    x = ins["x"][0]
    shape, groups = x.values.shape, int(attrs["num_groups"])
    apart = wide(x).reshape([shape[0], groups, int(np.prod(shape[1:])) // groups])
    y = standardized(apart, (2,), number(attrs, "epsilon", 1e-5))[0].reshape(shape)
    return one(x, y * per_channel(ins["scale"][0], len(shape)) + per_channel(ins["bias"][0], len(shape)))


def mean_variance(attrs, ins):
    x = ins["x"][0]
    axes = tuple(int(a) for a in re.findall(r"-?\d+", attrs.get("axes", "[0, 2, 3]"))) or None
    centered = wide(x) - wide(x).mean(axis=axes, keepdims=True)
    deviation = np.sqrt((centered * centered).mean(axis=axes, keepdims=True))
    return one(x, centered / (deviation + WIDE("1e-9")))


def lp(attrs, ins):
    x = ins["x"][0]
    axis, v = int(attrs.get("axis", -1)), wide(x)
    if attrs.get("p", "2") == "1":
        norm = np.abs(v).sum(axis=axis, keepdims=True)
    else:
        norm = np.sqrt((v * v).sum(axis=axis, keepdims=True))
    return one(x, v / np.where(norm == 0, 1, norm))


def lrn(attrs, ins):
    x = ins["x"][0]
    v, size = wide(x), int(attrs["size"])
    before, channels = (size - 1) // 2, x.values.shape[1]
    sums = np.zeros_like(v)
    for c in range(channels):
        sums[:, c] = (v[:, max(0, c - before):min(channels, c - before + size)] ** 2).sum(axis=1)
    base = number(attrs, "bias", 1) + number(attrs, "alpha", 1e-4) / size * sums
    return one(x, v / base ** number(attrs, "beta", 0.75))


def log_softmax_of(v, axis):
    if v.size == 0:
        return v
    shifted = v - v.max(axis=axis, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))


def log_softmax(attrs, ins):
    return one(ins["x"][0], log_softmax_of(wide(ins["x"][0]), int(attrs.get("axis", -1))))


def hardmax(attrs, ins):
    x = ins["x"][0]
    axis = axis_of(attrs, -1, x.values.ndim)
    if x.values.size == 0:
        return one(x, x.values)
    along = np.arange(x.values.shape[axis]).reshape([-1] + [1] * (x.values.ndim - 1 - axis))
    return one(x, (np.expand_dims(x.values.argmax(axis=axis), axis) == along).astype(x.values.dtype))


def dropout(attrs, ins):
    x = ins["x"][0]
    return one(x, x.values) + [("mask", "bool", np.ones(x.values.shape, dtype=bool))]


# --- Attention ---------------------------------------------------------------------------------------------


def by_heads(values, heads):
    if values.ndim == 4:
        return values
    return values.reshape(*values.shape[:2], heads, -1).transpose(0, 2, 1, 3)


def attention(attrs, ins):
    given = lambda name: wide(ins[name][0]) if ins.get(name) else None
    q, k, v = (by_heads(given(name), int(attrs.get(heads, 0)))
               for name, heads in [("q", "q_num_heads"), ("k", "kv_num_heads"), ("v", "kv_num_heads")])
    past = 0
    if ins.get("past_key"):
        past = ins["past_key"][0].values.shape[2]
        k, v = np.concatenate([given("past_key"), k], axis=2), np.concatenate([given("past_value"), v], axis=2)
    scale = WIDE(float(attrs["scale"])) if "scale" in attrs else 1 / np.sqrt(WIDE(q.shape[3]))
    each = q.shape[1] // k.shape[1]
    product = np.einsum("bhqd,bhkd->bhqk", q, np.repeat(k, each, axis=1)) * scale
    cap = number(attrs, "softcap", 0)
    capped = np.tanh(product / cap) * cap if cap else product
    queries, keys = capped.shape[2:]
    masked = capped.copy()
    if ins.get("attn_mask"):
        mask = ins["attn_mask"][0]
        missing = [(0, 0)] * (mask.values.ndim - 1) + [(0, keys - mask.values.shape[-1])]
        if mask.dtype == "bool":  # what is masked out does not show, whatever it is
            masked = np.where(np.pad(mask.values, missing), masked, -np.inf)
        else:
            masked = masked + np.pad(wide(mask), missing, constant_values=-np.inf)
    nonpad = ins["nonpad_kv_seqlen"][0].values.reshape(-1, 1, 1, 1) if ins.get("nonpad_kv_seqlen") else None
    if attrs.get("is_causal") == "true":
        offset = past if nonpad is None else nonpad - queries
        masked = np.where(np.arange(keys) <= np.arange(queries).reshape(-1, 1) + offset, masked, -np.inf)
    if nonpad is not None:
        masked = np.where(np.arange(keys) < nonpad, masked, -np.inf)
    weights = np.exp(log_softmax_of(masked, -1))
    y = np.einsum("bhqk,bhkd->bhqd", weights, np.repeat(v, each, axis=1))
    if ins["q"][0].values.ndim == 3:
        y = y.transpose(0, 2, 1, 3).reshape(y.shape[0], queries, -1)
    scores = [product, capped, masked, weights][int(attrs.get("qk_matmul_output_mode", 0))]
    qt, vt = ins["q"][0].dtype, ins["v"][0].dtype
    return [("y", qt, y), ("present_key", qt, k), ("present_value", vt, v), ("qk_matmul_output", qt, scores)]


def rotary(attrs, ins):
    x = ins["x"][0]
    by_hidden = x.values.ndim == 3
    v = wide(x)
    v = v.reshape(*v.shape[:2], int(attrs["num_heads"]), -1) if by_hidden else v.transpose(0, 2, 1, 3)
    rotated = int(attrs.get("rotary_embedding_dim", 0)) or v.shape[-1]
    cos, sin = (wide(ins[name][0]) for name in ("cos_cache", "sin_cache"))
    if ins.get("position_ids"):
        cos, sin = (cache[ins["position_ids"][0].values] for cache in (cos, sin))
    cos, sin = np.expand_dims(cos, 2), np.expand_dims(sin, 2)
    y = v.copy()
    if attrs.get("interleaved") == "true":
        first, second = slice(0, rotated, 2), slice(1, rotated, 2)
    else:
        first, second = slice(0, rotated // 2), slice(rotated // 2, rotated)
    a, b = v[..., first], v[..., second]
    y[..., first], y[..., second] = cos * a - sin * b, sin * a + cos * b
    return one(x, y.reshape(x.values.shape) if by_hidden else y.transpose(0, 2, 1, 3))


# --- Losses ------------------------------------------------------------------------------------------------


def loss_of(attrs, log_prob, labels, weights):
    n, classes = log_prob.shape[:2]
    ignored = labels == int(attrs["ignore_index"]) if "ignore_index" in attrs else np.zeros(labels.shape, bool)
    safe = np.where(ignored, 0, labels)
    each = np.where(ignored, 0, (np.ones(classes, WIDE) if weights is None else weights)[safe])
    losses = np.where(ignored, 0, -np.take_along_axis(log_prob, np.expand_dims(safe, 1), axis=1).squeeze(1) * each)
    reduction = attrs.get("reduction", '"mean"').strip('"')
    if reduction == "none":
        return losses
    return losses.sum() if reduction == "sum" else losses.sum() / each.sum()


def likelihood(attrs, ins):
    x = ins["x"][0]
    weights = wide(ins["weight"][0]) if ins.get("weight") else None
    return one(x, loss_of(attrs, wide(x), ins["target"][0].values, weights), "loss")


def cross_entropy(attrs, ins):
    scores = ins["scores"][0]
    log_prob = log_softmax_of(wide(scores), 1)
    weights = wide(ins["weights"][0]) if ins.get("weights") else None
    loss = loss_of(attrs, log_prob, ins["labels"][0].values, weights)
    return one(scores, loss, "loss") + [("log_prob", scores.dtype, log_prob)]


# --- Einsum, norms of windows ------------------------------------------------------------------------------


def einsum(attrs, ins):
    operands = ins["inputs"]
    integers = operands[0].dtype[0] in "iu"
    values = [t.values if integers else wide(t) for t in operands]
    with np.errstate(all="ignore"):
        return one(operands[0], np.einsum(attrs["equation"].strip('"'), *values))


def norm(values, p):
    total = sum((abs(WIDE(v)) ** p for v in values), WIDE(0))
    return total if p == 1 else np.sqrt(total) if p == 2 else total ** (WIDE(1) / p)


def lp_pool(attrs, ins):
    x = ins["x"][0]
    shape, p = x.values.shape, int(attrs.get("p", 2))
    g = expected_windows.Geometry(attrs, shape[2:], expected_windows.ints(attrs, "kernel_shape", None))
    y = np.empty((*shape[:2], *g.out), dtype=WIDE)
    for n, c, *at in np.ndindex(*y.shape):
        y[(n, c, *at)] = norm([x.values[(n, c) + i] for _, i in g.window(at)], p)
    return one(x, y)


def global_lp_pool(attrs, ins):
    x = ins["x"][0]
    planes = x.values.reshape(*x.values.shape[:2], int(np.prod(x.values.shape[2:], dtype=int)))
    y = np.array([[norm(plane, int(attrs.get("p", 2))) for plane in image] for image in planes], dtype=WIDE)
    return one(x, y.reshape(*x.values.shape[:2], *[1] * (x.values.ndim - 2)))


OPS = {
    "BatchNormalization": batch,
    "LayerNormalization": layer,
    "RMSNormalization": rms,
    "InstanceNormalization": instance,
    "GroupNormalization": group,
    "MeanVarianceNormalization": mean_variance,
    "LpNormalization": lp,
    "LRN": lrn,
    "LogSoftmax": log_softmax,
    "Hardmax": hardmax,
    "Dropout": dropout,
    "Attention": attention,
    "RotaryEmbedding": rotary,
    "NegativeLogLikelihoodLoss": likelihood,
    "SoftmaxCrossEntropyLoss": cross_entropy,
    "Einsum": einsum,
    "LpPool": lp_pool,
    "GlobalLpPool": global_lp_pool,
}

OUTPUTS = {
    "LayerNormalization": ["y", "mean", "inv_std_dev"],
    "Dropout": ["y", "mask"],
    "Attention": ["y", "present_key", "present_value", "qk_matmul_output"],
    "NegativeLogLikelihoodLoss": ["loss"],
    "SoftmaxCrossEntropyLoss": ["loss", "log_prob"],
}
