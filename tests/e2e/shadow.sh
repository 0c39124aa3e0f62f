#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# One daemon for both directions: our users' mail is signed, that of strangers is judged, and what
# only claims to be ours is not signed. At first it only watches: judging.shadow changes nothing and
# logs everything.
. "$(dirname "$0")/common.inc"

mkdir -p /etc/countersign
"$countersign" keygen -d ours.example -s june -D /etc/countersign > /dev/null
june=/etc/countersign/june.private
start_dns << END
$(dns_key june._domainkey.ours.example $june)
$(dns_txt ours.example "v=spf1 ip4:192.0.2.25 -all")
$(dns_txt _dmarc.ours.example "v=DMARC1; p=reject")
$(dns_txt sender.example "v=spf1 ip4:192.0.2.1 -all")
$(dns_txt _dmarc.sender.example "v=DMARC1; p=quarantine")
END
settings() {
  cat << END
[daemon]
sockets = ["inet:8891@127.0.0.1"]
[signing]
mode = "both"
[[signing.domain]]
name = "ours.example"
keys = [{ selector = "june", file = "$june" }]
[judging]
shadow = $1
[judging.actions]
no_signature = "reject"
END
}
settings true > /etc/countersign/countersign.toml
serve_beside_postfix
log_says() { tail -n 1 "$work/countersign.log" | grep -E "$1"; }
stranger() { outside --client 198.51.100.66 "$@"; }

# --- only watched ---------------------------------------------------------------------------------
letter alice@sender.example \
  'Authentication-Results: mx.example; dmarc=pass header.from=sender.example' > letter.eml
stranger --from alice@sender.example < letter.eml
expect "mail that would be refused to be taken" replied 250
mail=$(delivered 1)
expect "what would be done in the log" \
  log_says 'action=accept .*dmarc=fail policy=quarantine rule=no_signature.*shadow=reject'
sed -n '/^Authentication-Results/,$p' "$mail" > found
expect "not one octet of the letter changed" diff letter.eml found
letter ceo@ours.example > letter.eml
stranger --from ceo@ours.example < letter.eml
mail=$(delivered 2)
expect "the forgery of our own domain in the log" \
  log_says 'author=ceo@ours\.example .*dmarc=fail policy=reject .*shadow=reject'
expect_not "a signature on it" is_signed "$mail"
expect_not "results on it" grep '^Authentication-Results' "$mail"
submit --from bob@ours.example
mail=$(delivered 3)
expect "our users' mail to be signed meanwhile" verifies "$mail" 1

# --- in earnest -----------------------------------------------------------------------------------
settings false > /etc/countersign/countersign.toml
reload_countersign
submit --from bob@ours.example \
  --add-header "Authentication-Results: other.example; dkim=pass header.d=other.example"
mail=$(delivered 4)
expect "our users' mail to be signed" verifies "$mail" 1
expect "one signature" test "$(fields "$mail" DKIM-Signature | wc -l)" = 1
expect_not "results of ours on it" grep '^Authentication-Results: mx.example' "$mail"
expect "what it brought along to stay" grep '^Authentication-Results: other.example' "$mail"

"$countersign" sign -d ours.example -s june -k $june < letter.eml > signed.eml
outside --client 192.0.2.1 --from alice@sender.example < signed.eml
mail=$(delivered 5)
expect "our own mail that comes back to be judged" result "$mail" "dkim=pass .*dmarc=pass"
expect "and not to be signed again" test "$(fields "$mail" DKIM-Signature | wc -l)" = 1

stranger --from ceo@ours.example < letter.eml
expect "our domain used by a stranger to be refused" replied '550 5\.7\.26 .*ours\.example'
letter alice@sender.example > letter.eml
stranger --from alice@sender.example < letter.eml
expect "the hardest of several actions" replied '550 5\.7\.20 '
outside --client 192.0.2.1 --from alice@sender.example < letter.eml
expect "a rule of the operator to count though DMARC passes" replied '550 5\.7\.20 '

# A user who logs in from elsewhere is one of ours: Postfix takes the login from XCLIENT.
outside --client 198.51.100.66 --login bob --from bob@ours.example < letter.eml
expect "a user who has logged in to be taken" replied 250
letter bob@ours.example > letter.eml
outside --client 198.51.100.66 --login bob --from bob@ours.example < letter.eml
delivered 7 > /dev/null
expect "his mail to be signed" log_says 'msg=signed .*action=accept .*author=bob@ours\.example'
passed
