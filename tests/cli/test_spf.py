# SPDX-License-Identifier: Apache-2.0
#
# `countersign spf`: both identities, the tree of terms in words and in JSON, strangers' text, and
# DNS that fails or is late.

import time

from name_server import SERVFAIL, NameServer
from support import Case

KEYS = {
    "identity", "client_ip", "helo_name", "mail_from", "domain", "result", "reason", "message",
    "explanation", "evaluated", "record", "lookups", "terms", "explanation_lookups", "lookup_terms",
    "lookup_terms_max", "void_lookups", "void_lookups_max", "received_spf",
}
RECORDS = {
    "example.com": "v=spf1 include:_spf.example.net a:gone.example.com -all "
                   "exp=why.%{d2}",
    "why.example.com": "%{i} may not send for %{d}",
    "_spf.example.net": "v=spf1 ip4:198.51.100.0/24 redirect=more.example.net",
    "more.example.net": "v=spf1 ip4:203.0.113.0/24 -all",
    "mail.example.com": "v=spf1 ip4:192.0.2.1 -all",
    "wild.example.com": "v=spf1 a:\x1b[31m.example.com -all",
    "broken.example.com": "v=spf1 ip4:1.2.3 -all",
}


class Spf(Case):
    def check(self, code, *arguments, zone=None):
        """The JSON of a check."""
        zone = zone or self.zone(RECORDS)
        return self.expect(code, "spf", "--json", "--zone", zone, *arguments).json

    def mail_from(self, code, ip, path="bob@example.com"):
        return self.check(code, "--ip", ip, "--helo", "mail.example.com", "--mail-from", path)


class Json(Spf):
    def test_pass_by_an_include(self):
        found = self.mail_from(0, "198.51.100.7")
        self.assertEqual(set(found), KEYS | {"helo"})
        self.assertEqual(
            (found["result"], found["reason"], found["domain"], found["identity"]),
            ("pass", "matched", "example.com", "mailfrom"))
        self.assertEqual((found["lookup_terms"], found["void_lookups"]), (1, 0))
        self.assertIsNone(found["explanation"])
        (term,) = found["terms"]
        self.assertEqual((term["text"], term["target"], term["match"]),
                         ("include:_spf.example.net", "_spf.example.net", "matched"))
        inner = term["inner"]
        self.assertEqual((inner["domain"], inner["result"]), ("_spf.example.net", "pass"))
        self.assertEqual(inner["record"], RECORDS["_spf.example.net"])
        self.assertEqual([one["text"] for one in inner["terms"]], ["ip4:198.51.100.0/24"])

    def test_fail_shows_every_term_and_the_explanation(self):
        found = self.mail_from(1, "192.0.2.99")
        self.assertEqual((found["result"], found["explanation"]),
                         ("fail", "192.0.2.99 may not send for example.com"))
        self.assertEqual([(one["text"], one["match"]) for one in found["terms"]],
                         [("include:_spf.example.net", "not_matched"),
                          ("a:gone.example.com", "not_matched"), ("-all", "matched")])
        self.assertEqual(found["terms"][1]["lookups"],
                         [{"name": "gone.example.com", "type": "A", "status": "NXDOMAIN"}])
        redirect = found["terms"][0]["inner"]["terms"][1]
        self.assertEqual(redirect["text"], "redirect=more.example.net")
        self.assertEqual(redirect["inner"]["result"], "fail")
        self.assertEqual((found["lookup_terms"], found["void_lookups"]), (3, 1))

    def test_both_identities(self):
        found = self.mail_from(1, "192.0.2.1")
        self.assertEqual((found["result"], found["helo"]["result"]), ("fail", "pass"))
        self.assertEqual(set(found["helo"]), KEYS)
        self.assertEqual(found["helo"]["identity"], "helo")
        self.assertTrue(found["received_spf"].startswith("Received-SPF: fail "))
        self.assertIn("identity=helo", found["helo"]["received_spf"])

    def test_the_null_path_is_postmaster_at_helo(self):
        client = ["--ip", "192.0.2.1", "--helo", "mail.example.com"]
        for path in ([], ["--mail-from", ""], ["--mail-from="], ["--mail-from", "<>"]):
            found = self.check(0, *client, *path)
            self.assertEqual((found["domain"], found["identity"]),
                             ("mail.example.com", "mailfrom"))

    def test_without_helo_there_is_none(self):
        found = self.check(1, "--ip", "192.0.2.1", "--mail-from", "<bob@example.com>")
        self.assertIsNone(found["helo"])
        self.assertEqual(found["result"], "fail")

    def test_a_failure_of_dns_is_a_temperror(self):
        records = {name: text for name, text in RECORDS.items() if name != "_spf.example.net"}
        zone = self.zone(records, errors={"_spf.example.net": "SERVFAIL"})
        found = self.check(75, "--ip", "192.0.2.1", "--mail-from", "a@example.com", zone=zone)
        self.assertEqual((found["result"], found["reason"]), ("temperror", "dns_failed"))
        self.assertEqual(found["terms"][0]["inner"]["lookups"][0]["status"], "SERVFAIL")

    def test_a_broken_record_says_where(self):
        found = self.mail_from(1, "192.0.2.1", "a@broken.example.com")
        self.assertEqual((found["result"], found["reason"]), ("permerror", "bad_record"))
        self.assertIn("octet 11", found["message"])

    def test_no_domain_to_check(self):
        for path, result in (("a@[192.0.2.1]", "none"), ("\"a@example.com", "permerror")):
            found = self.mail_from(1, "192.0.2.1", path)
            self.assertEqual((found["result"], found["domain"], found["terms"], found["record"]),
                             (result, None, [], None))


