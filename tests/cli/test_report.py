# SPDX-License-Identifier: Apache-2.0
#
# `countersign report` on a store that a daemon has filled: what is sent to an MTA, what is shown,
# what became of it, what a person decides, and what there is to say when something is missing.

import contextlib
import datetime
import email
import re
import sqlite3
from xml.etree import ElementTree

from mail_server import MailServer
from report_case import NAMESPACE, OTHER, OWNER, ReportCase, letter, report_of


def now():
    """The time, in whole seconds."""
    return datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)


class Report(ReportCase):
    def test_a_day_goes_out_once(self):
        self.judge_a_day()
        sent = self.report("send", "--day", self.day)
        self.assertEqual(sent.text,
                         "1 sent, 0 deferred, 0 failed, 0 uncertain, 1 not to be sent\n")
        self.assertIn(f"{self.day} is not over (UTC)", sent.err)
        ((recipients, mail),) = self.mta.mails
        self.assertEqual(recipients, ["dmarc@owner.example"])
        feedback = ElementTree.fromstring(report_of(mail))
        rows = {row.findtext(f"{NAMESPACE}source_ip"): row.findtext(f"{NAMESPACE}count")
                for row in feedback.iter(f"{NAMESPACE}row")}
        self.assertEqual(rows, {"198.51.100.7": "2", "192.0.2.1": "1"})
        self.assertEqual([one["result"] for one in self.verify(mail)], ["pass"])
        self.assertEqual(self.states(), {OWNER: "sent", OTHER: "suppressed"})
        again = self.report("send", "--day", self.day, "--json").json
        self.assertEqual(again, {"day": self.day, "sent": 0, "deferred": 0, "failed": 0,
                                 "uncertain": 0, "suppressed": 0, "waiting": 0,
                                 "next_attempt": None})
        self.assertEqual(len(self.mta.mails), 1)

    def test_a_look_sends_and_enters_nothing(self):
        self.judge_a_day()
        dry = self.report("send", "--dry-run", "--day", self.day)
        self.assertRegex(dry.text, r"(?m)^owner\.example  3 messages  Report-ID \S+$")
        self.assertRegex(dry.text, rf"(?m)^  to  {OWNER}\n      dmarc@owner\.example$")
        self.assertRegex(dry.text, rf"(?m)^  not to  {OTHER}$")
        self.assertRegex(dry.text, r"(?m)^quiet\.example  1 messages .*\n  nobody")
        documents = self.report("send", "--dry-run", "--json", "--day", self.day).json
        self.assertEqual([one["policy_domain"] for one in documents],
                         ["owner.example", "quiet.example"])
        alone = self.report("send", "--dry-run", "--json", "--day", self.day,
                            "--domain", "quiet.example").json
        self.assertEqual(alone, documents[1:])
        (shown,) = self.report("preview", "Owner.Example.", "--day", self.day, "--json").json
        self.assertEqual(shown, documents[0])
        self.assertEqual(shown["messages"], 3)
        self.assertEqual([one["authorization"] for one in shown["destinations"]],
                         ["internal", "unauthorized"])
        self.assertEqual(self.mta.mails, [])
        self.assertEqual(self.states(), {})

    def test_what_has_left_is_not_shown_as_if_it_would_leave(self):
        self.judge_a_day()
        self.mta.answers = {b".": b"451 later"}
        self.report("send", "--day", self.day, code=75)
        owner = ("send", "--dry-run", "--day", self.day, "--domain", "owner.example")
        self.assertEqual(self.report(*owner).out, b"", "it would not be tried again now")
        self.mta.answers = {}
        (line,) = self.report("list", "--state", "due", "--json").json
        self.report("resolve", "--day", self.day, "--policy", str(line["policy"]),
                    "--destination", OWNER, "--as", "due")
        dry = self.report(*owner)
        self.assertRegex(dry.text,
                         rf"(?m)^  to  {OWNER}\n      dmarc@owner\.example\n.*\n      due$")
        self.assertNotIn(OTHER, dry.text, "of it there is nothing more to do")
        self.report("send", "--day", self.day)
        dry = self.report("send", "--dry-run", "--day", self.day, "--domain", "owner.example")
        self.assertEqual(dry.out, b"")
        (shown,) = self.report("preview", "owner.example", "--day", self.day, "--json").json
        self.assertEqual([one["state"] for one in shown["destinations"]], ["sent", "suppressed"])

    def test_what_comes_late_leaves_in_a_report_of_its_own(self):
        self.judge_a_day()
        self.report("send", "--day", self.day)
        self.judge((letter("owner.example"), "--ip", "198.51.100.9"))
        first, second = self.report("preview", "owner.example", "--day", self.day, "--json").json
        self.assertEqual([(one["edition"], one["messages"]) for one in (first, second)],
                         [(1, 3), (2, 1)])
        self.assertIn("edition 2: what came after the day was reported\n",
                      self.report("preview", "owner.example", "--day", self.day).text)
        self.assertEqual(self.report("send", "--day", self.day, "--json").json["sent"], 1)
        (_, early), (_, late) = self.mta.mails
        addresses = [[row.findtext(f"{NAMESPACE}source_ip")
                      for row in ElementTree.fromstring(report_of(mail)).iter(f"{NAMESPACE}row")]
                     for mail in (early, late)]
        self.assertEqual(sorted(addresses[0]), ["192.0.2.1", "198.51.100.7"])
        self.assertEqual(addresses[1], ["198.51.100.9"])
        subjects = {email.message_from_bytes(mail)["Subject"] for mail in (early, late)}
        self.assertEqual(len(subjects), 2, "their Report-IDs differ")
        lines = [one for one in self.report("list", "--json").json if one["destination"] == OWNER]
        self.assertEqual([(one["edition"], one["state"]) for one in lines],
                         [(1, "sent"), (2, "sent")])
        which = ["--day", self.day, "--policy", str(lines[0]["policy"]), "--destination", OWNER]
        self.report("resolve", *which, "--edition", "2", "--as", "failed")
        self.complaint(1, "resolve", *which, "--edition", "3", "--as", "failed",
                       says="there is no such report")
        lines = [one for one in self.report("list", "--json").json if one["destination"] == OWNER]
        self.assertEqual([one["state"] for one in lines], ["sent", "failed"])

    def test_a_preview_is_what_is_sent(self):
        self.judge_a_day()
        xml = self.report("preview", "owner.example", "--day", self.day, "--show", "xml").out
        mail = self.report("preview", "owner.example", "--day", self.day, "--show", "mail").out
        self.assertEqual(report_of(mail), xml)
        (both,) = self.report("preview", "owner.example", "--day", self.day, "--show", "xml",
                              "--json").json
        self.assertEqual(both["xml"].encode(), xml)
        self.report("send", "--day", self.day, "--domain", "OWNER.example")
        self.assertEqual(report_of(self.mta.mails[0][1]), xml)
        parsed, sent = (email.message_from_bytes(octets) for octets in (mail, self.mta.mails[0][1]))
        for name in ("From", "To", "Subject", "Message-ID"):
            self.assertEqual(parsed[name], sent[name])

    def test_a_domain_alone(self):
        self.judge_a_day()
        self.report("send", "--day", self.day, "--domain", "quiet.example")
        self.assertEqual(self.states(), {})
        self.report("send", "--day", self.day, "--domain", "owner.example")
        self.assertEqual(self.states(), {OWNER: "sent", OTHER: "suppressed"})

    def test_what_the_mta_says_decides(self):
        for reply, code, state in (({b".": b"250 ok"}, 0, "sent"),
                                   ({b".": b"451 later"}, 75, "due"),
                                   ({b"RCPT": b"450 later"}, 75, "due"),
                                   ({b".": b"554 no"}, 1, "failed"),
                                   ({b"MAIL": b"550 no"}, 75, "due"),
                                   ({b".": b""}, 1, "uncertain")):
            with self.subTest(reply):
                self.judge_a_day()
                self.mta.answers = reply
                counts = self.report("send", "--day", self.day, "--json", code=code).json
                word = {"due": "deferred"}.get(state, state)
                self.assertEqual((counts[word], counts["suppressed"]), (1, 1))
                self.assertEqual(self.states()[OWNER], state)
                self.assertEqual(self.report("list", "--state", state).text.count(OWNER), 1)
                # Nothing of it leaves again at once, whatever it was.
                self.report("send", "--day", self.day)
                self.assertEqual(len(self.mta.mails), 1 if state == "sent" else 0)
                self.mta.mails.clear()

    def test_what_waits_is_told(self):
        self.judge_a_day()
        self.mta.answers = {b".": b"451 later"}
        before = now()
        first = self.report("send", "--day", self.day, "--json", code=75).json
        self.assertEqual((first["deferred"], first["waiting"]), (1, 1))
        due = datetime.datetime.strptime(first["next_attempt"], "%Y-%m-%dT%H:%M:%S%z")
        hour = datetime.timedelta(hours=1)
        self.assertTrue(before + hour <= due <= now() + hour, due)
        # It waits, whatever day is sent next.
        told = (r"^0 sent, 0 deferred, 0 failed, 0 uncertain, 0 not to be sent; "
                rf"1 waits for another attempt, the next at {due:%Y-%m-%d %H:%M:%S} UTC\n$")
        for day in (self.day, "2020-02-29"):
            self.assertRegex(self.report("send", "--day", day).text, told)

    def test_a_destination_that_is_left_alone_waits(self):
        self.judge_a_day()
        self.mta.answers = {b"RCPT": b"550 no"}
        failed = self.report("send", "--day", self.day, "--json", code=1).json
        self.assertEqual((failed["failed"], failed["waiting"]), (1, 0), "nothing of it is due")
        # The next day's report for it.
        database = sqlite3.connect(self.folder / "store.sqlite")
        with contextlib.closing(database), database:
            database.execute(
                "INSERT INTO evaluation (day, edition, policy, source, identity, messages)"
                " SELECT day + 1, edition, policy, source, identity, messages FROM evaluation")
            database.execute("INSERT INTO edition (day, closed, closed_at)"
                             " SELECT day + 1, closed, closed_at FROM edition")
            database.execute(
                "INSERT INTO report (day, policy, destination, edition, state, changed)"
                " SELECT day + 1, policy, destination, 1, 'due', changed FROM report"
                " WHERE state = 'failed'")
            until = database.execute("SELECT max(unusable_until) FROM destination").fetchone()[0]
        self.assertEqual(self.report("send", "--dry-run", "--day", self.day, "--json",
                                     "--domain", "owner.example").json, [])
        waits = self.report("send", "--day", self.day, "--json").json
        self.assertEqual((waits["sent"], waits["failed"]), (0, 0))
        self.assertEqual(waits["waiting"], 1)
        self.assertEqual(waits["next_attempt"],
                         f"{datetime.datetime.fromtimestamp(until, datetime.timezone.utc):%FT%TZ}")

    def test_no_mta(self):
        self.judge_a_day()
        with MailServerThatIsGone() as port:
            self.change(f"smtp_port = {self.mta.port}", f"smtp_port = {port}")
            self.report("send", "--day", self.day, code=75)
        (line,) = [one for one in self.report("list", "--json").json if one["state"] == "due"]
        self.assertEqual((line["day"], line["destination"], line["attempts"]),
                         (self.day, OWNER, 1))
        self.assertIn("onnect", line["detail"])

    def test_dns_that_does_not_answer(self):
        self.judge_a_day()
        self.publish({}, errors={"owner.example._report._dmarc.other.example": "SERVFAIL"})
        self.report("send", "--day", self.day, code=75)
        self.assertEqual(self.states(), {OWNER: "sent", OTHER: "due"})

    def test_a_person_decides(self):
        self.judge_a_day()
        self.mta.answers = {b".": b""}
        self.report("send", "--day", self.day, code=1)
        (line,) = self.report("list", "--state", "uncertain", "--json").json
        which = ["--day", line["day"], "--policy", str(line["policy"]),
                 "--destination", line["destination"]]
        for state in ("claimed", "sending", "uncertain", "gone", "DUE", ""):
            self.complaint(64, "resolve", *which, "--as", state, says="--as takes due, sent, ")
        self.complaint(64, "resolve", "--day", "tomorrow", *which[2:], "--as", "due",
                       says="--day takes a day of UTC")
        for wrong in (["--day", "2020-02-29", *which[2:]],
                      [*which[:2], "--policy", str(line["policy"] + 7), *which[4:]],
                      [*which[:4], "--destination", "' OR 1=1 --"]):
            self.complaint(1, "resolve", *wrong, "--as", "due", says="there is no such report")
        self.assertEqual(self.states()[OWNER], "uncertain")
        for state in ("suppressed", "sent", "failed"):
            self.assertEqual(self.report("resolve", *which, "--as", state).out, b"")
            self.assertEqual(self.states()[OWNER], state)
            self.report("send", "--day", self.day)
        self.assertEqual(self.mta.mails, [])
        # A destination that refused is left alone, until a person says that it can be used again.
        self.mta.answers = {b"RCPT": b"550 no"}
        self.report("resolve", *which, "--as", "due")
        self.report("send", "--day", self.day, code=1)
        self.mta.answers = {}
        self.report("resolve", *which, "--as", "due")
        self.report("send", "--day", self.day)
        self.assertEqual(len(self.mta.mails), 1)
        self.assertEqual(self.states()[OWNER], "sent")


    def test_a_person_decides_on_a_part(self):
        self.judge_a_day()
        self.change("[reports]\n", "[reports]\npacked_octets_max = 10000\n")
        database = sqlite3.connect(self.folder / "store.sqlite")
        with contextlib.closing(database), database:
            database.executemany(
                "INSERT INTO evaluation (day, edition, policy, source, identity, messages)"
                " SELECT e.day, e.edition, e.policy, ?, e.identity, 1 FROM evaluation e"
                " JOIN policy p ON p.id = e.policy WHERE p.domain = 'owner.example' LIMIT 1",
                [(bytes([10, i * 7919 % 251, i // 256, i % 256]),) for i in range(4000)])
        shown = self.report("preview", "owner.example", "--day", self.day, "--json").json
        parts = [one["report_id"] for one in shown]
        self.assertGreater(len(parts), 2)
        self.mta.answers = {b".": b""}
        self.report("send", "--day", self.day, code=1)
        (line,) = self.report("list", "--state", "uncertain", "--json").json
        self.assertEqual((line["report_id"], line["parts_sent"], line["parts"]),
                         (parts[0], 0, len(parts)))
        self.assertIn(f"  0 of {len(parts)} parts sent  ",
                      self.report("list", "--state", "uncertain").text)
        which = ["--day", line["day"], "--policy", str(line["policy"]),
                 "--destination", line["destination"]]
        self.assertEqual(self.report("resolve", *which, "--as", "sent").text,
                         "the part in doubt counts as sent; the report is due for the parts "
                         "behind it\n")
        self.mta.answers = {}
        dry = self.report("send", "--dry-run", "--day", self.day, "--json",
                          "--domain", "owner.example").json
        self.assertEqual([one["report_id"] for one in dry], parts[1:])
        self.report("send", "--day", self.day)
        sent = [email.message_from_bytes(mail)["Message-ID"] for _, mail in self.mta.mails]
        self.assertEqual(sent, [f"<{one}>" for one in parts[1:]])
        self.assertEqual(self.states()[OWNER], "sent")


class MailServerThatIsGone:
    """A port at which nobody listens."""

    def __enter__(self):
        server = MailServer()
        server.close()
        return server.port

    def __exit__(self, *_):
        pass


class ReportTrouble(ReportCase):
    def test_a_store_that_is_not_there_yet(self):
        self.complaint(69, "list", says=".*store.sqlite: there is no such store yet")
        self.assertFalse((self.folder / "store.sqlite").exists())
        self.make_store()
        self.assertEqual(self.report("list").out, b"")

    def test_a_store_without_anything(self):
        self.make_store()
        self.assertEqual(self.report("list").out, b"")
        self.assertEqual(self.report("list", "--json").json, [])
        self.assertEqual(self.report("send").text,
                         "0 sent, 0 deferred, 0 failed, 0 uncertain, 0 not to be sent\n")
        self.assertEqual(self.report("send", "--dry-run").out, b"")
        self.assertEqual(self.report("send", "--dry-run", "--json").json, [])
        self.complaint(1, "preview", "owner.example", "--day", "2026-11-26",
                       says="no mail in the name of owner.example is stored of 2026-11-26$")
        self.assertEqual(self.report("preview", "owner.example", "--json", code=1).json, [])
        self.complaint(1, "resolve", "--day", "2026-11-26", "--policy", "1", "--destination", OWNER,
                       "--as", "due", says="there is no such report")

    def test_a_store_that_cannot_be_used(self):
        path = f'path = "{self.folder}/store.sqlite"'
        garbage = self.write("garbage.sqlite", b"no data base, and long enough to be one\n" * 100)
        for wrong in (self.folder, garbage, self.folder / "missing/store.sqlite"):
            with self.subTest(wrong):
                self.publish({})
                self.change(path, f'path = "{wrong}"')
                for arguments in (("list",), ("send",), ("send", "--dry-run"),
                                  ("preview", "owner.example"),
                                  ("resolve", "--day", "2026-11-26", "--policy", "1",
                                   "--destination", OWNER, "--as", "due")):
                    self.complaint(69, *arguments, says=re.escape(str(wrong)))

    def test_settings_that_miss_something(self):
        self.make_store()
        everything = self.settings.read_text()
        for old, new, says in (
            (f'path = "{self.folder}/store.sqlite"', "", "set store.path"),
            ('from = "reports@example.org"', "", "reports.from is not set"),
            ('from = "reports@example.org"', 'from = "nobody"', "reports.from is no address"),
            ('from = "reports@example.org"', 'from = "reports@owner.example"',
             "no key signs for reports@owner.example"),
            ('smtp_tls = "none"', 'smtp_tls = "none"\nsmtp_password_file = "/nowhere/password"',
             "cannot read /nowhere/password"),
        ):
            with self.subTest(new or old):
                self.settings.write_text(everything)
                self.change(old, new)
                for arguments in (("send",), ("send", "--dry-run"), ("preview", "owner.example")):
                    self.complaint(78, *arguments, says=f".*{re.escape(says)}")
        # To see what was stored, neither an address nor a key is needed.
        self.settings.write_text(everything)
        self.change('from = "reports@example.org"', "")
        self.assertEqual(self.report("list").out, b"")
        self.change(f'path = "{self.folder}/store.sqlite"', "")
        self.complaint(78, "list", says="set store.path")

    def test_settings_that_are_not_there(self):
        for arguments in (["list"], ["send"], ["preview", "owner.example"]):
            result = self.expect(78, "report", *arguments, "--config", self.folder / "none.toml")
            self.assertEqual(result.out, b"")
            self.assertIn("none.toml", result.err)

    def test_wrong_arguments(self):
        self.make_store()
        for arguments in ([], ["mail"], ["preview"], ["preview", "a.example", "--show", "pdf"],
                          ["list", "--day", "2026-11-26"], ["send", "owner.example"], ["resolve"],
                          ["resolve", "--day", "2026-11-26", "--policy", "one", "--destination",
                           OWNER, "--as", "due"]):
            with self.subTest(arguments):
                result = self.expect(64, "report", *arguments)
                self.assertEqual(result.out, b"")
                self.assertIn("--help", result.err)
        for day in ("2026-02-30", "2026-13-01", "26/11/2026", "2026-11-26T00", "yesterday", "-1"):
            for command in (["send"], ["send", "--dry-run"], ["preview", "owner.example"]):
                self.complaint(64, *command, f"--day={day}", says="--day takes a day of UTC")
        self.complaint(64, "list", "--state", "lost", says="there is no state lost")
        for domain in ("a..example", "owner example", "\x1b[31m.example"):
            self.complaint(64, "preview", domain, says="domain ")
            self.complaint(64, "send", f"--domain={domain}", says="domain ")
