# SPDX-License-Identifier: Apache-2.0
#
# `countersign probe` against the daemon itself, and against what is no filter.

import socket
import subprocess
import time

from support import MESSAGE, PROGRAM, Case, key

SETTINGS = """[daemon]
sockets = ["unix:{folder}/socket"]
[[signing.domain]]
name = "example.org"
keys = [{{ selector = "rsa", file = "{key}" }}]
"""


class Probe(Case):
    def serve(self):
        """Starts the daemon in the foreground; its socket."""
        text = SETTINGS.format(folder=self.folder, key=key("rsa"))
        settings = self.write("countersign.toml", text)
        daemon = subprocess.Popen([PROGRAM, "serve", "--foreground", "--config", settings],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.addCleanup(daemon.stderr.close)
        self.addCleanup(daemon.wait)
        self.addCleanup(daemon.terminate)
        path = self.folder / "socket"
        for _ in range(200):
            if path.is_socket():
                return f"unix:{path}"
            time.sleep(0.05)
        self.fail("the daemon made no socket")

    def test_a_message_comes_back_signed(self):
        where = self.serve()
        result = self.expect(0, "probe", "-p", where, "--auth-user", "alice", stdin=MESSAGE)
        self.assertIn("accept", result.err)
        self.assertTrue(result.out.endswith(MESSAGE))
        self.assertEqual([one["result"] for one in self.verify(result.out)], ["pass"])
        result = self.expect(0, "probe", "-p", where, "--ip", "192.0.2.1", stdin=MESSAGE)
        self.assertEqual(result.out, MESSAGE)

    def test_where_no_filter_is(self):
        self.expect_complaint(69, "probe", "-p", "unix:/nowhere", stdin=MESSAGE,
                              says="no filter answers at .*/nowhere")
        self.expect_complaint(64, "probe", "-p", "inet:many", stdin=MESSAGE, says="inet:many")
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            port = listener.getsockname()[1]
            self.expect_complaint(69, "probe", "-p", f"inet:{port}@127.0.0.1", stdin=MESSAGE,
                                  says="no filter answers")
            listener.listen()
            self.expect_complaint(69, "probe", "-p", f"inet:{port}@127.0.0.1", "--timeout", "1",
                                  stdin=MESSAGE, says="in time")
