#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Forged mail becomes a report to the owner of the domain: three forgeries are one report, which
# passes DMARC, shows no local part, no subject and nothing that the forger wrote for its reader,
# and arrives where the owner's record says. Nobody is told who did not ask for it, who must not be
# asked for it, or of whose mail the operator tells nothing.
. "$(dirname "$0")/common.inc"

make_own_key
(umask 077 && openssl rand -hex 32 > /etc/countersign/redaction)
asks="v=DMARC1; p=quarantine; fo=1; ruf=mailto:ruf@rcpt.example"
start_dns << END
$(dns_key june._domainkey.mx.example $june)
$(dns_txt _dmarc.mx.example "v=DMARC1; p=reject")
$(dns_txt owner.example "v=spf1 ip4:192.0.2.1 -all")
$(dns_txt _dmarc.owner.example "$asks")
$(dns_txt _dmarc.late.example "$asks")
$(dns_txt _dmarc.bank.example "$asks; psd=y")
$(dns_txt _dmarc.stray.example "v=DMARC1; p=quarantine; fo=1; ruf=mailto:no@other.example")
$(for one in owner late bank; do
  dns_txt "$one.example._report._dmarc.rcpt.example" "v=DMARC1"
done)
$(dns_txt _dmarc.rcpt.example "v=DMARC1; p=none")
$(dns_txt _dmarc.other.example "v=DMARC1; p=none")
END
{ own_settings && cat << END; } > /etc/countersign/countersign.toml
[reports]
from = "reports@mx.example"
org_name = "The Example"
smtp_host = "127.0.0.1"
[reports.failures]
privacy = "redacted"
never = ["quiet.example"]
grouped = "10s"
redaction_key_file = "/etc/countersign/redaction"
END
serve_beside_postfix relay_domains=quiet.example

# forge AUTHOR OPTIONS… < MESSAGE : mail in that name from somewhere else, which is put aside.
forge() {
  outside --client 198.51.100.7 --from "$@"
  expect "a forged letter to be put aside" is_held
}

# --- one report -----------------------------------------------------------------------------------
evil() {
  printf 'Received: from evil.example\n\t(x\n\tBcc: victim@evil.example) by a.example; x\n'
  printf 'X-Evil: yes\n'
  printf 'From: =?utf-8?q?Carol=0D=0AX-Evil=3A_yes?= <carol@owner.example>\n'
  printf 'To: user@rcpt.example\n'
  printf 'Subject: a secret =?utf-8?q?=0D=0ABcc:_victim@evil.example?=\n --x\n X-Evil: yes\n'
  printf 'Date: Mon, 2 Jun 2025 10:00:00 +0000\nMessage-ID: <1@client.example>\n\n'
  printf 'Incidents: 99\n\nThe body is a secret.\n'
}
for _ in 1 2 3; do evil | forge carol@owner.example; done
mail=$(delivered 1)
expect "three forgeries to be told at once" grep -q '^Incidents: 3' "$mail"
expect "two verifiers to believe its signatures" verifies "$mail"
"$countersign" verify "$mail" --ip 192.0.2.99 --helo mx.example --mail-from "" --json \
  > verdict.json || true
expect "the report to pass DMARC" \
  /usr/bin/python3 -c \
  'import json; assert json.load(open("verdict.json"))["dmarc"]["result"] == "pass"'
expect "nobody else to be named in its header" test "$(header_of "$mail" | grep -ci evil)" = 0
for word in carol secret victim X-Evil '^Incidents: 99' '^Bcc:'; do
  expect_not "'$word' in the report" grep -qi "$word" "$mail"
done

# Another's reader of mail makes the same of it.
/usr/bin/python3 - "$mail" > fields << 'END'
import email, sys
mail = email.message_from_binary_file(open(sys.argv[1], "rb"))
assert not mail.defects, mail.defects
assert mail.get_content_type() == "multipart/report", mail.get_content_type()
assert mail.get_param("report-type") == "feedback-report"
assert mail["To"] == "ruf@rcpt.example", mail["To"]
assert mail["Auto-Submitted"] == "auto-generated", mail["Auto-Submitted"]
text, report, header = mail.get_payload()
assert text.get_content_type() == "text/plain", text.get_content_type()
assert report.get_content_type() == "message/feedback-report", report.get_content_type()
assert header.get_content_type() == "text/rfc822-headers", header.get_content_type()
fields = report.get_payload(0)
for name, value in fields.items():
    print(name + ": " + " ".join(value.split()))
shown = email.message_from_string(header.get_payload())
assert len(shown.get_all("From")) == 1 and shown["From"].endswith("@owner.example"), shown["From"]
END
says() { grep -qxF "$1" fields || { cat fields && return 1; }; }
expect "its type" says "Feedback-Type: auth-failure"
expect "DMARC to be what failed" says "Auth-Failure: dmarc"
expect "its result" grep -q '^Authentication-Results: .*dmarc=fail' fields
expect_not "the results of other methods" grep -q '^Authentication-Results: .*spf=' fields
expect "both mechanisms" says "Identity-Alignment: dkim, spf"
expect "the author's domain" says "Reported-Domain: owner.example"
expect "the client" says "Source-IP: 198.51.100.7"
expect "what became of the mail" says "Delivery-Result: policy"
expect "the record of SPF" \
  says 'SPF-DNS: txt : owner.example : "v=spf1 ip4:192.0.2.1 -all"'

# --- none -----------------------------------------------------------------------------------------
letter a@shop.bank.example | forge a@shop.bank.example
letter a@stray.example | forge a@stray.example
letter a@owner.example | forge a@owner.example --to user@quiet.example
letter a@owner.example 'Content-Type: multipart/report; boundary=x' | forge a@owner.example
letter a@owner.example 'Auto-Submitted: auto-replied' | forge a@owner.example
letter a@owner.example | forge ''
letter a@late.example | forge a@late.example
mail=$(delivered 2)
expect "the last to be the only one of these" grep -q '^Reported-Domain: late.example' "$mail"
wait_for 15 "what was not sent to be told" \
  grep -q 'failure report not sent.*destination=.*no@other.example' "$work/countersign.log"
expect_not "mail to whoever has not agreed" grep -q 'to=<no@other.example>' /var/log/maillog
expect "two to be counted" metric 'countersign_failure_reports_total{result="sent"} 2'
expect "one not to be" metric 'countersign_failure_reports_total{result="suppressed"} 1'

# --- what a reload changes, and what a stop costs -------------------------------------------------
sed -i 's/^privacy = .*/privacy = "never"/' /etc/countersign/countersign.toml
reload_countersign
letter a@owner.example | forge a@owner.example
sed -i 's/^privacy = .*/privacy = "full_headers"/' /etc/countersign/countersign.toml
reload_countersign
letter a@late.example | forge a@late.example
mail=$(delivered 3)
expect "the whole header" grep -q '^Subject: a letter' "$mail"
expect "the other one not to have been told" grep -q '^Reported-Domain: late.example' "$mail"
letter a@late.example | forge a@late.example
kill "$filter_pid"
wait_for 15 "what waited to be given up" \
  grep -q 'failure reports that waited are not sent.*messages=1' "$work/countersign.log"
passed
