# SPDX-License-Identifier: Apache-2.0
#
# `countersign config check`: every problem at once, each with its place and a remedy.

from name_server import NameServer
from support import Case, key, record

GOOD = """[daemon]
sockets = ["inet:8891@localhost"]
[[signing.domain]]
name = "example.org"
keys = [{{ selector = "{selector}", file = "{file}" }}]
"""


class Check(Case):
    def toml(self, more="", selector="rsa", file=None):
        text = GOOD.format(selector=selector, file=file or key(selector))
        return self.write("countersign.toml", text + more)

    def check(self, code, *arguments):
        return self.expect(code, "config", "check", *arguments)

    def test_nothing_is_wrong(self):
        result = self.check(0, "--config", self.toml())
        self.assertEqual((result.text, result.err), ("the settings are good\n", ""))
        self.assertEqual(self.check(0, "--config", self.toml(), "--json").json, {"problems": []})

    def test_warnings(self):
        settings = self.toml(selector="small")
        result = self.check(1, "--config", settings)
        self.assertIn("countersign.toml:5: warning: ", result.text)
        self.assertTrue(result.text.endswith("\n0 errors, 1 warning\n"), result)

    def test_errors_are_told_all_at_once(self):
        settings = self.toml('[log]\ncheese = 1\n[limits]\nsessions = "many"\n', file="/nowhere")
        result = self.check(78, "--config", settings)
        for line in (5, 7, 9):
            self.assertRegex(result.text, rf"(?m)^{settings}:{line}: (error|fatal): .+")
        self.assertIn("\n3 errors, 0 warnings\n", result.text)

    def test_json(self):
        settings = self.toml(file="/nowhere")
        (problem,) = self.check(78, "--config", settings, "--json").json["problems"]
        self.assertEqual((problem["severity"], problem["file"], problem["line"]),
                         ("error", str(settings), 5))
        self.assertIn("cannot read the key /nowhere", problem["message"])
        self.assertEqual(set(problem), {"severity", "file", "line", "message", "remedy"})

    def test_opendkim_conf(self):
        table = self.write("keys", f"good example.org:rsa:{key('rsa')}\nbad example.org\n")
        lines = self.write("table", "*@example.org good\n*@other.example missing\nnothing\n")
        conf = self.write("opendkim.conf", "Mode s\nSocket inet:8891@localhost\n"
                          f"KeyTable {table}\nSigningTable refile:{lines}\nADSPAction continue\n")
        result = self.check(78, "-x", conf)
        for place in (f"{table}:2", f"{lines}:2", f"{lines}:3", f"{conf}:5"):
            self.assertRegex(result.text, rf"(?m)^{place}: (warning|error|fatal): ")

    def test_s53_settings_of_postfix(self):
        settings = self.toml()
        main_cf = self.write("main.cf", "smtpd_milters = inet:localhost:8891\n"
                             "non_smtpd_milters = $smtpd_milters\n"
                             "smtpd_forbid_bare_newline = yes\n"
                             "smtpd_forbid_unauth_pipelining = yes\n"
                             "message_reject_characters = \\0\n"
                             "internal_mail_filter_classes = bounce\n")
        self.check(0, "--config", settings, "--postfix", main_cf.parent)
        self.write("main.cf", "smtpd_milters =\nsmtpd_forbid_bare_newline = no\n")
        result = self.check(1, "--config", settings, "--postfix", main_cf.parent)
        for words in ("smtpd_milters names no socket", "non_smtpd_milters names no socket",
                      "smtpd_forbid_bare_newline is no"):
            self.assertIn(f"{main_cf}: warning: {words}", result.text)
        self.write("master.cf", "submission inet n - y - - smtpd\n"
                   "  -o smtpd_milters=inet:localhost:8891\n")
        result = self.check(1, "--config", settings, "--postfix", main_cf.parent)
        self.assertNotIn(": smtpd_milters names no socket", result.text)
        # Without a folder it is the Postfix of this machine, whatever that has.
        result = self.run_program("config", "check", "--config", settings, "--postfix", "--json")
        self.assertIn("/etc/postfix/main.cf", {one["file"] for one in result.json["problems"]})
        result = self.run_program("config", "check", "--config", settings, "--postfix", "/nowhere")
        self.assertEqual(result.code, 65, result)
        self.assertIn("postconf does not tell", result.err)

    def test_files_that_are_not_there(self):
        for option in ("--config", "-x"):
            result = self.check(78, option, "/nowhere")
            self.assertRegex(result.text, "(?m)^/nowhere: fatal: cannot read .*: No such file")

    def test_several_files_make_one_configuration(self):
        sign = self.write("opendkim.conf", "Socket inet:8891@localhost\nMode s\n"
                          f"Domain example.org\nSelector rsa\nKeyFile {key('rsa')}\n"
                          "AuthservID one.example\n")
        judge = self.write("opendmarc.conf", "Socket inet:8893@localhost\nSyslog yes\n"
                           "RejectFailures yes\nAuthservID other.example\n")
        spf = self.write("policyd-spf.conf", "HELO_reject = Fail\nWhat = ever\n")
        self.check(0, "-x", sign, "-x", self.write("opendmarc2.conf", "RejectFailures yes\n"))
        result = self.check(1, "-x", sign, "-x", judge, "-x", spf)
        self.assertIn(f"{judge}:4: warning: judging.results.authserv_id = \"other.example\" has no "
                      f"effect: {sign}:6 says \"one.example\"", result.text)
        self.assertIn(f"{judge}:1: note: this socket does the same as that of {sign}:1",
                      result.text)
        self.assertIn(f"{spf}:2: warning: there is no option 'What'", result.text)
        self.assertIn("\n0 errors, 2 warnings\n", result.text)

    def test_a_name_in_front_says_what_a_file_is(self):
        text = "Socket inet:8893@localhost\nRejectFailures yes\n"
        conf = self.write("mail.conf", text)
        self.check(0, "-x", conf)
        self.check(0, "-x", f"opendmarc:{conf}")
        self.assertIn("there is no option 'RejectFailures'",
                      self.check(78, "-x", f"openarc:{conf}").text)
        misnamed = self.write("opendkim.conf", text)
        self.check(78, "-x", misnamed)
        self.check(0, "-x", f"opendmarc:{misnamed}")

    def test_own_settings_beside_imported_ones(self):
        conf = self.write("opendkim.conf", "Socket inet:8891@localhost\nMode v\n")
        own = self.write("own.toml", "[judging]\nspf = true\ndmarc = true\n")
        self.assertIn("SPF and DMARC of incoming mail are not checked",
                      self.check(0, "-x", conf).text)
        self.assertEqual(self.check(0, "-x", conf, "--config", own).text,
                         "the settings are good\n")

    def test_relative_names_are_told_with_their_whole_paths(self):
        self.toml(file="/nowhere")
        result = self.check(78, "--config", "countersign.toml")
        self.assertIn(f"{self.folder}/countersign.toml:5: error: ", result.text)

    def test_strangers_text_does_nothing_to_a_terminal(self):
        settings = self.write("settings", 'x = "\x1b[31m"\n"\x1b[31m" = 1\n')
        for options in ([], ["--json"]):
            result = self.check(78, "--config", settings, *options)
            self.assertNotIn(b"\x1b", result.out)


