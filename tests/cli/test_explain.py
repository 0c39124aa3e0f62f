# SPDX-License-Identifier: Apache-2.0
#
# `countersign explain` beside a daemon that messages are pushed through: the same verdict as
# `countersign verify` gives, what was signed and why, and what there is to say of a message that
# nobody knows.

import json
import re
import socket
import subprocess
import threading
import time

from support import MESSAGE, PROGRAM, Case, key, record

SETTINGS = """[daemon]
sockets = ["unix:{folder}/milter"]
[control]
socket = "{folder}/control"
kept_messages = {kept}
[signing]
mode = "both"
[[signing.domain]]
name = "example.org"
keys = [{{ selector = "rsa", file = "{key}" }}]
[judging]
shadow = {shadow}
[judging.results]
authserv_id = "mx.example.org"
[dns]
zone_file = "{zone}"
"""

ZONE = {
    "example.org": "v=spf1 include:spf.example.org exp=why.example.org -all",
    "spf.example.org": "v=spf1 ip4:203.0.113.0/24 a:nothing.example.org ?exists:%{i}.example.org "
                       "-all",
    "why.example.org": "no mail from %{i}",
    "_dmarc.example.org": "v=DMARC1; p=quarantine; rf=afrf",
    "mail.example.org": "v=spf1 -all",
}
CLIENT = ["--ip", "192.0.2.1", "--helo", "mail.example.org", "--mail-from", "bob@example.org"]


