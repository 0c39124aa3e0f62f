# SPDX-License-Identifier: Apache-2.0
#
# `countersign sign`: what is printed is the message as it came with signatures above it, and they
# verify, whatever the message looks like.

import os
import re

from support import MESSAGE, MESSAGE_LF, Case, key, shared_folder

FIELD = re.compile(rb"DKIM-Signature:.*\r?\n([ \t].*\r?\n)*")


def cut(signed):
    """The signatures on top and what is below them."""
    end = 0
    while match := FIELD.match(signed, end):
        end = match.end()
    return signed[:end], signed[end:]


class Messages(Case):
    def expect_signed(self, message, **keywords):
        """The message comes out as it went in, below signatures with its line ends."""
        signed = self.sign(message, **keywords)
        signatures, rest = cut(signed)
        self.assertEqual(rest, message)
        line_feeds = signatures.count(b"\n")
        self.assertGreater(line_feeds, 0)
        crlf = message.split(b"\n", 1)[0].endswith(b"\r") if b"\n" in message else True
        self.assertEqual(signatures.count(b"\r\n"), line_feeds if crlf else 0)
        for result in self.verify(signed):
            self.assertEqual(result["result"], "pass", (message[:80], result))
        return signed

    def test_line_ends_stay_as_they_came(self):
        for message in (MESSAGE, MESSAGE_LF):
            self.expect_signed(message)
            for words in ("simple/simple", "relaxed/simple", "simple/relaxed", "relaxed/relaxed"):
                self.expect_signed(message, options=["--canonicalization", words])

    def test_bodies(self):
        header = MESSAGE.partition(b"\r\n\r\n")[0] + b"\r\n"
        for body in (
            b"",
            b"\r\n",
            b"\r\n\r\n\r\n\r\n",
            b"\r\nno line end",
            b"\r\n\r\nan empty line first\r\n",
            b"\r\n.\r\n..\r\nFrom here\r\n",
            b"\r\n" + bytes(range(256)) + b"\r\n",
            b"\r\nbare\nline feed and bare\rcarriage return\r\n",
            b"\r\n" + b"x" * 200_000 + b"\r\n",
            b"\r\ntrailing blanks \t \r\n \r\n\r\n",
        ):
            for words in ("simple/simple", "relaxed/relaxed"):
                self.expect_signed(header + body, options=["--canonicalization", words])

    def test_a_header_alone(self):
        for end in (b"", b"\n", b"\r\n", b"\n\n"):
            message = b"From: a@example.org" + end
            signatures, rest = cut(self.sign(message))
            self.assertEqual(rest, message)
            self.assertEqual(self.verify(signatures + rest)[0]["result"], "pass")

    def test_odd_headers(self):
        for message in (
            b"From: a@example.org\r\nno colon here\r\nSubject: x\r\n\r\nbody\r\n",
            b"Subject:\r\n folded\r\n\tagain \r\nFrom: a@example.org\r\n\r\nbody\r\n",
            b"From:a@example.org\r\nX-Empty:\r\nX-Octets: \xff\xfe\x00\r\n\r\nbody\r\n",
            "From: jürgen@example.org\nSubject: grüß dich\n\nbody\n".encode(),
        ):
            self.expect_signed(message)
            self.expect_signed(message, options=["--canonicalization", "simple/simple"])

    def test_the_first_line_of_an_mbox_file_stays_first(self):
        mbox = b"From alice@example.org Thu Jan  1 00:00:00 2026\n"
        signed = self.sign(mbox + MESSAGE_LF)
        self.assertTrue(signed.startswith(mbox + b"DKIM-Signature:"))
        self.assertTrue(signed.endswith(MESSAGE_LF))
        self.assertEqual(self.verify(signed)[0]["result"], "pass")

    def test_a_first_field_that_looks_like_such_a_line_is_a_field(self):
        for first in (b"From : alice@example.org\r\n", b"From \t:\r\n alice@example.org\r\n",
                      b"Cc:\r\n folded\r\n\tagain \r\nFrom : alice@example.org\r\n"):
            message = first + b"Subject: x\r\n\r\nbody\r\n"
            signed = self.sign(message)
            self.assertEqual(cut(signed)[1], message)
            # Whoever wrote it: From is not written as people read it.
            self.assertEqual([one["result"] for one in self.verify(signed, code=1)], ["pass"])

    def test_a_large_message(self):
        lines = b"".join(b"%076d\r\n" % number for number in range(270_000))
        signed = self.expect_signed(MESSAGE + lines)
        self.assertGreater(len(signed), 20_000_000)

    def test_a_file_is_as_good_as_standard_input(self):
        path = self.write("message", MESSAGE)
        options = ["-d", "example.org", "-s", "rsa", "-k", key("rsa"), "--now", "1000000000"]
        self.assertEqual(self.expect(0, "sign", *options, path).out,
                         self.expect(0, "sign", *options, "-", stdin=MESSAGE).out)


