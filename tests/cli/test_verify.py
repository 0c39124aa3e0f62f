# SPDX-License-Identifier: Apache-2.0
#
# `countersign verify`: results in words and in JSON, whatever the message holds, from a zone file
# and from live DNS.

import subprocess
import time

from name_server import REFUSED, SERVFAIL, NameServer
from support import MESSAGE, MESSAGE_LF, PROGRAM, Case, key, record

KEYS = {
    "result", "reason", "explanation", "sdid", "auid", "selector", "algorithm", "key_bits",
    "key_testing", "header_canonicalization", "body_canonicalization", "signed_fields",
    "body_octets_signed", "body_octets_total", "time", "expires",
}
RSA_NAME, ED_NAME = "rsa._domainkey.example.org", "ed._domainkey.example.org"


class Json(Case):
    def test_a_signature_that_passes(self):
        signed = self.sign(options=["--now", "1000000000", "--lifetime", "60"])
        (result,) = self.verify(signed, options=["--now", "1000000001"])
        self.assertEqual(set(result), KEYS)
        self.assertEqual(result["signed_fields"][0], "From")
        del result["signed_fields"]
        self.assertEqual(result, {
            "result": "pass", "reason": "valid", "explanation": "the signature is valid",
            "sdid": "example.org", "auid": "@example.org", "selector": "rsa",
            "algorithm": "rsa-sha256", "key_bits": 2048, "key_testing": False,
            "header_canonicalization": "relaxed", "body_canonicalization": "relaxed",
            "body_octets_signed": 13, "body_octets_total": 13,
            "time": 1000000000, "expires": 1000000060,
        })

    def test_every_key_is_there_whatever_the_result(self):
        signed = self.sign()
        for message, result in (
            (signed.replace(b"Bob", b"Rob"), "fail"),
            (signed.replace(b"hello", b"hallo"), "fail"),
            (signed.replace(b"d=example.org", b"d=other.example"), "permerror"),
            (signed.replace(b"a=rsa-sha256", b"a=rsa-sha512"), "permerror"),
            (signed.replace(b"v=1", b"v=2"), "permerror"),
            (b"DKIM-Signature: \r\n" + MESSAGE, "permerror"),
            (b"DKIM-Signature: \xff\x00\x1b[31m\r\n" + MESSAGE, "permerror"),
        ):
            (found,) = self.verify(message, code=1)
            self.assertEqual(set(found), KEYS)
            self.assertEqual(found["result"], result, found)
            self.assertTrue(found["explanation"])

    def test_what_cannot_be_read_is_null(self):
        (result,) = self.verify(b"DKIM-Signature: v=9\r\n" + MESSAGE, code=1)
        read = KEYS - {"result", "reason", "explanation"}
        self.assertEqual({name: result[name] for name in read}, dict.fromkeys(read))

    def test_without_signatures_the_array_is_empty(self):
        self.assertEqual(self.verify(MESSAGE, code=1), [])

    def test_the_document_is_one_line_of_ascii(self):
        field = "DKIM-Signature: v=1; a=rsa-sha256; d=bücher.example; s=ü; i=ü\U0001F600\u202e@" \
                "bücher.example; h=from; bh=; b=\r\n"
        result = self.run_program("verify", "--json", "--zone", self.zone(), "-",
                                  stdin=field.encode() + MESSAGE)
        self.assertEqual(result.code, 1, result)
        self.assertEqual(result.out.count(b"\n"), 1)
        self.assertTrue(result.out.isascii())
        self.assertEqual(result.json["dkim"][0]["result"], "permerror")

    def test_characters_beyond_ascii_come_back(self):
        signed = self.sign(options=["-i", "ü\U0001F600\u202e@example.org"])
        (result,) = self.verify(signed)
        self.assertEqual(result["auid"], "ü\U0001F600\u202e@example.org")


