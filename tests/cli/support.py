# SPDX-License-Identifier: Apache-2.0
#
# What the cases share: a folder of their own, the program under each of its names, keys, and zone
# files.

import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(os.environ.get("COUNTERSIGN", ROOT / "build/release/countersign"))
CONFORMANCE = Path(
    os.environ.get("COUNTERSIGN_CONFORMANCE", ROOT.parent / "shared/conformance")
)
OLD_TOOLS = ("opendkim-genkey", "opendkim-testkey", "opendkim-testmsg")
SECONDS_MAX = 60

MESSAGE = b"""From: Alice <alice@example.org>\r
To: bob@rcpt.example\r
Subject: hello\r
Date: Thu, 1 Jan 2026 00:00:00 +0000\r
Message-ID: <1@example.org>\r
\r
Hello, Bob.\r
"""
MESSAGE_LF = MESSAGE.replace(b"\r\n", b"\n")


@dataclass
class Result:
    """What a run of the program left behind."""

    command: list
    code: int
    out: bytes
    err: str

    def __str__(self):
        command = " ".join(map(str, self.command))
        return f"{command}\nexit code {self.code}\nout: {self.out[:2000]!r}\nerr: {self.err[:2000]}"

    @property
    def text(self):
        return self.out.decode()

    @property
    def json(self):
        return json.loads(self.out)


@cache
def shared_folder():
    """Keys and links to the program, made once and removed at the end of the run."""
    folder = tempfile.TemporaryDirectory(prefix="countersign-cli.")
    path = Path(folder.name)
    path.chmod(0o755)
    for name in ("countersign", *OLD_TOOLS):
        (path / name).symlink_to(PROGRAM.resolve())
    for selector, options in (
        ("rsa", []),
        ("other", []),
        ("small", ["--bits", "1024"]),
        ("ed", ["--type", "ed25519"]),
    ):
        command = [PROGRAM, "keygen", "-d", "example.org", "-s", selector, "-D", path, *options]
        subprocess.run(command, check=True, capture_output=True, timeout=SECONDS_MAX)
    shared_folder.keep = folder  # Removed when the interpreter ends.
    return path


def key(selector):
    """The path of a private key: rsa, other, small or ed."""
    return shared_folder() / f"{selector}.private"


@cache
def record(selector):
    """The text of the key record: v=DKIM1; …"""
    zone_lines = (shared_folder() / f"{selector}.txt").read_text()
    return "".join(re.findall(r'"([^"]*)"', zone_lines))


def public_key(selector):
    """The value of p=."""
    return record(selector).rpartition("p=")[2]


def debian_tool(name):
    """OpenDKIM's own tool, or None; ours would be found first where it is installed as a link."""
    path = Path("/usr/sbin") / name
    return path if path.is_file() and not path.is_symlink() else None


class Case(unittest.TestCase):
    """A case in a folder of its own."""

    maxDiff = None

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="case.", dir=shared_folder()))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def run_program(self, *arguments, stdin=b"", name="countersign", env=None):
        """Runs the program in the case's folder by one of its names."""
        command = [shared_folder() / name, *arguments]
        done = subprocess.run(
            command,
            input=stdin,
            capture_output=True,
            cwd=self.folder,
            env={**os.environ, "LC_ALL": "C", "NO_COLOR": "", **(env or {})},
            timeout=SECONDS_MAX,
            check=False,
        )
        return Result(command, done.returncode, done.stdout, done.stderr.decode(errors="replace"))

    def expect(self, code, *arguments, **keywords):
        """Runs the program and holds it to an exit code."""
        result = self.run_program(*arguments, **keywords)
        self.assertEqual(result.code, code, result)
        return result

    def expect_complaint(self, code, *arguments, says, **keywords):
        """Runs the program, which must fail with one sentence on stderr and nothing on stdout."""
        result = self.expect(code, *arguments, **keywords)
        self.assertEqual(result.out, b"", result)
        self.assertEqual(result.err.count("\n"), 1, result)
        self.assertRegex(result.err, f"^(countersign|opendkim-)[a-z ]*: .*{says}")
        return result

    def write(self, name, content):
        """Writes a file into the case's folder; its path."""
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def zone(self, records=None, errors=None):
        """Writes a zone file in JSON. records: name to one TXT text or several; the selectors of
        the shared keys below _domainkey.example.org are there when none are given."""
        if records is None:
            records = {
                f"{selector}._domainkey.example.org": record(selector)
                for selector in ("rsa", "other", "small", "ed")
            }
        entries = []
        for name, texts in records.items():
            for text in [texts] if isinstance(texts, str) else texts:
                strings = [text[at : at + 255] for at in range(0, len(text), 255)] or [""]
                entries.append({"name": name, "type": "TXT", "strings": strings})
        failures = [
            {"name": name, "type": "TXT", "rcode": rcode} for name, rcode in (errors or {}).items()
        ]
        return self.write("zone.json", json.dumps({"records": entries, "errors": failures}))

    def sign(self, message=MESSAGE, selectors=("rsa",), options=()):
        """The message signed with the shared keys."""
        keys = [word for s in selectors for word in ("-s", s, "-k", key(s))]
        return self.expect(0, "sign", "-d", "example.org", *keys, *options, stdin=message).out

    def verify(self, message, code=0, zone=None, options=()):
        """The results of `verify --json`, an object for each signature."""
        zone = zone or self.zone()
        result = self.expect(code, "verify", "--json", "--zone", zone, *options, stdin=message)
        return result.json["dkim"]