class Refusals(Case):
    def refuse(self, message, code, says):
        self.expect_complaint(code, "sign", "-d", "example.org", "-s", "rsa", "-k", key("rsa"),
                              stdin=message, says=says)

    def test_without_exactly_one_author_field_nothing_is_signed(self):
        for message in (b"", b"\r\n", b"Subject: x\r\n\r\nbody\r\n", b"just text",
                        b"From: a@example.org\r\n" + MESSAGE):
            self.refuse(message, 1, "exactly one From")

    def test_a_header_beyond_all_limits(self):
        self.refuse(b"X: y\r\n" * 200_000 + MESSAGE, 65, "header|fields")

    def test_keys_that_are_none(self):
        junk = self.write("junk", "hello\n")
        for path, code, says in ((junk, 65, "junk: "), ("nowhere", 66, "cannot read nowhere"),
                                 (self.folder, 66, "Is a directory"),
                                 (shared_folder() / "rsa.txt", 65, "rsa.txt: ")):
            self.expect_complaint(code, "sign", "-d", "example.org", "-s", "rsa", "-k", path,
                                  stdin=MESSAGE, says=says)

    def test_command_lines_that_make_no_sense(self):
        rsa = ["-s", "rsa", "-k", key("rsa")]
        for arguments, says in (
            ([], "give --domain"),
            (rsa, "give --domain"),
            (["-d", "example.org", *rsa, "-s", "more"], "--selector and --key for each"),
            (["-d", "exa mple", *rsa], "--domain exa mple"),
            (["-d", "example.org", "-s", "a b", "-k", key("rsa")], "--selector a b"),
            (["-d", "example.org", *rsa, "--canonicalization", "nofws"], "simple or relaxed"),
            (["-d", "example.org", *rsa, "--lifetime", "0"], "--lifetime"),
            (["-d", "example.org", *rsa, "-i", "alice@other.example"], "--identity alice@other"),
            (["-d", "example.org", *rsa, "-i", "alice"], "--identity alice"),
            (["-d", "example.org", *rsa * 17], "at most 16 keys"),
        ):
            self.expect_complaint(64, "sign", *arguments, stdin=MESSAGE, says=says)


class Manner(Case):
    def test_several_keys_sign_side_by_side(self):
        results = self.verify(self.sign(selectors=("rsa", "ed", "other")))
        self.assertEqual([(one["selector"], one["algorithm"], one["result"]) for one in results],
                         [("rsa", "rsa-sha256", "pass"), ("ed", "ed25519-sha256", "pass"),
                          ("other", "rsa-sha256", "pass")])

    def test_options_reach_the_signature(self):
        options = ["--now", "1000000000", "--lifetime", "3600", "-i", "bob@sub.example.org",
                   "--canonicalization", "simple"]
        (result,) = self.verify(self.sign(options=options), options=["--now", "1000000001"])
        self.assertEqual((result["time"], result["expires"], result["auid"]),
                         (1000000000, 1000003600, "bob@sub.example.org"))
        self.assertEqual((result["header_canonicalization"], result["body_canonicalization"]),
                         ("simple", "simple"))

    def test_from_is_signed_once_more_than_it_is_there(self):
        (result,) = self.verify(self.sign())
        fields = [name.lower() for name in result["signed_fields"]]
        self.assertEqual(fields.count("from"), 2)
        self.verify(b"From: mallory@example.org\r\n" + self.sign(), code=1)


