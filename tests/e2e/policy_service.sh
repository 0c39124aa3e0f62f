#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The policy service alone, with an unedited policyd-spf.conf and no milter: what fails is refused
# at RCPT, what passes is told on the message, once for all its recipients; trouble of DNS defers
# where that is asked for; recipients of one message get answers of their own; a reload changes what
# is done, and a restart loses no mail.
. "$(dirname "$0")/common.inc"

start_signed_dns << END
$(dns_txt good.example "v=spf1 ip4:192.0.2.1 -all")
$(dns_txt soft.example "v=spf1 ip4:192.0.2.1 ~all")
$(dns_txt fwd.example "v=spf1 ip4:198.51.100.7 -all")
$(dns_txt nomail.example "v=spf1 -all")
END

conf=/etc/postfix-policyd-spf-python/policyd-spf.conf
mkdir -p "$(dirname $conf)"
# The file of Debian's package, and further lines.
settings() {
  cat > $conf << 'END'
#  For a fully commented sample config file see policyd-spf.conf.commented

debugLevel = 1
TestOnly = 1

HELO_reject = Fail
Mail_From_reject = Fail

PermError_reject = False
TempError_Defer = False

skip_addresses = 127.0.0.0/8,::ffff:127.0.0.0/104,::1
END
  printf '%s\n' "$@" >> $conf
}
# act LINE… : the daemon goes by the file with these lines from here on.
acts=0
act() {
  settings "$@"
  acts=$((acts + 1))
  kill -HUP "$filter_pid"
  wait_for 10 "reload $acts" \
    bash -c "[ \$(grep -c 'settings reloaded' '$work/syslog.log') = $acts ]"
}
settings
start_syslog

socket=/var/spool/postfix/countersign/policy
mkdir -p "$(dirname $socket)"
chown postfix "$(dirname $socket)"
serve() { start_countersign -f -x $conf --policy-socket local:$socket -u postfix; }
serve
wait_for 10 "the policy service" test -S $socket
expect_not "a word about a milter" grep -E 'warning|error' "$work/countersign.log"
ask="check_policy_service unix:countersign/policy"
start_postfix "smtpd_recipient_restrictions=reject_unauth_destination, $ask"

from() { letter "alice@$2" | outside --client "$1" --from "alice@$2" "${@:3}"; }

# --- each result ----------------------------------------------------------------------------------
from 198.51.100.66 good.example
expect "a fail to be refused" \
  replied '550 5\.7\.23 .*SPF MAIL FROM check failed: 198\.51\.100\.66 .*good\.example'
expect "at RCPT" grep 'NOQUEUE: reject: RCPT from .*5\.7\.23' /var/log/maillog

from 192.0.2.1 good.example
expect "a pass to be taken" replied 250
mail=$(delivered 1)
expect "one field" test "$(fields "$mail" Received-SPF | wc -l)" = 1
expect "its result" bash -c "grep -A 3 '^Received-SPF: pass ' '$mail' | grep 'client-ip=192.0.2.1;'"
expect_not "a field of a milter" grep -i '^Authentication-Results:' "$mail"
expect "the answer in the log" \
  grep 'a policy request was answered.* action=prepend client=192.0.2.1 ' "$work/syslog.log"

from 198.51.100.66 soft.example
expect "a softfail to be taken" replied 250
mail=$(delivered 2)
expect "and told" grep '^Received-SPF: softfail ' "$mail"

from 198.51.100.66 broken.example
expect "SERVFAIL to lose no mail" replied 250
mail=$(delivered 3)
expect "the trouble to be told" grep '^Received-SPF: temperror ' "$mail"

# --- several recipients ---------------------------------------------------------------------------
from 192.0.2.1 good.example --to one@rcpt.example --to two@rcpt.example --to three@rcpt.example
expect "a letter to three to be taken" replied 250
mail=$(delivered 6)
expect "one field for all recipients" test "$(fields "$mail" Received-SPF | wc -l)" = 1

# --- other settings -------------------------------------------------------------------------------
act 'TempError_Defer = True' 'Mail_From_reject = Softfail' 'Domain_Whitelist = fwd.example'
from 198.51.100.66 broken.example
expect "the client to come again" replied '451 4\.7\.24 .*broken\.example'
from 198.51.100.66 soft.example
expect "a softfail to be refused now" replied '550 5\.7\.23 .*soft\.example'
from 198.51.100.7 soft.example
expect "a forwarder to be let in" replied 250

act 'No_Mail = True' 'Reason_Message = Message {rejectdefer} due to: {spf}.' \
  'SPF_Enhanced_Status_Codes = No' 'Header_Type = AR' 'Authserv_Id = mx.example'
from 198.51.100.66 good.example
expect "only domains without mail to be refused" replied 250
mail=$(delivered 8)
expect "results in place of Received-SPF" result "$mail" 'spf=fail smtp.mailfrom=good\.example'
from 198.51.100.66 nomail.example
expect "that domain to be refused, in the operator's words" \
  replied '550 5\.7\.1 .*Message rejected due to: SPF MAIL FROM check failed'

act 'Mail_From_pass_restriction = REJECT we know you'
from 192.0.2.1 good.example
expect "the action for a pass" replied '554 5\.7\.1 .*we know you'

act 'TestOnly = 0'
from 198.51.100.66 good.example
expect "nobody refused in a test" replied 250

# --- recipients with settings of their own --------------------------------------------------------
users=/etc/postfix-policyd-spf-python/users
cat > $users << 'END'
lenient@rcpt.example,Mail_From_reject=False|TestOnly
@rcpt.example,Mail_From_reject=Softfail
END
act "Per_User = text,$users"
expect "what is wrong in a line to be told" \
  grep "$users:1.*'TestOnly' is left out" "$work/syslog.log"
before=$(mails | wc -l)
from 198.51.100.66 soft.example --to strict@rcpt.example --to Lenient@rcpt.example
expect "a softfail to be refused to one recipient" replied '550 5\.7\.23 .*<strict@rcpt\.example>'
expect "and the message to be taken for the other" replied 250
mail=$(delivered $((before + 1)))
expect "it to be for that one alone" grep '^Delivered-To: Lenient@rcpt' "$mail"
expect "its result" grep '^Received-SPF: softfail ' "$mail"
expect "whose policy it was in the log" \
  grep 'action=reject .*rcpt_to=strict@rcpt.example .*policy=@rcpt.example' "$work/syslog.log"

echo '@rcpt.example,TestOnly=0' > $users
act "Per_User = text,$users"
from 198.51.100.66 good.example
expect "the file to be read again" replied 250

rm $users
kill -HUP "$filter_pid"
wait_for 10 "a reload in vain" grep "cannot read $users" "$work/syslog.log"
from 198.51.100.66 good.example
expect "the settings before to hold on" replied 250

# --- a restart ------------------------------------------------------------------------------------
act
kill -TERM "$filter_pid"
wait "$filter_pid"
expect "no socket left behind" test ! -e $socket
from 198.51.100.66 good.example
expect "mail to wait without the daemon" replied '451 4\.3\.5'
serve
wait_for 10 "the policy service again" test -S $socket
from 198.51.100.66 good.example
expect "it to be refused again" replied '550 5\.7\.23'
passed
