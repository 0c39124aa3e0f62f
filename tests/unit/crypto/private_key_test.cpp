// SPDX-License-Identifier: Apache-2.0
//
// Private keys: every form in which operators have them, what is refused, and the round trip
// generate → PEM → parse → sign → verify. The keys were made for these tests, those of RFCs apart.

#include "countersign/crypto/private_key.hpp"

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/support/der.hpp"
#include "tests/support/exact.hpp"

namespace countersign::crypto {
namespace {

using test::exact;
using test::from_hex;

const Limits limits;
const Sha256 digest = sha256("Hi.\r\n");

// One RSA key of 1024 bits in both forms.
constexpr std::string_view rsa_pkcs1 = R"(-----BEGIN RSA PRIVATE KEY-----
MIICXAIBAAKBgQDcV4eVxhnKOpyUlornuepnfP7f58wTc6sgTqnOnsS19OhGQaJE
peaHhuHS5kaKyiDu4bcFjqCabVXhSUEuftistqTE85rp6n49iKwfp01KbI+gKPLY
BCIe9Lv6XLB3cNbznm1eI6IpISBa3y3x7OoftsdlJkFgJntn4tsOLc+3dwIDAQAB
AoGAMeIrEvBfZFYynr0aQ23msHku5pf+rqSwKEdG0D1HgX4pm8Y+K1Z3w1T5CRsS
+1bZb9tv6PUqTOvV1oQUGqei+8NeARvlVg44TRlixq0TKRe0hBYnPL+rykCfLwvv
OSuI23I8rxel7smVfQf4bnh8jyIZzX5j6a20Q5lbAQlmexECQQD2M5brgCGLqmcv
3dTpuEKxQq7BNfQ5rxxii+NMkDLeqnd4L+SKQvdrXVCElnFfK7hjMwY2avH3C7nF
L5raiD9ZAkEA5Rx4jdnoa0diBlVFK4dLAgg5J1tjYw2S+zTXOHYsrZt/ohItuhFs
Eml2pnwhI7vScjlctS8Hgyvzy3XjBZMjTwJABUNbEZO+o9azuAE9APYQbuunArhd
jTIiIDUvWb6nZ70rKqWTdCU0VtY612rD563ulihMFLO6knZstTtsSwmomQJBAMTb
pL4FiQ18hT55z/gpxIpXdHxbqtb2V99etLo/1/3HiXBBfGbPB3P+iENejr78aENb
BExtv1+2yUB953XnykMCQCEqjYswFpJgBLrLkSHQYPolmhVXwwMv6sO8vtb3tG3G
1BXnvEcS3qivJA/hB/gF2yh45/XJTRFEFV1H8gTRZgc=
-----END RSA PRIVATE KEY-----
)";
constexpr std::string_view rsa_pkcs8 = R"(-----BEGIN PRIVATE KEY-----
MIICdgIBADANBgkqhkiG9w0BAQEFAASCAmAwggJcAgEAAoGBANxXh5XGGco6nJSW
iue56md8/t/nzBNzqyBOqc6exLX06EZBokSl5oeG4dLmRorKIO7htwWOoJptVeFJ
QS5+2Ky2pMTzmunqfj2IrB+nTUpsj6Ao8tgEIh70u/pcsHdw1vOebV4joikhIFrf
LfHs6h+2x2UmQWAme2fi2w4tz7d3AgMBAAECgYAx4isS8F9kVjKevRpDbeaweS7m
l/6upLAoR0bQPUeBfimbxj4rVnfDVPkJGxL7Vtlv22/o9SpM69XWhBQap6L7w14B
G+VWDjhNGWLGrRMpF7SEFic8v6vKQJ8vC+85K4jbcjyvF6XuyZV9B/hueHyPIhnN
fmPprbRDmVsBCWZ7EQJBAPYzluuAIYuqZy/d1Om4QrFCrsE19DmvHGKL40yQMt6q
d3gv5IpC92tdUISWcV8ruGMzBjZq8fcLucUvmtqIP1kCQQDlHHiN2ehrR2IGVUUr
h0sCCDknW2NjDZL7NNc4diytm3+iEi26EWwSaXamfCEju9JyOVy1LweDK/PLdeMF
kyNPAkAFQ1sRk76j1rO4AT0A9hBu66cCuF2NMiIgNS9ZvqdnvSsqpZN0JTRW1jrX
asPnre6WKEwUs7qSdmy1O2xLCaiZAkEAxNukvgWJDXyFPnnP+CnEild0fFuq1vZX
3160uj/X/ceJcEF8Zs8Hc/6IQ16OvvxoQ1sETG2/X7bJQH3ndefKQwJAISqNizAW
kmAEusuRIdBg+iWaFVfDAy/qw7y+1ve0bcbUFee8RxLeqK8kD+EH+AXbKHjn9clN
EUQVXUfyBNFmBw==
-----END PRIVATE KEY-----
)";