class Words(Spf):
    def words(self, code, *arguments):
        return self.expect(code, "spf", "--zone", self.zone(RECORDS), *arguments).text

    def test_the_tree(self):
        text = self.words(1, "--ip", "192.0.2.99", "--mail-from", "bob@example.com")
        self.assertEqual(text.splitlines(), [
            "spf=fail  MAIL FROM <bob@example.com> from 192.0.2.99",
            "  a mechanism of the record matched the client (RFC 7208 §4.6.2)",
            "  example.com: fail",
            "    TXT example.com: found",
            "    " + RECORDS["example.com"],
            "    - include:_spf.example.net: not matched",
            "        _spf.example.net: fail",
            "          TXT _spf.example.net: found",
            "          " + RECORDS["_spf.example.net"],
            "          - ip4:198.51.100.0/24: not matched",
            "          - redirect=more.example.net: matched",
            "              more.example.net: fail",
            "                TXT more.example.net: found",
            "                " + RECORDS["more.example.net"],
            "                - ip4:203.0.113.0/24: not matched",
            "                - -all: matched",
            "    - a:gone.example.com: not matched",
            "        A gone.example.com: NXDOMAIN",
            "    - -all: matched",
            "  3 of 10 terms that ask DNS, 1 of 2 that found nothing",
            "  TXT why.example.com: found",
            "  the domain explains: 192.0.2.99 may not send for example.com",
        ])

    def test_the_null_path_is_told_once(self):
        text = self.words(0, "--ip", "192.0.2.1", "--helo", "mail.example.com")
        self.assertRegex(text, "^spf=pass  MAIL FROM <>, which means HELO mail.example.com, from ")
        self.assertEqual(text.count("spf="), 1)

    def test_strangers_text_does_nothing_to_a_terminal(self):
        for path in ("a@wild.example.com", "\x1b[31m\u202e@example.com"):
            for form in ([], ["--json"]):
                text = self.words(1, "--ip", "192.0.2.1", "--helo", "\x1b[1m.example",
                                  "--mail-from", path, *form)
                self.assertNotIn("\x1b", text)
                self.assertNotIn("\u202e", text)


class Usage(Spf):
    def test_complaints(self):
        for arguments, says in (
            ([], "--ip is required"),
            (["--ip", "192.0.2"], "192.0.2 is no IP address"),
            (["--ip", "192.0.2.1"], "give --helo or --mail-from"),
            (["--ip", "192.0.2.1", "--mail-from", "<>"], "give --helo or --mail-from"),
        ):
            self.expect_complaint(64, "spf", *arguments, says=says)


class LiveDns(Spf):
    def test_answers_of_a_name_server(self):
        server = NameServer({"example.com": ["v=spf1 ip4:192.0.2.1 -all"],
                             "down.example.com": SERVFAIL})
        self.addCleanup(server.close)
        for path, code, result in (("a@example.com", 0, "pass"), ("a@none.example.com", 1, "none"),
                                   ("a@down.example.com", 75, "temperror")):
            found = self.expect(code, "spf", "--json", "--ip", "192.0.2.1", "--mail-from", path,
                                "--nameserver", server.address)
            self.assertEqual(found.json["result"], result, found)

    def test_a_server_that_does_not_answer_is_a_temperror(self):
        server = NameServer({"example.com": None})
        self.addCleanup(server.close)
        begin = time.monotonic()
        found = self.expect(75, "spf", "--json", "--ip", "192.0.2.1", "--mail-from",
                            "a@example.com", "--nameserver", server.address, "--dns-timeout", "1")
        self.assertEqual(found.json["lookups"][0]["status"], "timeout", found)
        self.assertLess(time.monotonic() - begin, 10)
