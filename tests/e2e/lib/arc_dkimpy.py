# SPDX-License-Identifier: Apache-2.0
"""Validates the ARC chain of a delivered file by dkimpy over real DNS: FILE STATUS SETS."""

import sys

import dkim

path, wanted, sets = sys.argv[1:]
with open(path, "rb") as file:
    message = file.read().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
status, results, comment = dkim.arc_verify(message)
# It gives no status for a chain whose newest seal says cv=fail, and says so in words.
found = "fail" if "terminated" in str(comment) else (status or b"none").decode()
if found != wanted:
    sys.exit(f"dkimpy: the chain is {found}, expected {wanted}: {comment}")
if wanted == "pass" and len(results) != int(sets):
    sys.exit(f"dkimpy: {len(results)} sets, expected {sets}")
print(f"dkimpy: {found}, {comment}")
