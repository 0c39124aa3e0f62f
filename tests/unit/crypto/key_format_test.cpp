// SPDX-License-Identifier: Apache-2.0
//
// The structures around keys, element by element: what may be left out, what may not be there, and
// which RSA numbers are refused.

#include "countersign/crypto/key_format.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "tests/support/der.hpp"
#include "tests/support/exact.hpp"

namespace countersign::crypto {
namespace {

using test::der_element;
using test::der_public_key_info;
using test::der_rsa_algorithm;
using test::der_rsa_key;
using test::der_sequence;
using test::der_unsigned;
using test::exact;
using test::from_hex;
using test::odd_number;

const Limits limits;
const std::string one = der_unsigned("\x01");
const std::string zero = der_unsigned("");
const std::string ed25519_algorithm = from_hex("300506032b6570");
const std::string ec_algorithm = from_hex("301306072a8648ce3d020106082a8648ce3d030107");
const std::string f4 = from_hex("010001");

/// What open_public_key finds: "rsa:…", "ed25519:…", "other:…" or "malformed".
std::string describe(const std::optional<WrappedKey>& key) {
  if (!key) return "malformed";
  const std::string octets{key->octets};
  switch (key->algorithm) {
    case Algorithm::rsa:
      return "rsa:" + octets;
    case Algorithm::ed25519:
      return "ed25519:" + octets;
    case Algorithm::other:
      return "other:" + octets;
  }
  return "";
}

std::string opened_public(std::string_view der) {
  const test::Exact copy = exact(der);
  return describe(open_public_key(copy.view()));
}

std::string opened_private(std::string_view der) {
  const test::Exact copy = exact(der);
  return describe(open_private_key(copy.view()));
}

TEST(OpenPublicKey, TellsTheAlgorithm) {
  EXPECT_EQ(opened_public(der_public_key_info(der_rsa_algorithm(), "key")), "rsa:key");
  EXPECT_EQ(opened_public(der_public_key_info(ed25519_algorithm, "key")), "ed25519:key");
  EXPECT_EQ(opened_public(der_public_key_info(ec_algorithm, "key")), "other:key");
}

TEST(OpenPublicKey, KnowsTheParametersOfItsAlgorithms) {
  const std::string_view rsa_oid = "06092a864886f70d010101";
  const auto algorithm = [](std::string_view oid, std::string_view parameters) {
    return der_sequence(from_hex(oid) + from_hex(parameters));
  };
  const auto opened = [&](std::string_view oid, std::string_view parameters) {
    return opened_public(der_public_key_info(algorithm(oid, parameters), "key"));
  };
  EXPECT_EQ(opened(rsa_oid, ""), "rsa:key");
  EXPECT_EQ(opened(rsa_oid, "0500"), "rsa:key");
  EXPECT_EQ(opened(rsa_oid, "050100"), "malformed");
  EXPECT_EQ(opened(rsa_oid, "05000500"), "malformed");
  EXPECT_EQ(opened(rsa_oid, "020100"), "malformed");
  EXPECT_EQ(opened("06032b6570", ""), "ed25519:key");
  EXPECT_EQ(opened("06032b6570", "0500"), "malformed");
  EXPECT_EQ(opened("06092a864886f70d01010a", "3000"), "other:key");  // RSASSA-PSS
}

TEST(OpenPublicKey, RefusesWhatIsCutOffOrLeftOver) {
  const std::string whole = der_public_key_info(der_rsa_algorithm(), "key");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(opened_public(whole.substr(0, size)), "malformed") << size;
  }
  EXPECT_EQ(opened_public(whole + '\0'), "malformed");
  EXPECT_EQ(opened_public(der_sequence(der_rsa_algorithm() + from_hex("030200610500"))),
            "malformed");
  EXPECT_EQ(opened_public(der_sequence(der_rsa_algorithm() + from_hex("03020161"))), "malformed");
  EXPECT_EQ(opened_public(der_sequence(from_hex("3000") + from_hex("03020061"))), "malformed");
}

TEST(OpenPrivateKey, TellsTheAlgorithm) {
  const std::string key = der_element(0x04, "key");
  EXPECT_EQ(opened_private(der_sequence(zero + der_rsa_algorithm() + key)), "rsa:key");
  EXPECT_EQ(opened_private(der_sequence(zero + ec_algorithm + key)), "other:key");
  EXPECT_EQ(opened_private(der_sequence(zero + ed25519_algorithm + der_element(0x04, key))),
            "ed25519:key");
  EXPECT_EQ(opened_private(der_sequence(zero + ed25519_algorithm + key)), "malformed");
}

TEST(OpenPrivateKey, PassesOverAttributesAndPublicKey) {
  const std::string start = der_rsa_algorithm() + der_element(0x04, "key");
  const std::string attributes = der_element(0xA0, "any");
  const std::string public_key = der_element(0x81, "any");
  EXPECT_EQ(opened_private(der_sequence(zero + start + attributes)), "rsa:key");
  EXPECT_EQ(opened_private(der_sequence(one + start + attributes + public_key)), "rsa:key");
  EXPECT_EQ(opened_private(der_sequence(one + start + public_key)), "rsa:key");
  EXPECT_EQ(opened_private(der_sequence(one + start + public_key + attributes)), "malformed");
  EXPECT_EQ(opened_private(der_sequence(one + start + attributes + attributes)), "malformed");
  EXPECT_EQ(opened_private(der_sequence(der_unsigned("\x02") + start)), "malformed");
}

TEST(OpenPrivateKey, RefusesWhatIsCutOffOrLeftOver) {
  const std::string whole =
      der_sequence(zero + ed25519_algorithm + der_element(0x04, der_element(0x04, "key")));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(opened_private(whole.substr(0, size)), "malformed") << size;
  }
  EXPECT_EQ(opened_private(whole + '\0'), "malformed");
}

