// SPDX-License-Identifier: Apache-2.0
//
// judging_mails: messages of many domains and all that those domains publish, for a benchmark of
// filters that judge. Each domain has an SPF record whose answer is three dependent questions away
// (the record, what it includes, the address of a host named there), a key, and a DMARC record. A
// few keys are shared by all domains, so that making them stays quick.
//
//   judging_mails --domains 1000 --out FOLDER
//
// It writes FOLDER/zone for slow_dns, FOLDER/<n>.eml, and FOLDER/list for milter_load: a line a
// message, with its envelope and the results that it must get.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

#include "countersign/crypto/private_key.hpp"
#include "countersign/dkim/field_selection.hpp"
#include "countersign/dkim/key_record.hpp"
#include "countersign/dkim/signer.hpp"
#include "countersign/message/splitter.hpp"

namespace countersign::bench {
namespace {

const Limits limits;

struct Options {
  std::size_t domains = 1'000;
  std::size_t rsa_keys = 24;
  std::size_t ed25519_keys = 4;
  std::string folder;
};

// What became of a message on its way; of ten messages the last three have a story.
enum class Story : std::uint8_t {
  untouched,  // From the domain's own host, signed: all passes.
  altered,    // A list added a line: the signature fails, SPF does not.
  forwarded,  // From a host that the SPF record does not know: the signature holds.
  forged,     // Neither.
};

Story story_of(std::size_t number) {
  switch (number % 10) {
    case 7:
      return Story::altered;
    case 8:
      return Story::forwarded;
    case 9:
      return Story::forged;
    default:
      return Story::untouched;
  }
}

struct ExpectedResults {
  const char* spf;
  const char* dkim;
  const char* dmarc;
};

ExpectedResults expected_of(Story story) {
  switch (story) {
    case Story::untouched:
      return {"pass", "pass", "pass"};
    case Story::altered:
      return {"pass", "fail", "pass"};
    case Story::forwarded:
      return {"fail", "pass", "pass"};
    case Story::forged:
      return {"fail", "none", "fail"};
  }
  return {};
}

std::vector<crypto::PrivateKey> make_keys(const Options& options) {
  constexpr unsigned bits = 2'048;
  std::vector<crypto::PrivateKey> keys;
  for (std::size_t i = 0; i < options.rsa_keys + options.ed25519_keys; ++i) {
    const bool is_rsa = i < options.rsa_keys;
    auto key = crypto::PrivateKey::generate(
        is_rsa ? crypto::KeyType::rsa : crypto::KeyType::ed25519, bits, limits);
    if (!key) throw std::runtime_error("cannot make a key");
    keys.push_back(*std::move(key));
  }
  return keys;
}

std::string host_address(std::size_t number) { return fmt::format("192.0.2.{}", 1 + number % 250); }

void write_records(std::FILE* zone, std::size_t number, const std::string& domain,
                   const crypto::PrivateKey& key) {
  const bool is_forged = story_of(number) == Story::forged;
  fmt::print(zone, "{} TXT v=spf1 include:_spf.{} -all\n", domain, domain);
  fmt::print(zone, "_spf.{} TXT v=spf1 ip4:198.51.100.0/24 a:out.{} -all\n", domain, domain);
  fmt::print(zone, "out.{} A {}\n", domain, host_address(number));
  fmt::print(zone, "_dmarc.{} TXT v=DMARC1; p={}; rua=mailto:dmarc@{}\n", domain,
             is_forged ? "none" : "reject", domain);
  fmt::print(zone, "s1._domainkey.{} TXT {}\n", domain,
             dkim::format_key_record({.type = key.type(), .public_octets = key.public_octets()}));
}

std::string text_of(std::size_t number, const std::string& domain) {
  constexpr std::size_t lines = 24;
  std::string text = fmt::format(
      "Received: from client.{0} (client.{0} [10.1.2.3])\r\n"
      "\tby mx.{0} (Postfix) with ESMTPSA id 4LOAD{1}; Mon, 23 Nov 2026 10:00:00 +0000 (UTC)\r\n"
      "From: Alice Example <alice@{0}>\r\nTo: Bob <user@rcpt.example>\r\n"
      "Subject: Quarterly figures, and the minutes of meeting {1}\r\n"
      "Date: Mon, 23 Nov 2026 10:00:00 +0000\r\nMessage-ID: <20261123100000.{1}@{0}>\r\n"
      "Reply-To: alice@{0}\r\nReferences: <a@rcpt.example>\r\n\t<b@rcpt.example>\r\n"
      "In-Reply-To: <b@rcpt.example>\r\nMIME-Version: 1.0\r\n"
      "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 7bit\r\n"
      "User-Agent: Example/1.0\r\n\r\n",
      domain, number);
  for (std::size_t i = 0; i < lines; ++i)
    text += fmt::format("{:3} It was the best of lines, it was the worst of lines.\r\n", i);
  return text;
}

void write_message(const std::string& path, std::size_t number, const std::string& domain,
                   const crypto::PrivateKey& key) {
  auto message = split_message(text_of(number, domain), limits);
  auto sdid = DomainName::parse(domain);
  auto selector = DomainName::parse("s1");
  if (!message || !sdid || !selector) throw std::runtime_error("no message of " + domain);
  const Story story = story_of(number);
  std::ofstream file(path, std::ios::binary);
  if (story != Story::forged) {
    dkim::Signer signer(message->header,
                        {{.sdid = *std::move(sdid),
                          .selector = *std::move(selector),
                          .key = key,
                          .auid = {},
                          .fields = dkim::default_field_selection(),
                          .lifetime = std::nullopt,
                          .body_length_max = std::nullopt}},
                        limits);
    signer.body(message->body);
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    for (const HeaderField& field : std::move(signer).finish(now)) file << field.raw() << "\r\n";
  }
  for (const HeaderField& field : message->header) file << field.raw() << "\r\n";
  file << "\r\n" << message->body;
  if (story == Story::altered) file << "-- \r\nthe list\r\n";
  if (!file.flush()) throw std::runtime_error("cannot write " + path);
}

void write_line(std::FILE* list, const std::string& path, std::size_t number,
                const std::string& domain) {
  const Story story = story_of(number);
  const bool is_stranger = story == Story::forwarded || story == Story::forged;
  const ExpectedResults expected = expected_of(story);
  fmt::print(list, "{} {} mx.{} alice@{} {} {} {}\n", path,
             is_stranger ? "203.0.113.9" : host_address(number), domain, domain, expected.spf,
             expected.dkim, expected.dmarc);
}

using File = std::unique_ptr<std::FILE, decltype([](std::FILE* file) { std::fclose(file); })>;

File create(const std::string& path) {
  File file(std::fopen(path.c_str(), "w"));
  if (!file) throw std::runtime_error("cannot write " + path);
  return file;
}

void run(const Options& options) {
  std::filesystem::create_directories(options.folder);
  const File zone = create(options.folder + "/zone");
  const File list = create(options.folder + "/list");
  const std::vector<crypto::PrivateKey> keys = make_keys(options);
  for (std::size_t i = 0; i < options.domains; ++i) {
    const std::string domain = fmt::format("d{}.example", i);
    const std::string path = fmt::format("{}/{}.eml", options.folder, i);
    const crypto::PrivateKey& key = keys[i % keys.size()];
    write_records(zone.get(), i, domain, key);
    write_message(path, i, domain, key);
    write_line(list.get(), path, i, domain);
  }
}

}  // namespace
}  // namespace countersign::bench

int main(int argc, char** argv) {
  countersign::bench::Options options;
  CLI::App app("Makes messages of many domains, and what these publish.", "judging_mails");
  app.add_option("--domains", options.domains, "domains, and messages");
  app.add_option("--rsa", options.rsa_keys, "RSA-2048 keys that the domains share");
  app.add_option("--ed25519", options.ed25519_keys, "Ed25519 keys that they share");
  app.add_option("--out", options.folder, "folder to write to")->required();
  CLI11_PARSE(app, argc, argv);
  try {
    countersign::bench::run(options);
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "judging_mails: {}\n", error.what());
    return 74;
  }
}
