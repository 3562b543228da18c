#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks of the tracked text files that clang-format does not make."""

import pathlib
import re
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


def untested_codes(paths):
    """Error codes that no test names: each has a negative test, which shows what people see."""
    tests = "".join(path.read_text(encoding="utf-8") for path in paths
                    if path.parts[0] == "tests" and (path.suffix == ".case" or path.name.endswith("_test.cc")))
    table = pathlib.Path("graph/error_codes.cc")
    for number, line in enumerate(table.read_text(encoding="utf-8").split("\n"), start=1):
        for code in re.findall(r'^\s*\{"(E\d{4})"', line):
            if code not in tests:
                yield f"{table}:{number}: no test expects {code}"


def main():
    listed = subprocess.run(["git", "ls-files", "-z"], check=True, capture_output=True, text=True).stdout
    paths = [pathlib.Path(name) for name in listed.split("\0") if name]
    paths = [path for path in paths if path.is_file() and not path.is_symlink()]
    found = [p for path in paths for p in problems(path)]
    found += untested_codes(paths)
    for problem in found:
        print(problem, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
