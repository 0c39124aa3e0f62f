# SPDX-License-Identifier: Apache-2.0
#
# opendkim-testmsg: signs and verifies standard input as the old tool does, which is run beside ours
# where it is installed.

import subprocess

from support import MESSAGE, MESSAGE_LF, Case, debian_tool, key, shared_folder


class Testmsg(Case):
    keys = ["-d", "example.org", "-s", "rsa", "-k", key("rsa")]

    def ours(self, *options, stdin=MESSAGE, code=0):
        return self.expect(code, *options, stdin=stdin, name="opendkim-testmsg")

    def test_the_message_is_printed_as_it_came(self):
        for message in (MESSAGE, MESSAGE_LF, b"From: a@example.org\nDate: x\n", b"From: a@b.c"):
            for options in ([], ["-C"]):
                signed = self.ours(*options, *self.keys, stdin=message).out
                self.assertTrue(signed.endswith(message))
                field = signed[: -len(message)]
                ends = field.count(b"\r\n") if options else field.count(b"\n") - 1
                self.assertEqual(field.count(b"\n"), ends if options else ends + 1)
                self.assertEqual(b"\r" in field, bool(options))
                self.assertIn(b"a=rsa-sha256; c=relaxed/simple; d=example.org; s=rsa;",
                              b" ".join(field.split()))

    def test_what_it_signs_it_verifies_in_silence(self):
        for selector in ("rsa", "ed"):
            keys = ["-d", "example.org", "-s", selector, "-k", key(selector)]
            for message, options in ((MESSAGE, ["-C"]), (MESSAGE_LF, [])):
                signed = self.ours(*options, *keys, stdin=message).out
                result = self.ours("--zone", self.zone(), stdin=signed)
                self.assertEqual((result.out, result.err), (b"", ""))

    def test_words_of_failure(self):
        signed = self.ours("-C", *self.keys).out
        for message, words in (
            (MESSAGE, "No signature"),
            (signed.replace(b"Bob", b"Rob"), "Bad signature"),
            (signed.replace(b"d=example.org", b"d=nx.example"), "Key retrieval failed"),
            (signed.replace(b"v=1", b"v=2"), "Syntax error"),
        ):
            result = self.ours("--zone", self.zone(), stdin=message, code=70)
            self.assertRegex(result.err, f"^opendkim-testmsg: {words}: .+\n$")
            self.assertEqual(result.out, b"")
        for message in (b"", b"Subject: x\r\n\r\n", b"From: a@b.example\r\n" + MESSAGE):
            result = self.ours(*self.keys, stdin=message, code=70)
            self.assertRegex(result.err, "^opendkim-testmsg: Syntax error: .+\n$")

    def test_keys_that_are_none(self):
        options = ["-d", "example.org", "-s", "rsa", "-k"]
        result = self.ours(*options, "nowhere", code=71)
        self.assertEqual(result.err,
                         "opendkim-testmsg: nowhere: open(): No such file or directory\n")
        result = self.ours(*options, shared_folder() / "rsa.txt", code=70)
        self.assertRegex(result.err, r"^opendkim-testmsg: .*rsa\.txt: .+\n$")

    def test_usage(self):
        for options in (["-Z"], ["-d"], self.keys[:2], self.keys[:4], ["-h"]):
            result = self.ours(*options, code=78)
            self.assertIn("opendkim-testmsg: usage: opendkim-testmsg [options]\n", result.err)
        self.ours("-K", "-t", "/tmp", *self.keys)

    def test_exit_codes_and_streams_are_the_old_tools(self):
        theirs = debian_tool("opendkim-testmsg")
        if theirs is None:
            self.skipTest("opendkim-tools is not installed")
        two_authors = b"From: a@b.example\r\n" + MESSAGE
        for message in (MESSAGE, MESSAGE_LF, b"", b"no message", two_authors):
            for options in (self.keys, ["-C", *self.keys], self.keys[:2], ["-Z"],
                            [*self.keys[:5], "nowhere"], []):
                mine = self.run_program(*options, stdin=message, name="opendkim-testmsg")
                old = subprocess.run([theirs, *options], input=message, capture_output=True,
                                     cwd=self.folder, check=False)
                self.assertEqual(mine.code, old.returncode, (mine, old))
                self.assertEqual(bool(mine.out), bool(old.stdout), (mine, old))
                if old.returncode == 0:
                    self.assertTrue(old.stdout.endswith(message))
