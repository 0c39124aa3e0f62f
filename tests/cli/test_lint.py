# SPDX-License-Identifier: Apache-2.0
#
# `countersign lint`: each fault with its place and its remedy, for each kind of text.

import base64

from support import Case, public_key

CLEAN_SPF = "v=spf1 a mx:example.org ip4:192.0.2.0/24 ip6:2001:db8::/32 -all"
CLEAN_DMARC = "v=DMARC1; p=reject; rua=mailto:a@example.org"
SIGNATURE = ("v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.org; s=s; t=1000; x=2000; "
             "h=from:to:subject:date:from; bh=AAAA; b=AAAA")
CLEAN_FIELD = "mx.example.org; spf=pass smtp.mailfrom=example.net"


class Lint(Case):
    def lint(self, kind, text, code=None):
        """The JSON; its problems hold to their form."""
        now = ["--now", "1500"] if kind == "dkim" else []
        result = self.run_program("lint", kind, *now, "--json", text)
        found = result.json
        if code is not None:
            self.assertEqual(result.code, code, result)
        for problem in found["problems"]:
            self.assertEqual(set(problem), {"offset", "severity", "message", "remedy"})
            self.assertIn(problem["severity"], ("note", "warning", "error"))
            self.assertLessEqual(problem["offset"], len(found["text"].encode()))
            self.assertTrue(problem["message"] and problem["remedy"], problem)
        offsets = [problem["offset"] for problem in found["problems"]]
        self.assertEqual(offsets, sorted(offsets))
        return found

    def expect_problems(self, kind, cases):
        """cases: text, exit code, and (offset, severity, words of the message) of each problem."""
        for text, code, *expected in cases:
            with self.subTest(text=text):
                found = self.lint(kind, text, code)["problems"]
                self.assertEqual([(one["offset"], one["severity"]) for one in found],
                                 [(offset, severity) for offset, severity, _ in expected], found)
                for one, (_, _, words) in zip(found, expected):
                    self.assertIn(words, one["message"])


