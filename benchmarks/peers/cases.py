# SPDX-License-Identifier: Apache-2.0
"""What is measured: models and kernels, each as a folder with model.onnx and input_K.npy."""

import dataclasses
import os
import pathlib

import numpy as np
import onnx
from onnx import numpy_helper

import kernels

@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    model: pathlib.Path
    inputs: tuple[pathlib.Path, ...]  # in the order of the model's
    kernel: str = ""  # its name in kernels.py; empty: a model
    step: float = 0  # of quantised outputs: they may be one off
    seeded: bool = False  # weights that were one repeated value are random ones


def model_cases(folder: pathlib.Path, made: pathlib.Path) -> list[Case]:
    """The models below `folder`; those that are changed are written to `made`."""
    return [_model_case(path, made / path.name) for path in sorted(folder.iterdir())
            if (path / "model.onnx").is_file()]


def _model_case(folder: pathlib.Path, made: pathlib.Path) -> Case:
    model = onnx.load(folder / "model.onnx")
    seeded = seed_repeated_weights(model)
    path = folder / "model.onnx"
    if seeded:
        made.mkdir(parents=True, exist_ok=True)
        path = made / "model.onnx"
        onnx.save(model, path)
    inputs = tuple(sorted(folder.glob("input_*.npy"), key=lambda file: int(file.stem.split("_")[1])))
    return Case(folder.name, path, inputs, step=output_step(model), seeded=seeded)


def kernel_cases(made: pathlib.Path) -> list[Case]:
    cases = []
    for number, kernel in enumerate(kernels.KERNELS):
        folder = made / f"kernel_{number}"
        folder.mkdir(parents=True, exist_ok=True)
        onnx.save(kernel.model(), folder / "model.onnx")
        np.save(folder / "input_0.npy", kernel.value_of_input())
        cases.append(Case(kernel.name, folder / "model.onnx", (folder / "input_0.npy",), kernel=kernel.name))
    return cases


def output_step(model) -> float:
    """The scale that the outputs are multiples of, the largest of them; 0 if they are not quantised."""
    known = {tensor.name: tensor for tensor in model.graph.initializer}
    outputs = {output.name for output in model.graph.output}
    steps = [0.0]
    for node in model.graph.node:
        if node.op_type == "Identity" and node.input[0] in known:
            known[node.output[0]] = known[node.input[0]]
        elif node.op_type == "Constant" and node.attribute[0].name == "value":
            known[node.output[0]] = node.attribute[0].t
        elif node.op_type == "DequantizeLinear" and node.output[0] in outputs and node.input[1] in known:
            steps.append(float(numpy_helper.to_array(known[node.input[1]]).max()))
    return max(steps)


# Ops with weights, whose operands behind the first are drawn anew.
_WEIGHTED = {"BatchNormalization", "Conv", "ConvTranspose", "Gemm", "MatMul"}


def seed_repeated_weights(model) -> bool:
    """Gives weights that are one repeated value random ones, the same in every run; whether there were any.

    Such weights stand in for trained ones in files that are to be small. A runtime that knows them to be
    constant could do with less work than a trained model needs.
    """
    graph = model.graph
    weights = {name for node in graph.node if node.op_type in _WEIGHTED for name in node.input[1:]}
    known = {tensor.name: tensor for tensor in graph.initializer}
    rng = np.random.default_rng(3)
    drawn, kept = [], []
    for node in graph.node:
        if node.op_type == "ConstantOfShape" and node.output[0] in weights and node.input[0] in known:
            dims = numpy_helper.to_array(known[node.input[0]])
            value = numpy_helper.to_array(node.attribute[0].t)[0] if node.attribute else np.float32(0)
            drawn.append(numpy_helper.from_array(_draw(rng, dims, value), node.output[0]))
        else:
            kept.append(node)
    del graph.node[:]
    graph.node.extend(kept)
    changed = bool(drawn)
    for tensor in graph.initializer:
        if tensor.name in weights and tensor.data_type == onnx.TensorProto.FLOAT:
            value = numpy_helper.to_array(tensor)
            if value.size > 1 and (value == value.flat[0]).all():
                tensor.CopyFrom(numpy_helper.from_array(_draw(rng, value.shape, value.flat[0]), tensor.name))
                changed = True
    graph.initializer.extend(drawn)
    model.ir_version = max(model.ir_version, 4)  # before, initializers had to be inputs as well
    return changed


def _draw(rng, dims, value) -> np.ndarray:
    if len(dims) > 1:  # as large as keeps the size of what flows through a layer and its Relu
        return (rng.standard_normal(dims) * (2 / np.prod(dims[1:])) ** 0.5).astype(np.float32)
    if value > 0:  # scales and variances
        return rng.uniform(0.5, 1.5, dims).astype(np.float32)
    return (0.1 * rng.standard_normal(dims)).astype(np.float32)


def models_folder() -> pathlib.Path | None:
    shared = os.environ.get("TENFOLD_SHARED_DIR")
    folder = pathlib.Path(shared) / "models" if shared else None
    return folder if folder and folder.is_dir() else None
