# SPDX-License-Identifier: Apache-2.0
#
# `countersign arc seal`: what is printed is the message as it came with a set above it, whose seal
# says what became of the chain below.

import json
import re

from support import CONFORMANCE, MESSAGE, MESSAGE_LF, Case, key

NOW = 1_767_225_600
RESULTS = (b"Authentication-Results: mx.example.org; spf=pass (matched)\r\n"
           b" smtp.mailfrom=a.example\r\n")
FIELD = re.compile(rb"ARC-[A-Za-z-]+:.*\r?\n([ \t].*\r?\n)*")


def cut(sealed):
    """The fields of the set on top and what is below them."""
    fields, end = [], 0
    for _ in range(3):
        match = FIELD.match(sealed, end)
        fields.append(match.group(0))
        end = match.end()
    return fields, sealed[end:]


def tag(field, name):
    """The value of a tag, white space removed."""
    return re.sub(rb"\s", b"", re.search(rb"[ \t;]%s=([^;]*)" % name, field).group(1)).decode()


class Seal(Case):
    def arguments(self, selector="rsa", zone=None, options=()):
        return ("arc", "seal", "-d", "example.org", "-s", selector, "-k", key(selector),
                "--authserv-id", "mx.example.org", "--now", str(NOW),
                "--zone", zone or self.zone(), *options)

    def seal(self, message=MESSAGE, **keywords):
        """The sealed message."""
        return self.expect(0, *self.arguments(**keywords), stdin=message).out

    def status(self, sealed):
        """cv= of the newest seal."""
        return tag(cut(sealed)[0][0], b"cv")

    def test_the_set_stands_above_the_message_as_it_came(self):
        for message in (MESSAGE, MESSAGE_LF, b"From: a@example.org\r\n", RESULTS + MESSAGE):
            for selector in ("rsa", "ed"):
                fields, rest = cut(self.seal(message, selector=selector))
                self.assertEqual(rest, message)
                names = [field.partition(b":")[0] for field in fields]
                self.assertEqual(names, [b"ARC-Seal", b"ARC-Message-Signature",
                                         b"ARC-Authentication-Results"])
                line_ends = b"".join(fields).count(b"\r\n")
                lines = b"".join(fields).count(b"\n")
                self.assertEqual(line_ends, lines if b"\r\n" in message else 0)
                self.assertEqual(tag(fields[0], b"t"), str(NOW))

    def test_the_results_of_our_id_go_into_the_set(self):
        others = b"Authentication-Results: other.example; spf=fail\r\n"
        more = b"authentication-results: MX.example.org 1; dkim=none\r\n"
        results = cut(self.seal(others + RESULTS + more + MESSAGE))[0][2]
        self.assertEqual(b" ".join(results.split()),
                         b"ARC-Authentication-Results: i=1; mx.example.org; spf=pass (matched) "
                         b"smtp.mailfrom=a.example; dkim=none")
        self.assertIn(b"i=1; mx.example.org; none", cut(self.seal(MESSAGE))[0][2])

    def test_a_chain_goes_on_while_it_is_valid(self):
        sealed = MESSAGE
        for instance in range(1, 6):
            sealed = self.seal(sealed, selector=("rsa", "ed")[instance % 2])
            fields, _ = cut(sealed)
            self.assertEqual({tag(field, b"i") for field in fields}, {str(instance)})
            self.assertEqual(self.status(sealed), "none" if instance == 1 else "pass")

    def test_a_chain_that_broke_is_sealed_once_more(self):
        changed = self.seal() + b"a footer\r\n"
        sealed = self.seal(changed)
        self.assertEqual(self.status(sealed), "fail")
        self.expect_complaint(1, *self.arguments(), stdin=sealed, says="not sealed: .*cv=fail")

    def test_a_key_that_is_gone_breaks_the_chain(self):
        sealed = self.seal()
        self.assertEqual(self.status(self.seal(sealed, zone=self.zone({}))), "fail")

    def test_dns_that_fails_breaks_nothing(self):
        sealed = self.seal()
        zone = self.zone({}, errors={"rsa._domainkey.example.org": "SERVFAIL"})
        self.expect_complaint(75, *self.arguments(zone=zone), stdin=sealed, says="not sealed: ")

    def test_fields_to_sign_can_be_named(self):
        fields = cut(self.seal(options=["--headers", "subject:From:x-none"]))[0]
        self.assertEqual(tag(fields[1], b"h"), "subject:From:x-none")
        names = tag(cut(self.seal())[0][1], b"h").lower().split(":")
        self.assertEqual(names.count("from"), 2)

    def test_what_is_wrong_is_said(self):
        for names in ("from:arc-seal", "Authentication-Results", "from::to", "fr om", "from\n"):
            self.expect_complaint(64, *self.arguments(options=["--headers", names]), stdin=MESSAGE,
                                  says="--headers ")
        self.expect_complaint(66, *self.arguments(options=["no-such-file"]), says="no-such-file")
        no_key = [word if word != key("rsa") else __file__ for word in self.arguments()]
        self.expect_complaint(65, *no_key, stdin=MESSAGE, says="test_arc.py")
        for words in ((), ("seal",), ("seal", "-d", "example.org")):
            self.assertEqual(self.run_program("arc", *words, stdin=MESSAGE).code, 64)
        bad_id = [word if word != "mx.example.org" else "\x01" for word in self.arguments()]
        self.expect_complaint(64, *bad_id, stdin=MESSAGE, says="--authserv-id ")


class Conformance(Case):
    def test_arc_signing(self):
        path = CONFORMANCE / "arc/signing.json"
        if not path.is_file():
            self.skipTest(f"there is no {path}")
        data = json.loads(path.read_text())
        for case in data["cases"]:
            with self.subTest(case["id"]):
                self.judge(data["zones"][case["zone"]], case)

    def judge(self, zone, case):
        result = self.run_program(
            "arc", "seal", "-d", case["domain"], "-s", case["selector"],
            "-k", self.write("key.pem", case["private_key_pem"]),
            "--authserv-id", case["authserv_id"], "--headers", ":".join(case["headers"]),
            "--now", str(case["t"]), "--zone", self.write("zone.json", json.dumps(zone)),
            stdin=case["message"].encode("latin-1"))
        expected = case["expect"]
        self.assertEqual(result.code, 0 if expected["signed"] else 1, result)
        if not expected["signed"]:
            return
        for field, member in zip(cut(result.out)[0], ("as", "ams", "aar")):
            value = re.sub(r"\s", "", field.decode().partition(":")[2])
            self.assertEqual(sorted(value.split(";")), expected[member]["parts"])