class Spf(Lint):
    def test_problems(self):
        self.expect_problems("spf", (
            (CLEAN_SPF, 0),
            ("v=spf1", 1, (6, "warning", "does not say")),
            ("v=spf1 redirect=a.example", 0),
            ("v=spf1 +all", 1, (7, "error", "every client")),
            ("v=spf1 all", 1, (7, "error", "every client")),
            ("v=spf1 ?all", 1, (7, "warning", "says nothing")),
            ("v=spf1 -all mx a", 1, (12, "warning", "never looked at")),
            ("v=spf1 -all redirect=a.example", 1, (12, "warning", "redirect= is ignored")),
            ("v=spf1 ptr -all", 1, (7, "warning", "slow")),
            ("v=spf1 exists:%{p}.a.example -all", 1, (7, "warning", "slow")),
            ("v=spf1 a A -all", 1, (9, "warning", "before already")),
            ("v=spf1 ip4:10.0.0.0/8 -all", 1, (7, "warning", "so large")),
            ("v=spf1 ip6:::/0 -all", 1, (7, "error", "every client")),
            ("v=spf1 a/8 mx//0 -all", 1, (7, "warning", "so large"), (11, "error", "every client")),
            ("v=spf1 ip4:192.0.2.0/17 ip4:198.51.0.0/17 ip4:203.0.113.7 ip4:203.0.113.9 -all", 1,
             (7, "note", "bits behind"), (42, "warning", "65537 addresses")),
            ("v=spf1 ip4:192.0.2.0/24 a ip4:192.0.2.7 -all", 0, (26, "note", "lies in ip4:192")),
            ("v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 ip4:192.0.3.7 -all", 0),
            ("v=spf1 +mx ?mx -all", 1, (11, "warning", "before already")),
            ("v=spf1 exists:%{h}.a.example -all", 1, (7, "warning", "calls itself")),
            ("v=spf1 exists:a.example -all", 1, (7, "warning", "without a macro")),
            ("v=spf1 exists:%{ir}.a.example -all", 0),
            ("v=spf1 redirect=%{h}.example", 1, (7, "warning", "own words")),
            ("v=spf1 include=a.example -all", 1, (7, "warning", "no mechanism")),
            ("v=spf1 include:a..example -all", 1, (15, "error", "no name of DNS")),
            ("v=spf1 a:" + 64 * "a" + ".example -all", 1, (9, "warning", "no name of DNS")),
            ("v=spf1 exp=.a.example redirect=a..example", 1, (11, "warning", "no name of DNS"),
             (31, "error", "no name of DNS")),
            ("v=spf1 a:%{d}.a..example a:a_b.example. -all", 0),
            ("v=spf1 include:Relay.MailChannels.net. -all", 1,
             (7, "warning", "all customers of MailChannels")),
            ("v=spf1 a redirect=mx.ovh.com", 1, (9, "warning", "all customers of OVHcloud")),
            ("v=spf1 ?include:mx.ovh.com a:mx.ovh.com include:a.mx.ovh.com ~all", 0),
            ("V=SPF1 -all", 0, (0, "note", "small letters")),
            ("v=spf1 a:a\"b.example -all", 1, (10, "warning", "backslash")),
            ("v=spf1 \u2013all", 65, (7, "error", "name"), (7, "warning", "no ASCII")),
            ("spf2.0/pra -all", 65, (0, "error", "begins with")),
            ("v=spf1 -ip4:10.0.0.0/8 -all", 0),
            ("v=spf1 ip4:192.0.2.1/24 -all", 0, (7, "note", "bits behind")),
            ("v=spf1 ip6:::ffff:1.2.3.4 -all", 1, (7, "warning", "matches no client")),
            ("v=spf1 a  mx -all  ", 0, (8, "note", "one space"), (17, "note", "at the end")),
            ("v=spf1 -all ra=postmaster", 0, (12, "note", "nobody reads")),
            (" v=spf1 -all", 65, (0, "error", "begins with")),
            ("", 65, (0, "error", "begins with")),
            ("v=spf1 ip4:1.2.3 foo -all", 65, (11, "error", "IP address"), (17, "error", "name")),
            ("v=spf1 redirect=a.example redirect=b.example", 65, (26, "error", "once")),
        ))

    def test_terms_that_ask_dns(self):
        terms = lambda count: " ".join(f"include:a{i}.example" for i in range(count))  # noqa: E731
        self.expect_problems("spf", (
            (f"v=spf1 {terms(7)} -all", 0),
            (f"v=spf1 {terms(8)} -all", 0, (0, "note", "8 of 10")),
            (f"v=spf1 {terms(9)} redirect=b.example", 0, (0, "note", "10 of 10")),
            (f"v=spf1 {terms(11)} -all", 1, (7 + 190, "error", "11 terms")),
        ))

    def test_remedies(self):
        for text, remedy in (("v=spf1 ip:192.0.2.1 -all", "write ip4:"),
                             ("v=spf1 -ipv6:::1 -all", "write ip6:"),
                             ("v=spf1 redirect:a.example", "write redirect="),
                             ("spf2.0/pra -all", "remove it: that is Sender ID")):
            self.assertIn(remedy, self.lint("spf", text, 65)["problems"][0]["remedy"])

    def test_a_space_lost_between_strings(self):
        lost, maybe = ("error", "terms become one"), ("warning", "may become one")
        self.expect_problems("spf", (
            ('"v=spf1 include:a.example" "include:b.example -all"', 1, (24, *lost)),
            ('"v=spf1 a:b.example" "-all"', 1, (18, *lost),
             (22, "warning", "does not say")),
            ('"v=spf1 a:b.example" "redirect=c.example"', 1, (18, *lost),
             (36, "warning", "does not say")),
            ('"v=spf1 a:b.example" "mx -all"', 1, (18, *maybe)),
            ('"v=spf1" "mx -all"', 65, (0, "error", "begins with"), (6, *maybe)),
            # Cut within a term, at a space, and behind one.
            ('"v=spf1 include:a." "mx -all"', 0),
            ('"v=spf1 include:a.exa" "mple -all"', 0),
            ('"v=spf1 ip6:2001:db8:" "a:1::/64 -all"', 0),
            ('"v=spf1 ip4:192.0.2.0" "/24 -all"', 0),
            ('"v=spf1 a:b.example " "include:c.example" " -all"', 0),
        ))

    def test_length(self):
        networks = lambda count: " ".join(f"ip4:192.0.2.{100 + i}" for i in range(count))  # noqa
        found = self.lint("spf", f"v=spf1 {networks(20)} -all", 0)["problems"]
        self.assertEqual([(one["offset"], one["severity"]) for one in found], [(255, "note")])
        found = self.lint("spf", f"v=spf1 {networks(40)} -all", 1)["problems"]
        self.assertEqual([(one["offset"], one["severity"]) for one in found],
                         [(255, "note"), (450, "warning")])
        found = self.lint("spf", f"v=spf1 {networks(100)} -all", 1)["problems"]
        self.assertEqual([(one["offset"], one["severity"]) for one in found],
                         [(255, "note"), (450, "warning"), (1100, "warning")])
        # In strings already: each has room, or does not.
        half = "v=spf1 " + networks(10)
        self.assertEqual(self.lint("spf", f'"{half}" " {networks(20)[160:]} -all"', 0)["problems"],
                         [])
        found = self.lint("spf", f'"v=spf1 {networks(20)} -all"', 1)["problems"]
        self.assertEqual([(one["offset"], one["severity"]) for one in found], [(255, "error")])

    def test_terms(self):
        found = self.lint("spf", "v=spf1 ~include:_spf.a.example Exp=b.example -ALL", 0)
        self.assertEqual(found["valid"], True)
        self.assertEqual(found["terms"], [
            {"offset": 7, "text": "~include:_spf.a.example", "qualifier": "softfail",
             "name": "include", "value": "_spf.a.example", "asks_dns": True},
            {"offset": 31, "text": "Exp=b.example", "qualifier": None, "name": "exp",
             "value": "b.example", "asks_dns": False},
            {"offset": 45, "text": "-ALL", "qualifier": "fail", "name": "all", "value": None,
             "asks_dns": False}])