TEST(CheckRsaPublic, CountsBits) {
  for (const unsigned bits : {1U, 8U, 9U, 15U, 16U, 512U, 1023U, 1024U, 2048U, 4096U, 8192U}) {
    EXPECT_EQ(check_rsa_public(der_rsa_key(odd_number(bits), f4), limits), bits);
  }
}

TEST(CheckRsaPublic, RefusesModuli) {
  const auto judged = [](std::string_view modulus) {
    return check_rsa_public(der_rsa_key(modulus, f4), limits);
  };
  EXPECT_EQ(judged(""), std::unexpected(KeyError::bad_der));
  EXPECT_EQ(judged("\x10"), std::unexpected(KeyError::bad_der));
  EXPECT_EQ(judged(odd_number(8193)), std::unexpected(KeyError::key_too_large));
  EXPECT_EQ(judged(odd_number(8200)), std::unexpected(KeyError::key_too_large));
  EXPECT_EQ(judged(odd_number(8201)), std::unexpected(KeyError::key_too_large));
  EXPECT_EQ(judged(odd_number(16'384)), std::unexpected(KeyError::key_too_large));
  EXPECT_EQ(judged(odd_number(1'000'000)), std::unexpected(KeyError::key_too_large));
  const std::string negative = der_sequence(der_element(0x02, "\x80") + der_element(0x02, "\x03"));
  EXPECT_EQ(check_rsa_public(negative, limits), std::unexpected(KeyError::bad_der));
}

TEST(CheckRsaPublic, HoldsTheLimitGiven) {
  const Limits small{.rsa_bits_max = 2047};
  EXPECT_EQ(check_rsa_public(der_rsa_key(odd_number(2047), f4), small), 2047U);
  EXPECT_EQ(check_rsa_public(der_rsa_key(odd_number(2048), f4), small),
            std::unexpected(KeyError::key_too_large));
}

TEST(CheckRsaPublic, RefusesExponents) {
  const auto judged = [](std::string_view exponent) {
    return check_rsa_public(der_rsa_key(odd_number(1024), exponent), limits);
  };
  EXPECT_EQ(judged("\x03"), 1024U);
  EXPECT_EQ(judged(std::string(8, '\xFF')), 1024U);
  EXPECT_EQ(judged(""), std::unexpected(KeyError::bad_exponent));
  EXPECT_EQ(judged("\x01"), std::unexpected(KeyError::bad_exponent));
  EXPECT_EQ(judged("\x02"), std::unexpected(KeyError::bad_exponent));
  EXPECT_EQ(judged(from_hex("010000")), std::unexpected(KeyError::bad_exponent));
  EXPECT_EQ(judged(from_hex("010000000000000001")), std::unexpected(KeyError::bad_exponent));
  EXPECT_EQ(judged(odd_number(1024)), std::unexpected(KeyError::bad_exponent));
}

/// An RSAPrivateKey with these numbers after the public ones.
std::string private_key(std::string_view version, std::string_view secrets) {
  return der_sequence(std::string(version) + der_unsigned(odd_number(1024)) + der_unsigned(f4) +
                      std::string(secrets));
}

TEST(CheckRsaPrivate, WantsTwoPrimesAndSixSecretNumbers) {
  const std::string five = one + one + one + one + one;
  const auto bad = std::unexpected(KeyError::bad_der);
  EXPECT_EQ(check_rsa_private(private_key(zero, five + one), limits), 1024U);
  EXPECT_EQ(check_rsa_private(private_key(zero, five), limits), bad);
  EXPECT_EQ(check_rsa_private(private_key(zero, five + one + one), limits), bad);
  EXPECT_EQ(check_rsa_private(private_key(one, five + one), limits), bad);
  EXPECT_EQ(check_rsa_private(private_key(zero, five + zero), limits), bad);
  EXPECT_EQ(check_rsa_private(private_key(zero, five + der_unsigned(odd_number(1025))), limits),
            bad);
  EXPECT_EQ(check_rsa_private(private_key(zero, five + one) + '\0', limits), bad);
  EXPECT_EQ(check_rsa_private("", limits), bad);
}

TEST(IsEcPrivate, LooksAtVersionAndSecret) {
  EXPECT_TRUE(is_ec_private(der_sequence(one + der_element(0x04, "secret"))));
  EXPECT_TRUE(is_ec_private(der_sequence(one + der_element(0x04, "secret") + zero)));
  EXPECT_FALSE(is_ec_private(der_sequence(zero + der_element(0x04, "secret"))));
  EXPECT_FALSE(is_ec_private(der_sequence(one + der_element(0x04, ""))));
  EXPECT_FALSE(is_ec_private(der_sequence(one + one)));
  EXPECT_FALSE(is_ec_private(""));
}

}  // namespace
}  // namespace countersign::crypto