class Words(Case):
    def test_each_signature_says_its_result_and_why(self):
        good, bad = self.sign(), self.sign(MESSAGE, selectors=("ed",)).replace(b"bh=", b"bh=AA")
        both = bad[: bad.index(MESSAGE)] + good
        result = self.expect(0, "verify", "--zone", self.zone(), stdin=both)
        self.assertRegex(result.text, r"(?m)^dkim=pass  the signature is valid$")
        self.assertRegex(result.text, r"(?m)^dkim=(fail|permerror)  ")
        self.assertIn("rsa-sha256, key of 2048 bits  canonicalization relaxed/relaxed", result.text)
        self.assertIn("domain example.org  selector rsa  identity @example.org", result.text)

    def test_no_signature(self):
        result = self.expect(1, "verify", "--zone", self.zone(), stdin=MESSAGE)
        self.assertIn("dkim=none  the message has no DKIM-Signature field\n", result.text)
        self.assertIn("dmarc=none", result.text)
        self.assertIn("action: accept\n", result.text)

    def test_strangers_text_does_nothing_to_a_terminal(self):
        signed = self.sign(options=["-i", "\x1b[31m\u202e@example.org"])
        result = self.expect(0, "verify", "--zone", self.zone(), stdin=signed)
        self.assertNotIn(b"\x1b", result.out)
        self.assertNotIn("\u202e", result.text)

    def test_a_domain_that_is_testing(self):
        zone = self.zone({RSA_NAME: record("rsa").replace("p=", "t=y; p=")})
        result = self.expect(0, "verify", "--zone", zone, stdin=self.sign())
        self.assertIn("is testing (t=y)", result.text)


class Judging(Case):
    def test_time(self):
        signed = self.sign(options=["--now", "1000000000", "--lifetime", "3600"])
        for now, code, reason in (("1000000000", 0, "valid"), ("1000003600", 0, "valid"),
                                  ("1000010000", 1, "expired"), ("999990000", 1,
                                                                 "signed_in_future")):
            (result,) = self.verify(signed, code=code, options=["--now", now])
            self.assertEqual(result["reason"], reason)

    def test_message_forms(self):
        for message in (MESSAGE, MESSAGE_LF, b"From: a@example.org\n", b"From: a@example.org"):
            signed = self.sign(message)
            self.verify(signed)
            path = self.write("message", signed)
            self.expect(0, "verify", "--zone", self.zone(), path)
        self.verify(self.sign(MESSAGE_LF).replace(b"\n", b"\r\n"))

    def test_an_author_who_is_uncertain(self):
        signed = self.sign()
        # A further From breaks a signature that has each one more often in h= than it was there.
        for more, code in ((b"From: eve@example.net\r\n", 1), (b"From : eve@example.net\r\n", 1),
                           (b"no field\r\n", 0)):
            result = self.expect(code, "verify", "--json", "--zone", self.zone(),
                                 stdin=more + signed)
            dmarc = result.json["dmarc"]
            self.assertEqual(dmarc["result"], "permerror")
            for name in ("reason", "author_domain", "org_domain", "policy_domain", "published",
                         "policy", "alignment", "walk"):
                self.assertIn(name, dmarc)

    def test_a_policy_is_for_authors_who_are_certain(self):
        zone = self.zone({"_dmarc.example.org": "v=DMARC1; p=reject"})
        for more, result, disposition in ((b"", "fail", "reject"),
                                          (b"no field\r\n", "permerror", "none")):
            found = self.run_program("verify", "--json", "--zone", zone, stdin=more + MESSAGE)
            dmarc = found.json["dmarc"]
            self.assertEqual((dmarc["result"], dmarc["disposition"]), (result, disposition))

    def test_white_space_before_the_colon_of_a_field(self):
        for field, reason, action in ((b"Subject :", "no_record", "accept"),
                                      (b"Sub ject:", "odd_field_name", "quarantine")):
            message = MESSAGE.replace(b"Subject:", field)
            result = self.expect(0, "verify", "--json", "--zone", self.zone(),
                                 stdin=self.sign(message))
            self.assertEqual([one["result"] for one in result.json["dkim"]], ["pass"])
            self.assertEqual(result.json["dmarc"]["reason"], reason)
            self.assertEqual(result.json["action"], action)

    def test_a_body_that_is_signed_in_part(self):
        message = self.partly_signed() + b"added\r\n"
        (result,) = self.verify(message)
        self.assertEqual((result["result"], result["reason"]), ("pass", "body_partly_signed"))
        self.assertEqual((result["body_octets_signed"], result["body_octets_total"]), (13, 20))
        (result,) = self.verify(message, code=1, options=["--require-whole-body"])
        self.assertEqual((result["result"], result["reason"]), ("policy", "body_partly_signed"))
        text = self.expect(0, "verify", "--zone", self.zone(), stdin=message).text
        self.assertIn("dkim=pass  13 of 20 octets are signed", text)

    def partly_signed(self):
        self.write("keys", f"k example.org:rsa:{key('rsa')}\n")
        conf = self.write("opendkim.conf", f"""
Mode s
Socket inet:1
KeyTable {self.folder}/keys
SigningTable csl:*=k
MaximumSignedBytes 1000
AllowBodyLength yes
""")
        return self.expect(0, "sign", "-x", conf, stdin=MESSAGE).out

    def test_what_is_no_message(self):
        self.expect_complaint(66, "verify", "/nowhere", says="cannot read /nowhere: No such file")
        self.expect_complaint(66, "verify", self.folder, says="Is a directory")
        self.expect_complaint(65, "verify", "--zone", self.zone(), stdin=b"X: y\r\n" * 300_000,
                              says=r"standard input: .* \(octet \d+\)")

    def test_zone_files(self):
        signed = self.sign()
        master = self.write("master", f'$ORIGIN example.org.\nrsa._domainkey IN TXT ( '
                            f'"{record("rsa")[:200]}" "{record("rsa")[200:]}" )\n')
        self.verify(signed, zone=master)
        broken = self.write("broken", "$ORIGIN example.org.\nrsa._domainkey IN TXT ( \"x\n")
        self.expect_complaint(65, "verify", "--zone", broken, stdin=signed, says="broken:2: ")
        broken = self.write("broken.json", '{"records": [')
        self.expect_complaint(65, "verify", "--zone", broken, stdin=signed, says="broken.json: ")
        self.expect_complaint(66, "verify", "--zone", "nowhere", stdin=signed, says="nowhere")

    def test_zone_files_that_fail(self):
        for rcode in ("SERVFAIL", "REFUSED", "TIMEOUT"):
            (result,) = self.verify(self.sign(), code=75, zone=self.zone({}, {RSA_NAME: rcode}))
            self.assertEqual(result["result"], "temperror")
            self.assertIn(RSA_NAME, result["explanation"])

    def test_a_message_of_any_size_is_not_held_in_memory(self):
        script = ("import resource, subprocess, sys\n"
                  "child = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE,"
                  " stdout=subprocess.DEVNULL)\n"
                  f"child.stdin.write({MESSAGE!r})\n"
                  "line = b'%077d\\r\\n' % 0 * 8192\n"
                  "for _ in range(400): child.stdin.write(line)\n"
                  "child.stdin.close()\n"
                  "assert child.wait() == 1\n"
                  "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n")
        command = ["python3", "-c", script, PROGRAM, "verify", "--zone", self.zone()]
        done = subprocess.run(command, capture_output=True, check=True, timeout=60)
        self.assertLess(int(done.stdout), 128 * 1024)  # KiB, of 264,000 that were fed.


