#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The widespread how-to with the very same files, countersign in OpenDKIM's place: a key made with
# openssl inside Postfix's configuration directory, opendkim.conf without a Socket line, the socket
# from /etc/default/opendkim, mail by SMTP and by sendmail(1), verified by two independent
# verifiers.
. "$(dirname "$0")/common.inc"

getent passwd opendkim > /dev/null || useradd --system --no-create-home opendkim
key=/etc/postfix/dkim/smtprelay.private
mkdir -p /etc/postfix/dkim
openssl genrsa -out "$key" 2048 2> /dev/null
chown opendkim: "$key"
chmod 600 "$key"

start_dns << END
$(dns_key smtprelay._domainkey.sender.example "$key")
local-data: 'sender.example 60 IN A 192.0.2.1'
END
start_syslog

cat > /etc/opendkim.conf << END
# Log to syslog
Syslog                  yes
UMask                   002
UserID                  opendkim
KeyTable                file:/etc/postfix/dkim/keytable
SigningTable            refile:/etc/postfix/dkim/signingtable
ExternalIgnoreList      /etc/postfix/dkim/trustedhosts
InternalHosts           /etc/postfix/dkim/trustedhosts
Canonicalization        relaxed/simple
Mode                    s
SubDomains              no
#ADSPAction             continue
AutoRestart             yes
AutoRestartRate         10/1M
Background              yes
DNSTimeout              5
SignatureAlgorithm      rsa-sha256
OversignHeaders         From
END
echo "smtprelay  sender.example:smtprelay:$key" > /etc/postfix/dkim/keytable
echo '*  smtprelay' > /etc/postfix/dkim/signingtable
printf '127.0.0.1\n::1\nlocalhost\n' > /etc/postfix/dkim/trustedhosts
echo 'SOCKET="local:/var/spool/postfix/opendkim/opendkim.sock"' > /etc/default/opendkim
install -d -o opendkim -g postfix -m 2750 /var/spool/postfix/opendkim

. /etc/default/opendkim
expect "the daemon to start from the how-to's files" \
  "$countersign" serve -x /etc/opendkim.conf -p "$SOCKET"
expect "the command to return only when the socket is there" \
  test -S /var/spool/postfix/opendkim/opendkim.sock

start_postfix milter_protocol=6 milter_default_action=accept \
  smtpd_milters=unix:opendkim/opendkim.sock non_smtpd_milters=unix:opendkim/opendkim.sock

submit --from alice@sender.example --header 'Subject: by SMTP'
mail=$(delivered 1)
expect "a signature on mail by SMTP" is_signed "$mail"
expect "it to verify" verifies "$mail" 1
header_of "$mail" | tr -d '\n\t ' > "$work/header"
expect "its canonicalization" grep -q 'c=relaxed/simple;' "$work/header"
expect "its selector" grep -q 's=smtprelay;' "$work/header"
expect "From to be oversigned" grep -Eiq 'h=[^;]*from:[^;]*from' "$work/header"

printf 'From: alice@sender.example\nTo: user@rcpt.example\nSubject: by sendmail\n\nHello.\n' |
  sendmail -f alice@sender.example user@rcpt.example
mail=$(delivered 2)
expect "a signature on mail by sendmail(1)" is_signed "$mail"
expect "it to verify" verifies "$mail" 1

submit --port 587 --from alice@sender.example
mail=$(delivered 3)
expect "a signature on mail by the submission port" verifies "$mail" 1

submit --xclient-addr 198.51.100.9 --xclient-name outside.example --from mallory@sender.example
mail=$(delivered 4)
expect_not "a signature on mail from outside" is_signed "$mail"

ln -s "$countersign" "$work/opendkim-testkey"
"$work/opendkim-testkey" -d sender.example -s smtprelay -vvv > "$work/testkey.log" 2>&1 ||
  fail "opendkim-testkey failed"
expect "opendkim-testkey to say that the key is good" grep -q 'key OK' "$work/testkey.log"
expect "the start to be in syslog" grep -q countersign "$work/syslog.log"
passed
