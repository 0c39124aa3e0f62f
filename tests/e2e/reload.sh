#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Settings are reloaded under traffic: every message is signed by the old key or the new one, none
# is lost or deferred; broken settings change nothing and say why.
. "$(dirname "$0")/common.inc"

mkdir -p /etc/countersign
for selector in old new; do
  "$countersign" keygen -d sender.example -s $selector -D /etc/countersign > /dev/null
done
start_dns << END
$(dns_key old._domainkey.sender.example /etc/countersign/old.private)
$(dns_key new._domainkey.sender.example /etc/countersign/new.private)
END
settings() {
  cat << END
[daemon]
sockets = ["inet:8891@127.0.0.1"]
[[signing.domain]]
name = "sender.example"
keys = [{ selector = "$1", file = "/etc/countersign/$1.private" }]
END
}
settings old > /etc/countersign/countersign.toml
serve_beside_postfix

for i in $(seq 60); do submit --from alice@sender.example --header "Subject: $i"; done &
traffic=$!
wait_for 20 "traffic" bash -c "[ \$(find '$work/mail' -path '*/new/*' | wc -l) -ge 10 ]"

echo '[signing' > /etc/countersign/countersign.toml
kill -HUP $filter_pid
wait_for 10 "the refusal of broken settings" \
  grep -q 'old ones stay in force' "$work/countersign.log"
expect "the refusal to name file and line" grep -Eq 'countersign.toml:1' "$work/countersign.log"

settings new > /etc/countersign/countersign.toml
kill -USR1 $filter_pid
wait_for 10 "the reload" grep -q 'settings reloaded' "$work/countersign.log"
wait $traffic
submit --from alice@sender.example
delivered 61 > /dev/null
expect "nothing deferred" bash -c "! grep -Eq ' (4\.7|451|450)' /var/log/maillog"
old=0 new=0
for mail in $(mails); do
  verifies "$mail" 1 > "$work/verify.out" 2>&1 || fail "$(cat "$work/verify.out") in $mail"
  case $(header_of "$mail") in
    *s=old*) old=$((old + 1)) ;;
    *s=new*) new=$((new + 1)) ;;
  esac
done
expect "mail signed by the old key before the reload" test $old -gt 0
expect "mail signed by the new key after it" test $new -gt 0
expect "each message signed by one of them" test $((old + new)) = 61
passed
