# SPDX-License-Identifier: Apache-2.0
"""One of the other runtimes, as tenfold_worker.cc is Tenfold: the same commands, the same answers.

    worker.py RUNTIME THREADS MODEL.onnx KERNEL INPUT.npy...

KERNEL names one of kernels.py; empty: MODEL.onnx is all there is, which JAX cannot read and is never given.
"""

import os
import sys
import time

import numpy as np

# Before a library is imported, which may print whatever it likes.
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)


class OnnxRuntime:
    def __init__(self, threads):
        import onnxruntime
        self.library, self.threads = onnxruntime, threads

    def load(self, model, kernel, inputs):
        options = self.library.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        session = self.library.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        binding = session.io_binding()
        for declared, value in zip(session.get_inputs(), inputs):
            binding.bind_cpu_input(declared.name, value)
        for declared in session.get_outputs():
            binding.bind_output(declared.name)
        self.outputs = binding.copy_outputs_to_cpu
        return lambda: session.run_with_iobinding(binding)


class OpenVino:
    def __init__(self, threads):
        import openvino
        self.library, self.threads = openvino, threads

    def load(self, model, kernel, inputs):
        # f32 by name: it would compute in bf16 where the processor can.
        settings = {"INFERENCE_NUM_THREADS": self.threads, "PERFORMANCE_HINT": "LATENCY",
                    "INFERENCE_PRECISION_HINT": "f32"}
        request = self.library.Core().compile_model(model, "CPU", settings).create_infer_request()
        for i, value in enumerate(inputs):
            request.set_input_tensor(i, self.library.Tensor(value, shared_memory=True))
        self.outputs = lambda: [tensor.data for tensor in request.output_tensors]
        return request.infer


class Torch:
    def __init__(self, threads):
        import torch
        from torch._inductor import config
        torch.set_num_threads(threads)
        torch.set_grad_enabled(False)
        config.freezing = True  # packs constant weights
        config.cpp.dynamic_threads = True  # one kernel for any number of threads, so that it is compiled once
        self.library = torch

    def load(self, model, kernel, inputs):
        torch = self.library
        if kernel is not None:
            weights = {name: torch.from_numpy(value) for name, value in kernel.values_of_weights().items()}
            function = kernel.torch(torch, weights)
        else:
            function = self.module_of(model)
        if isinstance(function, torch.nn.Module):
            function.eval()
        compiled = torch.compile(function)
        feeds = [torch.from_numpy(value) for value in inputs]
        self.results = None

        def run():
            self.results = compiled(*feeds)
        return run

    def module_of(self, path):
        import onnx
        import onnx2torch
        from onnx import version_converter
        # A node that Dynamo cannot trace runs as it is, and the parts around it are compiled.
        self.library._dynamo.config.suppress_errors = True
        model = version_converter.convert_version(onnx.load(path), 17)  # it knows few ops of older opsets
        with_initializers(model)
        return onnx2torch.convert(onnx.shape_inference.infer_shapes(model))

    def outputs(self):
        results = self.results if isinstance(self.results, (tuple, list)) else [self.results]
        return [value.numpy() for value in results]


def with_initializers(model):
    """The model with its constants where onnx2torch looks for weights."""
    nodes = list(model.graph.node)
    del model.graph.node[:]
    for node in nodes:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            constant = model.graph.initializer.add()
            constant.CopyFrom(node.attribute[0].t)
            constant.name = node.output[0]
        else:
            model.graph.node.append(node)


class Jax:
    def __init__(self, threads):
        os.environ["JAX_PLATFORMS"] = "cpu"
        import jax  # as many threads as the process may use processors
        self.library = jax

    def load(self, model, kernel, inputs):
        jax = self.library
        weights = {name: jax.numpy.asarray(value) for name, value in kernel.values_of_weights().items()}
        compiled = jax.jit(kernel.jax(jax, weights))
        feeds = [jax.numpy.asarray(value) for value in inputs]

        def run():
            self.result = jax.block_until_ready(compiled(*feeds))
        return run

    def outputs(self):
        return [np.asarray(self.result)]


RUNTIMES = {"onnxruntime": OnnxRuntime, "openvino": OpenVino, "torch": Torch, "jax": Jax}


def say(answer):
    answers.write(answer.replace("\n", " ") + "\n")
    answers.flush()


def kernel_named(name):
    if not name:
        return None
    import kernels
    return next(kernel for kernel in kernels.KERNELS if kernel.name == name)


def main():
    name, threads, model, kernel, *files = sys.argv[1:]
    try:
        inputs = [np.load(file) for file in files]
        kernel = kernel_named(kernel)
        runtime = RUNTIMES[name](int(threads))
    except Exception as error:  # whatever a library says of itself
        return say(f"refused {type(error).__name__}: {error}")
    run = None
    say("ready")
    for line in sys.stdin:
        command, _, argument = line.strip().partition(" ")
        try:
            if command == "load":
                start = time.perf_counter_ns()
                run = runtime.load(model, kernel, inputs)
                run()
                say(f"loaded {time.perf_counter_ns() - start}")
            elif command == "run":
                times = []
                for _ in range(int(argument)):
                    start = time.perf_counter_ns()
                    run()
                    times.append(time.perf_counter_ns() - start)
                say("ran " + " ".join(map(str, times)))
            elif command == "save":
                for i, value in enumerate(runtime.outputs()):
                    np.save(os.path.join(argument, f"output_{i}.npy"), value)
                say("saved")
            else:
                raise ValueError(f"no command: {line}")
        except Exception as error:  # the answer of a peer that cannot run it
            say(f"refused {type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
