# SPDX-License-Identifier: Apache-2.0
#
# `countersign report` on a store that a daemon has filled: what is sent to an MTA, what is shown,
# what became of it, what a person decides, and that nothing of a stranger's does more than stand
# there.

import datetime
import email
import email.policy
import gzip
import re
import subprocess
import time
from xml.etree import ElementTree

from mail_server import MailServer
from support import MESSAGE, PROGRAM, Case, key, record

SETTINGS = """[daemon]
sockets = ["unix:{folder}/milter"]
[control]
socket = ""
[signing]
mode = "both"
[[signing.domain]]
name = "example.org"
keys = [{{ selector = "rsa", file = "{key}" }}]
[judging.results]
authserv_id = "mx.example.org"
[dns]
zone_file = "{zone}"
[store]
path = "{folder}/store.sqlite"
spool_directory = "{folder}/spool"
[reports]
from = "reports@example.org"
org_name = "The Example"
smtp_host = "127.0.0.1"
smtp_port = {port}
smtp_tls = "none"
"""

OWNER = "mailto:dmarc@owner.example"
OTHER = "mailto:no@other.example"
ZONE = {
    "example.org": "v=spf1 -all",
    "owner.example": "v=spf1 ip4:192.0.2.1 -all",
    "_dmarc.owner.example": f"v=DMARC1; p=reject; rua={OWNER},{OTHER}",
    "_dmarc.other.example": "v=DMARC1; p=none",
    "quiet.example": "v=spf1 -all",
    "_dmarc.quiet.example": "v=DMARC1; p=none",
}
NAMESPACE = "{urn:ietf:params:xml:ns:dmarc-2.0}"

# What may do something to a terminal: controls of ASCII and of C1, and what reorders or hides text.
UNSAFE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f"
                    "\ufeff]")


def today():
    return datetime.datetime.now(datetime.timezone.utc).date().isoformat()


class ReportCase(Case):
    def setUp(self):
        super().setUp()
        self.mta = MailServer()
        self.addCleanup(self.mta.close)
        self.publish({})

    def publish(self, records, errors=None):
        """Writes the zone with further records, and the settings."""
        self.zone_file = self.zone({**ZONE, "rsa._domainkey.example.org": record("rsa"), **records},
                                   errors)
        self.settings = self.write("countersign.toml", SETTINGS.format(
            folder=self.folder, key=key("rsa"), zone=self.zone_file, port=self.mta.port))

    def change(self, old, new):
        """Changes the settings."""
        text = self.settings.read_text()
        self.assertIn(old, text)
        self.settings.write_text(text.replace(old, new))

    def judge(self, *messages):
        """Has a daemon judge messages, each with options of probe, and store all of them."""
        command = [PROGRAM, "serve", "--foreground", "--config", self.settings]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as daemon:
            try:
                for _ in range(200):
                    if (self.folder / "milter").is_socket():
                        break
                    time.sleep(0.05)
                self.day = today()
                for message, *options in messages:
                    self.run_program("probe", "-p", f"unix:{self.folder}/milter", *options,
                                     stdin=message)
                if today() != self.day:
                    self.skipTest("midnight, UTC, came in between")
            finally:
                daemon.terminate()  # It brings everything to the store before it ends.
                daemon.communicate()

    judged = None  # The day and the store of the case that came first: a daemon takes a while.

    def judge_a_day(self):
        """Three messages in the name of owner.example, one of them its own; one of another."""
        if ReportCase.judged is None:
            self.judge(
                (letter("owner.example"), "--ip", "198.51.100.7"),
                (letter("owner.example"), "--ip", "198.51.100.7"),
                (letter("owner.example"), "--ip", "192.0.2.1"),
                (letter("quiet.example"), "--ip", "198.51.100.8"))
            ReportCase.judged = self.day, (self.folder / "store.sqlite").read_bytes()
        for path in self.folder.glob("store.sqlite*"):
            path.unlink()
        self.day, store = ReportCase.judged
        self.write("store.sqlite", store)

    def report(self, subcommand, *arguments, code=0):
        return self.expect(code, "report", subcommand, *arguments, "--config", self.settings)

    def complaint(self, code, subcommand, *arguments, says):
        self.expect_complaint(code, "report", subcommand, *arguments, "--config", self.settings,
                              says=says)

    def states(self):
        """The ledger: destination to state."""
        return {one["destination"]: one["state"] for one in self.report("list", "--json").json}