// The same key under the passphrase "x".
constexpr std::string_view rsa_pkcs1_encrypted = R"(-----BEGIN RSA PRIVATE KEY-----
Proc-Type: 4,ENCRYPTED
DEK-Info: AES-128-CBC,B5BDE6E1954475CE8BD9013987B94BA4

KQZU7y4h9jQLQuzUc83m2Bl1gCC6N/kb15vr36wuwPp+YBNim8wYGvuCcTa9qb0O
WMEHyp+AhXh/gl6jB9QbZXjYJMjzmnUfaYnAiQJBpk7HXJG6mLaaHhfSorjpH5s/
xiI+QRT9U2R/MLftnSupJPqcBLAYB+QoIcQW/CKDA5o1JhSlK95UfzvjDnQXsvAY
UJufV0a41db7bAc6YcIhhow4+JrZWJv5zk/8km3gmCWiohgbeoyaxkC+Qw/Tw95T
I4Cs4BAJ3ntvSALQv9w+nNECeFRTV2guMfXizoCxJgRBAeSXDzdR0IAUgDnb/eSR
HPvcPRTsSevChA8nwmeP8443o/uN/u87bdG2+9YTm13/oz/myktGvvB7vK5g4JZz
Hm59iHXpRsmyRp8UpRigCTGExUp/vqQxPUOB0YkJSWUeOrJskEG9PXaz5/Ujd3xc
kueq+SsVFVv2vsD6WSsnexrybvbG1K2mfdzr2nVgOXPVBflt9//oL9Oz+YpwDttC
LH6rSOWQpoFzuZSQMQJH0MN0RlaxAvtziuwfpaZPinBKX7fraF0AscJCK8IiH72w
nu3TNGFdju+Uhjs0axPwEhmY1IYnoBwNqELLYx4BDBqC4peQMaIg+6yYmwZeDAOk
e9BoeKpLKGg8nCgzxyux1EjoyrRiMb1cHPREU1mnsl6OuofhHzbRGWpdq8+wMLeH
MxbripZHZB2z2YGSDTyZi+Dei7GkCmEW3ziL0eerJE5C/6327KHlip+mhGnLLJPQ
dWRxErMgfDAHQB5CIbiCczhZnrZ4AvtqQjEUhn9cPqkmw7FeggEUlmPfr3ng9qVn
-----END RSA PRIVATE KEY-----
)";
constexpr std::string_view rsa_pkcs8_encrypted = R"(-----BEGIN ENCRYPTED PRIVATE KEY-----
MIIC3TBXBgkqhkiG9w0BBQ0wSjApBgkqhkiG9w0BBQwwHAQIQMi7kp7LkncCAggA
MAwGCCqGSIb3DQIJBQAwHQYJYIZIAWUDBAECBBDoNLE3SvggRvXUlTA9S1usBIIC
gDOlMRklrnHYmQMm8IxroLBXL/SCb/682ufQpAqseicIyA3/FpM1031CaAjCu3Zv
Qg4i3iPygwmHHGgwL02PwHJ3Fpp8zhEyGYln6aKalDUo3QpfKibqR/vTv8bGWAGE
vc3WMJKKITaNJzKBw9xJYfhviFdg7UlPkFUwNdcHTG28D3E0z6sGyo0jFz6Byb3Z
Bq+u57OBra5zIzdWaHOb2uhRrLXk2BclZVCpKKBP+NIZnHG0cRRux/40zj4n7Zbq
MFqoJGWMSVftkYQpLrnyF55y2KEC/13k3l83fclcxvJbhFr+UVQmV6w9L05eqbGC
0E0rl58wy0bsvNLe/9bzEy4HNziDgY/TQqXi7o+Taq27SNIDUh3TOnosGLSKccsN
VSlZeFjm6B77HGJTbuh/qRpXG0xKpDRbwtbq+9rtCKX2/zjUwUw4/wVtTjMwj2tF
lNDn+FF38HGrATSNMTJVHgHct+S1WOeE4L3z7Zy38z9Sr+U5LF2GzJKz5WAV0+mU
M63yzHlfOiurhxXqI9zSSjvEd05JT6NGS6BfSQCtz0OoGMMtg+sioMInOnlbjn72
kUmcnGkGYjJIrx5F3xJb5SwNVsJhWGVQeDq3crC1ATFPLIxu9BIwroEVUoOnIXDv
EMiBIItOCFi6NO5n9lwnxps/cGzwKwNHX7lQduVpCz9tqbgY4Z0Xav2wnmkS77kK
ZnyzCZpbko/Fh1EDNMF31XAivwvYsDk/DlqKJJ5Krgy9kHo5As+Q9IWwdQCntyDH
KKgoBxzf4Wr7yPtsZsTDlABf6+a0TvcjWw78qiyMq8HWB3+7FLTDzFInRVoDYLSq
ybZVxYPhdRHpQ3fLB8l7fhc=
-----END ENCRYPTED PRIVATE KEY-----
)";