class Explain(Case):
    def serve(self, kept=100, shadow="false"):
        """Starts the daemon in the foreground."""
        zone = self.zone({**ZONE, "rsa._domainkey.example.org": record("rsa")},
                         {"other._domainkey.example.org": "SERVFAIL"})
        self.zone_file = zone
        self.settings = self.write("countersign.toml", SETTINGS.format(
            folder=self.folder, key=key("rsa"), zone=zone, kept=kept, shadow=shadow))
        daemon = subprocess.Popen([PROGRAM, "serve", "--foreground", "--config", self.settings],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.addCleanup(daemon.stderr.close)
        self.addCleanup(daemon.wait)
        self.addCleanup(daemon.terminate)
        for _ in range(200):
            if self.ask({"ask": "last"}):
                return
            time.sleep(0.05)
        self.fail("the daemon does not answer")

    def ask(self, request):
        """The answer of the daemon, asked by hand; None when there is none."""
        with socket.socket(socket.AF_UNIX) as asking:
            asking.settimeout(20)
            try:
                asking.connect(str(self.folder / "control"))
            except OSError:
                return None
            asking.sendall(json.dumps(request).encode() + b"\n")
            with asking.makefile() as answer:
                return json.loads(answer.readline())

    def push(self, message, queue_id, *options):
        """Pushes a message through the daemon and waits until it can be explained."""
        before = self.ask({"ask": "last"})["kept"]
        self.expect(0, "probe", "-p", f"unix:{self.folder}/milter", "--macro", f"i={queue_id}",
                    *options, stdin=message)
        for _ in range(200):  # The MTA is answered before the message is kept.
            kept = self.ask({"ask": "last"})["kept"]
            if kept["messages"] + kept["forgotten"] > before["messages"] + before["forgotten"]:
                return
            time.sleep(0.02)
        self.fail("the daemon keeps no message")

    def explain(self, *arguments, code=0):
        return self.expect(code, "explain", "--config", self.settings, *arguments)

    def assert_as_verify(self, message, queue_id):
        """What is explained is what verify says of the same message."""
        found = self.explain("--json", queue_id).json
        verify = ["verify", "--config", self.settings, "--zone", self.zone_file, *CLIENT]
        verified = self.run_program(*verify, "--json", stdin=message).json
        for document in (verified, found):
            document["questions"].sort(key=str)
        self.assertEqual({name: found.get(name) for name in verified}, verified)
        # Behind what is known of the message only here, the tree is the same.
        lines = self.explain(queue_id).text.splitlines()
        begin = next(at for at, line in enumerate(lines) if at > 0 and line[0] != " ")
        tree = self.run_program(*verify, stdin=message).text.splitlines()
        self.assertEqual(sorted(lines[begin:]), sorted(tree))
        questions = next(at for at, line in enumerate(tree) if line.startswith("DNS: "))
        self.assertEqual(lines[begin:begin + questions], tree[:questions])
        return found

    def test_the_same_verdict_as_verify(self):
        self.serve()
        signed = self.sign(selectors=("rsa", "ed"))
        for number, (message, dmarc) in enumerate((
            (MESSAGE, "fail"),
            (signed, "pass"),
            (signed.replace(b"Hello", b"Hallo"), "fail"),
            (self.sign(selectors=("other",)), "temperror"),
            (b"DKIM-Signature: v=1; \x1b[31m\xff\r\n" + MESSAGE, "fail"),
            (b"From: eve@other.example\r\n" + MESSAGE, "permerror"),
            (MESSAGE.replace(b"example.org", b"nowhere.example"), "none"),
        )):
            self.push(message, f"4ID{number}", *CLIENT)
            found = self.assert_as_verify(message, f"4ID{number}")
            self.assertEqual(found["dmarc"]["result"], dmarc)
            self.assertTrue(found["judged"])

    def test_the_way_to_the_verdict(self):
        self.serve()
        self.push(MESSAGE, "4ID", *CLIENT, "--rcpt", "one@rcpt.example")
        text = self.explain("4ID:").text  # As the id stands in a log.
        for line in ("4ID  finished 2", "  client .*192\\.0\\.2\\.1.*  HELO mail.example.org",
                     "  MAIL FROM <bob@example.org>  to .*one@rcpt.example", "  not signed",
                     "spf=fail  MAIL FROM <bob@example.org> from 192.0.2.1",
                     " +- include:spf.example.org: not matched", " +- a:nothing.*: not matched",
                     "  the domain explains: no mail from 192.0.2.1",
                     "dmarc=fail  From example.org",
                     "  policy of example.org by p=: quarantine", "action: quarantine",
                     "DNS: [0-9]+ questions", "  example.org TXT: "):
            self.assertRegex(text, f"(?m)^{line}")

    def test_what_was_signed_and_why(self):
        self.serve()
        self.push(MESSAGE, "4OUT", "--auth-user", "alice")
        text = self.explain("4OUT").text
        self.assertRegex(text, r"(?m)^  signed as rsa\._domainkey\.example\.org \(rsa-sha256\)$")
        self.assertRegex(text, r"(?m)^    .*alice")
        self.assertRegex(text, r"(?m)^action: accept$")
        found = self.explain("--json", "4OUT").json
        self.assertEqual(found["signatures"], [{"sdid": "example.org", "selector": "rsa",
                                                "auid": None, "algorithm": "rsa-sha256"}])
        self.assertFalse(found["judged"])
        self.assertTrue(found["reasons"])
        self.push(MESSAGE.replace(b"example.org", b"other.example"), "4NOT", "--auth-user", "alice")
        text = self.explain("4NOT").text
        self.assertRegex(text, r"(?m)^  not signed$")
        self.assertIn("other.example", text)

    def test_shadow(self):
        self.serve(shadow="true")
        self.push(MESSAGE, "4ID", *CLIENT)
        self.assertRegex(self.explain("4ID").text, r"(?m)^action: quarantine\n  not carried out")
        self.assertIn("(shadow: not carried out)", self.explain("--last").text)
        self.assert_as_verify(MESSAGE, "4ID")

    def test_several_messages_of_one_id(self):
        self.serve()
        self.push(MESSAGE, "4ID", "--auth-user", "alice")
        self.push(MESSAGE, "4ID", *CLIENT)
        result = self.explain("--json", "4ID")
        first, second = map(json.loads, result.text.splitlines())
        self.assertEqual((first["judged"], second["judged"]), (True, False))
        heads = re.findall(r"(?m)^4ID  finished ", self.explain("4ID").text)
        self.assertEqual(len(heads), 2)
        for _ in range(16):
            self.push(MESSAGE, "4ID", "--auth-user", "alice")
        result = self.explain("4ID")
        self.assertIn("there are older messages with that id", result.err)

    def test_the_last_messages(self):
        self.serve()
        self.push(MESSAGE, "4OUT", "--auth-user", "alice")
        self.push(MESSAGE, "4\x1bIN", *CLIENT)
        result = self.explain("--last")
        self.assertNotIn(b"\x1b", result.out)
        lines = result.text.splitlines()
        self.assertRegex(lines[0], r"^\d{4}-.*Z  4\\x1bIN .* quarantine .*alice@example.org .*"
                                   r"spf=fail dkim=none dmarc=fail$")
        self.assertRegex(lines[1], r"4OUT .* accept .*alice@example.org .*signed$")
        self.assertRegex(lines[2], "^2 of 2 messages that are kept, of 100 at most; ")
        self.assertEqual(len(self.explain("--last", "1").text.splitlines()), 2)
        self.assertEqual(len(self.explain("--last", "--json").json["messages"]), 2)
        self.assertTrue(self.explain("--last", "--json").out.isascii())

    def test_a_message_that_nobody_knows(self):
        self.serve(kept=2)
        complain = ["explain", "--config", self.settings, "4NEVER"]
        self.expect_complaint(1, *complain, says="4NEVER: none has come since it was started at 2")
        self.push(MESSAGE, "4A", *CLIENT)
        self.expect_complaint(1, *complain, says="the last 1, back to 2.*, all that came since")
        for queue_id in ("4B", "4C"):
            self.push(MESSAGE, queue_id, *CLIENT)
        self.expect_complaint(1, "explain", "--config", self.settings, "4A",
                              says="the last 2, back to 2.*older ones.*control.kept_messages")
        self.explain("4B")

    def test_a_daemon_that_keeps_nothing(self):
        self.serve(kept=0)
        self.expect(0, "probe", "-p", f"unix:{self.folder}/milter", "--macro", "i=4ID",
                    stdin=MESSAGE)
        self.expect_complaint(1, "explain", "--config", self.settings, "4ID",
                              says="it keeps none; set control.kept_messages")

    def test_where_no_daemon_is(self):
        self.expect_complaint(69, "explain", "--socket", "/nowhere/control.sock", "4ID",
                              says="no daemon answers at /nowhere/control.sock: .*start it")
        off = self.write("off.toml", '[control]\nsocket = ""\n')
        self.expect_complaint(69, "explain", "--config", off, "4ID", says="no control.socket")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(self.folder / "other"))
            listener.listen()

            def greet():
                with listener.accept()[0] as one:
                    one.recv(4096)
                    one.sendall(b"220 mail.example ESMTP\r\n")
            other = threading.Thread(target=greet)
            other.start()
            self.addCleanup(other.join)
            self.expect_complaint(69, "explain", "--socket", self.folder / "other", "4ID",
                                  says="does not answer: what it says is no JSON")

    def test_a_command_line_that_asks_nothing(self):
        self.expect_complaint(64, "explain", says="either a queue id or --last")
        self.expect_complaint(64, "explain", "4ID", "--last", says="either a queue id or --last")
        self.assertEqual(self.run_program("explain", "--last", "0").code, 64)

    def test_strangers_at_the_socket_do_not_hurt_the_daemon(self):
        self.serve()
        self.push(MESSAGE, "4ID", *CLIENT)
        for octets in (b"\x00\xff\n", b"{" * 4000, b"x" * 10_000, b'{"ask": "explain"}\n', b"\n"):
            with socket.socket(socket.AF_UNIX) as stranger:
                stranger.connect(str(self.folder / "control"))
                try:
                    stranger.sendall(octets)
                    stranger.shutdown(socket.SHUT_WR)
                    answer = stranger.recv(65536)
                    self.assertIn("error", json.loads(answer))
                except (BrokenPipeError, ConnectionResetError):
                    pass  # It was answered before all of it was sent.
        self.explain("4ID")
