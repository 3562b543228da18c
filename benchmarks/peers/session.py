# SPDX-License-Identifier: Apache-2.0
"""One runtime with one case loaded, in a process of its own."""

import ctypes
import os
import pathlib
import select
import signal
import subprocess
import sys
import time

import numpy as np

from cases import Case

HERE = pathlib.Path(__file__).resolve().parent
RUNTIMES = ["Tenfold", "onnxruntime", "openvino", "torch", "jax"]
_RUN_KERNELS_OF_PYTHON = {"torch", "jax"}


class Refused(Exception):
    """A runtime that does not run the case; the text says why."""


def _command(runtime: str, case: Case, threads: int, tenfold_worker: str) -> list[str]:
    if runtime == "jax" and not case.kernel:
        raise Refused("has no importer of ONNX models")
    if runtime == "Tenfold":
        return [tenfold_worker, str(threads), str(case.model), *map(str, case.inputs)]
    kernel = case.kernel if runtime in _RUN_KERNELS_OF_PYTHON else ""
    return [sys.executable, str(HERE / "worker.py"), runtime, str(threads), str(case.model), kernel,
            *map(str, case.inputs)]


_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


def _before_exec(processors: list[int]):
    # A runtime that is stopped would outlive a measurement that is killed, for ever.
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    os.sched_setaffinity(0, processors)


class Session:
    """Stopped whenever it is not asked: threads that spin or compile would slow the others down."""

    def __init__(self, runtime: str, case: Case, threads: int, tenfold_worker: str, log: pathlib.Path,
                 kernel_cache: pathlib.Path):
        self.runtime = runtime
        self._log = log
        environment = os.environ | {"TORCHINDUCTOR_CACHE_DIR": str(kernel_cache)}
        # For each number of threads as many processors, whatever a library thinks that it may use.
        processors = sorted(os.sched_getaffinity(0))[:threads]
        self._started = time.monotonic()
        with open(log, "w", encoding="utf-8") as stderr:
            self._process = subprocess.Popen(
                _command(runtime, case, threads, tenfold_worker), stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=stderr, env=environment, start_new_session=True,
                preexec_fn=lambda: _before_exec(processors))
        self._buffer = b""

    def wait_until_ready(self) -> tuple[float, int]:
        """Seconds since the start of the process, and its memory: what the library itself takes."""
        self._expect("ready", self._started + 120)
        return time.monotonic() - self._started, self.peak_bytes()

    def load(self, limit: float) -> int:
        """Nanoseconds to the first answer."""
        return int(self._ask("load", "loaded", limit))

    def run(self, count: int, limit: float) -> list[int]:
        """Nanoseconds of each run."""
        return [int(word) for word in self._ask(f"run {count}", "ran", limit).split()]

    def outputs(self, folder: pathlib.Path) -> list[np.ndarray]:
        for old in folder.glob("output_*.npy"):
            old.unlink()
        self._ask(f"save {folder}", "saved", 60)
        return [np.load(folder / f"output_{i}.npy") for i in range(len(list(folder.glob("output_*.npy"))))]

    def peak_bytes(self) -> int:
        status = pathlib.Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii")
        return next(int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith("VmHWM:"))

    def close(self):
        if self._process.returncode is not None:
            return
        try:
            os.killpg(self._process.pid, signal.SIGKILL)  # with the compilers that it has started
        except ProcessLookupError:
            pass
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()

    def _ask(self, line: str, answer: str, limit: float) -> str:
        try:
            os.killpg(self._process.pid, signal.SIGCONT)
            self._process.stdin.write(line.encode() + b"\n")
            self._process.stdin.flush()
            result = self._expect(answer, time.monotonic() + limit)
            os.killpg(self._process.pid, signal.SIGSTOP)
            return result
        except (BrokenPipeError, ProcessLookupError):
            raise self._ended() from None

    def _expect(self, word: str, deadline: float) -> str:
        while b"\n" not in self._buffer:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._process.stdout], [], [], left)[0]:
                self.close()
                raise Refused("took longer than the limit of its answer")
            piece = os.read(self._process.stdout.fileno(), 1 << 16)
            if not piece:
                raise self._ended()
            self._buffer += piece
        line, self._buffer = self._buffer.split(b"\n", 1)
        got, _, rest = line.decode(errors="replace").partition(" ")
        if got != word:
            self.close()
            raise Refused(rest)
        return rest

    def _ended(self) -> Refused:
        self.close()
        lines = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return Refused(f"ended with status {self._process.returncode}" + (f": {lines[-1]}" if lines else ""))
