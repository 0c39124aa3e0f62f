#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# Counts the cases of a ctest run: `count_cases.py FOLDER` prints how many passed, failed and were
# skipped. FOLDER holds ctest's own result (ctest.junit) and one NAME_tests.xml for each GoogleTest
# program; a ctest case without such a file is one case.

import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path


def main():
    folder = Path(sys.argv[1])
    passed = failed = skipped = 0
    for case in ElementTree.parse(folder / "ctest.junit").getroot().iter("testcase"):
        failed_whole = case.find("failure") is not None
        report = folder / f"{case.get('name')}_tests.xml"
        if report.exists():
            total, bad, left_out = count(report)
            passed += total - bad - left_out
            failed += bad
            skipped += left_out
            # All cases passed and the program failed all the same: a leak, say, found at its end.
            failed += failed_whole and bad == 0
        elif failed_whole:
            failed += 1
        else:
            passed += 1
    print(passed, failed, skipped)


def count(report):
    """How many cases a GoogleTest program has run, how many failed, how many were left out."""
    total = bad = left_out = 0
    for suite in ElementTree.parse(report).getroot().iter("testsuite"):
        total += int(suite.get("tests", 0))
        bad += int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        left_out += int(suite.get("skipped", 0)) + int(suite.get("disabled", 0))
    return total, bad, left_out


if __name__ == "__main__":
    main()
