# SPDX-License-Identifier: Apache-2.0
"""A syslog daemon for tests: writes each datagram as one line of a file."""

import os
import socket
import sys

path, log = sys.argv[1:]
if os.path.exists(path):
    os.unlink(path)
server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
server.bind(path)
os.chmod(path, 0o666)
with open(log, "a", encoding="utf-8", errors="backslashreplace") as out:
    while True:
        out.write(server.recv(65536).decode("utf-8", "backslashreplace").rstrip("\n\0") + "\n")
        out.flush()
