# SPDX-License-Identifier: Apache-2.0
#
# The command line itself: help, complaints, names that the program is called by, colour, output
# that cannot be written, and the documents made from it.

import os
import pty
import subprocess
import unittest

from support import MESSAGE, OLD_TOOLS, PROGRAM, ROOT, Case, key, record, shared_folder

COMMANDS = ("serve", "sign", "verify", "spf", "dmarc", "lint", "lint spf", "lint dkim",
            "lint dmarc", "lint authres", "keygen", "testkey", "config", "config check",
            "config doc", "probe")


class Usage(Case):
    def test_without_arguments_the_help_is_on_stderr(self):
        result = self.expect(64)
        self.assertEqual(result.out, b"", result)
        self.assertIn("Usage: countersign", result.err)

    def test_help_of_every_command_fits_a_screen(self):
        for command in ("", *COMMANDS):
            result = self.expect(0, *command.split(), "--help")
            self.assertEqual(result.err, "", result)
            self.assertIn(f"Usage: countersign {command}".strip(), result.text)
            self.assertIn("Exit code", result.text, result)
            for line in result.text.splitlines():
                self.assertLessEqual(len(line), 120, result)

    def test_version(self):
        self.assertRegex(self.expect(0, "--version").text, r"^countersign \d+\.\d+\.\d+\n$")

    def test_complaints_are_one_sentence_that_says_where_help_is(self):
        for arguments, says in (
            (["nothing"], "there is no command 'nothing'; see countersign --help"),
            (["config", "nothing"], "there is no command 'nothing'; see countersign config --help"),
            (["config"], "subcommand is required"),
            (["keygen"], "--domain is required; see countersign keygen --help"),
            (["verify", "--nonsense", "x"], "--nonsense; see countersign verify --help"),
            (["verify", "--now", "soon", "x"], "--now"),
            (["verify", "--now", "-1", "x"], "--now"),
            (["verify", "--dns-timeout", "0", "x"], "--dns-timeout"),
            (["keygen", "-d", "a.example", "-s", "s", "-t", "dsa"], "--type"),
            (["probe"], "--socket is required"),
        ):
            self.expect_complaint(64, *arguments, says=says)

    def test_strangers_text_in_a_complaint_does_nothing_to_a_terminal(self):
        for arguments in (["\x1b[31mred"], ["verify", "\x1b[31mred"], ["verify", "--\x1b[31mred"]):
            result = self.run_program(*arguments)
            self.assertNotEqual(result.code, 0, result)
            self.assertNotIn("\x1b", result.err)
            self.assertIn("\\x1b[31mred", result.err)

    def test_output_that_cannot_be_written_is_a_failure(self):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([PROGRAM, "sign", "-d", "example.org", "-s", "rsa", "-k",
                                   key("rsa")], input=MESSAGE, stdout=full, stderr=subprocess.PIPE,
                                  check=False)
        self.assertEqual(done.returncode, 73)
        self.assertIn(b"cannot be written", done.stderr)


class Names(Case):
    def test_a_link_is_the_tool_of_its_name_wherever_it_is(self):
        folder = self.folder / "elsewhere"
        folder.mkdir()
        for name in OLD_TOOLS:
            (folder / name).symlink_to(shared_folder() / name)
            done = subprocess.run([folder / name, "--help"], capture_output=True, text=True,
                                  check=False)
            self.assertEqual(done.returncode, 0, name)
            self.assertIn(f"{name}: usage: {name} [options]", done.stderr)

    def test_by_any_other_name_it_is_countersign(self):
        (self.folder / "cs").symlink_to(PROGRAM.resolve())
        done = subprocess.run([self.folder / "cs", "verify", "/nowhere"], capture_output=True,
                              text=True, check=False)
        self.assertEqual(done.returncode, 66)
        self.assertEqual(done.stderr, "cs: cannot read /nowhere: No such file or directory\n")


class Colour(Case):
    def on_terminal(self, **environment):
        """What `testkey` prints on a terminal."""
        ours, theirs = pty.openpty()
        zone = self.zone({"rsa._domainkey.example.org": record("rsa")})
        env = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
        subprocess.run([PROGRAM, "testkey", "-d", "example.org", "-s", "rsa", "--zone", zone],
                       stdout=theirs, stderr=theirs, env={**env, "TERM": "xterm", **environment},
                       check=True)
        os.close(theirs)
        text = os.read(ours, 65536).decode()
        os.close(ours)
        return text

    def test_colour_is_for_terminals_that_want_it(self):
        self.assertIn("\x1b[32mgood", self.on_terminal())
        self.assertNotIn("\x1b", self.on_terminal(NO_COLOR="1"))
        self.assertNotIn("\x1b", self.on_terminal(TERM="dumb"))

    def test_there_is_none_elsewhere(self):
        result = self.expect(0, "testkey", "-d", "example.org", "-s", "rsa", "--zone", self.zone())
        self.assertNotIn(b"\x1b", result.out)


class Documents(Case):
    def expect_committed(self, path, *arguments):
        made = self.expect(0, *arguments).text
        if not (ROOT / path).is_file() or (ROOT / path).read_text() != made:
            self.fail(f"{path} is out of date: countersign {' '.join(arguments)} > {path}")

    def test_of_the_command_line(self):
        self.expect_committed("docs/cli.md", "manual", "--markdown")
        self.expect_committed("docs/countersign.1.scd", "manual", "--man")

    def test_of_the_settings(self):
        self.expect_committed("docs/settings.md", "config", "doc", "--markdown")
        self.expect_committed("docs/settings.md", "config", "doc")
        self.expect_committed("docs/countersign.toml.5.scd", "config", "doc", "--man")


if __name__ == "__main__":
    unittest.main()
