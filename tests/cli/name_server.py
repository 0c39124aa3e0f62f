# SPDX-License-Identifier: Apache-2.0
#
# A name server for TXT records on a free port of the loopback: enough of RFC 1035 for a forwarding
# resolver, and every way to fail.

import socket
import struct
import threading

NO_ERROR, SERVFAIL, NXDOMAIN, REFUSED = 0, 2, 3, 5
TXT = 16


class NameServer:
    """Answers from a table until it is closed.

    answers    name to a list of TXT texts; to SERVFAIL or REFUSED; to None for silence
    together   names that must have been asked for before the first is answered, so that who asks
               for one after the other gets no answer
    """

    def __init__(self, answers, together=1):
        self.answers = {name.lower(): answer for name, answer in answers.items()}
        self.together = together
        self.asked = set()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self._socket.bind(("127.0.0.1", 0))
        self.address = "127.0.0.1@%d" % self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self):
        self._socket.close()

    def _serve(self):
        while True:
            try:
                query, peer = self._socket.recvfrom(4096)
            except OSError:
                return
            self._answer(query, peer)

    def _answer(self, query, peer):
        name, end = _read_name(query, 12)
        (record_type,) = struct.unpack_from("!H", query, end)
        self.asked.add(name.lower())
        answer = self.answers.get(name.lower(), NXDOMAIN)
        if answer is None:
            return
        if len(self.asked) < self.together:
            return  # It will be asked for again.
        texts = answer if isinstance(answer, list) and record_type == TXT else []
        rcode = answer if isinstance(answer, int) else NO_ERROR
        header = query[:2] + struct.pack("!HHHHH", 0x8180 | rcode, 1, len(texts), 0, 0)
        packet = header + query[12 : end + 4] + b"".join(map(_txt_record, texts))
        try:
            self._socket.sendto(packet, peer)
        except OSError:
            pass  # Closed meanwhile.


def _read_name(packet, at):
    labels = []
    while packet[at]:
        labels.append(packet[at + 1 : at + 1 + packet[at]].decode("latin-1"))
        at += 1 + packet[at]
    return ".".join(labels), at + 1


def _txt_record(text):
    octets = text.encode()
    parts = [octets[at : at + 255] for at in range(0, len(octets), 255)] or [b""]
    data = b"".join(bytes([len(part)]) + part for part in parts)
    # The name is a pointer to the question's; class IN; a minute to live.
    return struct.pack("!HHHIH", 0xC00C, TXT, 1, 60, len(data)) + data
