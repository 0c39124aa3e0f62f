// SPDX-License-Identifier: Apache-2.0

#include "cli/dkim_output.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <boost/json.hpp>
#include <ctime>
#include <optional>
#include <string>

#include "cli/json_output.hpp"
#include "service/log/escape.hpp"

namespace countersign::cli {
namespace {

namespace json = boost::json;

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

}  // namespace

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

}  // namespace countersign::cli
