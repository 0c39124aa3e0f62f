#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# HistoryFile of an unedited opendmarc.conf: Debian's opendmarc gets the same messages, with what we
# have written into the header, which it believes. Both records must agree. What opendmarc has
# recorded is then imported, once, and is previewed as a report.
. "$(dirname "$0")/common.inc"
command -v opendmarc > /dev/null ||
  cannot_run "opendmarc is missing; scripts/install-deps test installs it"

mkdir -p /etc/countersign /var/lib/countersign /var/lib/opendmarc
"$countersign" keygen -d sender.example -s june -D /etc/countersign > /dev/null
june=/etc/countersign/june.private
sender_record="v=DMARC1; p=reject; sp=quarantine; adkim=s;"
sender_record+=" rua=mailto:dmarc@sender.example,mailto:all@third.example"
start_dns << END
$(dns_key june._domainkey.sender.example $june)
$(dns_txt sender.example "v=spf1 ip4:192.0.2.1 -all")
$(dns_txt soft.example "v=spf1 ip4:192.0.2.1 ~all")
$(dns_txt client.example "v=spf1 ?all")
$(dns_txt broken.example "v=spf1 nonsense")
$(dns_txt _dmarc.sender.example "$sender_record")
$(dns_txt _dmarc.soft.example "v=DMARC1; p=quarantine; aspf=s; rua=mailto:dmarc@soft.example")
$(dns_txt _dmarc.broken.example "v=DMARC1; p=none")
END
settings() {
  cat << END
AuthservID mx.example
TrustedAuthservIDs mx.example
PublicSuffixList /etc/countersign/suffixes
UserID root
Syslog no
HoldQuarantinedMessages yes
END
  printf '%s\n' "$@"
}
printf "example\n" > /etc/countersign/suffixes
ours=/var/lib/countersign/history.dat
theirs=/var/lib/opendmarc/opendmarc.dat
# serve SETTINGS… : both filters anew, each on a socket of its own.
other_pid=
serve() {
  if [ -n "$other_pid" ]; then
    kill "$filter_pid" "$other_pid"
    wait "$filter_pid" "$other_pid" || true
  fi
  settings "$@" "Socket inet:8891@127.0.0.1" "HistoryFile $ours" > /etc/opendmarc.conf
  settings "$@" "Socket inet:8892@127.0.0.1" "HistoryFile $theirs" > /etc/other.conf
  start_countersign -x /etc/opendmarc.conf -f
  opendmarc -f -c /etc/other.conf > "$work/opendmarc.log" 2>&1 &
  other_pid=$!
  for port in 8891 8892; do
    wait_for 10 "a filter" bash -c "exec 3<> /dev/tcp/127.0.0.1/$port"
  done
}
serve
postconf -M '127.0.0.1:26/inet=127.0.0.1:26 inet n - y - - smtpd'
postconf -P '127.0.0.1:26/inet/smtpd_milters=inet:127.0.0.1:8892'
start_postfix milter_protocol=6 milter_default_action=tempfail smtpd_milters=inet:127.0.0.1:8891

# recorded FILE COUNT : it has that many records.
recorded() { [ "$(grep -c '^job ' "$1")" = "$2" ]; }
# told FILE KEY… : the records, a line each, without these keys; lines that one of the two has
# earlier than the other are sorted.
told() {
  local file=$1
  shift
  awk -v "skipped=$*" '
    BEGIN { count = split(skipped, keys); for (i = 1; i <= count; i++) skip[keys[i]] = 1 }
    $1 == "job" { record++ }
    !($1 in skip) { print record, $0 }' "$file" | sort
}
# agree WHAT COUNT KEY… : both have that many records, which are equal besides these keys and what
# is never equal.
agree() {
  local what=$1 count=$2
  shift 2
  wait_for 10 "our record of $what" recorded $ours "$count"
  wait_for 10 "opendmarc's record of $what" recorded $theirs "$count"
  expect "equal records of $what" \
    diff <(told $ours job received "$@") <(told $theirs job received "$@")
}