constexpr std::string_view rsa_512 = R"(-----BEGIN RSA PRIVATE KEY-----
MIIBOwIBAAJBALBXARt0H8+C+A2gWbf4YCyjOrsRYbYLYdsOEAszxu2nSeIeYE+x
UsOShEnEDdBUjrgk7RmL7qkaAPL12iLjECsCAwEAAQJBAItprclrrH6dt8jmHihx
aG/B+PvOiSaopwvNeWex3rMhv3wZUqQKL0xR0bG2HNSXxuQ/miXeUlYiwCX01BvC
3ekCIQDi5Vu3JQwR/Mt8cS8vojkza0ujQ0ST1fx4FrvKb2OH9wIhAMb1hePDYfoQ
x+Zxe1sKqcYrqJ/EEIAhd4QQbAhgPDRtAiEAuEG0Em22eKEHCp7Lx+4Ab75RZVsK
RNgAt/EWPZXpiQ8CIDUMTdC2za7hPouBAoT5yN6f0WwX2NZxFe7Oeh+ZmTPZAiAt
FypXoeaL6he0DcrGYWrphU6NrchYUGjIEeaukikt+A==
-----END RSA PRIVATE KEY-----
)";
constexpr std::string_view ec_sec1 = R"(-----BEGIN EC PARAMETERS-----
BggqhkjOPQMBBw==
-----END EC PARAMETERS-----
-----BEGIN EC PRIVATE KEY-----
MHcCAQEEII8oPYAoIIESuQhDKcYRodM2jBBKV+HAoj2ez4HUfHfmoAoGCCqGSM49
AwEHoUQDQgAEwjzEhvSU6q78yg+9STWBhTlF1YgyHlz9Kzl7FF2yfi5sP90rBDKM
zOU4+F0E8pUwc6sSI5XxCDPh/OnZ1dglwA==
-----END EC PRIVATE KEY-----
)";
constexpr std::string_view ec_pkcs8 = R"(-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgjyg9gCgggRK5CEMp
xhGh0zaMEEpX4cCiPZ7PgdR8d+ahRANCAATCPMSG9JTqrvzKD71JNYGFOUXViDIe
XP0rOXsUXbJ+Lmw/3SsEMozM5Tj4XQTylTBzqxIjlfEIM+H86dnV2CXA
-----END PRIVATE KEY-----
)";

// RFC 8410 §10.3: the seed alone, and the same with an attribute and the public key.
constexpr std::string_view ed25519_pkcs8 = R"(-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
-----END PRIVATE KEY-----
)";
constexpr std::string_view ed25519_pkcs8_v2 = R"(-----BEGIN PRIVATE KEY-----
MHICAQEwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
oB8wHQYKKoZIhvcNAQkJFDEPDA1DdXJkbGUgQ2hhaXJzgSEAGb9ECWmEzf6FQbrB
Z9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PRIVATE KEY-----
)";
const std::string ed25519_seed =
    from_hex("d4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f44755842");
const std::string ed25519_public =
    from_hex("19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1");

