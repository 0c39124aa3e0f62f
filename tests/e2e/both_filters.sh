#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# An opendkim.conf with Mode sv, unedited: incoming mail is verified as OpenDKIM verifies it, the
# On- options decide about it, and our own mail is signed. Debian's opendkim is asked about the same
# letters, and must say the same where it does what its manual says.
. "$(dirname "$0")/common.inc"
command -v opendkim > /dev/null ||
  cannot_run "opendkim is missing; scripts/install-deps test installs it"

mkdir -p /etc/dkimkeys
chown root: /etc/dkimkeys
for selector in june lost; do
  "$countersign" keygen -d sender.example -s $selector -D /etc/dkimkeys > /dev/null
done
"$countersign" keygen -d ours.example -s mail -D /etc/dkimkeys > /dev/null
start_signed_dns << END
$(dns_key june._domainkey.sender.example /etc/dkimkeys/june.private)
$(dns_key mail._domainkey.ours.example /etc/dkimkeys/mail.private)
END
settings() {
  cat << END
Mode            sv
Domain          ours.example
Selector        mail
KeyFile         /etc/dkimkeys/mail.private
InternalHosts   127.0.0.1
AuthservID      mx.example
UserID          root
AlwaysAddARHeader yes
Syslog          yes
Nameservers     127.0.0.1
END
  printf '%s\n' "$@"
}
# serve SETTINGS… : both filters anew, each on a socket of its own.
other_pid=
serve() {
  if [ -n "$other_pid" ]; then
    kill "$filter_pid" "$other_pid"
    wait "$filter_pid" "$other_pid" || true
  fi
  settings "$@" "Socket inet:8891@127.0.0.1" > /etc/opendkim.conf
  settings "$@" "Socket inet:8892@127.0.0.1" > /etc/other.conf
  start_countersign -x /etc/opendkim.conf -f
  opendkim -f -x /etc/other.conf > "$work/opendkim.log" 2>&1 &
  other_pid=$!
  for port in 8891 8892; do
    wait_for 10 "a filter" bash -c "exec 3<> /dev/tcp/127.0.0.1/$port"
  done
}
start_syslog
postconf -M '127.0.0.1:26/inet=127.0.0.1:26 inet n - y - - smtpd'
postconf -P '127.0.0.1:26/inet/smtpd_milters=inet:127.0.0.1:8892'
serve
start_postfix milter_protocol=6 milter_default_action=tempfail smtpd_milters=inet:127.0.0.1:8891

sign() {
  local selector=$1
  shift
  "$countersign" sign -d sender.example -s "$selector" -k "/etc/dkimkeys/$selector.private" "$@"
}
letter alice@sender.example > unsigned.eml
sign june < unsigned.eml > good.eml
sed 's/^Hello/Goodbye/' good.eml > changed.eml
sign lost < unsigned.eml > keyless.eml
sed 's/d=sender.example/d=broken.example/' good.eml > servfail.eml
sed 's/a=rsa-sha256/a=rsa-sha999/' good.eml > unknown.eml
printf '[signing]\nsigned_fields = ["From"]\noversigned_fields = ["."]\n' > narrow.toml
sign june --config narrow.toml < unsigned.eml > narrow.eml
letter alice@other.example | sign june > third.eml

{ echo "Authentication-Results: mx.example; dkim=pass header.d=bank.example" &&
  cat changed.eml; } > forged.eml

letters='unsigned good changed forged keyless unknown servfail'
# ask PORT : what becomes of each of the letters there and which results it is given, a line each.
ask() {
  local case fate found count
  count=$(mails | wc -l)
  for case in $letters; do
    outside --port "$1" --client 192.0.2.66 --from alice@sender.example < "$case.eml"
    fate=held found=
    if replied '[45]' > /dev/null; then
      fate=$(cut -d ' ' -f 1 reply)
    elif ! is_held > /dev/null; then
      count=$((count + 1)) fate=taken
      found=$(fields "$(delivered $count)" Authentication-Results | grep -Eo '\bdkim=[a-z]+' |
        tr '\n' ' ' || true)
    fi
    echo "$case $fate $found"
  done | sed 's/ *$//'
}

# both_do WHAT : our filter does what standard input says, and so does OpenDKIM. Three things of its
# own are left out: it calls a key that is not there a failure, where RFC 6376 §6.1.2 has PERMFAIL;
# it takes SERVFAIL for a key that it cannot read, so that On-DNSError is not asked; and it calls a
# valid signature that is not wanted a failure, where RFC 8601 §2.7.1 has policy.
both_do() {
  local alike='/^servfail/d; s/dkim=permerror/dkim=fail/; s/dkim=policy/dkim=fail/'
  cat > wanted
  ask 25 > ours
  ask 26 > theirs
  expect "$1 from countersign" diff wanted ours
  expect "$1 from opendkim" diff <(sed "$alike" wanted) <(sed "$alike" theirs)
}
both_do "the defaults" << 'END'
unsigned taken dkim=none
good taken dkim=pass
changed taken dkim=fail
forged taken dkim=fail
keyless taken dkim=permerror
unknown taken dkim=permerror
servfail 451
END
submit --from bob@ours.example
mail=$(delivered 13)
expect "our own mail to be signed" verifies "$mail" 1
expect_not "our own mail to be judged" grep -i '^Authentication-Results' "$mail"

serve 'On-BadSignature reject' 'On-KeyNotFound tempfail' 'On-DNSError accept'
both_do "bad signatures to be refused" << 'END'
unsigned taken dkim=none
good taken dkim=pass
changed 550
forged 550
keyless 451
unknown taken dkim=permerror
servfail taken dkim=temperror
END

serve 'On-NoSignature reject' 'On-BadSignature quarantine'
# Debian's opendkim accepts all of these, so that only ours is asked.
ask 25 > ours
cat > wanted << 'END'
unsigned 550
good taken dkim=pass
changed held
forged held
keyless taken dkim=permerror
unknown 550
servfail 451
END
expect "bad signatures to be put aside, and mail without one to be refused" diff wanted ours

letters='good narrow third'
serve 'MustBeSigned Subject,List-Id'
both_do "a field that must be signed" << 'END'
good taken dkim=pass
narrow taken dkim=policy
third taken dkim=pass
END
serve 'TrustSignaturesFrom sender.example' 'On-NoSignature reject'
both_do "a third party that is trusted" << 'END'
good taken dkim=pass
narrow taken dkim=pass
third taken dkim=pass
END
serve 'TrustSignaturesFrom friend.example' 'On-NoSignature reject'
# Debian's opendkim takes any third party, whatever its manual says.
ask 25 > ours
printf '%s\n' 'good taken dkim=pass' 'narrow taken dkim=pass' 'third 550' > wanted
expect "a third party that is not trusted to be as good as no signature" diff wanted ours
passed
