# SPDX-License-Identifier: Apache-2.0
"""Verifies every DKIM signature of a delivered file by dkimpy over real DNS; 0 when all pass."""

import sys

import dkim

path, *wanted = sys.argv[1:]
with open(path, "rb") as file:
    message = file.read().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
header = message.split(b"\r\n\r\n", 1)[0].lower()
count = (b"\r\n" + header).count(b"\r\ndkim-signature:")
expected = int(wanted[0]) if wanted else max(count, 1)
if count != expected:
    sys.exit(f"dkimpy: {count} signatures, expected {expected}")
for index in range(count):
    checker = dkim.DKIM(message)
    if not checker.verify(idx=index):
        sys.exit(f"dkimpy: signature {index + 1} of {count} does not verify")
print(f"dkimpy: {count} signatures verify")
