# SPDX-License-Identifier: Apache-2.0
#
# opendkim-testkey: the words that scripts look for, on the streams and with the exit codes of the
# old tool, which is run beside ours where it is installed.

import subprocess

from name_server import NameServer
from support import Case, debian_tool, key, public_key, record

SELECTORS = {
    "good": [record("rsa")],
    "testing": [record("rsa").replace("p=", "t=y; p=")],
    "other": [record("other")],
    "web": ["v=DKIM1; s=web; p=" + public_key("rsa")],
    "revoked": ["v=DKIM1; k=rsa; p="],
    "keyless": ["v=DKIM1; k=rsa"],
    "version": ["v=DKIM2; p=" + public_key("rsa")],
    "type": ["v=DKIM1; k=dsa; p=" + public_key("rsa")],
    "prose": ["hello world"],
    "two": [record("rsa"), record("other")],
    "nodata": [],
    "ed": [record("ed")],
    "broken": ["v=DKIM1; p=AAAA"],
    "sha1": ["v=DKIM1; h=sha1; p=" + public_key("rsa")],
}


class Testkey(Case):
    def setUp(self):
        super().setUp()
        answers = {f"{name}._domainkey.d.example": texts for name, texts in SELECTORS.items()}
        self.server = NameServer({**answers, "silent._domainkey.d.example": None})
        self.addCleanup(self.server.close)
        self.resolver = self.write("resolver.conf", "server:\n  do-not-query-localhost: no\n"
                                   "  module-config: \"iterator\"\nforward-zone:\n  name: \".\"\n"
                                   f"  forward-addr: {self.server.address}\n")
        self.conf()

    def conf(self, *lines):
        """An opendkim.conf that makes both tools ask our name server."""
        text = "".join(line + "\n" for line in (f"ResolverConfiguration {self.resolver}", *lines))
        return self.write("opendkim.conf", text)

    def ours(self, *options, code=None):
        result = self.run_program("-x", "opendkim.conf", *options, name="opendkim-testkey")
        if code is not None:
            self.assertEqual(result.code, code, result)
        return result

    def expect_same(self, *options):
        """Each line of the old tool has one of ours that begins with it, on the same stream."""
        theirs = debian_tool("opendkim-testkey")
        if theirs is None:
            self.skipTest("opendkim-tools is not installed")
        mine = self.ours(*options)
        old = subprocess.run([theirs, "-x", "opendkim.conf", *options], cwd=self.folder,
                             capture_output=True, text=True, check=False)
        what = (f"{mine}\ntheirs: {old.returncode}\nout: {old.stdout}\nerr: {old.stderr}")
        self.assertEqual(mine.code, old.returncode, what)
        for ours, lines in ((mine.text, old.stdout), (mine.err, old.stderr)):
            ours = ours.splitlines()
            lines = [begin_of(line) for line in lines.splitlines()]
            self.assertEqual(len(ours), len(lines), what)
            for line, begin in zip(ours, lines):
                self.assertTrue(line.startswith(begin), what)

    def test_single_keys_as_the_old_tool_has_them(self):
        for selector in ("good", "testing", "other", "web", "revoked", "keyless", "version", "type",
                         "prose", "two", "nodata", "nx"):
            for options in ([], ["-v"], ["-vv"], ["-vvv"], ["-vvv", "-k", key("rsa")]):
                self.expect_same("-d", "d.example", "-s", selector, *options)

    def test_key_files_as_the_old_tool_has_them(self):
        good = ["-d", "d.example", "-s", "good", "-v"]
        self.expect_same(*good, "-k", key("rsa"))
        self.expect_same(*good, "-k", key("other"))
        self.expect_same(*good, "-k", "nowhere")
        self.expect_same(*good, "-k", "/tmp")
        path = self.write("key", key("rsa").read_text())
        for mode in (0o600, 0o640, 0o620, 0o610, 0o604, 0o602, 0o601, 0o400):
            path.chmod(mode)
            self.expect_same(*good, "-k", path)

    def test_usage_as_the_old_tool_has_it(self):
        for options in ([], ["-d", "d.example"], ["-s", "good"], ["-vvv"]):
            self.assertRegex(self.ours(*options, code=78).err, "^opendkim-testkey: usage: ")
        for options in (["-Z"], ["-d"]):
            self.assertIn("usage: ", self.ours(*options, code=78).err)
        result = self.run_program("-x", "/nowhere", name="opendkim-testkey")
        self.assertEqual(result.code, 78)
        self.assertIn("/nowhere: configuration error at line 0", result.err)

    def test_settings_as_the_old_tool_has_them(self):
        single = ("Domain d.example", "Selector good", f"KeyFile {key('rsa')}")
        for options in (["-vvv"], ["-vvv", "-s", "nx"], ["-vvv", "-s", "other"], ["-v", "-k",
                                                                                   key("other")]):
            self.conf(*single)
            self.expect_same(*options)
        table = self.write("keys", f"a d.example:good:{key('rsa')}\n")
        self.conf(f"KeyTable {table}")
        for options in (["-d", "d.example", "-s", "nx", "-v"], ["-d", "d.example", "-s", "good",
                                                                "-vvv"], ["-s", "good"]):
            self.expect_same(*options) if "-d" in options else self.ours(*options, code=78)

    def test_tables_as_the_old_tool_has_them(self):
        table = self.write("keys", f"a d.example:good:{key('rsa')}\nb d.example:nx:{key('rsa')}\n"
                           f"c d.example:other:{key('rsa')}\nd d.example:two:{key('rsa')}\n"
                           f"e %:good:{key('rsa')}\n")
        for name in (f"file:{table}", str(table), f"csl:a=d.example:good:{key('rsa')}"):
            self.conf(f"KeyTable {name}")
            for options in ([], ["-v"], ["-vv"], ["-vvv"]):
                self.expect_same(*options)

    def test_a_key_file_that_cannot_be_read_does_not_end_the_walk(self):
        table = self.write("keys", f"a d.example:good:/nowhere\nb d.example:good:{key('rsa')}\n")
        self.conf(f"KeyTable {table}")
        result = self.ours("-vvv", code=71)
        self.assertIn("/nowhere: stat(): No such file or directory", result.err)
        self.assertEqual(result.text, "opendkim-testkey: key b: OK\n"
                         "opendkim-testkey: 2 keys checked; 1 pass, 1 fail\n")

    def test_tables_that_the_old_tool_cannot_read(self):
        table = self.write("keys", f"a d.example:good:{key('rsa')}\n")
        self.conf(f"KeyTable refile:{table}")
        self.assertIn("key a: OK", self.ours("-vvv", code=0).text)
        self.conf("KeyTable /nowhere")
        self.assertIn("dkimf_db_open() failed: ", self.ours(code=1).err)

    def test_several_domains_in_the_settings(self):
        self.conf("Domain d.example,e.example", "Selector good", f"KeyFile {key('rsa')}")
        result = self.ours("-vvv", code=69)
        self.assertEqual(result.text, "opendkim-testkey: key OK\n")
        self.assertIn("'good._domainkey.e.example' record not found", result.err)

    def test_keys_that_the_old_tool_cannot_judge(self):
        result = self.ours("-d", "d.example", "-s", "ed", "-k", key("ed"), "-vvv", code=0)
        self.assertEqual(result.text, "opendkim-testkey: key OK\n")
        for selector in ("broken", "sha1"):
            result = self.ours("-d", "d.example", "-s", selector, "-vvv", code=69)
            self.assertNotIn("key OK", result.text)
        result = self.ours("-d", "d.example", "-s", "good", "-k", key("ed"), code=65)
        self.assertEqual(result.text, "opendkim-testkey: keys do not match\n")

    def test_silence_is_told_as_such(self):
        self.conf("DNSTimeout 1")
        result = self.ours("-d", "d.example", "-s", "silent", code=69)
        self.assertIn("'silent._domainkey.d.example' query timed out", result.err)

    def test_a_zone_file_stands_in_for_dns(self):
        zone = self.zone({}, {"s._domainkey.d.example": "SERVFAIL"})
        result = self.ours("-d", "d.example", "-s", "s", "--zone", zone, code=69)
        self.assertIn("'s._domainkey.d.example' query failed", result.err)
        result = self.ours("-d", "example.org", "-s", "rsa", "-vvv", "--zone", self.zone(), code=0)
        self.assertEqual(result.text, "opendkim-testkey: key OK\n")


def begin_of(line):
    """What a line of the old tool and ours have in common: not the value it quotes, not the octet
    it stumbled over."""
    for words in ("invalid key version", "unknown key type", "syntax error in key data",
                  "syntax error on input"):
        if words in line:
            return line[: line.index(words) + len(words)]
    return line
