// SPDX-License-Identifier: Apache-2.0

#include "service/explain/dkim_json.hpp"

#include <boost/json.hpp>
#include <optional>
#include <string>

#include "service/explain/json_text.hpp"

namespace countersign::service {
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
  json::value& key_testing = object["key_testing"];
  if (result.key_testing || result.key_bits > 0) key_testing = result.key_testing;
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

}  // namespace countersign::service
