#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A host with several customers: what a login may send as is signed, and what it may not is left
# unsigned, signed by the host's own domain, or refused; and nobody gets a signature by not logging
# in.
. "$(dirname "$0")/common.inc"

mkdir -p /etc/countersign
for domain in one two host; do
  "$countersign" keygen -d $domain.example -s $domain -D /etc/countersign > /dev/null
done
start_dns << END
$(dns_key one._domainkey.one.example /etc/countersign/one.private)
$(dns_key two._domainkey.two.example /etc/countersign/two.private)
$(dns_key host._domainkey.host.example /etc/countersign/host.private)
END
cat > /etc/countersign/logins << 'END'
# Each customer has a domain, and each of its mailboxes may use all of it.
*@*               %d
alice             shop@one.example
robot             *
END
# settings LINE… : settings with these lines in [signing.logins].
settings() {
  cat << END
[daemon]
sockets = ["inet:8891@127.0.0.1"]
[log]
explains = true
END
  for domain in one two host; do
    printf '[[signing.domain]]\nname = "%s.example"\n' $domain
    printf 'keys = [{ selector = "%s", file = "/etc/countersign/%s.private" }]\n' $domain $domain
  done
  printf '[signing.logins]\n'
  printf '%s\n' "$@"
}
# bind LINE… : the daemon goes by them from here on.
bind() {
  settings "$@" > /etc/countersign/countersign.toml
  reload_countersign
}
settings > /etc/countersign/countersign.toml
serve_beside_postfix

# hand_in LOGIN AUTHOR PATH : a message by XCLIENT, which makes Postfix believe in the login; "-" is
# nobody.
hand_in() {
  local login=()
  [ "$1" = - ] || login=(--login "$1")
  letter "$2" > letter.eml
  outside --client 192.0.2.7 "${login[@]}" --from "$3" < letter.eml
}
count=0
# signed_by WHAT DOMAIN LOGIN AUTHOR PATH : the message is delivered with one signature, of that
# domain, and the signature verifies.
signed_by() {
  hand_in "${@:3}"
  count=$((count + 1))
  local mail
  mail=$(delivered $count)
  expect "$1 to be signed" verifies "$mail" 1
  expect "$1 to be signed by $2" grep -q " d=$2;" <(fields "$mail" DKIM-Signature)
}
# unsigned WHAT LOGIN AUTHOR PATH : the message is delivered without a signature.
unsigned() {
  hand_in "${@:2}"
  count=$((count + 1))
  expect_not "$1 to be signed" is_signed "$(delivered $count)"
}
logged() { grep -F "$1" "$work/countersign.log"; }

# --- without a table ------------------------------------------------------------------------------
signed_by "a customer's own mail" one.example alice@one.example alice@one.example alice@one.example
unsigned "another customer's From" alice@one.example ceo@two.example alice@one.example
expect "the log to name both" logged \
  "the login may not use the author's address: alice@one.example as ceo@two.example"
signed_by "a login that has no domain" two.example alice ceo@two.example alice@one.example

# --- a table --------------------------------------------------------------------------------------
bind 'table = "/etc/countersign/logins"'
signed_by "a customer's other mailbox" one.example alice@one.example shop@one.example \
  Alice@ONE.example
signed_by "a bounce" one.example alice@one.example alice@one.example ""
unsigned "another customer's From" alice@one.example ceo@two.example ceo@two.example
expect "the log to name the line" logged "as ceo@two.example (/etc/countersign/logins:2)"
unsigned "another customer's From in a bounce" alice@one.example ceo@two.example ""
unsigned "another customer's MAIL FROM" alice@one.example alice@one.example ceo@two.example
expect "the log to name the path" logged \
  "the login may not use the address of MAIL FROM: alice@one.example as ceo@two.example"
unsigned "one author of two" alice@one.example "alice@one.example, ceo@two.example" \
  alice@one.example
signed_by "a login with an address of its own" one.example alice shop@one.example shop@one.example
unsigned "another address" alice sales@one.example shop@one.example
unsigned "a login in no line" bob bob@one.example bob@one.example
expect "the log to name the login" logged \
  "no line of the table of logins matches the login: bob"
signed_by "a trusted login" two.example robot ceo@two.example alice@one.example
unsigned "a stranger's mail" - alice@one.example alice@one.example
expect "the stranger to be told of" logged "an external client sends as one of our authors"
submit --from ceo@two.example
count=$((count + 1))
expect "mail of the host itself to be signed" verifies "$(delivered $count)" 1

# --- what is done ---------------------------------------------------------------------------------
bind 'table = "/etc/countersign/logins"' 'on_mismatch = "fallback"' 'fallback = "host.example"' \
  'fallback_signer = "@customers.host.example"'
signed_by "another customer's From" host.example alice@one.example ceo@two.example alice@one.example
expect "the fallback to say who it is" \
  grep -q ' i=@customers.host.example;' <(fields "$(delivered $count)" DKIM-Signature)
signed_by "a customer's own mail" one.example alice@one.example alice@one.example alice@one.example
unsigned "the host's From" alice@one.example admin@host.example alice@one.example
unsigned "a stranger's mail" - alice@one.example alice@one.example

bind 'table = "/etc/countersign/logins"' 'on_mismatch = "reject"'
hand_in alice@one.example ceo@two.example alice@one.example
expect "another customer's From to be refused" \
  replied "550 5\.7\.1 you may not send mail under this sender address"
expect_not "the reply to say more" grep -E 'alice|two|logins' reply
hand_in alice@one.example alice@one.example ceo@two.example
expect "another customer's MAIL FROM to be refused" replied "550 5\.7\.1"
signed_by "a customer's own mail" one.example alice@one.example alice@one.example alice@one.example
unsigned "a stranger's mail" - alice@one.example alice@one.example

bind 'table = "/etc/countersign/logins"' 'on_mismatch = "reject"' 'shadow = true'
signed_by "another customer's From in the shadow" two.example alice@one.example ceo@two.example \
  alice@one.example
bind 'bound = false'
signed_by "another customer's From with logins unbound" two.example alice@one.example \
  ceo@two.example alice@one.example

# --- mistakes, and the command line ---------------------------------------------------------------
settings 'on_mismatch = "fallback"' 'fallback = "three.example"' > /etc/countersign/countersign.toml
kill -HUP "$filter_pid"
wait_for 10 "the refusal of a fallback without a key" \
  grep -q 'old ones stay in force' "$work/countersign.log"
expect "the refusal to name the line" \
  logged "countersign.toml:16 problem=\"the fallback 'three.example'"

settings 'table = "/etc/countersign/logins"' > /etc/countersign/countersign.toml
letter ceo@two.example > letter.eml
sign() { "$countersign" sign --config /etc/countersign/countersign.toml "$@" letter.eml; }
expect "a message to be signed for its own login" sign --login ceo@two.example
if sign --login alice@one.example > out.eml 2> why; then fail "it was signed for another login"; fi
expect "the command line to say why" \
  grep -F "alice@one.example as ceo@two.example (/etc/countersign/logins:2)" why
passed