class Dns(Case):
    def settings(self):
        return self.write("countersign.toml", GOOD.format(selector="rsa", file=key("rsa")))

    def check(self, code, *options):
        return self.expect(code, "config", "check", "--config", self.settings(), *options)

    def test_keys_are_compared_with_a_zone_file(self):
        self.check(0, "--zone", self.zone())
        self.check(0, "--dns", "--zone", self.zone())
        result = self.check(78, "--zone", self.zone({}))
        self.assertRegex(result.text, r"toml:5: error: key record: NXDOMAIN for rsa\._domainkey\."
                                      r"example\.org; publish it")
        result = self.check(78, "--zone",
                            self.zone({"rsa._domainkey.example.org": record("other")}))
        self.assertIn("belongs to another key", result.text)

    def test_a_failure_of_dns_is_a_warning(self):
        zone = self.zone({}, {"rsa._domainkey.example.org": "SERVFAIL"})
        self.assertIn("toml:5: warning: key record: SERVFAIL", self.check(1, "--zone", zone).text)

    def test_live_dns(self):
        server = NameServer({"rsa._domainkey.example.org": [record("rsa")]})
        self.addCleanup(server.close)
        self.check(0, "--dns", "--nameserver", server.address)
        self.assertEqual(server.asked, {"rsa._domainkey.example.org"})

    def test_dns_is_not_asked_unless_that_is_said(self):
        server = NameServer({})
        self.addCleanup(server.close)
        self.check(0, "--nameserver", server.address)
        self.assertEqual(server.asked, set())
