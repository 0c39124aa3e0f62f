# SPDX-License-Identifier: Apache-2.0
#
# What the cases about reports share: settings, an MTA, a store that a daemon has filled, and what
# is in a report mail.

import datetime
import email
import email.policy
import gzip
import subprocess
import time

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

    def make_store(self):
        """A store in which nothing is: an empty history brings nothing and makes the file."""
        self.report("import-history", self.write("history", b""))

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
