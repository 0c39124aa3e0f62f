#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The daemon sends the reports of a day by itself when the day is over and reports.after_midnight
# has gone by, what was left over from the day before too. One that is killed while a report lies
# at the MTA without an answer has maybe sent it: the report never leaves a second time by itself,
# is uncertain when the lease is over, and waits for a person. The days are those before today, by a
# clock that is moved for the program alone.
. "$(dirname "$0")/common.inc"

command -v clang-19 > /dev/null ||
  cannot_run "clang-19 is missing; scripts/install-deps installs it"
clang-19 -O1 -shared -fPIC -o "$work/moved_clock.so" "$e2e_dir/lib/moved_clock.c"
cat > "$work/countersign" << END
#!/bin/sh
export COUNTERSIGN_CLOCK_MOVED=\$(cat "$work/moved") LD_PRELOAD=$work/moved_clock.so
exec "$countersign" "\$@"
END
chmod 755 "$work/countersign"
countersign=$work/countersign
# at DAY TIME : from now on the program's clock says so; days are counted from the first one.
first_day=$(date -u -d "8 days ago" +%F)
day() { date -u -d "$first_day $1 days" +%F; }
at() { echo $(($(date -u -d "$(day "$1") $2" +%s) - $(date +%s))) > "$work/moved"; }

mkdir -p "$work/stuck"
at 0 00:00
make_own_key
owners="early owner other"
start_dns << END
$(dns_key june._domainkey.mx.example $june)
$(for owner in $owners; do
  dns_txt "$owner.example" "v=spf1 -all"
  dns_txt "_dmarc.$owner.example" "v=DMARC1; p=none; rua=mailto:$owner@rcpt.example"
  dns_txt "$owner.example._report._dmarc.rcpt.example" "v=DMARC1"
done)
END
# settings PORT SENDS : with reports to the MTA at that port.
settings() {
  { own_settings && cat << END; } > /etc/countersign/countersign.toml
[store]
path = "/var/lib/countersign/store.sqlite"
spool_directory = "/var/lib/countersign/spool"
[reports]
sends = $2
after_midnight = "1h"
from = "reports@mx.example"
smtp_host = "127.0.0.1"
smtp_port = $1
END
}
start() {
  start_countersign -f
  wait_for 20 "the filter" bash -c 'exec 3<> /dev/tcp/127.0.0.1/8891'
}
stop() {
  kill -TERM "$filter_pid"
  wait "$filter_pid"
}
# judged OWNER COUNT : the daemon judges so many forged letters of that owner.
judged() {
  letter "carol@$1.example" > letter.eml
  for ((i = 0; i < $2; i++)); do
    "$countersign" probe -p inet:8891@127.0.0.1 --ip 198.51.100.7 --rcpt user@rcpt.example \
      < letter.eml > /dev/null 2>> "$work/probe.log" || fail "a letter is not taken"
  done
}
# is_listed DAY OWNER STATE : the ledger has the report in that state.
is_listed() {
  "$countersign" report list > lines
  grep -E "^$(day "$1")  $3 .* mailto:$2@rcpt.example" lines || { cat lines && return 1; }
}

# --- two days of mail -----------------------------------------------------------------------------
settings 25 false
at 0 12:00 && start && judged early 1 && stop
at 1 12:00 && start && judged owner 3 && judged early 2 && stop
expect "nothing to leave, as it is not asked for" test -z "$("$countersign" report list)"
start_postfix

# --- by itself, and in time -----------------------------------------------------------------------
settings 25 true
at 2 00:30 && start
early=$(delivered 1)
expect "the report of the day before last" grep -q '^Subject: Report Domain: early.example' "$early"
expect "it to be believed" verifies "$early"
wait_for 10 "the ledger" is_listed 0 early sent
expect "half an hour after midnight to be too early for the last day" \
  test "$("$countersign" report list | wc -l)" = 1
judged other 1
stop
at 2 01:00 && start
delivered 3 > /dev/null
for owner in owner early; do wait_for 10 "the ledger" is_listed 1 $owner sent; done
wait_for 10 "the metric" metric 'countersign_reports_total{result="sent"} 2'
expect "nothing of the day that is not over" test "$("$countersign" report list | wc -l)" = 3
stop

