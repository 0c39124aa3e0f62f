#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Mail of strangers is judged, with DNS that is signed: what passes is delivered with its results on
# top, what fails meets the policy of its owner and is copied to whom it may concern, DNS trouble
# loses no mail, and results that the message brought along in our name are gone.
. "$(dirname "$0")/common.inc"

mkdir -p /etc/countersign
"$countersign" keygen -d good.example -s june -D /etc/countersign > /dev/null
june=/etc/countersign/june.private
spf="v=spf1 ip4:192.0.2.1 -all"
# One octet of forged.example's key is another than its owner signed.
dns_forgery='/^june._domainkey.forged.example.*\tTXT/ s/k=rsa; p=./k=rsa; p=X/'
start_signed_dns << END
$(dns_key june._domainkey.good.example $june)
$(dns_txt good.example "$spf")
$(dns_txt _dmarc.good.example "v=DMARC1; p=reject")
$(dns_txt none.example "$spf")
$(dns_txt _dmarc.none.example "v=DMARC1; p=none")
$(dns_txt quarantine.example "$spf")
$(dns_txt _dmarc.quarantine.example "v=DMARC1; p=quarantine")
$(dns_txt reject.example "$spf")
$(dns_txt _dmarc.reject.example "v=DMARC1; p=reject")
$(dns_key june._domainkey.forged.example $june)
END
settings() {
  cat << END
[daemon]
sockets = ["inet:8891@127.0.0.1"]
[signing]
mode = "verify"
[dns]
trust_anchor_file = "$work/example.ds"
[judging.actions]
$*
END
}
settings > /etc/countersign/countersign.toml
mkdir -p /run/countersign  # As the unit file has it.
serve_beside_postfix
# act SETTINGS-OF-ACTIONS : the daemon judges by them from here on.
act() {
  settings "$*" > /etc/countersign/countersign.toml
  reload_countersign
}
signed() { letter "alice@$1" | "$countersign" sign -d "$1" -s june -k $june; }

# --- pass -----------------------------------------------------------------------------------------
signed good.example > letter.eml
outside --client 192.0.2.1 --name relay.good.example --from alice@good.example < letter.eml
expect "a letter with all in order to be taken" replied 250
mail=$(delivered 1)
expect "SPF to pass" result "$mail" "spf=pass smtp.mailfrom=alice@good\.example"
expect "DKIM to pass" result "$mail" "dkim=pass header.d=good\.example header.s=june"
expect "DMARC to pass" result "$mail" "dmarc=pass .*header.from=good\.example"
expect "the client's name to be told" result "$mail" "iprev=pass policy.iprev=192\.0\.2\.1"
expect "one field" test "$(fields "$mail" Authentication-Results | wc -l)" = 1
expect "our field above all of the letter" \
  bash -c "sed '/^DKIM-Signature/,\$d' '$mail' | grep -q '^Authentication-Results: mx.example;'"
expect "the signature untouched" verifies "$mail" 1

outside --client 198.51.100.66 --from bounces@none.example < letter.eml
mail=$(delivered 2)
expect "DKIM alone to be enough" result "$mail" "spf=fail.*dkim=pass.*dmarc=pass"
letter bob@good.example > letter.eml
outside --client 192.0.2.1 --from bob@good.example < letter.eml
mail=$(delivered 3)
expect "SPF alone to be enough" result "$mail" "spf=pass.*dkim=none.*dmarc=pass"

# --- fail -----------------------------------------------------------------------------------------
attack() { letter "alice@$1" | outside --client 198.51.100.66 --from "alice@$1"; }
attack none.example
mail=$(delivered 4)
expect "p=none to be delivered, with the failure" result "$mail" \
  "spf=fail.*dmarc=fail .*policy.dmarc=none header.from=none\.example"

attack quarantine.example
expect "a letter for quarantine to be taken" replied 250
queue_id=$(sed -n 's/.* queued as //p' reply)
expect "it in the hold queue" is_held
expect "its results there" bash -c "postcat -q $queue_id |
  grep -A 8 '^Authentication-Results: mx.example;' | grep 'policy.dmarc=quarantine'"
expect "the reason in the log of the filter" \
  grep -E "queue_id=$queue_id action=quarantine .*rule=dmarc_quarantine" "$work/countersign.log"

"$countersign" explain "$queue_id" > explained
expect "its explanation to begin with the message" grep -E "^$queue_id  finished 20" explained
expect "the record that decided" grep -E "^    v=spf1 ip4:192\.0\.2\.1 -all" explained
expect "the term that decided" grep -E "^    - -all: matched" explained
expect "the policy" grep -E "^  policy of quarantine\.example by p=: quarantine" explained
expect "what was done" grep -E "^action: quarantine" explained
expect "what DNS was asked" grep -E "^  _dmarc\.quarantine\.example TXT: records" explained

attack reject.example
expect "p=reject to be refused" replied '550 5\.7\.26 .*reject\.example'
queue_id=$(sed -n 's/.* \([0-9A-Za-z]*\): milter-reject: .*reject\.example.*/\1/p' /var/log/maillog)
"$countersign" explain --json "$queue_id" > explained
expect "what was refused to be explained, too" \
  grep -E '"dmarc":\{"result":"fail".*"reply":"550 5\.7\.26 ' explained
