# SPDX-License-Identifier: Apache-2.0
#
# Reports about hostile mail, for hostile owners, by way of a hostile MTA: nothing of a stranger's
# does more than stand there.

import re
from xml.etree import ElementTree

from report_case import NAMESPACE, ReportCase, letter, report_of

# What may do something to a terminal: controls of ASCII and of C1, and what reorders or hides text.
UNSAFE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f"
                    "\ufeff]")


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