PublicKey public_half(const PrivateKey& key) {
  const std::string octets = key.public_octets();
  const auto half = key.type() == KeyType::rsa ? PublicKey::parse_rsa(octets, limits)
                                               : PublicKey::parse_ed25519(octets);
  EXPECT_TRUE(half.has_value());
  return half.value();
}

/// The key in a text that has one.
PrivateKey ok(std::string_view pem) {
  const auto key = PrivateKey::parse_pem(exact(pem).view(), limits);
  EXPECT_TRUE(key.has_value()) << to_string(key.error()) << "\n" << pem;
  return key.value();
}

/// Why there is no key in a text.
KeyError bad(std::string_view pem) {
  const auto key = PrivateKey::parse_pem(exact(pem).view(), limits);
  EXPECT_FALSE(key.has_value()) << pem;
  EXPECT_EQ(ERR_peek_error(), 0U);
  return key.has_value() ? KeyError{} : key.error();
}

/// Why there is no key in octets.
KeyError bad_der(std::string_view der) {
  const auto key = PrivateKey::parse_der(exact(der).view(), limits);
  EXPECT_FALSE(key.has_value());
  EXPECT_EQ(ERR_peek_error(), 0U);
  return key.has_value() ? KeyError{} : key.error();
}

/// The octets inside the one block of a PEM text.
std::string inside(std::string_view pem) {
  const std::size_t begin = pem.find("-----\n") + 6;
  std::string base64(pem.substr(begin, pem.find("-----END") - begin));
  std::erase(base64, '\n');
  std::string octets(base64.size() / 4 * 3, '\0');
  EVP_DecodeBlock(reinterpret_cast<unsigned char*>(octets.data()),
                  reinterpret_cast<const unsigned char*>(base64.data()),
                  static_cast<int>(base64.size()));
  octets.resize(octets.size() - static_cast<std::size_t>(std::ranges::count(base64, '=')));
  return octets;
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
  return text;
}

TEST(PrivateKey, ComesBackFromItsOwnPem) {
  for (const KeyType type : {KeyType::rsa, KeyType::ed25519}) {
    const auto made = PrivateKey::generate(type, 1024, limits);
    ASSERT_TRUE(made.has_value());
    const auto read = PrivateKey::parse_pem(exact(made->to_pem()).view(), limits);
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(read->type(), type);
    EXPECT_EQ(read->bits(), type == KeyType::rsa ? 1024U : 256U);
    EXPECT_EQ(read->public_octets(), made->public_octets());
    EXPECT_EQ(read->sign(digest), made->sign(digest));
    EXPECT_TRUE(public_half(*made).verify(digest, read->sign(digest)));
    EXPECT_FALSE(public_half(*made).verify(sha256("Ho.\r\n"), read->sign(digest)));
  }
}

TEST(PrivateKey, ReadsBothFormsOfRsa) {
  const PrivateKey pkcs1 = ok(rsa_pkcs1);
  const PrivateKey pkcs8 = ok(rsa_pkcs8);
  EXPECT_EQ(pkcs1.type(), KeyType::rsa);
  EXPECT_EQ(pkcs1.bits(), 1024U);
  EXPECT_EQ(pkcs1.public_octets(), pkcs8.public_octets());
  EXPECT_EQ(pkcs1.sign(digest), pkcs8.sign(digest));
  EXPECT_EQ(pkcs1.sign(digest).size(), 128U);
}

TEST(PrivateKey, WritesRsaAsOpendkimGenkeyDoes) {
  EXPECT_EQ(ok(rsa_pkcs1).to_pem(), rsa_pkcs1);
  EXPECT_EQ(ok(rsa_pkcs8).to_pem(), rsa_pkcs1);
}

TEST(PrivateKey, ReadsAllFormsOfEd25519) {
  const auto seed = PrivateKey::parse_ed25519_seed(exact(ed25519_seed).view());
  ASSERT_TRUE(seed.has_value());
  for (const PrivateKey& key : {*seed, ok(ed25519_pkcs8), ok(ed25519_pkcs8_v2)}) {
    EXPECT_EQ(key.type(), KeyType::ed25519);
    EXPECT_EQ(key.bits(), 256U);
    EXPECT_EQ(key.public_octets(), ed25519_public);
    EXPECT_EQ(key.to_pem(), ed25519_pkcs8);
    EXPECT_TRUE(public_half(key).verify(digest, key.sign(digest)));
  }
}

