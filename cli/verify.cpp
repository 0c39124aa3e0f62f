// SPDX-License-Identifier: Apache-2.0
//
// `countersign verify`: judges a saved message as a receiver would and says why.

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <boost/json.hpp>
#include <chrono>
#include <memory>
#include <optional>

#include "cli/clock_option.hpp"
#include "cli/command.hpp"
#include "cli/dns_options.hpp"
#include "cli/failure.hpp"
#include "cli/input.hpp"
#include "cli/json_output.hpp"
#include "cli/terminal.hpp"
#include "countersign/dkim/verifier.hpp"
#include "countersign/message/splitter.hpp"
#include "service/log/escape.hpp"

namespace countersign::cli {
namespace {

namespace json = boost::json;

struct Options {
  std::string file = "-";
  ClockOption clock;
  bool json = false;
  bool requires_whole_body = false;
  DnsOptions dns;
};

/// A message as it is verified: its header, and a verifier that has seen the whole body.
struct Reading {
  Header header;
  std::optional<dkim::Verifier> verifier;
};

/// Reads the message once; the verifier is made when the header is complete and fed the body as it
/// passes. The result is on the heap, as the verifier refers to the header in it.
std::unique_ptr<Reading> read_message(const Options& options) {
  const Limits limits;
  auto reading = std::make_unique<Reading>();
  Reading& current = *reading;
  std::optional<Splitter> splitter;
  const auto start = [&current, &splitter, &options, &limits] {
    current.header = splitter->take_header();
    current.verifier.emplace(current.header, limits,
                             dkim::VerifyPolicy{!options.requires_whole_body});
  };
  splitter.emplace(limits, [&current, &start](std::string_view chunk) {
    if (!current.verifier) start();
    current.verifier->body(chunk);
  });
  bool fits = true;
  read_in_chunks(options.file, [&splitter, &fits](std::string_view chunk) {
    fits = splitter->feed(chunk);
    return fits;
  });
  if (!fits || !splitter->finish()) {
    throw Failure(exit_data,
                  fmt::format("{}: {} (octet {})", input_name(options.file),
                              to_string(splitter->error().code), splitter->error().offset));
  }
  if (!current.verifier) start();
  return reading;
}

std::string explanation_of(const dkim::SignatureResult& result) {
  return result.detail.empty() ? std::string(to_string(result.reason)) : result.detail;
}

json::value optional_number(const std::optional<std::uint64_t>& number) {
  return number ? json::value(*number) : json::value(nullptr);
}

json::array field_names(const dkim::Signature& signature) {
  json::array names;
  for (const std::string& name : signature.signed_fields) names.emplace_back(json_text(name));
  return names;
}

/// One signature. Every key is there whatever the result; what is not known is null.
json::object to_json(const dkim::SignatureResult& result) {
  const dkim::Signature* const signature = result.signature ? &*result.signature : nullptr;
  const auto when_read = [signature](const auto& value_of) {
    return signature == nullptr ? json::value(nullptr) : json::value(value_of(*signature));
  };
  using dkim::Signature;
  json::object object;
  object["result"] = to_string(result.result);
  object["reason"] = name_of(result.reason);
  object["explanation"] = json_text(explanation_of(result));
  object["sdid"] = when_read([](const Signature& s) { return s.sdid.text(); });
  object["auid"] = when_read([](const Signature& s) { return json_text(s.auid); });
  object["selector"] = when_read([](const Signature& s) { return s.selector.text(); });
  object["algorithm"] = when_read([](const Signature& s) { return to_string(s.algorithm); });
  object["key_bits"] = result.key_bits == 0 ? json::value(nullptr) : json::value(result.key_bits);
  object["header_canonicalization"] =
      when_read([](const Signature& s) { return to_string(s.header_canonicalization); });
  object["body_canonicalization"] =
      when_read([](const Signature& s) { return to_string(s.body_canonicalization); });
  object["signed_fields"] = when_read(field_names);
  object["body_octets_signed"] =
      when_read([&result](const Signature&) { return result.body_octets_signed; });
  object["body_octets_total"] =
      when_read([&result](const Signature&) { return result.body_octets_total; });
  object["time"] = when_read([](const Signature& s) { return optional_number(s.time); });
  object["expires"] = when_read([](const Signature& s) { return optional_number(s.expires); });
  return object;
}

void print_results_json(const std::vector<dkim::SignatureResult>& results) {
  json::array signatures;
  for (const dkim::SignatureResult& result : results) signatures.emplace_back(to_json(result));
  json::object document;
  document["dkim"] = std::move(signatures);
  print_json(document);
}

std::string time_text(const std::optional<std::uint64_t>& seconds) {
  // Years with more than four digits are a stranger's joke; show the number.
  constexpr std::uint64_t year_10000 = 253'402'300'800;
  if (!seconds) return "never";
  if (*seconds >= year_10000) return fmt::format("{}", *seconds);
  return fmt::format("{:%Y-%m-%d %H:%M:%SZ}", fmt::gmtime(static_cast<std::time_t>(*seconds)));
}

Colour colour_of(const dkim::SignatureResult& signature) {
  if (signature.covers_body()) return Colour::green;
  const dkim::Result result = signature.result;
  if (result == dkim::Result::fail || result == dkim::Result::permerror) return Colour::red;
  return Colour::yellow;
}

void print_result(const Terminal& terminal, const dkim::SignatureResult& result) {
  const std::string verdict = fmt::format("dkim={}", to_string(result.result));
  fmt::print("{}  {}\n", terminal.paint(colour_of(result), verdict),
             service::printable(explanation_of(result)));
  if (!result.signature) return;
  const dkim::Signature& signature = *result.signature;
  fmt::print("  domain {}  selector {}  identity {}\n", signature.sdid.text(),
             signature.selector.text(), service::printable(signature.auid));
  fmt::print(
      "  {}{}  canonicalization {}/{}\n", to_string(signature.algorithm),
      result.key_bits == 0 ? std::string() : fmt::format(", key of {} bits", result.key_bits),
      to_string(signature.header_canonicalization), to_string(signature.body_canonicalization));
  fmt::print("  body: {} of {} octets signed;  signed {},  expires {}\n", result.body_octets_signed,
             result.body_octets_total,
             signature.time ? time_text(signature.time) : "at an unknown time",
             time_text(signature.expires));
  std::string fields;
  for (const std::string& name : signature.signed_fields) {
    fields += fields.empty() ? "" : " ";
    fields += service::printable(name);
  }
  fmt::print("  fields: {}\n", fields);
  if (result.key_testing) fmt::print("  the domain says that it is testing (t=y)\n");
}

int run(const Options& options) {
  Lookups lookups(options.dns);
  const std::unique_ptr<Reading> message = read_message(options);
  const std::vector<dkim::SignatureResult> results =
      lookups.run(std::move(*message->verifier).finish(options.clock.time()));
  if (options.json) {
    print_results_json(results);
  } else {
    const Terminal terminal(stdout);
    if (results.empty()) fmt::print("dkim=none  the message has no DKIM-Signature field\n");
    for (const dkim::SignatureResult& result : results) print_result(terminal, result);
  }
  const dkim::Result summary = dkim::summarize(results);
  if (summary == dkim::Result::temperror) return exit_temporary;
  return summary == dkim::Result::pass ? exit_ok : exit_no;
}

}  // namespace

void add_verify(CLI::App& root, int& exit_code) {
  CLI::App* command = root.add_subcommand(
      "verify", "Verify a saved message: the result of each DKIM signature, and why.");
  const auto options = std::make_shared<Options>();
  command->add_option("FILE", options->file, "the message")->capture_default_str();
  options->clock.declare(*command, "judge");
  command->add_flag("--json", options->json, "print JSON for programs");
  command->add_flag("--require-whole-body", options->requires_whole_body,
                    "no pass for a signature whose l= leaves octets of the body unsigned");
  options->dns.declare(*command);
  command->footer(
      "Exit codes: 0 a signature passes, 1 none does, 65 not a message, 66 no such file, 75 DNS "
      "failed.");
  command->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace countersign::cli