# --- killed while a report is at the MTA ----------------------------------------------------------
# what_came OWNER : how often the stuck MTA got the report.
what_came() { cat "$work"/stuck/*.eml | grep -c "^Subject: Report Domain: $1.example"; }
came() { [ "$(what_came "$1")" = "$2" ] || { echo "$(what_came "$1") times" && return 1; }; }
/usr/bin/python3 "$e2e_dir/lib/stuck_mta.py" 2525 "$work/stuck" &
wait_for 5 "the MTA" bash -c 'exec 3<> /dev/tcp/127.0.0.1/2525'
settings 2525 true
at 3 02:00 && start
wait_for 20 "the report at the MTA" test -s "$work/stuck/1.eml"
expect "mail to be judged while an MTA keeps silent" judged owner 1
sleep 2 # The letter is on the disk by then; the daemon gets no time to say anything.
kill -KILL "$filter_pid"
wait "$filter_pid" 2> /dev/null || true
expect "the report to be under way" is_listed 2 other sending
touch "$work/stuck/go"

# One that is due beside it shows that the next daemon has been at work.
policy=$("$countersign" report list |
  sed -n "s/^$(day 1) .*policy \([0-9]*\)  .*mailto:early.*/\1/p")
"$countersign" report resolve --day "$(day 1)" --policy "$policy" \
  --destination mailto:early@rcpt.example --as due
at 3 02:05 && start
wait_for 20 "the other report" came early 1
wait_for 10 "the ledger" is_listed 1 early sent
expect "the report that may have left to stay where it is" came other 1
expect "somebody to be sending it still, as far as is known" is_listed 2 other sending
stop

# When its lease is over.
"$countersign" report resolve --day "$(day 1)" --policy "$policy" \
  --destination mailto:early@rcpt.example --as due
at 3 02:20 && start
wait_for 20 "the other report" came early 2
wait_for 10 "the ledger" is_listed 2 other uncertain
expect "the log to tell a person" \
  grep -q "may have left: .* day=$(day 2) .*other@rcpt.example" "$work/countersign.log"
wait_for 10 "the metric to tell" metric 'countersign_reports_total{result="uncertain"} 1'
expect "it to stay where it is" came other 1
stop
at 4 02:00 && start
wait_for 20 "the next day's report, with the letter from before the kill" came owner 1
wait_for 10 "the ledger" is_listed 3 owner sent
expect "it to stay where it is the next day too" came other 1
expect "it to be uncertain still" is_listed 2 other uncertain

# A person decides.
policy=$("$countersign" report list --state uncertain | sed 's/.*policy \([0-9]*\) .*/\1/')
expect "a decision" "$countersign" report resolve --day "$(day 2)" --policy "$policy" \
  --destination mailto:other@rcpt.example --as due
expect "it to be sent" "$countersign" report send --day "$(day 3)"
expect "it to come once more, now that somebody has said so" came other 2
expect "the same report, by its identifier" \
  test "$(cat "$work"/stuck/*.eml | grep -A1 'Domain: other' | grep -o '<.*@' | uniq | wc -l)" = 1
expect "it to be sent in the ledger" is_listed 2 other sent
stop

# --- a host that was away -------------------------------------------------------------------------
settings 25 true
at 3 23:00 && start && judged early 3 && stop
at 4 03:00 && start
wait_for 10 "the daemon to have been at work" metric 'countersign_reports_total{result="sent"} 0'
expect_not "what comes late to leave at once" is_listed 3 early "[a-z]*"
stop
at 5 02:00 && start
wait_for 20 "the report about what came late" is_listed 3 early sent
expect "it to be another edition of its day" grep -q "edition 2  mailto:early" lines
stop
at 3 23:30 && start && judged early 2 && stop
at 9 02:00 && start
wait_for 20 "the log to tell what comes too late" \
  grep -q "too late for a report.* day=$(day 3) messages=2" "$work/countersign.log"
wait_for 10 "the metric to tell" metric 'countersign_reports_late_messages_total 2'
stop
passed