expect "it on top of the list" bash -c "'$countersign' explain --last 1 |
  head -n 1 | grep -E '  $queue_id .* reject .*alice@reject.example .*dmarc=fail'"
expect_not "anybody but the daemon to get at the socket" \
  setpriv --reuid=5000 --regid=5000 --clear-groups "$countersign" explain --last
{ signed good.example && echo "And more."; } > letter.eml
outside --client 198.51.100.66 --from alice@good.example < letter.eml
expect "a broken signature not to be refused for the policy alone" replied 250
expect "it in the hold queue, too" is_held
act 'dmarc_reject = "reject"'
outside --client 198.51.100.66 --from alice@good.example < letter.eml
expect "it to be refused where the policy alone decides" replied '550 5\.7\.26 .*good\.example'
expect "nothing of these delivered" test "$(mails | wc -l)" = 4

# --- DNS in trouble -------------------------------------------------------------------------------
attack broken.example
expect "SERVFAIL to lose no mail" replied 250
mail=$(delivered 5)
expect "the trouble to be told" result "$mail" "spf=temperror.*dmarc=temperror"
signed forged.example > letter.eml
outside --client 192.0.2.1 --from alice@good.example < letter.eml
mail=$(delivered 6)
expect "a key that DNSSEC disproves not to pass" \
  result "$mail" "dkim=[a-z]*error reason=\"?key_not_trusted"
act 'dmarc_temperror = "tempfail"
bad_key = "reject"'
attack broken.example
expect "the client to come again" replied '451 4\.4\.3 .*broken\.example'
outside --client 192.0.2.1 --from alice@good.example < letter.eml
expect "the forged key to be refused" replied '550 5\.7\.20 '

# --- results that others wrote --------------------------------------------------------------------
cat > letter.eml << 'END'
Authentication-Results: mx.example; dmarc=pass header.from=bank.example
Authentication-Results: first.example; spf=pass smtp.mailfrom=a.example
Received: from a.example by first.example; Mon, 2 Jun 2025 10:00:00 +0000
AUTHENTICATION-RESULTS: MX.Example; dkim=pass header.d=bank.example
Authentication-Results:
 mx.example;
 dkim=pass header.d=bank.example
Authentication-Results: (of ours) mx.example / 1; spf=pass smtp.mailfrom=bank.example
Authentication-Results: "mx.example" 1 ; none
Authentication-Results: mx.example.first.example; dkim=pass header.d=other.example
From: alice@good.example
To: user@rcpt.example
Subject: results of others
Date: Mon, 2 Jun 2025 10:00:00 +0000
Message-ID: <2@client.example>
Authentication-Results: last.example 1; dmarc=pass header.from=good.example
authentication-results: mx.example 1; none
BIMI-Indicator: PHN2Zz48L3N2Zz4=

Hello.
END
outside --client 192.0.2.1 --from alice@good.example < letter.eml
mail=$(delivered 7)
fields "$mail" Authentication-Results > found
expect "our results, made by us" grep -E '^Authentication-Results: mx.example; .*spf=pass' found
sed '1d' found > others
cat > wanted << 'END'
Authentication-Results: first.example; spf=pass smtp.mailfrom=a.example
Authentication-Results: mx.example.first.example; dkim=pass header.d=other.example
Authentication-Results: last.example 1; dmarc=pass header.from=good.example
END
expect "those of others alone, in order" diff wanted others
expect_not "a logo that a stranger wants shown" grep -i '^BIMI-Indicator' "$mail"
grep -Eiv '^(Authentication-Results|BIMI|[[:space:]])' letter.eml > wanted
sed -n '/^Received: from a.ex/,$p' "$mail" | grep -Ev '^(Authentication-Results|\s)' > found
expect "all else of the message in place" diff wanted found

# --- copies of what fails -------------------------------------------------------------------------
copies='[judging]
copies_failures_to = "failures@rcpt.example"
[judging.results]
software_header = true'
act 'dmarc_quarantine = "accept"' "
$copies"
attack quarantine.example
expect "failing mail to be taken" replied 250
queue_id=$(sed -n 's/.* queued as //p' reply)
mail=$(delivered 9)
for recipient in user failures; do
  grep -rlx "Delivered-To: $recipient@rcpt.example" "$work/mail" | xargs grep -l "$queue_id" > found
  expect "the letter for $recipient" test "$(wc -l < found)" = 1
done
expect "the filter named below the results" bash -c "sed -n '/^Authentication-Results: mx/,\$p' \
  '$mail' | grep -x 'DMARC-Filter: countersign v[0-9.]* mx.example $queue_id'"
attack none.example
letter alice@good.example | outside --client 192.0.2.1 --from alice@good.example
delivered 11 > mail
expect "one copy of what fails p=none and of what passes" \
  test "$(grep -rlx "Delivered-To: failures@rcpt.example" "$work/mail" | wc -l)" = 1
act "$copies"
attack quarantine.example
expect "failing mail to be held" is_held
queue_id=$(sed -n 's/.* queued as //p' reply)
expect "it to have one recipient more" bash -c "postcat -eq $queue_id |
  grep -x 'recipient: failures@rcpt.example'"
act 'dmarc_reject = "reject"' "
$copies"
attack reject.example
expect "what is refused to go to nobody" replied '550 5\.7\.26 '
expect "no more mail than that" test "$(mails | wc -l)" = 11
passed
