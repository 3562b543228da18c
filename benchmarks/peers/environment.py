# SPDX-License-Identifier: Apache-2.0
"""Where the runtimes are installed, and what is said of the machine. Needs nothing but Python."""

import hashlib
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
REQUIREMENTS = HERE / "requirements.txt"


def cache_folder() -> pathlib.Path:
    cache = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(cache) / "tenfold" / "peers"


def python_with_peers() -> str:
    """The interpreter of the virtual environment, which is made if it is not what the requirements say."""
    folder = cache_folder() / "venv"
    python = folder / "bin" / "python"
    installed = folder / "requirements.txt"
    wanted = REQUIREMENTS.read_text(encoding="utf-8")
    if python.exists() and installed.exists() and installed.read_text(encoding="utf-8") == wanted:
        return str(python)
    print("peers: installing the runtimes, which takes some minutes and 6 GB of disk", file=sys.stderr)
    folder.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    subprocess.run([str(python), "-m", "pip", "install", "--quiet", "--no-cache-dir", "--disable-pip-version-check",
                    "-r", str(REQUIREMENTS)], check=True)
    # Inductor's compiler for GPUs: 1 GB that nothing here runs.
    subprocess.run([str(python), "-m", "pip", "uninstall", "--quiet", "--yes", "triton"], check=True)
    installed.write_text(wanted, encoding="utf-8")  # last: an installation that was cut off is made again
    return str(python)


def versions() -> dict[str, str]:
    pins = re.findall(r"^([\w-]+)==(\S+)$", REQUIREMENTS.read_text(encoding="utf-8"), re.MULTILINE)
    return dict(pins)


def machine() -> str:
    """The processor, how many of its cores, and the memory: "Name, 2 cores, 24 GB"."""
    lines = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    name = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")
    memory = int(re.search(r"MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text())[1]) << 10
    return f"{name}, {len(os.sched_getaffinity(0))} cores, {memory / 1e9:.0f} GB"


def fingerprint(*files: str) -> str:
    """Of what a measurement depends on: measurements of another one are not gone on with."""
    digest = hashlib.sha256(REQUIREMENTS.read_bytes())
    for file in [*files, *sorted(HERE.glob("*.py"))]:
        digest.update(pathlib.Path(file).read_bytes())
    return digest.hexdigest()[:16]
