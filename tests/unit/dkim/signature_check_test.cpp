// SPDX-License-Identifier: Apache-2.0
//
// Each check by itself: where it begins to find fault and where it does not.

#include "countersign/dkim/signature_check.hpp"

#include <gtest/gtest.h>

#include "tests/support/dkim.hpp"

namespace countersign::dkim {
namespace {

using std::chrono::seconds;

Signature signature() {
  return {.sdid = sample::name("example.com"), .selector = sample::name("june")};
}

// The reason of a fault; valid when there is none.
Reason reason_of(const std::optional<Verdict>& fault) {
  EXPECT_TRUE(!fault || fault->reason != Reason::valid);
  return fault ? fault->reason : Reason::valid;
}

TEST(AlgorithmFault, IsSha1S24) {
  EXPECT_EQ(algorithm_fault(Algorithm::rsa_sha256), std::nullopt);
  EXPECT_EQ(algorithm_fault(Algorithm::ed25519_sha256), std::nullopt);
  EXPECT_EQ(algorithm_fault(Algorithm::rsa_sha1), (Verdict{Result::policy, Reason::rsa_sha1, {}}));
}

TEST(TimeFault, ForgivesTheDriftOfClocksS28) {
  const auto reason_at = [](const Signature& given, std::int64_t now) {
    return reason_of(time_fault(given, std::chrono::sys_seconds(seconds(now)), Limits{}));
  };
  Signature timed = signature();
  EXPECT_EQ(reason_at(timed, -1), Reason::valid);
  timed.time = 1'000;
  timed.expires = 2'000;
  EXPECT_EQ(reason_at(timed, 699), Reason::signed_in_future);
  EXPECT_EQ(reason_at(timed, 700), Reason::valid);
  EXPECT_EQ(reason_at(timed, 2'300), Reason::valid);
  EXPECT_EQ(reason_at(timed, 2'301), Reason::expired);
}

TEST(BodyFault, ComparesHashAndLengthS25) {
  const BodyHash body{.digest = crypto::sha256("body"), .octets_hashed = 4, .octets_total = 4};
  Signature given = signature();
  EXPECT_EQ(reason_of(body_fault(given, body)), Reason::body_hash_mismatch);
  given.body_hash = crypto::as_octets(body.digest);
  EXPECT_EQ(body_fault(given, body), std::nullopt);
  given.body_length = 4;
  EXPECT_EQ(body_fault(given, body), std::nullopt);
  given.body_length = 5;
  EXPECT_EQ(reason_of(body_fault(given, body)), Reason::body_length_too_large);
}

TEST(KeyFault, WantsAKeyOfTheAlgorithmAndLongEnoughS24) {
  Limits limits;
  const auto rsa = parse_key_record(sample::key_record(sample::rsa_key()), limits);
  ASSERT_TRUE(rsa.has_value());
  EXPECT_EQ(key_fault(Algorithm::rsa_sha256, *rsa, limits), std::nullopt);
  EXPECT_EQ(reason_of(key_fault(Algorithm::ed25519_sha256, *rsa, limits)),
            Reason::key_type_mismatch);
  limits.rsa_verify_bits_min = 1'025;
  EXPECT_EQ(key_fault(Algorithm::rsa_sha256, *rsa, limits),
            (Verdict{Result::policy, Reason::key_too_short, {}}));
  const auto ed = parse_key_record(sample::key_record(sample::ed25519_key()), limits);
  ASSERT_TRUE(ed.has_value());
  EXPECT_EQ(key_fault(Algorithm::ed25519_sha256, *ed, limits), std::nullopt);
  const auto sha1 =
      parse_key_record("h=sha1; " + sample::key_record(sample::ed25519_key()), limits);
  ASSERT_TRUE(sha1.has_value());
  EXPECT_EQ(reason_of(key_fault(Algorithm::ed25519_sha256, *sha1, limits)),
            Reason::hash_not_allowed);
}

}  // namespace
}  // namespace countersign::dkim
