# SPDX-License-Identifier: Apache-2.0
#
# `countersign dmarc`: the walk, the alignment and the outcome, in words and in JSON.

from name_server import SERVFAIL, NameServer
from support import Case

KEYS = {
    "result", "reason", "message", "policy", "effective_policy", "policy_tag", "testing",
    "disposition", "author_domain", "author_exists", "policy_domain", "policy_source",
    "org_domain", "org_domain_certain", "top_level_org", "discovery_method", "spf_aligned",
    "dkim_aligned", "identifiers", "walk", "published", "flawed", "tags",
}
RECORD = "v=DMARC1; p=reject; sp=quarantine; rua=mailto:a@example.com"
RECORDS = {
    "_dmarc.example.com": RECORD,
    "mail.example.com": "exists",
    "_dmarc.test.example": "V=DMARC1;P=quarantine;t=y;pct=50",
    "_dmarc.both.example": ["v=DMARC1; p=none", "v=DMARC1; p=reject"],
    "_dmarc.bad.example": "v=DMARC1; p=\x1b[31mred",
}


class Dmarc(Case):
    def check(self, code, domain, *arguments, form=("--json",), zone=None):
        zone = zone or self.zone(RECORDS)
        return self.expect(code, "dmarc", *form, "--zone", zone, "--from-domain", domain,
                           *arguments)


class Json(Dmarc):
    def test_fail(self):
        found = self.check(1, "Example.COM", "--spf", "pass:example.net").json
        self.assertEqual(set(found), KEYS)
        self.assertEqual(found["identifiers"], [
            {"mechanism": "spf", "result": "pass", "domain": "example.net",
             "alignment": "unaligned", "org_domain": None}])
        self.assertEqual(found["walk"], [
            {"domain": "example.com", "name": "_dmarc.example.com", "status": "records",
             "finding": "record", "message": "a DMARC record", "record": RECORD},
            {"domain": "com", "name": "_dmarc.com", "status": "NXDOMAIN", "finding": "no_record",
             "message": "no DMARC record", "record": None}])
        self.assertEqual(found["published"], {
            "v": "DMARC1", "p": "reject", "sp": "quarantine", "rua": "mailto:a@example.com"})
        self.assertEqual(found["tags"], {
            "p": "reject", "sp": "quarantine", "np": None, "t": "n", "psd": "u", "adkim": "r",
            "aspf": "r", "rua": ["mailto:a@example.com"], "ruf": [], "fo": "0"})
        for name, value in (("result", "fail"), ("reason", "not_aligned"), ("policy", "reject"),
                            ("policy_tag", "p"), ("disposition", "reject"),
                            ("policy_domain", "example.com"), ("org_domain", "example.com"),
                            ("policy_source", "author_domain"), ("testing", False)):
            self.assertEqual(found[name], value, name)

    def test_pass_asks_for_nothing(self):
        found = self.check(0, "mail.example.com", "--spf=FAIL:mail.example.com",
                           "--dkim", "fail:example.com", "--dkim", "pass:news.example.com").json
        self.assertEqual((found["result"], found["policy"], found["disposition"]),
                         ("pass", "quarantine", "none"))
        self.assertEqual([one["alignment"] for one in found["identifiers"]],
                         [None, None, "aligned"])
        self.assertEqual((found["spf_aligned"], found["dkim_aligned"]), (False, True))
        self.assertEqual((found["policy_tag"], found["author_exists"]), ("sp", None))

    def test_a_domain_that_tests_asks_for_one_step_less(self):
        found = self.check(1, "test.example").json
        self.assertEqual((found["policy"], found["testing"], found["disposition"]),
                         ("quarantine", True, "none"))
        self.assertEqual(found["published"]["pct"], "50")

    def test_no_policy(self):
        for domain, reason in (("none.example", "no_record"), ("both.example", "several_records")):
            found = self.check(1, domain, "--spf", "none:").json
            self.assertEqual(set(found), KEYS)
            self.assertEqual((found["result"], found["reason"]), ("none", reason))
            for name in ("policy", "policy_tag", "policy_domain", "published", "tags"):
                self.assertIsNone(found[name], name)
            self.assertEqual(found["disposition"], "none")

    def test_s42_a_top_level_domain_without_psd(self):
        for record, found in (("v=DMARC1; p=reject", True), ("v=DMARC1; p=reject; psd=y", False)):
            zone = self.zone({"_dmarc.com": record})
            check = self.check(1, "example.com", zone=zone)
            self.assertEqual(check.json["top_level_org"], found)
            words = self.check(1, "example.com", form=(), zone=zone)
            self.assertEqual("psd=n" in words.text, found, words)

    def test_a_failure_of_dns(self):
        zone = self.zone({}, errors={"_dmarc.example.com": "TIMEOUT"})
        found = self.check(75, "example.com", zone=zone).json
        self.assertEqual((found["result"], found["reason"]), ("temperror", "policy_unknown"))
        self.assertEqual((found["walk"][0]["status"], found["walk"][0]["finding"]),
                         ("timeout", "dns_failure"))


