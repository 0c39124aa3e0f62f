# SPDX-License-Identifier: Apache-2.0
#
# `countersign keygen` and opendkim-genkey: what is in the files, who may read them, and the old
# tool's record beside ours.

import itertools
import re
import subprocess

from support import MESSAGE, PROGRAM, Case, debian_tool, record


def mode(path):
    return path.stat().st_mode & 0o777


class Keygen(Case):
    def keygen(self, *options, code=0):
        return self.expect(code, "keygen", "-d", "example.org", "-s", "june", *options)

    def test_a_key_and_its_record_work_together(self):
        for options in ([], ["--type", "ed25519"], ["--bits", "3072"], ["--append-domain"]):
            self.keygen("--force", *options)
            zone = self.write("zone", "$ORIGIN example.org.\n" + self.read("june.txt"))
            signed = self.expect(0, "sign", "-d", "example.org", "-s", "june", "-k",
                                 "june.private", stdin=MESSAGE).out
            self.expect(0, "verify", "--zone", zone, stdin=signed)
            self.expect(0, "testkey", "-d", "example.org", "-s", "june", "-k", "june.private",
                        "--zone", zone)

    def read(self, name):
        return (self.folder / name).read_text()

    def test_nobody_else_can_read_the_key_whatever_the_umask(self):
        for umask, of_record in ((0o000, 0o666), (0o022, 0o644), (0o077, 0o600)):
            script = f"umask {umask:o}; exec \"$0\" keygen -d a.example -s u{umask:o} -D \"$1\""
            subprocess.run(["sh", "-c", script, PROGRAM, self.folder], check=True,
                           capture_output=True)
            self.assertEqual(mode(self.folder / f"u{umask:o}.private"), 0o600)
            self.assertEqual(mode(self.folder / f"u{umask:o}.txt"), of_record)

    def test_a_key_is_replaced_only_when_that_is_said(self):
        self.keygen()
        key, text = self.read("june.private"), self.read("june.txt")
        self.expect_complaint(73, "keygen", "-d", "example.org", "-s", "june",
                              says="june.private exists already.*--force")
        self.assertEqual((self.read("june.private"), self.read("june.txt")), (key, text))
        self.keygen("--force")
        self.assertNotEqual(self.read("june.private"), key)
        self.assertEqual(mode(self.folder / "june.private"), 0o600)
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()),
                         ["june.private", "june.txt"])

    def test_json_has_the_record_in_every_form(self):
        document = self.keygen("--json").json
        self.assertEqual(document["name"], "june._domainkey.example.org")
        self.assertEqual(document["type"], "TXT")
        self.assertEqual("".join(document["strings"]), document["text"])
        self.assertTrue(all(len(string) <= 255 for string in document["strings"]))
        self.assertEqual(document["zone_file"], self.read("june.txt"))
        self.assertEqual(document["private_key_file"], "june.private")
        self.assertEqual(document["record_file"], "june.txt")
        self.assertEqual(document["key_type"], "rsa")
        self.assertRegex(document["text"], r"^v=DKIM1; k=rsa; p=[A-Za-z0-9+/]+=*$")

    def test_text_has_the_record_in_every_form(self):
        text = self.keygen().text
        self.assertIn(self.read("june.txt"), text)
        self.assertRegex(text, r"\njune\._domainkey\.example\.org\nv=DKIM1; k=rsa; p=\S+\n")

    def test_options_reach_the_record(self):
        text = self.keygen("--testing", "--no-subdomains", "--email-only", "--note", "for; you",
                           "--json").json["text"]
        self.assertIn("v=DKIM1; n=for=3B=20you; k=rsa; t=y:s; s=email; p=", text)

    def test_what_makes_no_sense_is_refused(self):
        for options, says in (
            (["-s", "a b"], "selector a b: "),
            (["-s", "../june"], "selector ../june: "),
            (["-d", "exa mple.org"], "domain exa mple.org: "),
            (["-d", ".".join(["a" * 60] * 4)], "longer than DNS takes"),
            (["--bits", "512"], "1024 to "),
            (["--bits", "1000000"], "1024 to "),
            (["--bits", "many"], "--bits"),
        ):
            words = {"-d": "example.org", "-s": "june", **dict([options])}
            self.expect_complaint(64, "keygen", *itertools.chain(*words.items()), says=says)
        self.expect_complaint(64, "keygen", "-d", "a.example", "-s", "b", "-D", "nowhere",
                              says="--directory")
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_a_folder_that_cannot_be_written(self):
        self.expect_complaint(73, "keygen", "-d", "a.example", "-s", "b", "-D", "/proc",
                              says="cannot write /proc/b.private")


