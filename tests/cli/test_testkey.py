# SPDX-License-Identifier: Apache-2.0
#
# `countersign testkey`: every way in which a published key can be wrong, one key or a whole table,
# from a zone file and from live DNS.

from name_server import SERVFAIL, NameServer
from support import Case, key, public_key, record

RSA_NAME = "rsa._domainkey.example.org"


class SingleKey(Case):
    def check(self, code, texts, *options, errors=None):
        """Checks the shared RSA key against what is published; its part of the JSON document."""
        records = {} if texts is None else {RSA_NAME: texts}
        result = self.expect(code, "testkey", "--json", "-d", "example.org", "-s", "rsa", "-k",
                             key("rsa"), "--zone", self.zone(records, errors), *options)
        (found,) = result.json["keys"]
        return found

    def test_a_good_key(self):
        found = self.check(0, record("rsa"))
        self.assertEqual(found["problems"], [])
        self.assertEqual({name: found[name] for name in found if name != "problems"}, {
            "name": RSA_NAME, "domain": "example.org", "selector": "rsa", "place": "",
            "result": "good", "dns": "records", "dnssec": False, "matches": True,
            "record": {"key_type": "rsa", "key_bits": 2048, "hash_algorithms": [],
                       "testing": False, "strict_identity": False, "notes": ""},
        })

    def test_everything_that_can_be_wrong_has_a_remedy(self):
        rsa = public_key("rsa")
        for texts, matches, message, remedy in (
            (None, None, f"NXDOMAIN for {RSA_NAME}", "publish it"),
            ([record("rsa"), record("other")], None, "2 key records", "all but one"),
            (record("other"), False, "belongs to another key", "publish the record of this key"),
            (record("ed"), False, "another type", "publish the record of this key"),
            ("v=DKIM1; k=rsa; p=", None, "revoked", "make a new key"),
            ("v=DKIM1; k=rsa; p=AAAA", None, "holds no key", "publish the record anew"),
            ("v=DKIM1; k=rsa; p=*", None, "no base64", "publish the record anew"),
            ("v=DKIM1; k=rsa", None, "no p=", "publish the record anew"),
            ("v=DKIM2; p=" + rsa, None, "v=", "publish the record anew"),
            ("v=DKIM1; k=dsa; p=" + rsa, None, "k=", "publish the record anew"),
            ("v=DKIM1; s=web; p=" + rsa, None, "s=", "publish the record anew"),
            ("hello world", None, "tag=value list", "publish the record anew"),
            ("v=DKIM1; h=sha1; p=" + rsa, False, "h= ", "remove h="),
        ):
            found = self.check(1, texts)
            self.assertEqual((found["result"], found["matches"]), ("wrong", matches), found)
            problem = found["problems"][0]
            self.assertEqual(problem["severity"], "error")
            self.assertIn(message, problem["message"], texts)
            self.assertIn(remedy, problem["message"] + problem["remedy"], texts)

    def test_warnings_do_not_make_a_key_wrong(self):
        found = self.check(0, record("rsa").replace("p=", "t=y:s; n=hi=20you; p="))
        self.assertEqual(found["result"], "beware")
        self.assertIn("t=y", found["problems"][0]["message"])
        self.assertIn("remove t=y", found["problems"][0]["remedy"])
        self.assertEqual((found["record"]["testing"], found["record"]["strict_identity"],
                          found["record"]["notes"]), (True, True, "hi you"))

    def test_short_keys(self):
        zone = self.zone()
        result = self.expect(0, "testkey", "-d", "example.org", "-s", "small", "-k", key("small"),
                             "--zone", zone)
        self.assertIn("1024 bits; 2048 are advised (RFC 8301 §3.2)", result.text)
        # The public half of a 512-bit key; nobody makes them any more.
        short = ("MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAL3Bi4jitkfbUJkFlOYtAoJRUfu+g0fSV0fTbSNnIDXQyD7o"
                 "xIgJmqvVyYmNvDaG3hLO8MpGEDC1hRrHGrk+OacCAwEAAQ==")
        zone = self.zone({RSA_NAME: "v=DKIM1; p=" + short})
        result = self.expect(1, "testkey", "-d", "example.org", "-s", "rsa", "--zone", zone)
        self.assertIn("512 bits; receivers refuse fewer than 1024", result.text)

    def test_dns_that_fails_says_nothing_about_the_key(self):
        for rcode, status in (("SERVFAIL", "SERVFAIL"), ("REFUSED", "REFUSED"),
                              ("TIMEOUT", "timeout")):
            found = self.check(75, None, errors={RSA_NAME: rcode})
            self.assertEqual((found["result"], found["dns"]), ("unknown", status))
            self.assertIn("try again", found["problems"][0]["remedy"])

    def test_without_a_private_key_the_record_is_judged_alone(self):
        result = self.expect(0, "testkey", "-d", "example.org", "-s", "ed", "--zone", self.zone())
        self.assertEqual(result.text, "good     ed._domainkey.example.org\n"
                         "         ed25519, 256 bits, not compared with a private key, without "
                         "DNSSEC\n1 of 1 key can be verified with\n")

    def test_strangers_text_does_nothing_to_a_terminal(self):
        zone = self.zone({RSA_NAME: "v=DKIM1; n=\x1b[31m; h=\x1b[31m; p=" + public_key("rsa")})
        for options in ([], ["--json"]):
            result = self.run_program("testkey", "-d", "example.org", "-s", "rsa", "--zone", zone,
                                      *options)
            self.assertNotIn(b"\x1b", result.out)

    def test_command_lines_that_make_no_sense(self):
        for arguments, says in ((["-d", "example.org"], "give --domain and --selector"),
                                (["-d", "a b", "-s", "s"], "--domain a b"),
                                (["-d", "a.example", "-s", "a b"], "--selector a b")):
            self.expect_complaint(64, "testkey", *arguments, "--zone", self.zone(), says=says)
        self.expect_complaint(66, "testkey", "-d", "example.org", "-s", "s", "-k", "nowhere",
                              "--zone", self.zone(), says="nowhere")

    def test_live_dns(self):
        server = NameServer({RSA_NAME: [record("rsa")], "s._domainkey.example.org": SERVFAIL})
        self.addCleanup(server.close)
        for selector, code in (("rsa", 0), ("nx", 1), ("s", 75)):
            self.expect(code, "testkey", "-d", "example.org", "-s", selector, "--nameserver",
                        server.address)