def letter(domain, *fields):
    """A message from somebody there, with further fields on top."""
    return b"".join(field + b"\r\n" for field in fields) + MESSAGE.replace(
        b"example.org", domain.encode())


def report_of(mail):
    """The XML in a report mail."""
    parsed = email.message_from_bytes(mail, policy=email.policy.default)
    packed = [part for part in parsed.walk() if part.get_content_type() == "application/gzip"]
    return gzip.decompress(packed[0].get_payload(decode=True))


class Report(ReportCase):
    def test_a_day_goes_out_once(self):
        self.judge_a_day()
        sent = self.report("send", "--day", self.day)
        self.assertEqual(sent.text,
                         "1 sent, 0 deferred, 0 failed, 0 uncertain, 1 not to be sent\n")
        ((recipients, mail),) = self.mta.mails
        self.assertEqual(recipients, ["dmarc@owner.example"])
        feedback = ElementTree.fromstring(report_of(mail))
        rows = {row.findtext(f"{NAMESPACE}source_ip"): row.findtext(f"{NAMESPACE}count")
                for row in feedback.iter(f"{NAMESPACE}row")}
        self.assertEqual(rows, {"198.51.100.7": "2", "192.0.2.1": "1"})
        self.assertEqual([one["result"] for one in self.verify(mail)], ["pass"])
        self.assertEqual(self.states(), {OWNER: "sent", OTHER: "suppressed"})
        again = self.report("send", "--day", self.day, "--json").json
        self.assertEqual(again, {"day": self.day, "sent": 0, "deferred": 0, "failed": 0,
                                 "uncertain": 0, "suppressed": 0})
        self.assertEqual(len(self.mta.mails), 1)

    def test_a_look_sends_and_enters_nothing(self):
        self.judge_a_day()
        dry = self.report("send", "--dry-run", "--day", self.day)
        self.assertRegex(dry.text, r"(?m)^owner\.example  3 messages  Report-ID \S+$")
        self.assertRegex(dry.text, rf"(?m)^  to  {OWNER}\n      dmarc@owner\.example$")
        self.assertRegex(dry.text, rf"(?m)^  not to  {OTHER}$")
        self.assertRegex(dry.text, r"(?m)^quiet\.example  1 messages .*\n  nobody")
        documents = self.report("send", "--dry-run", "--json", "--day", self.day).json
        self.assertEqual([one["policy_domain"] for one in documents],
                         ["owner.example", "quiet.example"])
        alone = self.report("send", "--dry-run", "--json", "--day", self.day,
                            "--domain", "quiet.example").json
        self.assertEqual(alone, documents[1:])
        (shown,) = self.report("preview", "Owner.Example.", "--day", self.day, "--json").json
        self.assertEqual(shown, documents[0])
        self.assertEqual(shown["messages"], 3)
        self.assertEqual([one["authorization"] for one in shown["destinations"]],
                         ["internal", "unauthorized"])
        self.assertEqual(self.mta.mails, [])
        self.assertEqual(self.states(), {})

    def test_a_preview_is_what_is_sent(self):
        self.judge_a_day()
        xml = self.report("preview", "owner.example", "--day", self.day, "--show", "xml").out
        mail = self.report("preview", "owner.example", "--day", self.day, "--show", "mail").out
        self.assertEqual(report_of(mail), xml)
        (both,) = self.report("preview", "owner.example", "--day", self.day, "--show", "xml",
                              "--json").json
        self.assertEqual(both["xml"].encode(), xml)
        self.report("send", "--day", self.day, "--domain", "OWNER.example")
        self.assertEqual(report_of(self.mta.mails[0][1]), xml)
        parsed, sent = (email.message_from_bytes(octets) for octets in (mail, self.mta.mails[0][1]))
        for name in ("From", "To", "Subject", "Message-ID"):
            self.assertEqual(parsed[name], sent[name])

    def test_a_domain_alone(self):
        self.judge_a_day()
        self.report("send", "--day", self.day, "--domain", "quiet.example")
        self.assertEqual(self.states(), {})
        self.report("send", "--day", self.day, "--domain", "owner.example")
        self.assertEqual(self.states(), {OWNER: "sent", OTHER: "suppressed"})

    def test_what_the_mta_says_decides(self):
        for reply, code, state in (({b".": b"250 ok"}, 0, "sent"),
                                   ({b".": b"451 later"}, 75, "due"),
                                   ({b"RCPT": b"450 later"}, 75, "due"),
                                   ({b".": b"554 no"}, 1, "failed"),
                                   ({b"MAIL": b"550 no"}, 1, "failed"),
                                   ({b".": b""}, 1, "uncertain")):
            with self.subTest(reply):
                self.judge_a_day()
                self.mta.answers = reply
                counts = self.report("send", "--day", self.day, "--json", code=code).json
                word = {"due": "deferred"}.get(state, state)
                self.assertEqual((counts[word], counts["suppressed"]), (1, 1))
                self.assertEqual(self.states()[OWNER], state)
                self.assertEqual(self.report("list", "--state", state).text.count(OWNER), 1)
                # Nothing of it leaves again at once, whatever it was.
                self.report("send", "--day", self.day)
                self.assertEqual(len(self.mta.mails), 1 if state == "sent" else 0)
                self.mta.mails.clear()

    def test_no_mta(self):
        self.judge_a_day()
        with MailServerThatIsGone() as port:
            self.change(f"smtp_port = {self.mta.port}", f"smtp_port = {port}")
            self.report("send", "--day", self.day, code=75)
        (line,) = [one for one in self.report("list", "--json").json if one["state"] == "due"]
        self.assertEqual((line["day"], line["destination"], line["attempts"]),
                         (self.day, OWNER, 1))
        self.assertIn("onnect", line["detail"])

    def test_dns_that_does_not_answer(self):
        self.judge_a_day()
        self.publish({}, errors={"owner.example._report._dmarc.other.example": "SERVFAIL"})
        self.report("send", "--day", self.day, code=75)
        self.assertEqual(self.states(), {OWNER: "sent", OTHER: "due"})

    def test_a_person_decides(self):
        self.judge_a_day()
        self.mta.answers = {b".": b""}
        self.report("send", "--day", self.day, code=1)
        (line,) = self.report("list", "--state", "uncertain", "--json").json
        which = ["--day", line["day"], "--policy", str(line["policy"]),
                 "--destination", line["destination"]]
        for state in ("claimed", "sending", "uncertain", "gone", "DUE", ""):
            self.complaint(64, "resolve", *which, "--as", state, says="--as takes due, sent, ")
        self.complaint(64, "resolve", "--day", "tomorrow", *which[2:], "--as", "due",
                       says="--day takes a day of UTC")
        for wrong in (["--day", "2020-02-29", *which[2:]],
                      [*which[:2], "--policy", str(line["policy"] + 7), *which[4:]],
                      [*which[:4], "--destination", "' OR 1=1 --"]):
            self.complaint(1, "resolve", *wrong, "--as", "due", says="there is no such report")
        self.assertEqual(self.states()[OWNER], "uncertain")
        for state in ("suppressed", "sent", "failed"):
            self.assertEqual(self.report("resolve", *which, "--as", state).out, b"")
            self.assertEqual(self.states()[OWNER], state)
            self.report("send", "--day", self.day)
        self.assertEqual(self.mta.mails, [])
        # A destination that refused is left alone, until a person says that it can be used again.
        self.mta.answers = {b"RCPT": b"550 no"}
        self.report("resolve", *which, "--as", "due")
        self.report("send", "--day", self.day, code=1)
        self.mta.answers = {}
        self.report("resolve", *which, "--as", "due")
        self.report("send", "--day", self.day)
        self.assertEqual(len(self.mta.mails), 1)
        self.assertEqual(self.states()[OWNER], "sent")


