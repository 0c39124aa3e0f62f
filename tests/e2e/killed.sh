#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The daemon is killed under traffic. With milter_default_action=tempfail Postfix defers and nothing
# leaves unsigned; with accept mail passes unsigned; nothing is lost either way. AutoRestart brings
# the daemon back by itself.
. "$(dirname "$0")/common.inc"

mkdir -p /etc/opendkim
openssl genrsa -out /etc/opendkim/mail.private 2048 2> /dev/null
chmod 600 /etc/opendkim/mail.private
start_dns << END
$(dns_key mail._domainkey.sender.example /etc/opendkim/mail.private)
END
cat > /etc/opendkim.conf << END
Domain           sender.example
Selector         mail
KeyFile          /etc/opendkim/mail.private
Mode             s
Canonicalization relaxed/relaxed
Socket           inet:8891@127.0.0.1
PidFile          /run/opendkim.pid
END
start_countersign -x /etc/opendkim.conf -f
wait_for 10 "the filter" bash -c 'exec 3<> /dev/tcp/127.0.0.1/8891'
start_postfix milter_protocol=6 milter_default_action=tempfail smtpd_milters=inet:127.0.0.1:8891 \
  milter_connect_timeout=2s

submit --from alice@sender.example
expect "mail to be signed while the daemon lives" verifies "$(delivered 1)" 1
expect "the pid file to name the daemon" test "$(cat /run/opendkim.pid)" = "$filter_pid"
kill -KILL $filter_pid
wait $filter_pid 2> /dev/null || true
expect_not "mail to be taken while the daemon is dead" submit --from alice@sender.example
expect "the sender to be told to try again" grep -q '451 4.7.1' "$work/swaks.log"

postconf -e milter_default_action=accept
postfix reload > /dev/null 2>&1
sleep 1
submit --from alice@sender.example
expect_not "a signature while the daemon is dead" is_signed "$(delivered 2)"

postconf -e milter_default_action=tempfail
postfix reload > /dev/null 2>&1
start_countersign -x /etc/opendkim.conf -f -A
wait_for 10 "the filter" bash -c 'exec 3<> /dev/tcp/127.0.0.1/8891'
child=$(pgrep -P $filter_pid)
for i in $(seq 40); do
  submit --from alice@sender.example || submit --from alice@sender.example ||
    echo lost >> "$work/lost"
done &
traffic=$!
sleep 0.5
kill -KILL "$child"
wait $traffic
expect "every message to be taken at the second try" test ! -e "$work/lost"
delivered 42 > /dev/null
signed=0
for mail in $(mails); do is_signed "$mail" && signed=$((signed + 1)); done
expect "all of them signed" test $signed = 41
expect "the restart in the log" grep -q 'ended unexpectedly' "$work/countersign.log"

kill -TERM $filter_pid
wait $filter_pid
expect "a clean stop" grep -q 'msg=stopped' "$work/countersign.log"
expect_not "the pid file after the stop" test -s /run/opendkim.pid
passed
