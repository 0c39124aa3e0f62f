#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Mail that is large, 8-bit, internationalised, oddly folded or without a body: every message must
# come out with a signature that independent verifiers accept, its octets untouched.
. "$(dirname "$0")/common.inc"

mkdir -p /etc/countersign
"$countersign" keygen -d sender.example -s key1 -D /etc/countersign > "$work/keygen.out"
chown root: /etc/countersign/key1.private
start_dns << END
$(dns_key key1._domainkey.sender.example /etc/countersign/key1.private)
$(dns_key key1._domainkey.xn--bcher-kva.example /etc/countersign/key1.private)
END
cat > /etc/countersign/countersign.toml << END
[daemon]
sockets = ["local:/var/spool/postfix/countersign.sock"]
umask = "0007"
[[signing.domain]]
name = "sender.example"
keys = [{ selector = "key1", file = "/etc/countersign/key1.private" }]
[[signing.domain]]
name = "bücher.example"
keys = [{ selector = "key1", file = "/etc/countersign/key1.private" }]
END
start_countersign --config /etc/countersign/countersign.toml -f
wait_for 10 "the filter" test -S /var/spool/postfix/countersign.sock
chgrp postfix /var/spool/postfix/countersign.sock
start_postfix milter_protocol=6 milter_default_action=tempfail \
  smtpd_milters=unix:countersign.sock non_smtpd_milters=unix:countersign.sock

send() { submit --from alice@sender.example --data - < "$1"; }
count=0
check() {
  count=$((count + 1))
  local mail
  mail=$(delivered $count)
  expect "$1 to verify" verifies "$mail" 1
}

head -c 15000000 /dev/urandom | base64 > "$work/blob"
{
  printf 'From: alice@sender.example\nTo: user@rcpt.example\nSubject: 20 MB\n'
  printf 'MIME-Version: 1.0\nContent-Type: application/octet-stream\n'
  printf 'Content-Transfer-Encoding: base64\n\n'
  cat "$work/blob"
} > "$work/big.eml"
send "$work/big.eml"
check "a 20 MB attachment"
sum() { sed '1,/^\r\?$/d' "$1" | tr -d '\r\n' | sha256sum; }
expect "the attachment unchanged" \
  test "$(sum "$(delivered 1)")" = "$(tr -d '\n' < "$work/blob" | sha256sum)"

{
  printf 'From: Zo\xc3\xab <alice@sender.example>\nTo: user@rcpt.example\n'
  printf 'Subject: gr\xc3\xbc\xc3\x9fe\nContent-Type: text/plain; charset=utf-8\n'
  printf 'Content-Transfer-Encoding: 8bit\n\nGr\xc3\xbc\xc3\x9fe\n'
} > "$work/8bit.eml"
send "$work/8bit.eml"
check "8-bit mail"

{
  printf 'From: alice@sender.example\n'
  printf 'To: user@rcpt.example,\n\tother@rcpt.example,\n    third@rcpt.example\n'
  printf 'Subject:   odd    spaces   \nX-Empty:\nX-Tight:x\n'
  printf '\n\n\nleading and trailing lines  \n\t \n\n\n'
} > "$work/folded.eml"
send "$work/folded.eml"
check "folded fields and trailing blank lines"

printf 'From: alice@sender.example\nTo: user@rcpt.example\nSubject: no body\n\n' > "$work/empty.eml"
send "$work/empty.eml"
check "a message without a body"

printf 'From: alice@sender.example\nTo: user@rcpt.example\nSubject: dots\n\n.\n..\n.x\n' \
  > "$work/dots.eml"
send "$work/dots.eml"
check "lines that begin with a dot"

/usr/bin/python3 "$e2e_dir/lib/send_smtputf8.py" 'jörg@bücher.example' 'user@rcpt.example'
count=$((count + 1))
mail=$(delivered $count)
expect "a signature on SMTPUTF8 mail" is_signed "$mail"
expect "its domain as an A-label" bash -c "sed '/^\$/q' '$mail' | grep -q 'd=xn--bcher-kva.example'"
expect "our own verifier to accept it" "$countersign" verify "$mail"
passed
