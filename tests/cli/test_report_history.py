# SPDX-License-Identifier: Apache-2.0
#
# `countersign report import-history`: OpenDMARC's HistoryFile comes into the store once, and what
# is wrong with it is told with file and line.

import time

from support import Case

RECORD = """job {job}
reporter mx.example
received {received}
ipaddr 192.0.2.1
from sender.example
mfrom bounce.sender.example
dkim sender.example june 0
spf 7
pdomain sender.example
policy {policy}
rua mailto:dmarc@sender.example
pct 100
adkim 114
aspf 114
p 114
sp 0
align_dkim {aligned}
align_spf 5
arc 7
arc_policy 2 json:[]
action {action}
"""


def record(job, received=None, policy=16, aligned=5, action=0):
    return RECORD.format(job=job, received=received or int(time.time()), policy=policy,
                         aligned=aligned, action=action)


QUIET = """[daemon]
sockets = ["inet:8891@127.0.0.1"]
[signing]
mode = "verify"
"""


class ReportHistory(Case):
    def setUp(self):
        super().setUp()
        self.settings = self.settings_for("countersign.toml", f"{self.folder}/store.sqlite")

    def settings_for(self, name, store):
        """Settings without a reason for a warning, with that store."""
        return self.write(name, f'{QUIET}[store]\npath = "{store}"\n')

    def import_history(self, code, *arguments, **keywords):
        return self.expect(code, "report", "import-history", "--config", self.settings, *arguments,
                           **keywords)

    def test_AFileIsImportedOnce(self):
        now = int(time.time())
        text = record("A", now) + record("B", now, policy=15, aligned=4, action=2)
        self.write("history.dat", text)
        result = self.import_history(0, "history.dat")
        self.assertEqual(result.text, "2 records: 2 added, 0 there already, 0 that no report "
                                      "counts, 0 too old, 0 refused\n")
        self.assertEqual(result.err, "")
        self.assertEqual(self.import_history(0, "history.dat", "--json").json,
                         {"file": "history.dat", "records": 2, "added": 0, "known": 2,
                          "uncounted": 0, "expired": 0, "refused": 0})
        self.write("history.dat", text + record("C", now))
        self.assertEqual(self.import_history(0, "history.dat", "--json").json["added"], 1)

    def test_StandardInput(self):
        result = self.import_history(0, "-", "--json", stdin=record("A").encode())
        self.assertEqual(result.json["added"], 1)
        self.assertEqual(result.json["file"], "standard input")

    def test_WhatIsWrongIsToldWithItsLine(self):
        text = record("A") + record("B").replace("192.0.2.1", "here") + record("C", policy=14) + \
            record("D", received=1_000_000_000)
        self.write("history.dat", text)
        result = self.import_history(1, "history.dat")
        self.assertEqual(result.err, "history.dat:25: ipaddr: this is no IP address\n")
        self.assertEqual(result.text, "4 records: 1 added, 0 there already, 1 that no report "
                                      "counts, 1 too old, 1 refused\n")

    def test_ComplaintsAreBounded(self):
        self.write("history.dat", "job x\n" * 1_000)
        result = self.import_history(1, "history.dat")
        self.assertEqual(result.err.count("\n"), 101)
        self.assertIn("history.dat:1: received: ", result.err)
        self.assertTrue(result.err.endswith("history.dat: and 900 more\n"), result)

    def test_AFileOfAnotherKindIsRefused(self):
        result = self.import_history(1, "-", stdin=b"\x00\x01\x02\n\xff" * 1_000)
        self.assertEqual(result.err.count("\n"), 1)
        self.assertIn("standard input:1: no record has begun", result.err)

    def test_WithoutAFileOrAStore(self):
        self.expect_complaint(66, "report", "import-history", "--config", self.settings,
                              "nowhere.dat", says="nowhere.dat")
        self.write("history.dat", record("A"))
        none = self.write("none.toml", QUIET)
        self.expect_complaint(78, "report", "import-history", "--config", none, "history.dat",
                              says="set store.path")
        bad = self.settings_for("bad.toml", "/nowhere/store.sqlite")
        self.expect_complaint(69, "report", "import-history", "--config", bad, "history.dat",
                              says="/nowhere/store.sqlite")