class Tables(Case):
    def conf(self, *lines, more=""):
        """An opendkim.conf with that KeyTable."""
        table = self.write("keys", "".join(line + "\n" for line in lines))
        names = ",".join(f"*@{number}.example={line.split()[0]}"
                         for number, line in enumerate(lines))
        return self.write("opendkim.conf", f"Mode s\nSocket inet:1\nKeyTable {table}\n"
                          f"SigningTable {names}\n{more}")

    def check(self, code, conf, *options, zone=None):
        return self.expect(code, "testkey", "-x", conf, "--zone", zone or self.zone(), *options)

    def test_every_key_is_checked(self):
        conf = self.conf(f"a example.org:rsa:{key('rsa')}", f"b example.org:ed:{key('ed')}")
        result = self.check(0, conf)
        self.assertIn("2 of 2 keys can be verified with\n", result.text)
        self.assertEqual(result.err, "")
        conf = self.conf(f"a example.org:rsa:{key('rsa')}", f"b example.org:nx:{key('rsa')}",
                         f"c example.org:other:{key('rsa')}")
        keys = self.check(1, conf, "--json").json["keys"]
        self.assertEqual([one["result"] for one in keys], ["good", "wrong", "wrong"])
        self.assertEqual([one["place"] for one in keys],
                         [f"{self.folder}/keys:{line}" for line in (1, 2, 3)])

    def test_domain_and_selector_pick(self):
        conf = self.conf(f"a example.org:rsa:{key('rsa')}", f"b example.org:nx:{key('rsa')}",
                         f"c other.example:rsa:{key('rsa')}")
        for options, names in (
            (["-d", "example.org", "-s", "rsa"], [RSA_NAME]),
            (["-d", "OTHER.example"], ["rsa._domainkey.other.example"]),
            (["-s", "rsa"], [RSA_NAME, "rsa._domainkey.other.example"]),
        ):
            keys = self.run_program("testkey", "-x", conf, "--zone", self.zone(), "--json",
                                    *options).json["keys"]
            self.assertEqual([one["name"] for one in keys], names)
        self.expect_complaint(78, "testkey", "-x", conf, "--zone", self.zone(), "-d", "no.example",
                              says="name no such key")

    def test_a_key_for_any_domain_needs_a_domain(self):
        conf = self.conf(f"a %:rsa:{key('rsa')}", f"b example.org:ed:{key('ed')}")
        result = self.check(0, conf)
        self.assertIn("keys:1: key a signs for any author's domain; check one with --domain",
                      result.err)
        keys = self.check(0, conf, "-d", "example.org", "--json").json["keys"]
        self.assertEqual([one["selector"] for one in keys], ["ed", "rsa"])

    def test_a_key_that_cannot_be_read_is_not_good(self):
        conf = self.conf(f"a example.org:rsa:{key('rsa')}", "b example.org:ed:/nowhere/key")
        result = self.check(1, conf)
        self.assertIn("keys:2: error: cannot read the key /nowhere/key", result.err)

    def test_a_failure_of_dns_counts_less_than_a_bad_key(self):
        lines = [f"a example.org:rsa:{key('rsa')}", f"b example.org:nx:{key('rsa')}"]
        zone = self.zone({}, {RSA_NAME: "SERVFAIL"})
        self.check(75, self.conf(lines[0]), zone=zone)
        self.check(1, self.conf(*lines), zone=zone)

    def test_settings_of_its_own_kind_name_their_dns(self):
        zone = self.zone()
        text = (f'[daemon]\nsockets = ["inet:1"]\n[dns]\nzone_file = "{zone}"\n[[signing.domain]]\n'
                f'name = "example.org"\nkeys = [{{ selector = "rsa", file = "{key("rsa")}" }}]\n')
        self.expect(0, "testkey", "--config", self.write("settings", text))
        server = NameServer({RSA_NAME: [record("other")]})
        self.addCleanup(server.close)
        self.expect(1, "testkey", "--config", self.write("settings", text), "--nameserver",
                    server.address)
        text = text.replace(f'zone_file = "{zone}"', f'nameservers = ["{server.address}"]')
        self.expect(1, "testkey", "--config", self.write("settings", text))

    def test_a_long_table_is_looked_up_side_by_side(self):
        count = 1200
        lines = [f"k{number} d{number}.example:rsa:{key('rsa')}" for number in range(count)]
        answers = {f"rsa._domainkey.d{number}.example": [record("rsa")] for number in range(count)}
        server = NameServer(answers, together=300)
        self.addCleanup(server.close)
        result = self.expect(0, "testkey", "-x", self.conf(*lines), "--nameserver", server.address)
        self.assertIn("1200 of 1200 keys can be verified with", result.text)
        self.assertEqual(result.err, "")

    def test_settings_with_errors(self):
        result = self.expect(78, "testkey", "-x", self.write("conf", "Cheese yes\n"))
        self.assertIn("conf:1: ", result.err)
        self.assertIn("the settings have errors", result.err)
        self.assertEqual(result.out, b"")
