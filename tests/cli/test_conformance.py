# SPDX-License-Identifier: Apache-2.0
#
# The DKIM cases of the conformance data through `verify --json`: what a person gets to see is what
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


def add_cases():
    """A test for each case of each file; one that is skipped where the data is not there."""
    for name in ("matrix", "small", "mail-dkim", "opendkim"):
        path = CONFORMANCE / "dkim" / f"{name}.json"
        if not path.is_file():
            missing = unittest.skip(f"there is no {path}")(lambda self: None)
            setattr(Dkim, f"test_{name}", missing)
            continue
        data = json.loads(path.read_text())
        for case in data["cases"]:
            zone = data["zones"][case["zone"]]
            test = lambda self, zone=zone, case=case: self.judge(zone, case)  # noqa: E731
            setattr(Dkim, f"test_{case['id']}", test)


add_cases()