class Words(Dmarc):
    def words(self, code, *arguments):
        return self.check(code, *arguments, form=()).text

    def test_all_of_it(self):
        text = self.words(1, "test.example", "--spf", "pass:a.other.example", "--dkim",
                          "fail:test.example")
        self.assertEqual(text.splitlines(), [
            "dmarc=fail  From test.example",
            "  the domains that SPF and DKIM authenticated do not belong to the author's "
            "organization (RFC 9989 §4.4)",
            "  organization test.example",
            "  policy of test.example by p=: quarantine, while it is testing (t=y): none",
            "  the record is not as it should be; see countersign lint dmarc",
            "  asked of receivers: none",
            "  _dmarc.test.example: V=DMARC1;P=quarantine;t=y;pct=50",
            "  _dmarc.example: NXDOMAIN",
            "  spf=pass a.other.example: unaligned",
            "  dkim=fail test.example: authenticates nothing",
        ])

    def test_strangers_text_does_nothing_to_a_terminal(self):
        for form in ((), ("--json",)):
            self.assertNotIn("\x1b", self.check(1, "bad.example", form=form).text)


class ByList(Dmarc):
    def setUp(self):
        super().setUp()
        self.list = self.write("list.dat", "com\nuk\nco.uk\n*.ck\n!www.ck\n")
        self.records = self.zone({
            "_dmarc.shop.co.uk": "v=DMARC1; p=reject",
            "_dmarc.mail.shop.co.uk": "v=DMARC1; p=none; psd=n",
            "_dmarc.www.ck": "v=DMARC1; p=quarantine",
        })

    def by_list(self, code, domain, *arguments, form=("--json",)):
        return self.check(code, domain, "--discovery", "psl", "--psl", self.list, *arguments,
                          form=form, zone=self.records)

    def test_the_organization_is_that_of_the_list(self):
        found = self.by_list(0, "a.shop.co.uk", "--dkim", "pass:b.mail.shop.co.uk").json
        self.assertEqual(found["discovery_method"], "psl")
        self.assertEqual((found["org_domain"], found["policy_source"]),
                         ("shop.co.uk", "org_domain"))
        self.assertEqual(found["identifiers"][0]["org_domain"], "shop.co.uk")
        self.assertEqual([step["domain"] for step in found["walk"]], ["a.shop.co.uk", "shop.co.uk"])
        walked = self.check(1, "a.shop.co.uk", "--dkim", "pass:b.mail.shop.co.uk",
                            zone=self.records).json
        self.assertEqual(walked["discovery_method"], "treewalk")

    def test_exceptions_and_strangers_below_one_suffix(self):
        self.assertEqual(self.by_list(1, "a.b.www.ck").json["org_domain"], "www.ck")
        found = self.by_list(1, "shop.co.uk", "--dkim", "pass:other.co.uk").json
        self.assertEqual(found["identifiers"][0]["alignment"], "unaligned")

    def test_words(self):
        text = self.by_list(1, "a.shop.co.uk", form=()).text
        self.assertIn("  organization shop.co.uk, by the public suffix list\n", text)

    def test_the_list_of_the_system(self):
        found = self.check(1, "a.shop.co.uk", "--discovery", "psl", zone=self.records).json
        self.assertEqual(found["org_domain"], "shop.co.uk")

    def test_complaints(self):
        base = ("dmarc", "--from-domain", "a.example")
        self.expect_complaint(66, *base, "--discovery", "psl", "--psl", "/gone",
                              says="cannot read /gone")
        self.expect_complaint(64, *base, "--psl", self.list, says="--psl goes with")
        self.expect_complaint(64, *base, "--discovery", "guess", says="guess")
        empty = self.write("empty.dat", "// nothing\n")
        self.expect_complaint(66, *base, "--discovery", "psl", "--psl", empty, says="no rule")


class Usage(Dmarc):
    def test_complaints(self):
        for arguments, says in (
            ([], "--from-domain is required"),
            (["--from-domain", "a..b"], "--from-domain a..b: "),
            (["--from-domain", "a.b", "--spf", "so:a.b"], "--spf so:a.b: write RESULT:DOMAIN"),
            (["--from-domain", "a.b", "--dkim", "pass"], "--dkim pass: which domain passed"),
            (["--from-domain", "a.b", "--dkim", "pass:a..b"], "--dkim a..b: "),
            (["--from-domain", "a.b", "--spf", "\x1b[31m:a"], "write RESULT:DOMAIN"),
        ):
            result = self.expect_complaint(64, "dmarc", *arguments, says=says)
            self.assertNotIn("\x1b", result.err)


class LiveDns(Dmarc):
    def test_answers_of_a_name_server(self):
        server = NameServer({"_dmarc.example.com": [RECORD], "_dmarc.down.example": SERVFAIL})
        self.addCleanup(server.close)
        for domain, code in (("example.com", 0), ("down.example", 75), ("none.example", 1)):
            self.expect(code, "dmarc", "--from-domain", domain, "--spf", f"pass:{domain}",
                        "--nameserver", server.address)
