# SPDX-License-Identifier: Apache-2.0
"""What recurrent layers give, from the formulas of the ONNX specification: part of expected_values.py.

Functions as in expected_moves.py. They walk sequence by sequence and step by step, in extended precision.
"""

import re

import numpy as np

WIDE = np.longdouble


def sigmoid(v):
    return 1 / (1 + np.exp(-v))


# Name in lower case -> function of x, alpha and beta, and the defaults of those two; None: it has none.
ACTIVATIONS = {
    "affine": (lambda v, a, b: a * v + b, 1, 0),
    "elu": (lambda v, a, b: np.where(v >= 0, v, a * np.expm1(np.minimum(v, 0))), 1, None),
    "hardsigmoid": (lambda v, a, b: np.minimum(np.maximum(a * v + b, 0), 1), 0.2, 0.5),
    "leakyrelu": (lambda v, a, b: np.where(v >= 0, v, a * v), 0.01, None),
    "relu": (lambda v, a, b: np.maximum(v, 0), None, None),
    "scaledtanh": (lambda v, a, b: a * np.tanh(b * v), np.nan, np.nan),
    "sigmoid": (lambda v, a, b: sigmoid(v), None, None),
    "softplus": (lambda v, a, b: np.log1p(np.exp(v)), None, None),
    "softsign": (lambda v, a, b: v / (1 + np.abs(v)), None, None),
    "tanh": (lambda v, a, b: np.tanh(v), None, None),
    "thresholdedrelu": (lambda v, a, b: np.where(v < a, 0, v), 1, None),
}


def listed(attrs, name):
    return re.findall(r'[^\s,"\[\]]+', attrs.get(name, "[]"))


def functions_of(attrs, defaults, directions):
    """A list of functions for each direction."""
    names = listed(attrs, "activations") or defaults * directions
    alphas, betas = ([WIDE(float(v)) for v in listed(attrs, "activation_" + name)] for name in ("alpha", "beta"))
    bound = WIDE(float(attrs["clip"])) if "clip" in attrs else None

    def make(name):
        function, alpha, beta = ACTIVATIONS[name.lower()]
        if alpha is not None:
            alpha = alphas.pop(0) if alphas else WIDE(alpha)
        if beta is not None:
            beta = betas.pop(0) if betas else WIDE(beta)
        return lambda v: function(v if bound is None else np.clip(v, -bound, bound), alpha, beta)

    made = [make(name) for name in names[:len(defaults) * directions]]
    return [made[d * len(defaults):(d + 1) * len(defaults)] for d in range(directions)]


def rnn_step(attrs, f, x, states, w, r, b, p):
    (h,) = states
    return [f[0](w[0] @ x + r[0] @ h + b[0] + b[1])]


def gru_step(attrs, f, x, states, w, r, b, p):
    (h,) = states
    z = f[0](w[0] @ x + r[0] @ h + b[0] + b[3])
    reset = f[0](w[1] @ x + r[1] @ h + b[1] + b[4])
    if attrs.get("linear_before_reset") == "true":
        n = f[1](w[2] @ x + reset * (r[2] @ h + b[5]) + b[2])
    else:
        n = f[1](w[2] @ x + r[2] @ (reset * h) + b[5] + b[2])
    return [(1 - z) * n + z * h]


def lstm_step(attrs, f, x, states, w, r, b, p):
    h, c = states
    i = f[0](w[0] @ x + r[0] @ h + p[0] * c + b[0] + b[4])
    forget = f[0](w[2] @ x + r[2] @ h + p[2] * c + b[2] + b[6])
    if attrs.get("input_forget") == "true":
        forget = 1 - i
    n = f[1](w[3] @ x + r[3] @ h + b[3] + b[7])
    c = forget * c + i * n
    o = f[0](w[1] @ x + r[1] @ h + p[1] * c + b[1] + b[5])
    return [o * f[2](c), c]


def layer(step, gates, states, defaults):
    def apply(attrs, ins):
        dtype = ins["x"][0].dtype
        given = lambda name: ins[name][0].values.astype(WIDE) if ins.get(name) else None
        x, w, r = given("x"), given("w"), given("r")
        by_batch = attrs.get("layout") == "1"
        if by_batch:
            x = x.swapaxes(0, 1)
        steps, batch, _ = x.shape
        directions, hidden = w.shape[0], r.shape[2]
        direction = attrs.get("direction", '"forward"').strip('"')
        b = given("b") if ins.get("b") else np.zeros((directions, 2 * gates * hidden), WIDE)
        p = given("p") if ins.get("p") else np.zeros((directions, 3 * hidden), WIDE)
        lengths = ins["sequence_lens"][0].values if ins.get("sequence_lens") else np.full(batch, steps)
        initial = [given(name) for name in ["initial_h", "initial_c"][:states]]
        if by_batch:
            initial = [v if v is None else v.swapaxes(0, 1) for v in initial]
        functions = functions_of(attrs, defaults, directions)
        y = np.zeros((steps, directions, batch, hidden), WIDE)
        last = np.zeros((states, directions, batch, hidden), WIDE)
        for d, n in np.ndindex(directions, batch):
            state = [np.zeros(hidden, WIDE) if v is None else v[d, n] for v in initial]
            order = range(lengths[n])
            for t in reversed(order) if d == 1 or direction == "reverse" else order:
                state = step(attrs, functions[d], x[t, n], state, w[d].reshape(gates, hidden, -1),
                             r[d].reshape(gates, hidden, hidden), b[d].reshape(2 * gates, hidden),
                             p[d].reshape(3, hidden))
                y[t, d, n] = state[0]
                last[:, d, n] = state
        if by_batch:
            y, last = y.transpose(2, 0, 1, 3), last.swapaxes(1, 2)
        return [("y", dtype, y)] + [(f"y_{name}", dtype, v) for name, v in zip("hc", last)]

    return apply


OPS = {
    "RNN": layer(rnn_step, 1, 1, ["Tanh"]),
    "GRU": layer(gru_step, 3, 1, ["Sigmoid", "Tanh"]),
    "LSTM": layer(lstm_step, 4, 2, ["Sigmoid", "Tanh", "Tanh"]),
}

OUTPUTS = {"RNN": ["y", "y_h"], "GRU": ["y", "y_h"], "LSTM": ["y", "y_h", "y_c"]}