class OpendkimGenkey(Case):
    def genkey(self, *options, code=0):
        return self.expect(code, *options, name="opendkim-genkey")

    def test_files_are_called_as_the_selector_is_written(self):
        self.genkey("-s", "Mail_1", "-d", "Example.COM")
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()),
                         ["Mail_1.private", "Mail_1.txt"])
        self.assertEqual(mode(self.folder / "Mail_1.private"), 0o600)
        self.assertIn("; ----- DKIM key Mail_1 for Example.COM", self.text("Mail_1"))

    def text(self, selector, folder=None):
        return ((folder or self.folder) / f"{selector}.txt").read_text()

    def test_a_second_run_replaces_the_key(self):
        self.genkey()
        first = (self.folder / "default.private").read_text()
        self.genkey()
        self.assertNotEqual((self.folder / "default.private").read_text(), first)

    def test_old_words(self):
        result = self.genkey("-v", "-s", "june")
        for words in ("generating private key", "private key written to june.private",
                      "DNS TXT record written to june.txt"):
            self.assertIn(f"opendkim-genkey: {words}\n", result.err)
        self.assertRegex(self.genkey("-V").text, "^opendkim-genkey ")
        self.assertIn("usage: opendkim-genkey", self.genkey("--help").err)
        self.assertIn("usage: opendkim-genkey", self.genkey("-Z", code=1).err)
        self.assertIn("usage: opendkim-genkey", self.genkey("-b", "many", code=1).err)

    def test_ed25519(self):
        self.genkey("-k", "ed25519", "-s", "ed")
        self.assertRegex(self.text("ed"), r"k=ed25519; \"\n\t  \"p=[A-Za-z0-9+/]{43}=\" \)")

    def test_the_record_is_the_old_tools(self):
        theirs = debian_tool("opendkim-genkey")
        if theirs is None:
            self.skipTest("opendkim-tools is not installed")
        ours, folders = self.run_program, [self.folder / "ours", self.folder / "theirs"]
        for folder in folders:
            folder.mkdir()
        for options in (
            "", "-s mail -d example.com", "-s mail -d example.com -a", "-t", "-S", "-r", "-t -S",
            "-t -S -r -a -d a.example", "--testmode --restrict", "--nosubdomains", "-b 1024",
            "--bits=1024 --selector=x", "-b1024 -sx", "--no-testmode", "-t --notestmode",
            "-h sha1:sha256", "--hash-algorithms=sha256", "-S --subdomains -r --no-restrict",
            "-a --noappend-domain", "--append -d b.example",
        ):
            words = options.split()
            result = ours("-D", folders[0], *words, name="opendkim-genkey")
            self.assertEqual(result.code, 0, result)
            subprocess.run([theirs, "-D", folders[1], *words], check=True, capture_output=True)
            made = [next(folder.glob("*.txt")) for folder in folders]
            self.assertEqual(made[0].name, made[1].name)
            records = [without_key(path.read_text()) for path in made]
            if "--subdomains" not in words:  # Theirs forgets it behind -S.
                self.assertEqual(records[0], records[1], options)
            for folder in folders:
                for path in folder.iterdir():
                    path.unlink()


def without_key(text):
    return re.sub(r'"p=.*" \)', '"p=…" )', text, flags=re.DOTALL)


class Fixture(Case):
    def test_shared_keys_are_of_their_types(self):
        self.assertIn("k=ed25519", record("ed"))
        self.assertIn("k=rsa", record("rsa"))
