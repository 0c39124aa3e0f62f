# SPDX-License-Identifier: Apache-2.0
"""Runs one case in a machine of its own and prints what failed, as JSON:

    one_case.py CASE-FILE KEY-FOLDER
"""

import json
import sys
from pathlib import Path

import outcome as outcomes
import programs
import world
from case_file import BOTH, CaseError, read_case
from keys import Keys


class Run:
    """A case while it runs."""

    def __init__(self, case, keys):
        self.case = case
        self.keys = keys
        self.checks = 0
        self.failures = []
        self.outcomes = {}  # Of each mail by who.

    def run(self):
        """Does all that the case asks for."""
        world.furnish(self.case, self.keys)
        if self.case.check.by_who:
            self._check_configuration()
        if self.case.mails or self.case.start.by_who:
            for who in BOTH:
                self._run_filter(who)
        for number, mail in enumerate(self.case.mails):
            if len(self.outcomes.get(number, {})) == 2:
                self._judge(mail, self.outcomes[number])
                self._look_up(mail)
                self._sign_without_daemon(mail, self.outcomes[number])
        self._verify()

    def _fail(self, what, *lines):
        self.failures.append("\n      ".join([what, *lines]))

    def _expect(self, holds, what, *lines):
        self.checks += 1
        if not holds:
            self._fail(what, *lines)

    def _check_configuration(self):
        for who, word in self.case.check.by_who.items():
            said, text = programs.check_word(who)
            self._expect(
                said == word,
                f"{who} checks the configuration: expected {word}, it is {said}",
                *text.splitlines(),
            )
            if who != "countersign":
                continue
            for wanted in self.case.check.says:
                self._expect(wanted in text, f"expected to read: {wanted}", *text.splitlines())

    def _run_filter(self, who):
        wanted = self.case.start.by_who.get(who, "starts")
        with programs.Filter(who, self.case.socket) as running:
            is_right = running.started == (wanted == "starts")
            self._expect(
                is_right, f"{who}: expected that it {wanted}", *running.log_text().splitlines()
            )
            if not running.started:
                return
            for number, mail in enumerate(self.case.mails):
                result = running.push(mail, self._write(f"{number}.eml", mail.text))
                self.outcomes.setdefault(number, {})[who] = result
                if result.verdict == "crash":
                    self._go_on_after_crash(who, number + 1)
                    return

    def _go_on_after_crash(self, who, first):
        """The mails behind one that ended the filter go to a new one."""
        with programs.Filter(who, self.case.socket) as running:
            for number, mail in list(enumerate(self.case.mails))[first:]:
                result = running.push(mail, self._write(f"{number}.eml", mail.text))
                self.outcomes.setdefault(number, {})[who] = result

    def _judge(self, mail, by_who):
        problems = []
        for who in BOTH:
            expectation = mail.expected.get(who, mail.expected.get("both"))
            problems += [f"{who}: {one}" for one in outcomes.unmet(expectation, by_who[who])]
        if "both" in mail.expected:
            problems += outcomes.differences(by_who["countersign"], by_who["opendkim"])
        for who, names in mail.fields.items():
            if names != [name.lower() for name in by_who[who].fields]:
                problems.append(f"{who}: these fields came out: {by_who[who].fields}")
        for who in BOTH:
            problems += [f"{who} did: {line}" for line in by_who[who].to_lines() if problems]
        self._expect(not problems, mail.name, *problems)

    def _look_up(self, mail):
        if not mail.lookup:
            return
        data_set, key = mail.lookup
        found = programs.look_up(data_set, key).partition(":")[0]
        signatures = self.outcomes[self.case.mails.index(mail)]["opendkim"].signatures
        wanted = signatures[0]["s"] if signatures else ""
        self._expect(
            found == wanted, f"opendkim -Q finds '{found}' for {key}, but signs with '{wanted}'"
        )

    def _sign_without_daemon(self, mail, by_who):
        """opendkim's test mode and countersign sign must do what the daemons do; they cannot be
        told of an envelope."""
        words = {by_who[who].word for who in BOTH}
        if self.case.daemons_only or mail.has_envelope() or not words <= {"signed", "unsigned"}:
            return
        file = self._write("file.eml", mail.text)
        for who in BOTH:
            result = programs.sign_from_file(who, file, mail.text)
            result.fields, result.body = by_who[who].fields, by_who[who].body
            problems = list(outcomes.differences(result, by_who[who]))
            self._expect(not problems, f"{mail.name}: {who} without a daemon", *problems)

    def _verify(self):
        """Each signature must be good for both programs, by the key that the case expects, but
        for those that the case knows to be refused."""
        records = self._records()
        mails, refused = {}, {"opendkim": set(), "countersign": set()}
        for number, by_who in self.outcomes.items():
            for who, outcome in by_who.items():
                if outcome.word != "signed":
                    continue
                file = self._write(f"{number}-{who}.eml", outcome.mail)
                mails[file] = outcome
                for verifier in self._refusing(self.case.mails[number], who):
                    refused[verifier].add(file)
        if not mails:
            return
        for verifier, failing in (
            ("opendkim", programs.failing_by_opendkim(mails, records)),
            ("countersign", programs.failing_by_countersign(mails, records)),
        ):
            self.checks += len(mails)
            failing = dict(failing)
            for file in sorted(failing.keys() ^ refused[verifier]):
                said = failing.get(file, "it accepts it").splitlines()
                self._fail(f"{verifier} verifies {file}", *said[:10])

    def _records(self):
        """The key records by name, as the case expects the keys."""
        records = {}
        for mail in self.case.mails:
            for expectation in mail.expected.values():
                for tags in expectation.signatures:
                    name = f"{tags['s']}._domainkey.{tags['d']}".lower()
                    record = self.keys.record(tags["key"])
                    if records.setdefault(name, record) != record:
                        self._fail(f"the case expects two keys at {name}")
        return records

    @staticmethod
    def _refusing(mail, who):
        """Who, by the case, does not accept what the filter signed."""
        expectation = mail.expected.get(who, mail.expected.get("both"))
        for tags in expectation.signatures:
            word = tags.get("refused-by", "")
            yield from BOTH if word == "both" else filter(None, (word,))

    @staticmethod
    def _write(name, mail):
        path = Path("/run/compat") / name
        path.write_bytes(mail)
        return str(path)


def main():
    """Prints {"checks": N, "failures": [text…]}."""
    path, key_folder = map(Path, sys.argv[1:])
    try:
        world.enter()
        run = Run(read_case(path), Keys(key_folder))
        run.run()
    except CaseError as error:
        return print(json.dumps({"checks": 0, "failures": [str(error)]}))
    return print(json.dumps({"checks": run.checks, "failures": run.failures}))


if __name__ == "__main__":
    main()
