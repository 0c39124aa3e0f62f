#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A day's verdicts become a report: counted by the daemon, sent by hand through Postfix to the
# address in the owner's record, which a host elsewhere has agreed to. The report is valid, counts
# what was sent, passes DMARC itself, and leaves once. Metrics tell of all of it.
. "$(dirname "$0")/common.inc"

make_own_key
owner_record="v=DMARC1; p=quarantine; np=reject;"
owner_record+=" rua=mailto:dmarc@rcpt.example,mailto:no@other.example"
start_dns << END
$(dns_key june._domainkey.mx.example $june)
$(dns_txt _dmarc.mx.example "v=DMARC1; p=reject")
$(dns_txt owner.example "v=spf1 ip4:192.0.2.1 -all")
$(dns_txt _dmarc.owner.example "$owner_record")
$(dns_txt owner.example._report._dmarc.rcpt.example "v=DMARC1")
$(dns_txt _dmarc.rcpt.example "v=DMARC1; p=none")
$(dns_txt _dmarc.other.example "v=DMARC1; p=none")
END
{ own_settings && cat << END; } > /etc/countersign/countersign.toml
[store]
path = "/var/lib/countersign/store.sqlite"
spool_directory = "/var/lib/countersign/spool"
history_file = "/var/lib/countersign/history.dat"
[reports]
from = "reports@mx.example"
org_name = "The Example"
smtp_host = "127.0.0.1"
END
serve_beside_postfix

# --- verdicts -------------------------------------------------------------------------------------
letter carol@owner.example > letter.eml
for client in 198.51.100.7 198.51.100.7 198.51.100.8; do
  outside --client $client --from carol@owner.example < letter.eml
  expect "a forged letter to be put aside" is_held
done
outside --client 192.0.2.1 --from carol@owner.example < letter.eml
expect "the owner's letter to be taken" replied 250
delivered 1 > /dev/null
expect "metrics of the forged letters" \
  metric 'countersign_messages_total{action="quarantine",kind="judged"} 3'
expect "metrics of their results" metric 'countersign_dmarc_results_total{result="fail"} 3'
expect "the daemon to be ready" http /readyz
wait_for 15 "the store to have all four" metric 'countersign_store_messages_total 4'
expect "the history to have them too" \
  test "$(grep -c '^job ' /var/lib/countersign/history.dat)" = 4
expect "metrics of the history" metric 'countersign_history_records_total 4'

# --- the report -----------------------------------------------------------------------------------
today=$(date -u +%F)
report() { "$countersign" report "$@" > report.out 2>&1; }
expect "a preview" report preview owner.example --day "$today"
expect "the preview to count all" grep -q "^owner.example  4 messages" report.out
expect "a dry run" report send --day "$today" --dry-run
expect "the dry run to show the host that has not agreed" \
  grep -q 'not to.*no@other.example' report.out
expect "a list" report list
expect "nothing to be entered by a look" test ! -s report.out
expect "the report to be sent" report send --day "$today"
expect "one to be sent and one not" \
  grep -q '^1 sent, 0 deferred, 0 failed, 0 uncertain, 1 not' report.out
mail=$(delivered 2)
expect "the report's subject" grep -q '^Subject: Report Domain: owner.example' "$mail"
expect "two verifiers to believe its signatures" verifies "$mail"
"$countersign" verify "$mail" --ip 192.0.2.99 --helo mx.example --mail-from "" --json \
  > verdict.json || true
expect "the report to pass DMARC" \
  /usr/bin/python3 -c \
  'import json; assert json.load(open("verdict.json"))["dmarc"]["result"] == "pass"'

/usr/bin/python3 - "$mail" << 'END'
import email, gzip, sys
mail = email.message_from_binary_file(open(sys.argv[1], "rb"))
parts = [part for part in mail.walk() if part.get_content_type() == "application/gzip"]
assert len(parts) == 1, [part.get_content_type() for part in mail.walk()]
open("report.xml", "wb").write(gzip.decompress(parts[0].get_payload(decode=True)))
END
expect "the report to be valid" \
  xmllint --noout --schema "$repo/tests/foreign/aggregate.xsd" report.xml
expect "rows for both forgers and the owner" test "$(grep -c '<source_ip>' report.xml)" = 3
counts() { sed -n 's:.*<count>\(.*\)</count>.*:\1:p' report.xml | sort | tr '\n' ' '; }
expect "their numbers" test "$(counts)" = "1 1 2 "
expect "np to be told" grep -q '<np>reject</np>' report.xml

# --- once -----------------------------------------------------------------------------------------
expect "a second run" report send --day "$today"
expect "nothing to be sent twice" grep -q '^0 sent' report.out
expect "what was sent to be listed" report list --state sent
expect "the owner's address in it" grep -q dmarc@rcpt.example report.out
expect "what was not to be listed" report list --state suppressed
expect "the other address in it" grep -q no@other.example report.out
passed