class MailServerThatIsGone:
    """A port at which nobody listens."""

    def __enter__(self):
        server = MailServer()
        server.close()
        return server.port

    def __exit__(self, *_):
        pass


class ReportTrouble(ReportCase):
    def test_a_store_without_anything(self):
        self.assertEqual(self.report("list").out, b"")
        self.assertEqual(self.report("list", "--json").json, [])
        self.assertEqual(self.report("send").text,
                         "0 sent, 0 deferred, 0 failed, 0 uncertain, 0 not to be sent\n")
        self.assertEqual(self.report("send", "--dry-run").out, b"")
        self.assertEqual(self.report("send", "--dry-run", "--json").json, [])
        self.complaint(1, "preview", "owner.example", "--day", "2026-11-26",
                       says="no mail in the name of owner.example is stored of 2026-11-26$")
        self.assertEqual(self.report("preview", "owner.example", "--json", code=1).json, [])
        self.complaint(1, "resolve", "--day", "2026-11-26", "--policy", "1", "--destination", OWNER,
                       "--as", "due", says="there is no such report")

    def test_a_store_that_cannot_be_used(self):
        path = f'path = "{self.folder}/store.sqlite"'
        garbage = self.write("garbage.sqlite", b"no data base, and long enough to be one\n" * 100)
        for wrong in (self.folder, garbage, self.folder / "missing/store.sqlite"):
            with self.subTest(wrong):
                self.publish({})
                self.change(path, f'path = "{wrong}"')
                for arguments in (("list",), ("send",), ("send", "--dry-run"),
                                  ("preview", "owner.example"),
                                  ("resolve", "--day", "2026-11-26", "--policy", "1",
                                   "--destination", OWNER, "--as", "due")):
                    self.complaint(69, *arguments, says=re.escape(str(wrong)))

    def test_settings_that_miss_something(self):
        everything = self.settings.read_text()
        for old, new, says in (
            (f'path = "{self.folder}/store.sqlite"', "", "set store.path"),
            ('from = "reports@example.org"', "", "reports.from is not set"),
            ('from = "reports@example.org"', 'from = "nobody"', "reports.from is no address"),
            ('from = "reports@example.org"', 'from = "reports@owner.example"',
             "no key signs for reports@owner.example"),
            ('smtp_tls = "none"', 'smtp_tls = "none"\nsmtp_password_file = "/nowhere/password"',
             "cannot read /nowhere/password"),
        ):
            with self.subTest(new or old):
                self.settings.write_text(everything)
                self.change(old, new)
                for arguments in (("send",), ("send", "--dry-run"), ("preview", "owner.example")):
                    self.complaint(78, *arguments, says=f".*{re.escape(says)}")
        # To see what was stored, neither an address nor a key is needed.
        self.settings.write_text(everything)
        self.change('from = "reports@example.org"', "")
        self.assertEqual(self.report("list").out, b"")
        self.change(f'path = "{self.folder}/store.sqlite"', "")
        self.complaint(78, "list", says="set store.path")

    def test_settings_that_are_not_there(self):
        for arguments in (["list"], ["send"], ["preview", "owner.example"]):
            result = self.expect(78, "report", *arguments, "--config", self.folder / "none.toml")
            self.assertEqual(result.out, b"")
            self.assertIn("none.toml", result.err)

    def test_wrong_arguments(self):
        for arguments in ([], ["mail"], ["preview"], ["preview", "a.example", "--show", "pdf"],
                          ["list", "--day", "2026-11-26"], ["send", "owner.example"], ["resolve"],
                          ["resolve", "--day", "2026-11-26", "--policy", "one", "--destination",
                           OWNER, "--as", "due"]):
            with self.subTest(arguments):
                result = self.expect(64, "report", *arguments)
                self.assertEqual(result.out, b"")
                self.assertIn("--help", result.err)
        for day in ("2026-02-30", "2026-13-01", "26/11/2026", "2026-11-26T00", "yesterday", "-1"):
            for command in (["send"], ["send", "--dry-run"], ["preview", "owner.example"]):
                self.complaint(64, *command, f"--day={day}", says="--day takes a day of UTC")
        self.complaint(64, "list", "--state", "lost", says="there is no state lost")
        for domain in ("a..example", "owner example", "\x1b[31m.example"):
            self.complaint(64, "preview", domain, says="domain ")
            self.complaint(64, "send", f"--domain={domain}", says="domain ")