TEST(PrivateKey, MakesTheEd25519SignatureOfRfc8463) {
  // RFC 8463 §A.3: the published seed, the digest of the signed header, the value of b=.
  const auto key = PrivateKey::parse_ed25519_seed(
      from_hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"));
  ASSERT_TRUE(key.has_value());
  EXPECT_EQ(key->public_octets(),
            from_hex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"));
  Sha256 header{};
  std::ranges::copy(from_hex("48ce9a2c710ece1710ff156996b836a7f45470e43efe5643074d6e1690ed62e7"),
                    header.begin());
  EXPECT_EQ(key->sign(header),
            from_hex("fe00ab8a7a5c40ea087ee1cd4086eae29821f64c882b701051db7d39da907a14"
                     "b084422e8380f5d41bac15addb4f7158e4eb14ed96e72842eaf9e5dda754350f"));
}

TEST(PrivateKey, ReadsDerAsWell) {
  for (const std::string_view pem : {rsa_pkcs1, rsa_pkcs8, ed25519_pkcs8}) {
    const std::string der = inside(pem);
    const auto key = PrivateKey::parse_der(exact(der).view(), limits);
    ASSERT_TRUE(key.has_value()) << pem;
    EXPECT_EQ(key->public_octets(), ok(pem).public_octets());
  }
}

TEST(PrivateKey, FindsItsPemAmongOtherText) {
  const std::string key(rsa_pkcs1);
  const std::string certificate = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
  const PrivateKey expected = ok(rsa_pkcs1);
  for (const std::string& text :
       {"default._domainkey of example.org\n\n" + key, key + "\ntrailing words", "\n\n\n" + key,
        certificate + key, key + certificate, key.substr(0, key.size() - 1),
        replaced(key, "\n", "\r\n"), replaced(key, "-----\n", "-----  \n"),
        key + std::string(rsa_512)}) {
    EXPECT_EQ(ok(text).public_octets(), expected.public_octets());
  }
}

TEST(PrivateKey, RefusesATextWithoutAKey) {
  const std::string key(rsa_pkcs1);
  EXPECT_EQ(bad(""), KeyError::bad_pem);
  EXPECT_EQ(bad(std::string_view()), KeyError::bad_pem);
  EXPECT_EQ(bad("no key"), KeyError::bad_pem);
  EXPECT_EQ(bad("-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----\n"), KeyError::bad_pem);
  EXPECT_EQ(bad(replaced(key, "END RSA", "END DSA")), KeyError::bad_pem);
  EXPECT_EQ(bad(replaced(key, "MIIC", "M*IC")), KeyError::bad_pem);
  EXPECT_EQ(bad(replaced(key, "-----BEGIN RSA PRIVATE KEY-----\n", "")), KeyError::bad_pem);
}

TEST(PrivateKey, RefusesATextCutOffAnywhere) {
  for (std::size_t size = 0; size + 6 < rsa_pkcs1.size(); ++size) {
    EXPECT_EQ(bad(rsa_pkcs1.substr(0, size)), KeyError::bad_pem) << size;
  }
}

TEST(PrivateKey, RefusesEncryptedKeysWithoutAsking) {
  EXPECT_EQ(bad(rsa_pkcs1_encrypted), KeyError::bad_pem);
  EXPECT_EQ(bad(rsa_pkcs8_encrypted), KeyError::bad_pem);
  EXPECT_EQ(bad_der(inside(rsa_pkcs8_encrypted)), KeyError::bad_der);
  // The first private key counts: another one behind it is not what the operator meant.
  EXPECT_EQ(bad(std::string(rsa_pkcs8_encrypted) + std::string(rsa_pkcs8)), KeyError::bad_pem);
}

TEST(PrivateKey, NamesOtherTypesOfKey) {
  EXPECT_EQ(bad(ec_sec1), KeyError::unsupported_type);
  EXPECT_EQ(bad(ec_pkcs8), KeyError::unsupported_type);
  EXPECT_EQ(bad("-----BEGIN DSA PRIVATE KEY-----\nMAA=\n-----END DSA PRIVATE KEY-----\n"),
            KeyError::unsupported_type);
  EXPECT_EQ(bad_der(inside(ec_pkcs8)), KeyError::unsupported_type);
  const std::string_view sec1 = ec_sec1.substr(ec_sec1.find("-----BEGIN EC PRIVATE"));
  EXPECT_EQ(bad_der(inside(sec1)), KeyError::unsupported_type);
}

TEST(PrivateKey, RefusesDerCutOffOrLeftOver) {
  for (const std::string_view pem : {rsa_pkcs1, rsa_pkcs8, ed25519_pkcs8}) {
    const std::string der = inside(pem);
    for (std::size_t size = 0; size < der.size(); ++size) {
      EXPECT_EQ(bad_der(der.substr(0, size)), KeyError::bad_der) << size;
    }
    EXPECT_EQ(bad_der(der + '\0'), KeyError::bad_der);
  }
}

TEST(PrivateKey, RefusesKeysTooShortOrTooLong) {
  EXPECT_EQ(bad(rsa_512), KeyError::key_too_small);
  const Limits narrow{.rsa_bits_max = 1023};
  EXPECT_EQ(PrivateKey::parse_pem(rsa_pkcs1, narrow).error(), KeyError::key_too_large);
  EXPECT_EQ(bad(std::string(limits.private_key_bytes_max, ' ') + std::string(rsa_pkcs1)),
            KeyError::key_too_large);
  EXPECT_EQ(bad_der(std::string(limits.private_key_bytes_max + 1, '\0')), KeyError::key_too_large);
}

TEST(PrivateKey, RefusesNumbersThatDoNotBelongTogether) {
  const std::string der = inside(rsa_pkcs1);
  std::string changed = der;
  changed[20] = static_cast<char>(changed[20] ^ 1);  // in the modulus
  EXPECT_EQ(bad_der(changed), KeyError::inconsistent);

  // Both the private exponent and a prime changed: neither way to sign is left.
  changed = der;
  changed[160] = static_cast<char>(changed[160] ^ 2);
  changed[300] = static_cast<char>(changed[300] ^ 2);
  EXPECT_EQ(bad_der(changed), KeyError::inconsistent);
}

TEST(PrivateKey, WantsThirtyTwoOctetsOfASeed) {
  for (std::size_t size = 0; size < 70; ++size) {
    const std::string seed(size, '\x07');
    EXPECT_EQ(PrivateKey::parse_ed25519_seed(exact(seed).view()).has_value(), size == 32) << size;
  }
  EXPECT_EQ(PrivateKey::parse_ed25519_seed("").error(), KeyError::bad_length);
  const std::string algorithm = from_hex("300506032b6570");
  const std::string short_seed = test::der_element(0x04, test::der_element(0x04, "short"));
  EXPECT_EQ(bad_der(test::der_sequence(test::der_unsigned("") + algorithm + short_seed)),
            KeyError::bad_length);
}

TEST(PrivateKey, GeneratesOnlyWithinTheLimits) {
  const auto made = [](unsigned bits) {
    return PrivateKey::generate(KeyType::rsa, bits, limits).error();
  };
  EXPECT_EQ(made(0), KeyError::key_too_small);
  EXPECT_EQ(made(1023), KeyError::key_too_small);
  EXPECT_EQ(made(8193), KeyError::key_too_large);
}

TEST(PrivateKey, GeneratesAnotherKeyEachTime) {
  const auto one = PrivateKey::generate(KeyType::ed25519, 0, limits);
  const auto other = PrivateKey::generate(KeyType::ed25519, 0, limits);
  EXPECT_NE(one->public_octets(), other->public_octets());
  EXPECT_FALSE(public_half(*other).verify(digest, one->sign(digest)));
}

TEST(PrivateKey, SignsWithModuliThatFillNoOctet) {
  const auto key = PrivateKey::generate(KeyType::rsa, 1027, limits);
  ASSERT_TRUE(key.has_value());
  EXPECT_EQ(key->bits(), 1027U);
  EXPECT_EQ(key->sign(digest).size(), 129U);
  EXPECT_TRUE(public_half(*key).verify(digest, key->sign(digest)));
}

TEST(PrivateKey, IsSharedByThreads) {
  const PrivateKey rsa = ok(rsa_pkcs1);
  const PrivateKey ed25519 = ok(ed25519_pkcs8);
  const std::string rsa_signature = rsa.sign(digest);
  const std::string ed25519_signature = ed25519.sign(digest);
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 50; ++round) {
        EXPECT_EQ(rsa.sign(digest), rsa_signature);
        EXPECT_EQ(ed25519.sign(digest), ed25519_signature);
      }
    });
  }
}

}  // namespace
}  // namespace countersign::crypto
