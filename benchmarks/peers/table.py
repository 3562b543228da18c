# SPDX-License-Identifier: Apache-2.0
"""The measurements as Markdown."""

import datetime
import pathlib

import environment
from session import RUNTIMES

BEGIN = "<!-- peers: written by ./dev bench --peers -->"
END = "<!-- end of peers -->"


def milliseconds(ns: float) -> str:
    ms = ns * 1e-6
    return f"{ms:.3g}" if ms < 100 else f"{ms:.0f}"


def _row(cells) -> str:
    return "| " + " | ".join(cells) + " |"


def _head(cells) -> list[str]:
    return [_row(cells), "|" + "---|" * len(cells)]


class _Table:
    """Cells of one case at one number of threads; reasons are collected on the way."""

    def __init__(self, run):
        self._run = run
        self.reasons = {}  # (case, runtime, text) -> numbers of threads

    def facts(self, case, threads):
        return self._run["results"].get(f"{case.name}|{threads}")

    def _note(self, case, runtime, threads, text):
        self.reasons.setdefault((case.name, runtime, text), []).append(threads)

    def medians(self, case, threads) -> str:
        facts = self.facts(case, threads)
        name = case.name + (" (seeded)" if case.seeded else "")
        if facts is None:
            return _row([name, str(threads), *["not measured"] * len(RUNTIMES), ""])
        cells, right = [], {}
        for runtime in RUNTIMES:
            of = facts[runtime]
            if "median_ns" not in of:
                self._note(case, runtime, threads, of.get("reason", "gave no reason"))
                cells.append("no")
                continue
            cell = milliseconds(of["median_ns"])
            if of["difference"] is None:
                cell += " (unchecked)"
            elif of["difference"]:
                self._note(case, runtime, threads, of["difference"])
                cell += " (differs)"
            else:
                right[runtime] = of["median_ns"]
            cells.append(cell)
        peers = [median for runtime, median in right.items() if runtime != "Tenfold"]
        own = facts["Tenfold"].get("median_ns")
        ratio = f"{own / min(peers):.2f}" if own and peers else ""
        return _row([name, str(threads), *cells, ratio])

    def first_answers(self, case, threads) -> str:
        facts = self.facts(case, threads)
        cells = ["" if facts is None or "peak_bytes" not in facts[runtime] else
                 f"{milliseconds(facts[runtime]['first_ns'])} ms, {facts[runtime]['peak_bytes'] / 1e6:.0f} MB"
                 for runtime in RUNTIMES]
        return _row([case.name, str(threads), *cells])


def _runtimes(run) -> list[str]:
    versions = environment.versions()
    lines = _head(["runtime", "version", "ready after, ms", "memory then, MB"])
    for runtime in RUNTIMES:
        ready = [facts[runtime] for facts in run["results"].values() if "ready_seconds" in facts[runtime]]
        seconds = sorted(of["ready_seconds"] for of in ready)
        memory = sorted(of["ready_bytes"] for of in ready)
        middle = len(ready) // 2
        lines.append(_row([runtime, versions.get(runtime, "this one"),
                           f"{1e3 * seconds[middle]:.0f}" if ready else "no",
                           f"{memory[middle] / 1e6:.0f}" if ready else "no"]))
    return lines


def render(cases, threads, run) -> str:
    table = _Table(run)
    pairs = [(case, n) for case in cases for n in threads]
    date = datetime.date.fromisoformat(run["date"])
    lines = [f"{environment.machine()}; {date}.", "", *_runtimes(run), "",
             "Medians in milliseconds, and Tenfold's as a multiple of the best peer's:", "",
             *_head(["case", "threads", *RUNTIMES, "ratio"]),
             *(table.medians(case, n) for case, n in pairs), "",
             "To the first answer, and the peak of memory up to it:", "",
             *_head(["case", "threads", *RUNTIMES]),
             *(table.first_answers(case, n) for case, n in pairs)]
    if table.reasons:
        lines += ["", "Who does not run a case, or gives other results, and why:", "",
                  *_head(["case", "threads", "runtime", "why"])]
        lines += [_row([case, ", ".join(map(str, counts)), runtime, _shorten(text)])
                  for (case, runtime, text), counts in table.reasons.items()]
    return "\n".join(lines) + "\n"


def _shorten(text: str) -> str:
    text = text.replace("|", "\\|").replace("<", "&lt;")
    return text if len(text) <= 200 else text[:200] + " ..."


def write(text: str, page: pathlib.Path):
    """Puts the tables between the page's markers."""
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        raise SystemExit(f"peers: {page} has no place for the tables: {BEGIN} ... {END}")
    new = page.with_suffix(".new")
    new.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{after}", encoding="utf-8")
    new.replace(page)
    print(f"peers: wrote {page}")