class LiveDns(Case):
    def live(self, answers, message, code, *options, together=1):
        """Verifies with answers from a name server; the results and how long they took."""
        server = NameServer(answers, together)
        began = time.monotonic()
        try:
            result = self.expect(code, "verify", "--json", "--nameserver", server.address,
                                 *options, stdin=message)
        finally:
            server.close()
        return result.json["dkim"], time.monotonic() - began

    def test_answers(self):
        signed = self.sign()
        for answer, code, result, says in (
            ([record("rsa")], 0, "pass", "valid"),
            ([record("other")], 1, "fail", "header field was changed"),
            ([], 1, "permerror", "NODATA"),
            (SERVFAIL, 75, "temperror", f"SERVFAIL for {RSA_NAME}"),
            (REFUSED, 75, "temperror", f"for {RSA_NAME}"),
        ):
            ((found,), _) = self.live({RSA_NAME: answer}, signed, code)
            self.assertEqual(found["result"], result, found)
            self.assertIn(says, found["explanation"])
        ((found,), _) = self.live({}, signed, 1)
        self.assertEqual((found["result"], found["reason"]), ("permerror", "key_not_found"))

    def test_silence_ends_after_the_time_that_is_given(self):
        ((found,), took) = self.live({RSA_NAME: None}, self.sign(), 75, "--dns-timeout", "1")
        self.assertEqual(found["explanation"], f"timeout for {RSA_NAME}")
        self.assertLess(took, 10)

    def test_keys_are_asked_for_side_by_side(self):
        signed = self.sign(selectors=("rsa", "ed"))
        answers = {RSA_NAME: [record("rsa")], ED_NAME: [record("ed")]}
        found, _ = self.live(answers, signed, 0, together=2)
        self.assertEqual([one["result"] for one in found], ["pass", "pass"])

    def test_an_address_that_is_none(self):
        self.expect_complaint(64, "verify", "--nameserver", "ns.example", stdin=MESSAGE,
                              says="ns.example")
