# SPDX-License-Identifier: Apache-2.0
"""Seals the message on standard input with ARC by dkimpy: DOMAIN SELECTOR KEYFILE."""

import sys

import dkim

domain, selector, path = sys.argv[1:]
message = sys.stdin.buffer.read().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
with open(path, "rb") as file:
    key = file.read()
fields = dkim.arc_sign(message, selector.encode(), domain.encode(), key, b"mx." + domain.encode())
if not fields:
    sys.exit("dkimpy does not seal the message")
sys.stdout.buffer.write(b"".join(fields) + message)
