# SPDX-License-Identifier: Apache-2.0
#
# An MTA on a free port of the loopback that takes mail, or answers what it is told to.

import re
import socket
import threading


class MailServer:
    """Takes mail until it is closed.

    answers    replies by the beginning of the command, octets without the line end; b"." is the end
               of the message. An empty reply closes the connection.
    mails      what was taken: forward-paths and the message, in the order of arrival
    """

    def __init__(self, answers=None):
        self.answers = dict(answers or {})
        self.mails = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _serve(self):
        while True:
            try:
                peer, _ = self._socket.accept()
            except OSError:
                return
            with peer, peer.makefile("rb") as lines:
                try:
                    self._talk(peer, lines)
                except OSError:
                    pass  # The client has gone.

    def _talk(self, peer, lines):
        recipients = []
        peer.sendall(b"220 mta.example\r\n")
        for line in lines:
            reply = self._reply_to(line)
            if reply.startswith(b"354"):
                peer.sendall(reply + b"\r\n")
                message = b"".join(iter(lines.readline, b".\r\n"))
                reply = self._reply_to(b".")
                if reply.startswith(b"250"):
                    self.mails.append((recipients, message))
            elif path := re.match(rb"RCPT TO:<([^>]*)>", line):
                recipients.append(path[1].decode())
            if not reply:
                return
            peer.sendall(reply + b"\r\n")

    def _reply_to(self, line):
        for beginning, reply in self.answers.items():
            if line.startswith(beginning):
                return reply
        return b"354 go on" if line.startswith(b"DATA") else b"250 ok"
