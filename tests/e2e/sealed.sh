#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Mail that is handed on with a seal: a forwarder seals what it judged, the next host believes it
# and seals on, a list seals what it hands back, and two independent verifiers say that all of it
# verifies.
#
#   port 25    sealer.example, a forwarder                        milter 8891
#   port 2526  second.example, which believes sealer.example      milter 8892
#   port 2527  list.example, by an openarc.conf without Mode      milter 8893
. "$(dirname "$0")/common.inc"

mkdir -p /etc/countersign
"$countersign" keygen -d sealer.example -s june -D /etc/countersign > /dev/null
june=/etc/countersign/june.private
start_dns << END
$(for domain in sealer.example second.example list.example; do
  dns_key june._domainkey."$domain" $june
done)
$(dns_txt good.example "v=spf1 ip4:192.0.2.1 -all")
$(dns_txt _dmarc.good.example "v=DMARC1; p=reject")
END
# settings DOMAIN PORT : a host of that domain, which judges and seals.
settings() {
  cat << END
[daemon]
sockets = ["inet:$2@127.0.0.1"]
[signing]
mode = "verify"
[judging.results]
authserv_id = "mx.$1"
[sealing]
judged = true
domain = "$1"
selector = "june"
key_file = "$june"
software_header = true
END
}
settings sealer.example 8891 > /etc/countersign/countersign.toml
{ settings second.example 8892 && printf '[judging.trust]\nsealers = ["sealer.example"]\n'; } \
  > /etc/countersign/second.toml
cat > /etc/openarc.conf << END
Socket            inet:8893@127.0.0.1
Background        no
AuthservID        mx.list.example
Domain            list.example
Selector          june
KeyFile           $june
SealHeaderChecks  /etc/openarc.checks
FinalReceiver     yes
END
printf 'X-Loop:nobody\nlist-id:<[a-z]*\\.list\\.example>$\n' > /etc/openarc.checks
start_countersign -f
"$countersign" serve -f --config /etc/countersign/second.toml > "$work/second.log" 2>&1 &
"$countersign" serve -x openarc:/etc/openarc.conf > "$work/list.log" 2>&1 &
for port in 8891 8892 8893; do
  wait_for 10 "the filter on $port" bash -c "exec 3<> /dev/tcp/127.0.0.1/$port"
done
for port in 2526:8892 2527:8893; do
  postconf -M "${port%:*}/inet=${port%:*} inet n - y - - smtpd"
  postconf -P "${port%:*}/inet/smtpd_milters=inet:127.0.0.1:${port#*:}"
done
start_postfix milter_protocol=6 milter_default_action=tempfail smtpd_milters=inet:127.0.0.1:8891

# chain FILE STATUS SETS : what two independent verifiers find.
chain() {
  /usr/bin/python3 "$e2e_dir/lib/arc_dkimpy.py" "$@" &&
    perl "$e2e_dir/lib/arc_mail_dkim.pl" "$1" "$2"
}
# has FILE NAME REGEX : the topmost field of that name says this.
has() {
  fields "$1" "$2" | head -n 1 > field
  grep -E "^$2: .*$3" field || { cat field && return 1; }
}
sets_of() { fields "$1" ARC-Seal | wc -l; }
# handed_on FILE : what was delivered, as the next host gets it.
handed_on() { sed '1,/^$/ { /^\(Return-Path\|X-Original-To\|Delivered-To\):/d }' "$1"; }
# release : lets all mail go on that was put aside.
release() { postsuper -H ALL > /dev/null 2>&1 && postqueue -f; }
to_second() { outside --port 2526 --client 203.0.113.7 --from list@sealer.example; }

# --- a forwarder ----------------------------------------------------------------------------------
# What was removed of the letter and what was added to it is no part of the seal, or in it.
letter alice@good.example "Authentication-Results: mx.sealer.example; dmarc=pass" \
  "BIMI-Location: v=BIMI1" |
  outside --client 192.0.2.1 --from alice@good.example