class Settings(Case):
    def toml(self, text="", selectors=("rsa",), domain="example.org"):
        keys = ", ".join(f'{{ selector = "{s}", file = "{key(s)}" }}' for s in selectors)
        return self.write("countersign.toml",
                          '[daemon]\nsockets = ["inet:8891@localhost"]\n[signing]\n'
                          f'{text}\n[[signing.domain]]\nname = "{domain}"\nkeys = [{keys}]\n')

    def test_of_its_own_kind(self):
        settings = self.toml(selectors=("rsa", "ed"))
        for message in (MESSAGE, MESSAGE_LF):
            signed = self.expect(0, "sign", "--config", settings, stdin=message).out
            self.assertEqual(cut(signed)[1], message)
            self.assertEqual([one["selector"] for one in self.verify(signed)], ["rsa", "ed"])

    def test_of_opendkim(self):
        self.write("keys", f"k example.org:rsa:{key('rsa')}\n")
        self.write("table", "*@example.org k\n")
        conf = self.write("opendkim.conf",
                          "Mode s\nSocket inet:8891@localhost\nCanonicalization simple/simple\n"
                          f"KeyTable {self.folder}/keys\nSigningTable refile:{self.folder}/table\n"
                          "RequireSafeKeys no\n")
        for message in (MESSAGE, MESSAGE_LF):
            signed = self.expect(0, "sign", "-x", conf, stdin=message).out
            self.assertEqual(cut(signed)[1], message)
            (result,) = self.verify(signed)
            self.assertEqual((result["result"], result["body_canonicalization"]),
                             ("pass", "simple"))

    def test_old_signatures_go_when_the_settings_say_so(self):
        settings = self.toml("removes_old_signatures = true")
        for message in (MESSAGE, MESSAGE_LF):
            once = self.sign(message, selectors=("other",))
            signed = self.expect(0, "sign", "--config", settings, stdin=once).out
            self.assertEqual(cut(signed)[1], message)
            self.assertEqual([one["selector"] for one in self.verify(signed)], ["rsa"])

    def test_a_message_that_is_not_ours_is_not_signed(self):
        settings = self.toml(domain="other.example")
        self.expect_complaint(1, "sign", "--config", settings, stdin=MESSAGE,
                              says="not signed; .*alice@example.org")

    def test_errors_are_told_with_their_lines(self):
        settings = self.toml("cheese = true")
        result = self.expect(78, "sign", "--config", settings, stdin=MESSAGE)
        self.assertIn("countersign.toml:4: fatal: ", result.err)
        self.assertIn("countersign: the settings have errors", result.err)
        self.assertEqual(result.out, b"")

    def test_with_keys_of_the_command_line_they_say_in_which_manner(self):
        settings = self.toml('canonicalization = "simple/simple"\nlifetime = "1h"')
        options = ["--config", settings, "--now", "1000000000"]
        (result,) = self.verify(self.sign(selectors=("other",), options=options),
                                options=["--now", "1000000000"])
        self.assertEqual((result["selector"], result["header_canonicalization"],
                          result["expires"]), ("other", "simple", 1000003600))
        (result,) = self.verify(self.sign(options=[*options, "--canonicalization",
                                                   "relaxed/relaxed", "--lifetime", "60"]),
                                options=["--now", "1000000000"])
        self.assertEqual((result["body_canonicalization"], result["expires"]),
                         ("relaxed", 1000000060))

    def test_the_settings_of_the_machine_are_read_only_when_named(self):
        if os.path.exists("/etc/countersign/countersign.toml"):
            self.skipTest("this machine has settings")
        self.expect_complaint(64, "sign", stdin=MESSAGE, says="give --domain")
