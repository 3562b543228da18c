#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures Tenfold beside other runtimes: `./dev bench --peers` builds it and calls this.

Every case, a model or a kernel, is loaded by each runtime in a fresh process; their outputs are compared, then
they run by turns, so that whatever else the machine does hits all of them. The tables go into
docs/performance.md.
"""

import argparse
import datetime
import json
import os
import pathlib
import shutil
import signal
import statistics
import sys
import time

import environment

RTOL, ATOL = 1e-3, 1e-4
ROUNDS = 5
QUICK = ["cnn_mnist_pytorch", "Softmax", "MatMul"]
REFERENCE = "onnxruntime"
KERNELS_OF_TORCH = "torch_kernels"  # compiled ones, which it keeps


def parse_arguments():
    parser = argparse.ArgumentParser(prog="./dev bench --peers", description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true",
                        help="a smoke test: a model and two kernels for a moment, printed and not written")
    parser.add_argument("--resume", action="store_true",
                        help="goes on with a measurement that was cut off, or had no time for all cases")
    parser.add_argument("--only", action="append", metavar="TEXT", default=[],
                        help="cases whose names contain TEXT; printed and not written")
    parser.add_argument("--seconds", type=float, default=0.6,
                        help="how long each runtime runs each case, at each number of threads; default %(default)s")
    parser.add_argument("--minutes", type=float, default=25,
                        help="no case begins after so long; --resume does the others; default %(default)s")
    parser.add_argument("--load-limit", type=float, default=60, metavar="SECONDS",
                        help="how long a runtime may take to its first answer; default %(default)s")
    parser.add_argument("--print", action="store_true", help="prints the tables and leaves the page alone")
    parser.add_argument("--tenfold-worker", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--page", required=True, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.seconds = 0.05
    return arguments


def measure(case, threads, before, arguments, folder):
    """What each runtime gives for one case: {runtime: facts}, with "reason" where it does not run it.

    `before`: the same with fewer threads; who refused the case then is not asked again.
    """
    from session import RUNTIMES, Refused, Session
    # The reference comes first, so that the others can be held against it.
    results = {runtime: {} for runtime in sorted(RUNTIMES, key=lambda runtime: runtime != REFERENCE)}
    sessions, reference = {}, None
    outputs = folder / "outputs"
    outputs.mkdir(exist_ok=True)
    try:
        for runtime, facts in results.items():
            if "reason" in before.get(runtime, {}):
                facts["reason"] = before[runtime]["reason"]
                continue
            try:
                session = sessions[runtime] = Session(runtime, case, threads, arguments.tenfold_worker,
                                                      folder / f"{runtime}.log", folder / KERNELS_OF_TORCH)
                facts["ready_seconds"], facts["ready_bytes"] = session.wait_until_ready()
                facts["first_ns"] = session.load(arguments.load_limit)
                facts["peak_bytes"] = session.peak_bytes()
                got = session.outputs(outputs)
            except Refused as refused:
                facts["reason"] = str(refused)
                continue
            if runtime == REFERENCE:
                reference = got
            facts["difference"] = difference(got, reference, case.step)
        take_turns({runtime: session for runtime, session in sessions.items()
                    if "reason" not in results[runtime]}, results, arguments)
    finally:
        for session in sessions.values():
            session.close()
    return results


def difference(got, want, step):
    """What outputs differ by beyond the tolerance, in words; empty: they agree, None: nobody knows."""
    import numpy as np
    if want is None:
        return None
    if [value.shape for value in got] != [value.shape for value in want]:
        return f"outputs have the shapes {[list(v.shape) for v in got]}, not {[list(v.shape) for v in want]}"
    for i, (mine, theirs) in enumerate(zip(got, want)):
        allowed = max(ATOL, 1.001 * step)
        if not np.allclose(mine, theirs, RTOL, allowed, equal_nan=True):
            distance = np.abs(mine.astype(np.float64) - theirs)
            wrong = np.count_nonzero(distance > allowed + RTOL * np.abs(theirs))
            return f"{wrong} of {mine.size} elements of output {i} differ, by up to {np.nanmax(distance):.2g}"
    return ""


def take_turns(sessions, results, arguments):
    """Runs all, one after the other, ROUNDS times; the first run of each turn only warms the caches."""
    from session import Refused
    times = {runtime: [] for runtime in sessions}
    counts = {runtime: 3 for runtime in sessions}
    for turn in range(1 + ROUNDS):
        for runtime, session in sessions.items():
            if "reason" in results[runtime]:
                continue
            try:
                got = session.run(counts[runtime], 60)[1:]
            except Refused as refused:
                results[runtime]["reason"] = str(refused)
                continue
            if turn == 0:  # says how many runs a turn has
                counts[runtime] = 1 + min(max(int(arguments.seconds / ROUNDS * 1e9 / min(got)), 1), 10000)
            else:
                times[runtime] += got
    for runtime, facts in results.items():
        if "reason" not in facts:
            facts["median_ns"], facts["runs"] = statistics.median(times[runtime]), len(times[runtime])


def list_cases(arguments, folder):
    import cases
    models = cases.models_folder()
    if models is None:
        print("peers: no models: TENFOLD_SHARED_DIR names no folder that has them; kernels alone are measured", file=sys.stderr)
    found = cases.model_cases(models, folder / "cases") if models else []
    found += cases.kernel_cases(folder / "cases")
    only = arguments.only or (QUICK if arguments.quick else [""])
    return [case for case in found if any(text in case.name for text in only)]


def main():
    arguments = parse_arguments()
    if not os.environ.get("TENFOLD_PEERS_PYTHON"):
        python = environment.python_with_peers()
        os.execve(python, [python, *sys.argv], os.environ | {"TENFOLD_PEERS_PYTHON": python})
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("peers: ended; --resume goes on"))
    import table
    folder = environment.cache_folder() / "work"
    folder.mkdir(parents=True, exist_ok=True)
    store = folder / "results.json"
    cases = list_cases(arguments, folder)
    threads = [n for n in (1, 2) if n <= len(os.sched_getaffinity(0))]
    partial = arguments.quick or bool(arguments.only)
    run = {"fingerprint": environment.fingerprint(arguments.tenfold_worker),
           "date": datetime.date.today().isoformat(), "results": {}}
    if arguments.resume and store.exists():
        before = json.loads(store.read_text(encoding="utf-8"))
        if before["fingerprint"] != run["fingerprint"]:
            sys.exit("peers: what would be gone on with was measured with other programs; leave out --resume")
        run = before
    else:
        shutil.rmtree(folder / KERNELS_OF_TORCH, ignore_errors=True)  # a first answer includes compilation
    deadline = time.monotonic() + 60 * arguments.minutes
    todo = [(case, n) for case in cases for n in threads if f"{case.name}|{n}" not in run["results"]]
    for number, (case, n) in enumerate(todo):
        if time.monotonic() > deadline:
            print(f"peers: time is up with {len(todo) - number} of {len(todo)} left; --resume does them",
                  file=sys.stderr)
            break
        print(f"[{number + 1}/{len(todo)}] {case.name}, {n} thread{'s' if n > 1 else ''}", file=sys.stderr)
        before = run["results"].get(f"{case.name}|{threads[0]}", {})
        run["results"][f"{case.name}|{n}"] = measure(case, n, before, arguments, folder)
        if not partial:
            new = store.with_suffix(".new")
            new.write_text(json.dumps(run), encoding="utf-8")
            new.replace(store)
    text = table.render(cases, threads, run)
    if partial or arguments.print:
        print(text)
    else:
        table.write(text, pathlib.Path(arguments.page))


if __name__ == "__main__":
    main()