class ReportHostile(ReportCase):
    def assert_harmless(self, result):
        """Nothing that is printed does more to a terminal than to stand there."""
        for text in (result.out.decode(), result.err):
            self.assertIsNone(UNSAFE.search(re.sub("\r\n\t?", "\n", text)), result)

    def test_s47_what_an_mta_says_is_shown_and_not_obeyed(self):
        self.judge_a_day()
        says = ("550 5.1.1 \x1b]0;owned\x07\x1b[31mred\x1b[2J \u202egpj.exe\u2066 \x9b31m \u200b"
                "\"quoted\" 'single' <script>alert(1)</script> '; DROP TABLE report; -- \\ ")
        self.mta.answers = {b".": says.encode() + b"\xff\xfe"}
        self.report("send", "--day", self.day, code=1)
        shown = self.report("list")
        self.assert_harmless(shown)
        self.assertEqual(shown.text.count("\n"), 2)
        self.assertIn(r"\x1b]0;owned\x07\x1b[31mred", shown.text)
        self.assertIn(r"\u{202e}gpj.exe", shown.text)
        as_json = self.report("list", "--json")
        self.assertTrue(as_json.out.isascii())
        self.assert_harmless(as_json)
        (line,) = [one for one in as_json.json if one["state"] == "failed"]
        self.assertEqual(line["detail"], says + "\ufffd\ufffd")
        # A line end of its own makes no line of it.
        self.mta.answers = {b".": b"550-first\r\n550 second \x0b\x0c line\rand \x85 so on"}
        self.report("resolve", "--day", line["day"], "--policy", str(line["policy"]),
                    "--destination", line["destination"], "--as", "due")
        self.report("send", "--day", self.day, code=1)
        shown = self.report("list", "--state", "failed")
        self.assert_harmless(shown)
        self.assertEqual(shown.text.count("\n"), 1)

    def test_s47_names_in_messages_are_told_and_not_obeyed(self):
        hostile = [b"\x1b[31m", b"<script>", b"'; DROP TABLE evaluation; --", b"]]>", b"&lt;",
                   "\u202e".encode(), b"\xff", b"a\"b", b"\x00"]
        messages = []
        for text in hostile:
            signature = (b"DKIM-Signature: v=1; a=rsa-sha256; d=owner" + text + b".example; s=s"
                         + text + b"; h=from; bh=" + text + b"=; b=" + text + b"=")
            results = b"Authentication-Results: mx.other.example; dkim=pass (" + text + b")"
            messages.append((letter("owner.example", signature, results), "--ip", "192.0.2.9"))
            messages.append((letter("owner.example").replace(b"Alice", text), "--ip", "192.0.2.9"))
            if b"\x00" not in text:
                name = text.decode("utf-8", "surrogateescape")
                messages.append((letter("owner.example"), "--ip", "192.0.2.9", "--helo",
                                 f"helo{name}.example", "--mail-from", f"{name}@x{name}.example"))
        self.judge(*messages)
        shown = self.report("preview", "owner.example", "--day", self.day)
        self.assert_harmless(shown)
        as_json = self.report("preview", "owner.example", "--day", self.day, "--show", "xml",
                              "--json")
        self.assertTrue(as_json.out.isascii())
        xml = self.report("preview", "owner.example", "--day", self.day, "--show", "xml")
        self.assert_harmless(xml)
        self.assertEqual(as_json.json[0]["xml"], xml.text)
        feedback = ElementTree.fromstring(xml.out)
        self.assertFalse([one.tag for one in feedback.iter() if "script" in one.tag])
        counted = sum(int(one.text) for one in feedback.iter(f"{NAMESPACE}count"))
        self.assertEqual(counted, as_json.json[0]["messages"])
        self.assertGreaterEqual(counted, len(hostile))
        self.report("send", "--day", self.day)
        self.assertEqual(report_of(self.mta.mails[0][1]), xml.out)

    def test_s50_a_record_sends_mail_to_nobody_else(self):
        uris = ["mailto:a@hostile.example%0d%0aBcc:victim@rcpt.example",
                "mailto:a@hostile.example%0aRCPT%20TO:<victim@rcpt.example>",
                "mailto:a@hostile.example?bcc=victim@rcpt.example&subject=x%0d%0ay",
                "mailto:a,victim@rcpt.example", "mailto:a%2Cvictim@rcpt.example",
                "mailto:root@localhost", "mailto:root@[127.0.0.1]", "mailto:root@127.0.0.1",
                "mailto:root", "mailto:%27%3B%20DROP%20TABLE%20report%3B--@hostile.example",
                "mailto:%22a%0d%22@hostile.example", "mailto:<script>@hostile.example",
                "mailto:%1b[31m@hostile.example", "mailto:%e2%80%ae@hostile.example",
                "mailto:|/bin/sh@hostile.example", "https://hostile.example/report",
                "file:///etc/passwd", "mailto:good@hostile.example!10m"]
        bidi = "v=DMARC1; p=reject; rua=mailto:\u202e@bidi.example".encode().decode("latin-1")
        self.publish({"hostile.example": "v=spf1 -all",
                      "_dmarc.hostile.example": "v=DMARC1; p=reject; rua=" + ",".join(uris),
                      "bidi.example": "v=spf1 -all", "_dmarc.bidi.example": bidi})
        self.judge((letter("hostile.example"), "--ip", "198.51.100.7"),
                   (letter("bidi.example"), "--ip", "198.51.100.7"))
        for domain in ("hostile.example", "bidi.example"):
            for options in ((), ("--show", "mail"), ("--json",)):
                self.assert_harmless(self.report("preview", domain, "--day", self.day, *options))
        (nobody,) = self.report("preview", "bidi.example", "--day", self.day, "--json").json
        self.assertEqual(nobody["destinations"], [])
        self.report("send", "--day", self.day)
        shown = self.report("list")
        self.assert_harmless(shown)
        self.assertEqual(len(self.states()), len(shown.text.splitlines()))
        told = [recipients for recipients, _ in self.mta.mails]
        self.assertEqual(sorted(told), [["a@hostile.example"], ["good@hostile.example"]])
        for _, mail in self.mta.mails:
            header = mail.partition(b"\r\n\r\n")[0]
            names = re.findall(rb"(?m)^([^ \t:]+):", header)
            self.assertEqual(sorted(names), [
                b"Auto-Submitted", b"Content-Type", b"DKIM-Signature", b"Date", b"From",
                b"MIME-Version", b"Message-ID", b"Subject", b"To"])
            self.assertNotIn(b"victim", header)
