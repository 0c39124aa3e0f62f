# SPDX-License-Identifier: Apache-2.0
#
# The conformance data through the command line: DKIM by `verify --json`, SPF by `spf --json`,
# DMARC by `dmarc --json`, records and fields by `lint --json`. What a person gets to see is what
# the library judges.

import json
import unittest

from support import CONFORMANCE, Case


class Dkim(Case):
    def judge(self, zone, case):
        zone_file = self.write("zone.json", json.dumps(zone))
        result = self.run_program("verify", "--json", "--zone", zone_file, "--now",
                                  str(case["now"]), stdin=case["message"].encode("latin-1"))
        found = result.json["dkim"]
        expected = case["expect"]["signatures"]
        if expected is not None:
            self.assertEqual(len(found), len(expected), result)
            for one, results in zip(found, expected):
                self.assertIn(one["result"], results, (one, result))
        for one, fact in zip(found, case.get("facts", [])):
            if one["algorithm"] is not None:
                self.assertEqual(one["algorithm"], fact["a"], result)
                self.assertEqual(one["selector"], fact["s"].lower(), result)
            if None not in (one["key_bits"], fact["key_bits"]):
                self.assertEqual(one["key_bits"], fact["key_bits"], result)
        passed = any(one["result"] == "pass" for one in found)
        self.assertEqual(passed, result.code == 0, result)


class Spf(Case):
    def judge(self, zone, case):
        zone_file = self.write("zone.json", json.dumps(zone))
        texts = [case[name].encode("latin-1") for name in ("helo", "mail_from")]
        result = self.run_program("spf", "--json", "--zone", zone_file, "--ip", case["client_ip"],
                                  b"--helo=" + texts[0], b"--mail-from=" + texts[1])
        found, expected = result.json, case["expect"]
        self.assertIn(found["result"], expected["result"], result)
        self.assertEqual(result.code, {"pass": 0, "temperror": 75}.get(found["result"], 1), result)
        if "explanation" in expected:
            explanation = found["explanation"] or "DEFAULT"
            self.assertEqual(explanation.lower(), expected["explanation"].lower(), result)


class Dmarc(Case):
    def judge(self, zone, case):
        zone_file = self.write("zone.json", json.dumps(zone))
        given = [("--spf", case["spf"]), *(("--dkim", one) for one in case["dkim"])]
        options = [f"{option}={one['result']}:{one['domain'] or ''}" for option, one in given]
        result = self.run_program("dmarc", "--json", "--zone", zone_file, "--from-domain",
                                  case["from_domain"], *options)
        found, expected = result.json, case["expect"]
        self.assertIn(found["result"], expected["result"], result)
        self.assertEqual(result.code, {"pass": 0, "temperror": 75}.get(found["result"], 1), result)
        for name in ("spf_aligned", "dkim_aligned"):
            self.assertEqual(found[name], expected[name], result)
        if found["result"] != expected["result"][0]:
            return  # The rest goes with the preferred result.
        for name in ("policy", "policy_domain"):
            self.assertEqual(found[name], expected[name], result)
        disposition = expected["policy"] if found["result"] == "fail" else "none"
        self.assertEqual(found["disposition"], expected.get("disposition", disposition), result)


class WithEnvelope(Case):
    """Whole messages, with the envelope that they came in."""

    def found_in(self, zone, case):
        zone_file = self.write("zone.json", json.dumps(zone))
        texts = [case[name].encode("latin-1") for name in ("helo", "mail_from")]
        return self.run_program("verify", "--json", "--zone", zone_file, "--now", str(case["now"]),
                                "--ip", case["client_ip"], b"--helo=" + texts[0],
                                b"--mail-from=" + texts[1], "--authserv-id", "mx.example.org",
                                stdin=case["message"].encode("latin-1"))


class Message(WithEnvelope):
    def judge(self, zone, case):
        result = self.found_in(zone, case)
        found, expected = result.json, case["expect"]
        for method in ("spf", "dmarc", "arc"):
            if method in expected:
                self.assertIn(found[method]["result"], expected[method], result)
        if "policy" in expected:
            self.assertEqual(found["dmarc"]["policy"], expected["policy"], result)
        self.assertTrue(found["authentication_results"].startswith("Authentication-Results: mx."))


class Attack(WithEnvelope):
    def judge(self, zone, case):
        result = self.found_in(zone, case)
        domain = case["expect"]["must_not"]["dmarc_pass_for"]
        if result.json["dmarc"]["result"] == "pass":
            self.assertNotIn(domain, result.json["dmarc"]["author_domain"], result)
        self.assertNotIn("dmarc=pass", result.json["authentication_results"], result)


class Arc(Case):
    def judge(self, zone, case):
        zone_file = self.write("zone.json", json.dumps(zone))
        result = self.run_program("verify", "--json", "--zone", zone_file,
                                  stdin=case["message"].encode("latin-1"))
        self.assertIn(result.json["arc"]["result"], case["expect"]["arc"], result)


class Records(Case):
    def judge(self, _, case):
        result = self.run_program("lint", "dmarc", "--json", case["record"].encode("latin-1"))
        found, expected = result.json, case["expect"]
        if expected["usable"] is not None:
            self.assertEqual(found["usable"], expected["usable"], result)
        if found["usable"] and "policy" in expected:
            self.assertEqual(found["policy"], expected["policy"], result)
        if not found["usable"]:
            self.assertEqual(result.code, 65, result)
            self.assertTrue(found["problems"], result)


class Authres(Case):
    def judge(self, _, case):
        result = self.run_program("lint", "authres", "--json", case["value"].encode("latin-1"))
        found, expected = result.json, case["expect"]
        self.assertEqual(found["parses"], expected["parses"], result)
        self.assertEqual(result.code == 65, not expected["parses"], result)
        if not expected["parses"]:
            return
        self.assertEqual(found["authserv_id"], expected["authserv_id"], result)
        results = [{name: one[name] for name in ("method", "result", "reason", "properties")}
                   for one in found["results"]]
        self.assertEqual(results, expected["results"], result)


def add_cases(suite, name):
    """A test for each case of a file; one that is skipped where the data is not there."""
    path = CONFORMANCE / f"{name}.json"
    if not path.is_file():
        missing = unittest.skip(f"there is no {path}")(lambda self: None)
        setattr(suite, f"test_{name}", missing)
        return
    data = json.loads(path.read_text())
    for case in data["cases"]:
        zone = data["zones"][case["zone"]] if "zone" in case else None
        test = lambda self, zone=zone, case=case: self.judge(zone, case)  # noqa: E731
        setattr(suite, f"test_{case['id']}", test)


for file_name in ("matrix", "small", "mail-dkim", "opendkim"):
    add_cases(Dkim, f"dkim/{file_name}")
add_cases(Spf, "spf/rfc7208")
add_cases(Dmarc, "dmarc/evaluation")
add_cases(Message, "message/evaluation")
add_cases(Attack, "message/attacks")
add_cases(Arc, "arc/validation")
add_cases(Records, "dmarc/records")
add_cases(Authres, "authres/parse")