class Dmarc(Lint):
    def test_problems(self):
        record = "v=DMARC1; p={}; rua=mailto:a@example.org"
        self.expect_problems("dmarc", (
            (CLEAN_DMARC, 0),
            (record.format("none"), 0, (10, "note", "p=none")),
            ("v=DMARC1; p=none", 1, (10, "note", "p=none"), (16, "warning", "nobody gets")),
            ("v=DMARC1; p=reject", 0, (18, "note", "nobody gets")),
            (CLEAN_DMARC + "; pct=50; rf=afrf; ri=3600", 1, (46, "warning", "pct"),
             (54, "warning", "rf"), (63, "warning", "ri")),
            (CLEAN_DMARC + "; sp=none; np=reject", 1, (46, "warning", "subdomains")),
            (CLEAN_DMARC + "; sp=quarantine; np=none", 1, (46, "warning", "subdomains"),
             (61, "warning", "do not exist")),
            (CLEAN_DMARC + "; t=y; psd=y", 0, (46, "note", "t=y"), (51, "note", "psd=y")),
            ("v=DMARC1; rua=mailto:a@example.org; p=reject", 0, (36, "note", "right behind")),
            ("v=DMARC1; p=reject; rua=a@example.org", 1, (24, "error", "no URI")),
            ("v=DMARC1; p=reject; rua=https://example.org/", 1, (20, "warning", "no mailto:")),
            ("v=DMARC1; p=reject; rua=mailto:example.org", 1, (24, "error", "no URI")),
            (CLEAN_DMARC + ",mailto:A@example.org", 1, (20, "warning", "before already")),
            (CLEAN_DMARC + ",mailto:b@example.org,mailto:c@example.org", 0,
             (20, "note", "first 2 addresses")),
            (CLEAN_DMARC + "; sp=quarantine", 1, (46, "note", "do not exist as well"),
             (46, "warning", "subdomains are")),
            ("v=DMARC1; p=none; rua=mailto:a@example.org; t=y", 0, (10, "note", "p=none"),
             (44, "note", "changes nothing")),
            (CLEAN_DMARC + "; fo=1", 0, (46, "note", "fo=")),
            (CLEAN_DMARC + "; adkim=x; foo=bar", 1, (52, "error", "adkim"),
             (55, "warning", "foo")),
            ("v=DMARC1; p=rejekt", 65, (12, "error", "policy"), (18, "warning", "nobody gets")),
            (" v=DMARC1; p=none", 65, (0, "error", "does not begin")),
            ("v=spf1 -all", 65, (0, "error", "does not begin")),
        ))

    def test_a_semicolon_lost(self):
        self.expect_problems("dmarc", (
            ('"v=DMARC1; p=none" "rua=mailto:a@example.org"', 65, (12, "error", "policy"),
             (16, "error", "join here"), (40, "warning", "nobody gets")),
            ("v=DMARC1; p=reject rua=mailto:a@example.org", 65, (12, "error", "policy"),
             (19, "error", "no semicolon"), (43, "warning", "nobody gets")),
            ('"v=DMARC1; p=reject;" "rua=mailto:a@exam" "ple.org"', 0),
            ('"v=DMARC1; p=" "reject; rua=mailto:a@example.org"', 0),
            (r"v=DMARC1\; p=none", 65, (0, "error", "does not begin"), (8, "warning", "backslash")),
        ))

    def test_facts(self):
        found = self.lint("dmarc", "v=DMARC1; p=reject; sp=QUARANTINE; pct=1", 1)
        self.assertEqual((found["usable"], found["policy"]), (True, "reject"))
        self.assertEqual((found["tags"]["sp"], found["published"]["sp"]),
                         ("quarantine", "QUARANTINE"))
        self.assertEqual(self.lint("dmarc", "", 65)["policy"], None)


