#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Counts the test cases of `bazel test` runs and prints "N passed, N failed".

Reads Bazel's build events (--build_event_json_file), one file a run, which name the results of exactly these runs;
the folder bazel-testlogs also holds those of earlier ones. What cannot be built counts as one failure. A file that
ends in .xml is of test cases itself.
"""

import json
import sys
import urllib.parse
import xml.etree.ElementTree


def count_cases(path):
    """Returns the numbers of passed, failed and skipped cases in a JUnit-style file."""
    counts = [0, 0, 0]
    for case in xml.etree.ElementTree.parse(path).iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            counts[1] += 1
        elif case.find("skipped") is not None or case.get("status") == "notrun":
            counts[2] += 1
        else:
            counts[0] += 1
    return counts


def result_path(result):
    for output in result.get("testActionOutput", []):
        if output["name"] == "test.xml":
            return urllib.parse.unquote(urllib.parse.urlparse(output["uri"]).path)
    return None


def count_result(result):
    passed_as_a_whole = result.get("status") == "PASSED"
    path = result_path(result)
    try:
        counts = count_cases(path) if path else [0, 0, 0]
    except (OSError, xml.etree.ElementTree.ParseError):
        counts = [0, 0, 0]
    # A program can fail after its last case (a leak, a crash at exit) or before it wrote its results.
    if not passed_as_a_whole and counts[1] == 0:
        counts[1] = 1
    return counts


def read_run(path):
    """Returns the counts of each result, what was not built, and whether the run came to a good end."""
    results = {}  # By test, shard and run: of several attempts, the last counts.
    not_built = set()
    finished_well = False
    with open(path, encoding="utf-8") as events:
        for line in events:
            event = json.loads(line)
            kind, identity = next(iter(event["id"].items()), (None, {}))
            if kind == "testResult":
                key = (identity["label"], identity.get("shard"), identity.get("run"))
                results[key] = count_result(event["testResult"])
            elif kind == "targetCompleted" and not event.get("completed", {}).get("success"):
                not_built.add(identity["label"])
            elif "aborted" in event:
                not_built.add(identity.get("label") or " ".join(identity.get("pattern", [kind])))
            elif kind == "buildFinished":
                finished_well = event.get("finished", {}).get("overallSuccess", False)
    return list(results.values()), not_built, finished_well


def main():
    totals = [0, 0, 0]
    for path in sys.argv[1:]:
        if path.endswith(".xml"):
            totals = [total + count for total, count in zip(totals, count_cases(path))]
            continue
        results, not_built, finished_well = read_run(path)
        for label in sorted(not_built):
            print(f"not built: {label}")
        counts = [sum(result[i] for result in results) for i in range(3)]
        counts[1] += len(not_built)
        if not finished_well and counts[1] == 0:
            print("the build failed before any test ran")
            counts[1] = 1
        totals = [total + count for total, count in zip(totals, counts)]
    passed, failed, skipped = totals
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
