#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
#
# Trains the digits demo's classifier and writes everything the demo reads.
#
# How to run, from the top of the source tree:
#
#     apt-get install python3-sklearn
#     /usr/bin/python3 examples/digits/train.py
#
# It takes no arguments, needs no network, and writes the files under
# examples/digits/data/. docs/data.md says what each file is. Building and
# running the demo does not need this script: its output is kept in the tree.

import os

# Several threads may add up a matrix product in another order, and training
# carries the difference on. With one thread a re-run gives the same bytes.
# The libraries read these when they are loaded, so they are set before import.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import pathlib
import sys

import numpy as np
import sklearn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

DATA = pathlib.Path(__file__).resolve().parent / "data"
SEED = 0
HIDDEN = 64
HELD_BACK = 0.25
TOLERANCE = 1e-5


def load():
    """The split data set: pixels in [0, 1] as float32, labels as int64."""
    digits = load_digits()
    # Pixels are whole numbers 0..16, so the division by 16 is exact.
    x = (digits.data / 16.0).astype(np.float32)
    y = digits.target.astype(np.int64)
    return train_test_split(
        x, y, test_size=HELD_BACK, random_state=SEED, stratify=y)


def train(x, y):
    model = MLPClassifier(hidden_layer_sizes=(HIDDEN,), activation="relu",
                          random_state=SEED, max_iter=1000)
    model.fit(x, y)
    if model.n_iter_ >= model.max_iter:
        sys.exit("train.py: training did not converge")
    # The probabilities kept for comparison come from the very numbers saved.
    model.coefs_ = [np.ascontiguousarray(w, np.float32) for w in model.coefs_]
    model.intercepts_ = [np.ascontiguousarray(b, np.float32)
                         for b in model.intercepts_]
    return model


def forward(x, weights):
    """The network as the demo's graph writes it, in the type of x."""
    h = np.maximum(x @ weights["w1"] + weights["b1"], x.dtype.type(0))
    z = h @ weights["w2"] + weights["b2"]
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def verify():
    """Reads the files back and checks them against each other."""
    weights = np.load(DATA / "weights.npz", allow_pickle=False)
    x = np.load(DATA / "images.npy", allow_pickle=False)
    labels = np.load(DATA / "labels.npy", allow_pickle=False)
    expected = np.load(DATA / "probabilities.npy", allow_pickle=False)

    p = forward(x, weights)
    assert p.dtype == np.float32
    worst = float(np.abs(p.astype(np.float64) - expected).max())
    # numpy and scikit-learn share their float32 products. In float64 the same
    # network shows how much room rounding in another order would need.
    wide = forward(x.astype(np.float64),
                   {name: weights[name].astype(np.float64) for name in weights})
    assert wide.dtype == np.float64
    rounding = float(np.abs(wide - expected).max())
    same = int((p.argmax(axis=1) == expected.argmax(axis=1)).sum())
    right = int((p.argmax(axis=1) == labels).sum())
    accuracy = 100.0 * right / len(labels)
    top = np.sort(expected, axis=1)
    margin = float((top[:, -1] - top[:, -2]).min())

    print(f"largest difference from scikit-learn: {worst:.2e}")
    print(f"largest difference from float64: {rounding:.2e}")
    print(f"same class as scikit-learn: {same} of {len(labels)}")
    print(f"smallest gap between the two likeliest classes: {margin:.4f}")
    print(f"accuracy: {accuracy:.1f} % ({right} of {len(labels)})")
    if max(worst, rounding) > TOLERANCE:
        sys.exit(f"train.py: probabilities differ by more than {TOLERANCE}")
    if same != len(labels):
        sys.exit("train.py: the classes differ from scikit-learn's")
    if not 97.0 <= accuracy < 97.95:
        sys.exit("train.py: the accuracy does not print as 97.x")


def main():
    print(f"scikit-learn {sklearn.__version__}, numpy {np.__version__}")
    x_train, x_held, y_train, y_held = load()
    model = train(x_train, y_train)

    DATA.mkdir(parents=True, exist_ok=True)
    # What the demo runs on. numpy dates every entry of an .npz 1980-01-01, so
    # the archive depends on the arrays alone.
    np.savez(DATA / "weights.npz",
             w1=model.coefs_[0], b1=model.intercepts_[0],
             w2=model.coefs_[1], b2=model.intercepts_[1])
    np.save(DATA / "images.npy", np.ascontiguousarray(x_held))
    np.save(DATA / "labels.npy", np.ascontiguousarray(y_held))
    np.save(DATA / "probabilities.npy", np.ascontiguousarray(
        model.predict_proba(x_held), np.float32))

    # What the demo must refuse: images of another size, an array that holds
    # text, and good images in float64 where the network takes float32.
    step = np.arange(28, dtype=np.float32)
    np.save(DATA / "image28.npy",
            (step[:, None] + step[None, :]) / np.float32(54))
    np.save(DATA / "text.npy",
            np.array(["seven", "3,14", "", "nine"], dtype="<U7"))
    np.save(DATA / "images_f64.npy", x_held[:16].astype(np.float64))

    for path in sorted(DATA.glob("*.np[yz]")):
        print(f"{path.name}: {path.stat().st_size} bytes")
    verify()


if __name__ == "__main__":
    main()