class Dkim(Lint):
    def test_keys(self):
        rsa, small, ed = (f"p={public_key(name)}" for name in ("rsa", "small", "ed"))
        long = (255, "note", "one string")
        self.expect_problems("dkim", (
            (f"v=DKIM1; k=ed25519; {ed}", 0),
            (f"v=DKIM1; {rsa}", 0, long),
            (rsa, 1, (0, "warning", "v= is missing"), long),
            (f"v=DKIM1; {small}", 1, (9, "warning", "1024 bits")),
            (f"v=DKIM1; t=y:s; {rsa}", 1, (9, "warning", "testing"), long),
            (f"v=DKIM1; h=sha1:sha256; {rsa}", 1, (9, "warning", "sha1"), long),
            (f"v=DKIM1; h=sha1; {rsa}", 65, (9, "error", "sha256"), long),
            (f"v=DKIM1; g=*; x=y; {rsa}", 1, (9, "warning", "g= is gone"),
             (14, "note", "nobody reads"), long),
            ("v=DKIM1; p=", 65, (11, "error", "revoked")),
            ("v=DKIM1; p=AAAA", 65, (11, "error", "no key")),
            ("p=A;v=DKIM1", 65, (6, "error", "not DKIM1 or does not come first")),
            ("", 65, (0, "error", "no p=")),
        ))
        found = self.lint("dkim", f"v=DKIM1; {rsa}")
        self.assertEqual((found["kind"], found["key_type"], found["key_bits"], found["usable"]),
                         ("key", "rsa", 2048, True))

    def test_separators_and_strings(self):
        ed = f"p={public_key('ed')}"
        key, value = ed[:20], ed[20:]
        self.expect_problems("dkim", (
            (f'"v=DKIM1; k=ed25519; {key}" "{value}"', 0),
            (f'"v=DKIM1; k=ed25519" "{ed}"', 65, (18, "error", "join here"),
             (64, "error", "no p=")),
            # What people write into notes is theirs.
            (f'"v=DKIM1; k=ed25519; n=now p=" "{ed}"', 65, (74, "error", "no p=")),
            (f'"v=DKIM1; k=ed25519; {ed}" "; t=s"', 0),
        ))
        found = self.lint("dkim", "v=DKIM1; p=-----BEGIN PUBLIC KEY-----MCow", 65)["problems"]
        self.assertIn("-----", found[0]["remedy"])

    def test_a_key_too_long_for_some(self):
        bits = 4608
        number = lambda octets: b"\x02\x82" + len(octets).to_bytes(2, "big") + octets  # noqa: E731
        inner = number(b"\0" + b"\xff" * (bits // 8)) + b"\x02\x03\x01\0\x01"
        der = b"\x30\x82" + len(inner).to_bytes(2, "big") + inner
        found = self.lint("dkim", f"v=DKIM1; p={base64.b64encode(der).decode()}", 1)["problems"]
        self.assertEqual([one["severity"] for one in found], ["warning", "note"])
        self.assertIn("4608 bits", found[0]["message"])

    def test_times(self):
        for now, code, words in ((1500, 0, None), (2000, 0, None), (2001, 65, "expired 1 seconds"),
                                 (700, 0, None), (699, 65, "in the future")):
            result = self.expect(code, "lint", "dkim", "--now", str(now), SIGNATURE)
            self.assertEqual(result.text.count("error at"), int(code != 0), result)
            if words:
                self.assertIn(words, result.text)
        # Without --now the clock counts.
        self.assertIn("has expired", self.expect(65, "lint", "dkim", SIGNATURE).text)
        long = SIGNATURE.replace("x=2000", "x=2679401")
        for text, words in ((long, "for 31 days"), (SIGNATURE.replace("x=2000; ", ""), "for ever"),
                            (SIGNATURE.replace("t=1000; ", ""), "how old")):
            found = self.lint("dkim", text, 0)["problems"]
            self.assertEqual([one["severity"] for one in found], ["note"])
            self.assertIn(words, found[0]["message"])

    def test_signatures(self):
        end, fields = len(SIGNATURE) + 2, SIGNATURE.index("h=")
        self.expect_problems("dkim", (
            (SIGNATURE, 0),
            ("DKIM-Signature: " + SIGNATURE, 0),
            (SIGNATURE + "; l=5", 1, (end, "warning", "add to the body")),
            (SIGNATURE + "; l=0", 1, (end, "warning", "nothing of the body")),
            (SIGNATURE.replace("sha256", "sha1"), 65, (5, "error", "rsa-sha1")),
            (SIGNATURE.replace(":subject", ""), 0, (fields, "note", "subject is not signed")),
            (SIGNATURE.replace(":from;", ";"), 0, (fields, "note", "named once")),
            (SIGNATURE.replace(":to", ":to:Received"), 1, (fields, "warning", "received changes")),
            (SIGNATURE.replace(":to", ":to:dkim-signature"), 1,
             (fields, "warning", "dkim-signature changes")),
            (SIGNATURE.replace(":to", ":to:list-unsubscribe"), 1, (fields, "warning", "click")),
            (SIGNATURE.replace(":to", ":to:list-unsubscribe:list-unsubscribe-post"), 0),
            (SIGNATURE.replace("c=relaxed/relaxed; ", ""), 0, (end - 27, "note", "octet")),
            (SIGNATURE.replace("c=relaxed", "c=simple"), 0, (19, "note", "octet")),
            (SIGNATURE.replace("from:to", "to").replace(":from", ""), 65, (76, "error", "From")),
            ("dkim-signature : " + SIGNATURE.replace("v=1", "v=2"), 65, (19, "error", "v=")),
            (SIGNATURE + "; y=z", 0, (end, "note", "nobody reads")),
        ))
        found = self.lint("dkim", SIGNATURE)
        self.assertEqual((found["kind"], found["sdid"], found["signed_fields"]),
                         ("signature", "example.org", ["from", "to", "subject", "date", "from"]))


class Authres(Lint):
    def test_problems(self):
        self.expect_problems("authres", (
            (CLEAN_FIELD, 0),
            ("Authentication-Results: " + CLEAN_FIELD, 0),
            ("mx; spf=passed smtp.mailfrom=a; dkim=none", 1, (4, "warning", "passed is no")),
            ("mx; spf=pass; foo=bar", 0, (14, "note", "no registered")),
            ("mx; dmarc=pass action=none", 1, (4, "warning", "no type")),
            ("mx", 65, (2, "error", "authserv-id")),
            ("Authentication-Results:mx; spf=pass (", 65, (37, "error", "comment")),
        ))

    def test_facts(self):
        found = self.lint("authres", "mx 1; dkim/1=pass reason=\"a b\" header.d=example.org", 0)
        self.assertEqual((found["parses"], found["authserv_id"]), (True, "mx"))
        self.assertEqual(found["results"], [
            {"method": "dkim", "version": 1, "result": "pass", "reason": "a b",
             "properties": {"header.d": "example.org"}}])


class Input(Lint):
    def test_the_quotes_of_a_zone_file(self):
        for text in ('"v=spf1 a " "-all"', ' "v=spf1 a"\n\t" -all" ', r'"v=spf1 \a -all"',
                     r'"v=spf1 \097 -all"'):
            self.assertEqual(self.lint("spf", text, 0)["text"], "v=spf1 a -all")
        for text in ('"v=spf1 -all', '"v=spf1" -all', '"v=spf1 \\'):
            self.assertEqual(self.lint("spf", text, 65)["text"], text)

    def test_standard_input(self):
        for arguments in ([], ["-"]):
            self.expect(0, "lint", "spf", *arguments, stdin=b"v=spf1 -all\r\n")
        # No argument of a program can be as long.
        self.expect_complaint(65, "lint", "spf", "-", stdin=b"a" * 140_000, says="no record")
        self.expect_complaint(65, "lint", "spf", stdin=b"a" * 2_000_000, says="larger than")

    def test_any_octets(self):
        text = bytes(range(1, 256)) + "v=DKIM1; \u202e=\x1b[31m; p=".encode()
        for kind in ("spf", "dkim", "dmarc", "authres"):
            for prefix in (b"", b"v=spf1 ", b"v=DMARC1; ", b"b=;", b"mx; "):
                for form in ([], ["--json"]):
                    result = self.run_program("lint", kind, *form, stdin=prefix + text)
                    self.assertEqual(result.code, 65 if kind != "dmarc" or prefix !=
                                     b"v=DMARC1; " else result.code, result)
                    self.assertNotIn(b"\x1b", result.out)
                    self.assertNotIn("\u202e", result.text)
                    self.assertNotIn("ERROR", result.err)


class Words(Lint):
    def test_parts_and_problems(self):
        result = self.expect(1, "lint", "spf", "v=spf1 mx +all")
        self.assertEqual(result.text.splitlines(), [
            "     0  v=spf1",
            "     7  mx  (pass, asks DNS)",
            "    10  +all  (pass)",
            "error at 10: every client of the world passes, so the record protects nobody "
            "(RFC 7208 §5.1)",
            "        end it with -all or ~all",
        ])
        self.assertTrue(self.expect(0, "lint", "spf", CLEAN_SPF).text.endswith("nothing to mend\n"))
        self.assertTrue(self.expect(65, "lint", "spf", "x").text.endswith("it cannot be used\n"))
