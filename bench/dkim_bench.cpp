// SPDX-License-Identifier: Apache-2.0
//
// DKIM beside the arithmetic that it cannot do without: bodies through canonicalization and hash
// beside the hash alone, and a whole message signed and verified beside the one RSA operation in
// it. What is left between two lines is our own code.
//
// Run with --benchmark_repetitions=9 --benchmark_report_aggregates_only=true and compare medians.

#include <benchmark/benchmark.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "countersign/assert.hpp"
#include "countersign/crypto/private_key.hpp"
#include "countersign/dkim/body_hash.hpp"
#include "countersign/dkim/signer.hpp"
#include "countersign/dkim/verifier.hpp"
#include "countersign/dns/zone.hpp"
#include "countersign/message/splitter.hpp"
#include "countersign/text/base64.hpp"

namespace countersign::dkim {
namespace {

const Limits limits;
constexpr std::chrono::sys_seconds now{std::chrono::seconds{1'700'000'000}};
// What a milter peer sends at once.
constexpr std::size_t chunk_octets = 65'535;

// --- bodies of a mebibyte ---

std::string repeat(const std::vector<std::string_view>& lines) {
  constexpr std::size_t octets = 1'048'576;
  std::string body;
  for (std::size_t i = 0; body.size() < octets; ++i) body += lines[i % lines.size()];
  return body;
}

// Words with single spaces: relaxed changes nothing.
std::string prose() {
  return repeat({"It was the best of lines, it was the worst of lines, it was the age of mail\r\n",
                 "and it was the age of more mail, all of it signed by whoever had a key.\r\n",
                 "\r\n"});
}

// Indentation and space at the end of lines: relaxed changes two places in each.
std::string markup() {
  return repeat({"      <td class=\"cell\">one</td> \r\n", "    <tr>  \r\n",
                 "        <a href=\"https://example.com/\">two  words</a>\r\n", "\t</tr>\r\n"});
}

// An attachment: long runs without any space.
std::string attachment() {
  return repeat({"TVqQAAMAAAAEAAAA//8AALgAAAAAAAAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n"});
}

void hash_alone(benchmark::State& state) {
  const std::string body = prose();
  for (auto _ : state) benchmark::DoNotOptimize(crypto::sha256(body));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(body.size()));
}

void hash_body(benchmark::State& state, const std::string& body,
               std::vector<Canonicalization> wishes) {
  for (auto _ : state) {
    BodyHashes hashes;
    for (const Canonicalization wish : wishes) hashes.want(wish);
    for (std::size_t at = 0; at < body.size(); at += chunk_octets)
      hashes.update(std::string_view(body).substr(at, chunk_octets));
    hashes.finish();
    benchmark::DoNotOptimize(hashes.of(0));
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(body.size()));
}

class NullSink final : public OctetSink {
 public:
  void take(std::string_view octets) override { benchmark::DoNotOptimize(octets.data()); }
};

void canonicalize_body(benchmark::State& state, const std::string& body,
                       Canonicalization canonicalization) {
  NullSink sink;
  for (auto _ : state) {
    BodyCanonicalizer canonicalizer(canonicalization);
    for (std::size_t at = 0; at < body.size(); at += chunk_octets)
      canonicalizer.update(std::string_view(body).substr(at, chunk_octets), sink);
    canonicalizer.finish(sink);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(body.size()));
}

using enum Canonicalization;

BENCHMARK(hash_alone);
BENCHMARK_CAPTURE(hash_body, simple_prose, prose(), {simple});
BENCHMARK_CAPTURE(hash_body, relaxed_prose, prose(), {relaxed});
BENCHMARK_CAPTURE(hash_body, relaxed_markup, markup(), {relaxed});
BENCHMARK_CAPTURE(hash_body, relaxed_attachment, attachment(), {relaxed});
BENCHMARK_CAPTURE(hash_body, both_prose, prose(), {relaxed, simple});
BENCHMARK_CAPTURE(canonicalize_body, simple_prose, prose(), simple);
BENCHMARK_CAPTURE(canonicalize_body, relaxed_prose, prose(), relaxed);
BENCHMARK_CAPTURE(canonicalize_body, relaxed_markup, markup(), relaxed);
BENCHMARK_CAPTURE(canonicalize_body, relaxed_attachment, attachment(), relaxed);

// --- whole messages of two kibibytes ---

const crypto::PrivateKey& key_of(crypto::KeyType type) {
  constexpr unsigned bits = 2'048;
  static const auto rsa = crypto::PrivateKey::generate(crypto::KeyType::rsa, bits, limits).value();
  static const auto ed = crypto::PrivateKey::generate(crypto::KeyType::ed25519, 0, limits).value();
  return type == crypto::KeyType::rsa ? rsa : ed;
}

Message small_message() {
  std::string text =
      "Return-Path: <joe@example.com>\r\n"
      "Received: from mail.example.com (mail.example.com [192.0.2.1])\r\n"
      "\tby mx.example.net (Postfix) with ESMTPS id 4F1234ABCD\r\n"
      "\tfor <suzie@example.net>; Tue, 14 Nov 2023 22:13:20 +0000 (UTC)\r\n"
      "Received: from [10.0.0.1] (unknown [10.0.0.1])\r\n"
      "\tby mail.example.com (Postfix) with ESMTPSA id 4F1234ABCE;\r\n"
      "\tTue, 14 Nov 2023 22:13:19 +0000 (UTC)\r\n"
      "Date: Tue, 14 Nov 2023 22:13:19 +0000\r\n"
      "From: Joe Example <joe@example.com>\r\n"
      "To: Suzie Example <suzie@example.net>\r\n"
      "Cc: Somebody Else <else@example.net>\r\n"
      "Subject: An ordinary message of ordinary length\r\n"
      "Message-ID: <20231114221319.12345@mail.example.com>\r\n"
      "In-Reply-To: <20231113221319.12345@mx.example.net>\r\n"
      "References: <20231112221319.12345@mx.example.net>\r\n"
      " <20231113221319.12345@mx.example.net>\r\n"
      "MIME-Version: 1.0\r\n"
      "Content-Type: text/plain; charset=utf-8\r\n"
      "Content-Transfer-Encoding: 8bit\r\n"
      "User-Agent: Example/1.0\r\n"
      "\r\n";
  constexpr std::size_t octets = 2'048;
  while (text.size() < octets) text += "A line of the body, as people write them in a mail.\r\n";
  return split_message(text, limits).value();
}

SigningIdentity identity_of(crypto::KeyType type) {
  return {.sdid = DomainName::parse("example.com").value(),
          .selector = DomainName::parse(crypto::to_string(type)).value(),
          .key = key_of(type),
          .fields = default_field_selection()};
}

std::vector<HeaderField> sign(const Message& message, std::vector<SigningIdentity> identities) {
  Signer signer(message.header, std::move(identities), limits);
  signer.body(message.body);
  return std::move(signer).finish(now);
}

void sign_message(benchmark::State& state, const std::vector<crypto::KeyType>& types) {
  const Message message = small_message();
  std::vector<SigningIdentity> identities;
  for (const crypto::KeyType type : types) identities.push_back(identity_of(type));
  for (auto _ : state) benchmark::DoNotOptimize(sign(message, identities));
}

void sign_alone(benchmark::State& state, crypto::KeyType type) {
  const crypto::Sha256 digest = crypto::sha256("text");
  for (auto _ : state) benchmark::DoNotOptimize(key_of(type).sign(digest));
}

dns::Answer record_of(crypto::KeyType type) {
  const std::string record = "v=DKIM1; k=" + std::string(crypto::to_string(type)) +
                             "; p=" + text::encode_base64(key_of(type).public_octets());
  return {.status = dns::AnswerStatus::records, .records = {dns::Text{{record}}}};
}

void verify_message(benchmark::State& state, const std::vector<crypto::KeyType>& types) {
  Message message = small_message();
  std::vector<SigningIdentity> identities;
  for (const crypto::KeyType type : types) identities.push_back(identity_of(type));
  const std::vector<HeaderField> fields = sign(message, identities);
  message.header.insert(message.header.begin(), fields.begin(), fields.end());
  const dns::Answer rsa = record_of(crypto::KeyType::rsa);
  const dns::Answer ed = record_of(crypto::KeyType::ed25519);
  for (auto _ : state) {
    Verifier verifier(message.header, limits);
    verifier.body(message.body);
    const std::vector<SignatureResult> results = dns::run_with(
        std::move(verifier).finish(now),
        [&](const dns::Question& question) { return question.name.starts_with("rsa") ? rsa : ed; });
    COUNTERSIGN_ASSERT(summarize(results) == dkim::Result::pass);
  }
}

void decode_and_verify_alone(benchmark::State& state) {
  const crypto::Sha256 digest = crypto::sha256("text");
  const std::string signature = key_of(crypto::KeyType::rsa).sign(digest);
  const std::string octets = key_of(crypto::KeyType::rsa).public_octets();
  for (auto _ : state) {
    const auto key = crypto::PublicKey::parse_rsa(octets, limits);
    COUNTERSIGN_ASSERT(key && key->verify(digest, signature));
  }
}

using enum crypto::KeyType;

BENCHMARK_CAPTURE(sign_alone, rsa, rsa);
BENCHMARK_CAPTURE(sign_message, rsa, {rsa});
BENCHMARK_CAPTURE(sign_alone, ed25519, ed25519);
BENCHMARK_CAPTURE(sign_message, ed25519, {ed25519});
BENCHMARK_CAPTURE(sign_message, both, {rsa, ed25519});
BENCHMARK(decode_and_verify_alone);
BENCHMARK_CAPTURE(verify_message, rsa, {rsa});
BENCHMARK_CAPTURE(verify_message, ed25519, {ed25519});
BENCHMARK_CAPTURE(verify_message, both, {rsa, ed25519});

}  // namespace
}  // namespace countersign::dkim
