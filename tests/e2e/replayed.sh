#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A letter that a good domain signed for one of its users, sent again to one stranger after another:
# each time it is signed and valid. The daemon counts to how many it has come, whichever worker has
# it, says so in log and metrics, and puts the rest aside when it is told to.
. "$(dirname "$0")/common.inc"

mkdir -p /etc/countersign
"$countersign" keygen -d good.example -s june -D /etc/countersign > /dev/null
june=/etc/countersign/june.private
start_dns << END
$(dns_key june._domainkey.good.example $june)
$(dns_txt _dmarc.good.example "v=DMARC1; p=reject")
END
settings() {
  cat << END
[daemon]
sockets = ["inet:8891@127.0.0.1"]
workers = 3
[signing]
mode = "verify"
[metrics]
sockets = ["inet:9464@127.0.0.1"]
[judging.replay]
recipients = 4
[judging.actions]
$*
END
}
settings > /etc/countersign/countersign.toml
serve_beside_postfix
# signed_to ADDRESS : a letter to that address.
signed_to() {
  letter alice@good.example | sed "s/^To: .*/To: $1/" |
    "$countersign" sign -d good.example -s june -k $june
}
# send_to NAME : the letter as a stranger sends it again.
send_to() {
  outside --client 198.51.100.66 --from x@bulk.example --to "$1@rcpt.example" < letter.eml
}
log_says() { tail -n 1 "$work/countersign.log" | grep -E "$1"; }

signed_to somebody@else.example > letter.eml

# --- only counted ---------------------------------------------------------------------------------
for name in a b c d; do
  send_to $name
  expect "a letter to a few to be taken" replied 250
  expect_not "it to be called a replay" log_says "replay="
done
send_to e
expect "the letter to be taken, as nothing else is set" replied 250
expect "the log to tell of it" log_says 'action=accept .*dmarc=pass .*replay=5'
expect "DMARC to pass all the same" result "$(delivered 5)" "dmarc=pass .*header.from=good\.example"
expect "it to be counted" metric "countersign_replays_total 1"

# --- put aside ------------------------------------------------------------------------------------
settings 'replayed = "quarantine"' > /etc/countersign/countersign.toml
reload_countersign
send_to f
expect "the next one to be held" is_held
expect "the rule in the log" log_says 'rule=replayed'
signed_to user@rcpt.example > letter.eml
for name in a b c d e; do send_to $name; done
expect "the same of another letter to be held" is_held
send_to user
expect "whom that was written to to get it" replied 250
expect_not "it to be held" is_held
passed
