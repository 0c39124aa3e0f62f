#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Mail that does not come straight from its author: through lists, forwarders and sealers, trusted
# ones and others; bounces, mail to several users, and mail of authors whose domain is written in
# Unicode.
. "$(dirname "$0")/common.inc"

mkdir -p /etc/countersign
"$countersign" keygen -d good.example -s june -D /etc/countersign > /dev/null
june=/etc/countersign/june.private
buecher=xn--bcher-kva.example
start_signed_dns << END
$(for domain in good.example list.example sealer.example stranger.example $buecher; do
  dns_key june._domainkey."$domain" $june
done)
$(dns_txt good.example "v=spf1 ip4:192.0.2.1 -all")
$(dns_txt _dmarc.good.example "v=DMARC1; p=reject")
$(dns_txt relay.good.example "v=spf1 ip4:192.0.2.1 -all")
$(dns_txt $buecher "v=spf1 ip4:192.0.2.1 -all")
$(dns_txt _dmarc.$buecher "v=DMARC1; p=reject")
$(dns_txt list.example "v=spf1 ip4:203.0.113.5 -all")
$(dns_txt _dmarc.list.example "v=DMARC1; p=reject")
$(dns_txt forwarder.example "v=spf1 ip4:203.0.113.6 -all")
$(dns_txt sealer.example "v=spf1 ip4:203.0.113.7 -all")
END
cat > /etc/countersign/countersign.toml << END
[daemon]
sockets = ["inet:8891@127.0.0.1"]
[signing]
mode = "verify"
[dns]
trust_anchor_file = "$work/example.ds"
[judging.trust]
forwarders = ["forwarder.example"]
sealers = ["sealer.example"]
END
serve_beside_postfix

sign() { "$countersign" sign -d "$1" -s june -k $june; }
log_says() { tail -n 1 "$work/countersign.log" | grep -E "$1"; }
letter alice@good.example | sign good.example > letter.eml
# passed_on < LETTER : as a list passes it on.
passed_on() {
  echo "List-Id: <news.list.example>"
  sed 's/^Subject: /&[news] /'
  echo "-- of the list"
}

# --- forwarders and lists -------------------------------------------------------------------------
outside --client 203.0.113.50 --from alice@good.example < letter.eml
mail=$(delivered 1)
expect "the author's signature to survive a forwarder" \
  result "$mail" "spf=fail.*dkim=pass.*dmarc=pass"

passed_on < letter.eml > list.eml
outside --client 203.0.113.5 --from bounces@list.example < list.eml
expect "mail of a list to be put aside, and not refused" is_held
expect "the reasons in the log" log_says 'dkim=fail .*dmarc=fail policy=reject .*override=.*local_p'
sed 's/^From: .*/From: alice via news <news@list.example>/' list.eml | sign list.example |
  outside --client 203.0.113.5 --from bounces@list.example
mail=$(delivered 2)
expect "mail in the list's own name to pass" \
  result "$mail" "spf=pass.*dkim=pass header.d=list.*dkim=fail.*dmarc=pass.*from=list\.example"

outside --client 203.0.113.6 --from 'srs0=x=good.example=alice@forwarder.example' < list.eml
mail=$(delivered 3)
expect "a forwarder who is trusted to be believed" result "$mail" "spf=pass.*dmarc=fail"
expect "the reason in the log" \
  log_says 'override="trusted_forwarder \(authenticated as forwarder\.example\)"'
outside --client 203.0.113.66 --from bounces@forwarder.example < list.eml
expect "whoever only claims to be he not to be believed" is_held

# --- sealers --------------------------------------------------------------------------------------
# sealed DOMAIN DMARC-RESULT : the list's letter, sealed by that domain, which found this result.
sealed() {
  {
    echo "Authentication-Results: mx.$1; dmarc=$2 header.from=good.example"
    cat list.eml
  } | "$countersign" arc seal -d "$1" -s june -k $june --authserv-id "mx.$1"
}
sealed sealer.example pass > sealed.eml
outside --client 203.0.113.7 --from news@sealer.example < sealed.eml
mail=$(delivered 4)
expect "a sealer who is trusted to be believed" result "$mail" "arc=pass .*dmarc=fail"
expect "the reason in the log" log_says 'override="trusted_forwarder \(arc=pass as\[1\]\.d=sealer'
# An independent implementation seals the same letter.
{ echo "Authentication-Results: mx.sealer.example; dmarc=pass header.from=good.example" &&
  cat list.eml; } | /usr/bin/python3 "$e2e_dir/lib/seal_dkimpy.py" sealer.example june $june |
  outside --client 203.0.113.7 --from news@sealer.example
mail=$(delivered 5)
expect "what dkimpy sealed to be believed" result "$mail" "arc=pass .*dmarc=fail"

{ cat sealed.eml && echo "More."; } | outside --client 203.0.113.7 --from news@sealer.example
expect "what was changed behind the seal to be put aside" is_held
expect "the broken chain in the log" log_says ' arc=fail '
sealed stranger.example pass | outside --client 203.0.113.8 --from news@stranger.example
expect "the seal of a stranger to prove nothing" is_held
expect "his chain valid all the same" log_says ' arc=pass '
sealed sealer.example fail | outside --client 203.0.113.7 --from news@sealer.example
expect "a failure that the sealer found to count" is_held

# --- bounces, several recipients, Unicode ---------------------------------------------------------
letter mailer-daemon@good.example |
  outside --client 192.0.2.1 --helo relay.good.example --from ""
mail=$(delivered 6)
expect "a bounce to be judged by the name of the client" result "$mail" \
  "spf=pass smtp.helo=relay\.good\.example; dkim=none; dmarc=pass .*from=good\.example"
letter mailer-daemon@good.example | outside --client 192.0.2.66 --helo relay.good.example --from ""
expect "a forged bounce to be refused" replied '550 5\.7\.26 '

outside --client 192.0.2.1 --from alice@good.example --to a@rcpt.example --to b@rcpt.example \
  --to c@rcpt.example < letter.eml
delivered 9 > /dev/null
expect "one judgement for all" test "$(grep -c 'msg=judged' "$work/countersign.log")" = 13
for mail in $(find "$work/mail" -path '*/new/*' -printf '%T@ %p\n' | sort -n | tail -n 3 |
  cut -d ' ' -f 2); do
  expect "the results for each" result "$mail" "spf=pass .*dmarc=pass"
  expect "once" test "$(fields "$mail" Authentication-Results | wc -l)" = 1
done

letter 'Jörg <jörg@bücher.example>' | sign $buecher |
  outside --client 192.0.2.1 --from 'jörg@bücher.example' --smtputf8
mail=$(delivered 10)
expect "Unicode to pass as A-labels" result "$mail" \
  "spf=pass smtp.mailfrom=.*$buecher.*dkim=pass header.d=$buecher.*dmarc=pass.*from=$buecher"
letter 'jörg@bücher.example' | outside --client 192.0.2.66 --from 'jörg@bücher.example' --smtputf8
expect "a forgery of it to be refused" replied "550 5\.7\.26 .*$buecher"
passed
