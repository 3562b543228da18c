#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks of the tracked text files that clang-format does not make."""

import pathlib
import subprocess
import sys

LICENCE = "SPDX-License-Identifier: Apache-2.0"
SOURCES = {".h", ".cc", ".cu", ".cuh", ".proto", ".bzl", ".bazel", ".BUILD", ".py", ".sh"}
SOURCES_BY_NAME = {"WORKSPACE", "dev", "run"}
# Not test data, such as .case and .tnt, where the bytes may be the point.
WHITESPACE_CHECKED = SOURCES | {".md", ".txt"}
LONG_FILE = 400


def problems(path):
    is_source = path.suffix in SOURCES or path.name in SOURCES_BY_NAME
    if not is_source and path.suffix not in WHITESPACE_CHECKED:
        return
    lines = path.read_text(encoding="utf-8").split("\n")
    if is_source and not any(LICENCE in line for line in lines[:3]):
        yield f"{path}:1: no line '{LICENCE}'"
    for number, line in enumerate(lines, start=1):
        if line != line.rstrip():
            yield f"{path}:{number}: white space at the end of the line"
    if lines[-1]:
        yield f"{path}:{len(lines)}: no newline at the end of the file"
    if path.suffix in {".h", ".cc"} and len(lines) > LONG_FILE:
        print(f"{path}: warning: {len(lines)} lines; has it more than one subject?")


def main():
    listed = subprocess.run(["git", "ls-files", "-z"], check=True, capture_output=True, text=True).stdout
    paths = [pathlib.Path(name) for name in listed.split("\0") if name]
    found = [p for path in paths if path.is_file() and not path.is_symlink() for p in problems(path)]
    for problem in found:
        print(problem, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
