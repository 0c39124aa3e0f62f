#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Several domains with keys of their own over an inet socket, one of them with an RSA and an Ed25519
# signature, one without a key; the tables are those of the classic OpenDKIM how-to.
. "$(dirname "$0")/common.inc"

keys=/etc/opendkim/keys
mkdir -p "$keys"/{one,two}.example
openssl genrsa -out "$keys/one.example/mail.private" 2048 2> /dev/null
openssl genrsa -out "$keys/two.example/rsa.private" 2048 2> /dev/null
openssl genpkey -algorithm ed25519 -out "$keys/two.example/ed.private"
chmod 700 "$keys"
chmod 600 "$keys"/*/*.private
ed_public=$(openssl pkey -in "$keys/two.example/ed.private" -pubout -outform DER |
  tail -c 32 | base64 -w0)
start_dns << END
$(dns_key mail._domainkey.one.example "$keys/one.example/mail.private" "v=DKIM1; k=rsa; ")
$(dns_key rsa._domainkey.two.example "$keys/two.example/rsa.private" "v=DKIM1; k=rsa; ")
$(dns_txt ed._domainkey.two.example "v=DKIM1; k=ed25519; p=$ed_public")
END

cat > /etc/opendkim/KeyTable << END
mail._domainkey.one.example one.example:mail:$keys/one.example/mail.private
rsa._domainkey.two.example two.example:rsa:$keys/two.example/rsa.private
ed._domainkey.two.example two.example:ed:$keys/two.example/ed.private
END
cat > /etc/opendkim/SigningTable << END
*@one.example mail._domainkey.one.example
*@two.example rsa._domainkey.two.example
*@two.example ed._domainkey.two.example
END
printf '127.0.0.1\nlocalhost\n192.168.0.1/24\n*.one.example\n' > /etc/opendkim/TrustedHosts
cat > /etc/opendkim.conf << END
Canonicalization   relaxed/simple
Mode               s
KeyTable           refile:/etc/opendkim/KeyTable
SigningTable       refile:/etc/opendkim/SigningTable
ExternalIgnoreList refile:/etc/opendkim/TrustedHosts
InternalHosts      refile:/etc/opendkim/TrustedHosts
MultipleSignatures yes
OversignHeaders    From
Socket             inet:8891@localhost
END
start_countersign -x /etc/opendkim.conf -f
wait_for 10 "the filter" bash -c 'exec 3<> /dev/tcp/127.0.0.1/8891'
start_postfix milter_protocol=6 milter_default_action=tempfail \
  smtpd_milters=inet:localhost:8891 non_smtpd_milters=inet:localhost:8891

submit --from alice@one.example
mail=$(delivered 1)
expect "one signature for one.example" verifies "$mail" 1
expect "its selector" bash -c "sed '/^\$/q' '$mail' | grep -q 's=mail'"

submit --from bob@two.example
mail=$(delivered 2)
# Debian's Mail::DKIM knows Ed25519 from 1.20 on only; dkimpy must verify both signatures.
expect "two signatures for two.example" /usr/bin/python3 "$e2e_dir/lib/verify_dkimpy.py" "$mail" 2
algorithms=$(header_of "$mail" | grep -o 'a=[a-z0-9-]*' | head -n 2 | tr '\n' ' ')
expect "the RSA signature above the Ed25519 one" \
  test "$algorithms" = "a=rsa-sha256 a=ed25519-sha256 "

submit --from carol@three.example
mail=$(delivered 3)
expect_not "a signature for a domain without a key" is_signed "$mail"

submit --from dave@one.example --header 'From: eve@two.example'
submit --from dave@one.example --h-From 'dave@one.example' --add-header 'From: eve@two.example'
mail=$(delivered 5)
expect_not "a signature on a message with two authors' fields" is_signed "$mail"
expect "warnings that name the lines which OpenDKIM misreads" \
  grep -Eq 'TrustedHosts:(3|4)' "$work/countersign.log"
passed
