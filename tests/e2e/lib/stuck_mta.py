# SPDX-License-Identifier: Apache-2.0
"""An MTA that takes each message and, until it is told to, says nothing to it any more.

    stuck_mta.py PORT FOLDER

What has come is FOLDER/1.eml, FOLDER/2.eml and so on, written when all of it is there. The answer
to it is given when there is a file FOLDER/go, and never to a client that has gone meanwhile.
"""

import itertools
import socketserver
import sys
import time
from pathlib import Path

folder = Path(sys.argv[2])
numbers = itertools.count(1)


class Session(socketserver.StreamRequestHandler):
    """One client."""

    def handle(self):
        self.say("220 stuck.example")
        for line in self.rfile:
            if line.startswith(b"QUIT"):
                return self.say("221 bye")
            if line.startswith(b"DATA"):
                self.say("354 go on")
                self.take()
            self.say("250 ok")
        return None

    def take(self):
        message = b"".join(iter(self.rfile.readline, b".\r\n"))
        unfinished = folder / "unfinished"
        unfinished.write_bytes(message)
        unfinished.rename(folder / f"{next(numbers)}.eml")
        while not (folder / "go").exists():
            time.sleep(0.05)

    def say(self, line):
        self.wfile.write(line.encode() + b"\r\n")

    def finish(self):
        try:
            super().finish()
        except OSError:
            pass  # The client has gone.


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # The client has gone.


Server(("127.0.0.1", int(sys.argv[1])), Session).serve_forever()