first=$(delivered 1)
order=$(header_of "$first" | grep -oE '^(ARC-[A-Za-z-]+|Authentication-Results|From)' | xargs)
expect "a set on top of the results" test "$order" = \
  "ARC-Filter ARC-Seal ARC-Message-Signature ARC-Authentication-Results Authentication-Results From"
expect "our name in it" has "$first" ARC-Filter "countersign v[0-9.]+ [^ ]+ [^ ]+$"
expect "nothing of a chain before" has "$first" ARC-Seal "cv=none; d=sealer\.example; i=1;"
expect "the results in the set" has "$first" ARC-Authentication-Results \
  "i=1; mx\.sealer\.example; .*spf=pass .*dmarc=pass"
expect "the forged fields gone" test "$(fields "$first" BIMI-Location | wc -l)" = 0
expect "both verifiers to say pass" chain "$first" pass 1
expect "the seal in the log" \
  grep 'seal="i=1 cv=none d=sealer\.example s=june"' "$work/countersign.log"

handed_on "$first" | to_second
second=$(delivered 2)
expect "the next host to believe the sealer" has "$second" Authentication-Results \
  "mx\.second\.example; .*spf=.*arc=pass .*dmarc=fail"
expect "its reason in the log" \
  grep 'override="trusted_forwarder (arc=pass as\[1\]\.d=sealer\.example' "$work/second.log"
expect "its seal on top" has "$second" ARC-Seal "cv=pass; d=second\.example; i=2;"
expect "two sets" test "$(sets_of "$second")" = 2
expect "both verifiers to say pass" chain "$second" pass 2

# --- a chain that breaks --------------------------------------------------------------------------
{ handed_on "$first" && echo "More."; } | to_second
expect "what was changed behind the seal to be put aside" is_held
release
third=$(delivered 3)
expect "the failure sealed" has "$third" ARC-Seal "cv=fail; d=second\.example; i=2;"
expect "no verifier to say pass" chain "$third" fail 2
handed_on "$third" | to_second
release
fourth=$(delivered 4)
expect "a chain that has ended to stay as it is" test "$(sets_of "$fourth")" = 2

# --- refused mail, mail of our own ----------------------------------------------------------------
letter alice@good.example | outside --client 192.0.2.66 --from alice@good.example
expect "a forgery to be refused" replied '550 5\.7\.26 '
expect_not "a seal on it" bash -c "tail -n 1 '$work/countersign.log' | grep ' seal='"

# --- a list, by openarc.conf ----------------------------------------------------------------------
handed_on "$first" | outside --port 2527 --client 203.0.113.7 --from alice@good.example
judged=$(delivered 5)
expect "no seal of the list on what comes in" test "$(sets_of "$judged")" = 1
expect "its results" has "$judged" Authentication-Results \
  "mx\.list\.example; .*arc=pass .*arc\.chain=sealer\.example"
{
  echo "List-Id: <news.list.example>"
  handed_on "$judged" | sed 's/^Subject: /&[news] /'
  echo "-- of the list"
} | outside --port 2527 --client 127.0.0.1 --from bounces@list.example
sixth=$(delivered 6)
expect "what the list hands back to be sealed" has "$sixth" ARC-Seal \
  "cv=pass; d=list\.example; i=2;"
expect "what was found when it came in" has "$sixth" ARC-Authentication-Results \
  "i=2; mx\.list\.example; .*arc=pass"
expect "both verifiers to say pass" chain "$sixth" pass 2
{ echo "List-Id: <news.other.example>" && handed_on "$judged"; } |
  outside --port 2527 --client 127.0.0.1 --from bounces@list.example
expect "no seal on what no header check matches" test "$(sets_of "$(delivered 7)")" = 1
letter news@list.example | outside --port 2527 --client 127.0.0.1 --from news@list.example
expect "mail of its own to have none" test "$(sets_of "$(delivered 8)")" = 0
passed
