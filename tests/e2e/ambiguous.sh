#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Mail made to be read in two ways: the filter reads one author, the reader's program shows another.
# Such mail never passes, though its SPF and its signature do, and what becomes of it is a setting.
. "$(dirname "$0")/common.inc"

mkdir -p /etc/countersign
"$countersign" keygen -d evil.example -s june -D /etc/countersign > /dev/null
june=/etc/countersign/june.private
start_dns << END
$(dns_key june._domainkey.evil.example $june)
$(dns_txt evil.example "v=spf1 ip4:192.0.2.66 -all")
$(dns_txt _dmarc.evil.example "v=DMARC1; p=none")
$(dns_txt _dmarc.bank.example "v=DMARC1; p=reject")
END
settings() {
  cat << END
[daemon]
sockets = ["inet:8891@127.0.0.1"]
[signing]
mode = "verify"
[judging.actions]
$*
END
}
settings > /etc/countersign/countersign.toml
serve_beside_postfix

signed() { "$countersign" sign -d evil.example -s june -k $june; }
letter mallory@evil.example | signed > plain.eml
# The second author is above the one that is signed, where some programs look.
{ echo "From: ceo@bank.example" && cat plain.eml; } > two_fields.eml
letter 'ceo@bank.example, mallory@evil.example' 'Sender: mallory@evil.example' > two_domains.eml
# As the first line Postfix would take it for that of a mailbox file, and so rename it.
{ printf 'X-First: 1\nFrom : ceo@bank.example\n' && cat plain.eml; } > space_before_colon.eml
sed 's/^From: .*/From: <ceo@bank.example> <mallory@evil.example>/' plain.eml > two_addresses.eml
cases="two_fields two_domains space_before_colon two_addresses"
attack() { outside --client 192.0.2.66 --from mallory@evil.example < "$1.eml"; }
told() { tail -n 1 "$work/countersign.log" | grep -E "$1"; }

attack plain
expect "the plain letter to pass" result "$(delivered 1)" "spf=pass.*dkim=pass.*dmarc=pass"

for case in $cases; do
  attack "$case"
  expect "$case to be put aside" is_held
  expect "$case to be ambiguous" told 'dmarc=permerror .*ambiguity=.* rule=ambiguous'
done
expect "the second field to be why" \
  grep -E 'action=quarantine .*ambiguity=".*author.*From.*"' "$work/countersign.log"
expect "both domains in the log" grep -E 'bank\.example and evil\.example' "$work/countersign.log"

settings 'ambiguous = "reject"' > /etc/countersign/countersign.toml
reload_countersign
for case in $cases; do
  attack "$case"
  expect "$case to be refused" replied '550 5\.7\.1 '
done
expect "nothing of it delivered" test "$(mails | wc -l)" = 1

settings 'ambiguous = "accept"' > /etc/countersign/countersign.toml
reload_countersign
count=1
for case in $cases; do
  attack "$case"
  count=$((count + 1))
  mail=$(delivered $count)
  expect "$case to be marked" result "$mail" "dmarc=permerror reason="
  expect_not "$case to name an author" \
    bash -c "sed '/^\$/q' '$mail' | grep -i 'header.from='"
done

# --- NUL -----------------------------------------------------------------
{ letter mallory@evil.example && printf 'NUL \0 here\n'; } | signed > nul_body.eml
attack nul_body
expect "NUL in a body to pass by default" replied 250
settings 'bare_line_end = "reject"' > /etc/countersign/countersign.toml
reload_countersign
attack nul_body
expect "NUL in a body to be refused" replied '550 5\.6\.0 '
# Postfix ends a field at NUL when it tells a milter, so that no filter ever sees what is behind it;
# this is what helps.
sed 's/^From: .*/&\x00, ceo@bank.example/' plain.eml > nul_header.eml
postconf -e 'message_reject_characters=\0'
postfix reload >> "$work/postfix.log" 2>&1
refused() { attack nul_header && replied '550 5\.7\.1 .*disallowed'; }
wait_for 10 "Postfix to refuse NUL in a header" refused
expect "the filter not to be asked" \
  test "$(tail -n 1 "$work/countersign.log" | grep -c 'rule=bare_line_end')" = 1
passed