# --- the same message to both ---------------------------------------------------------------------
# both --client ADDRESS OPTIONS… < LETTER : to us, and then to opendmarc with what we found.
# OpenDMARC 1.4.2 makes nothing of a local part in smtp.mailfrom, so it gets none.
both() {
  local before mail
  before=$(mails | wc -l)
  cat > letter.eml
  outside "$@" < letter.eml
  expect "the letter to be taken" replied 250
  mail=$(delivered $((before + 1)))
  {
    fields "$mail" Authentication-Results | sed 's/smtp.mailfrom=[^ ;@]*@/smtp.mailfrom=/'
    cat letter.eml
  } > theirs.eml
  outside --port 26 "$@" < theirs.eml
  delivered $((before + 2)) > /dev/null
}
letter carol@sender.example | "$countersign" sign -d sender.example -s june -k $june > good.eml
both --client 192.0.2.1 --from carol@sender.example < good.eml
agree "a pass" 1
sed 's/^Hello/Goodbye/' good.eml | both --client 198.51.100.7 --from carol@sender.example
agree "a failure" 2
letter news@NEWS.sender.example | both --client 198.51.100.7 --from a@elsewhere.example
agree "another MAIL FROM and a subdomain" 3 from
expect "the domain as it is compared" grep -qx 'from news.sender.example' $ours
letter carol@soft.example | both --client 198.51.100.8 --from carol@soft.example
agree "softfail and another policy" 4 from
letter carol@soft.example | both --client 192.0.2.1 --from carol@bounce.soft.example
agree "no SPF record and strict alignment" 5 from
letter carol@broken.example | both --client 192.0.2.1 --from carol@broken.example
agree "permerror, and a policy without addresses" 6 from
letter carol@soft.example | "$countersign" sign -d sender.example -s june -k $june |
  both --client 198.51.100.9 --from ""
agree "a null path and another's signature" 7 from
letter carol@norecord.example | both --client 192.0.2.1 --from carol@norecord.example
both --client 192.0.2.1 --from carol@sender.example < good.eml
agree "what comes after mail without a DMARC record" 8 from

# --- what was done --------------------------------------------------------------------------------
# A letter that we refuse never comes to opendmarc, so each gets one of its own.
serve 'RejectFailures yes'
for domain in sender soft; do
  letter "carol@$domain.example" > ours.eml
  { echo "Authentication-Results: mx.example; spf=$(
    [ $domain = sender ] && echo fail || echo softfail) smtp.mailfrom=$domain.example" &&
    cat ours.eml; } > theirs.eml
  outside --client 198.51.100.7 --from "carol@$domain.example" < ours.eml
  outside --port 26 --client 198.51.100.7 --from "carol@$domain.example" < theirs.eml
done
agree "refused and held mail" 10 from
expect "it to be told that mail was refused" grep -qx 'action 0' $ours
expect "it to be told that mail was held" grep -qx 'action 4' $ours

# --- mail without a DMARC record ------------------------------------------------------------------
serve 'RecordAllMessages yes'
letter carol@sub.norecord.example |
  both --client 192.0.2.1 --from carol@sub.norecord.example
# OpenDMARC finds the organization in its list of suffixes, we in DNS.
agree "mail without a DMARC record" 11 from pdomain
expect "it to be told so" grep -qx 'policy 14' $ours

# --- the file is moved away -----------------------------------------------------------------------
mv $ours $ours.1
both --client 192.0.2.1 --from carol@sender.example < good.eml
wait_for 10 "a new file" recorded $ours 1
expect "the old file to be left alone" recorded $ours.1 11
kill "$filter_pid"
wait "$filter_pid" || true
expect "others to be kept from reading it" [ "$(stat -c %a $ours)" = 640 ]

# --- into the store -------------------------------------------------------------------------------
# keep NAME : a store of that name.
keep() {
  cat > /etc/countersign/countersign.toml << END
[daemon]
sockets = ["inet:8891@127.0.0.1"]
[[signing.domain]]
name = "mx.example"
keys = [{ selector = "june", file = "$june" }]
[reports]
from = "reports@mx.example"
[store]
path = "/var/lib/countersign/$1.sqlite"
END
}
keep theirs
import() { "$countersign" report import-history "$@" > import.out 2>&1; }
expect "what opendmarc recorded to be imported" import $theirs
expect "all of it" \
  grep -q '^12 records: 11 added, 0 there already, 1 that no report counts' import.out
expect "a second time" import $theirs
expect "nothing to be added then" grep -q '^12 records: 0 added, 11 there already' import.out
today=$(date -u +%F)
"$countersign" report preview sender.example --day "$today" --show xml > theirs.xml
expect "a report of it" grep -q '<disposition>reject</disposition>' theirs.xml
expect "the selector in it" grep -q '<selector>june</selector>' theirs.xml
keep ours
cat $ours >> $ours.1
expect "what we recorded to be imported" import - < $ours.1
"$countersign" report preview sender.example --day "$today" --show xml > ours.xml
of_content() { sed '/report_id\|<begin>\|<end>/d' "$1"; }
expect "both to make the same report" diff <(of_content ours.xml) <(of_content theirs.xml)
passed
