// SPDX-License-Identifier: Apache-2.0

#include "countersign/mailflow/policy_request.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "countersign/text/abnf.hpp"

namespace countersign::mailflow {

namespace {

using Code = PolicyRequestErrorCode;

constexpr std::string_view request_kind = "smtpd_access_policy";
constexpr text::CharClass is_printable = text::is_vchar | text::CharClass(" ");

/// The attributes in the order of the table below; an address is text until all are read.
struct Attributes {
  PolicyRequest request;
  std::string kind;
  std::string client_address;
};

struct Attribute {
  std::string_view name;
  std::string& (*slot)(Attributes&);
};

constexpr std::array<Attribute, 10> attributes = {{
    {"request", [](Attributes& all) -> std::string& { return all.kind; }},
    {"protocol_state", [](Attributes& all) -> std::string& { return all.request.protocol_state; }},
    {"client_address", [](Attributes& all) -> std::string& { return all.client_address; }},
    {"client_name", [](Attributes& all) -> std::string& { return all.request.client_name; }},
    {"helo_name", [](Attributes& all) -> std::string& { return all.request.helo_name; }},
    {"sender", [](Attributes& all) -> std::string& { return all.request.sender; }},
    {"recipient", [](Attributes& all) -> std::string& { return all.request.recipient; }},
    {"queue_id", [](Attributes& all) -> std::string& { return all.request.queue_id; }},
    {"instance", [](Attributes& all) -> std::string& { return all.request.instance; }},
    {"sasl_username", [](Attributes& all) -> std::string& { return all.request.sasl_username; }},
}};

/// Reads the lines of a request, one after the other.
class RequestReader {
 public:
  /// Takes a line without its end; what is wrong with it, or nothing.
  std::optional<PolicyRequestError> read(std::string_view line, std::size_t offset) {
    const std::size_t equals = std::min(line.find('='), line.size());
    if (equals == 0 || equals == line.size())
      return PolicyRequestError{Code::missing_equals, offset};
    const std::string_view name = line.substr(0, equals);
    const auto known = std::ranges::find(attributes, name, &Attribute::name);
    if (known == attributes.end()) return std::nullopt;
    bool& is_read = read_.at(static_cast<std::size_t>(known - attributes.begin()));
    if (std::exchange(is_read, true)) return PolicyRequestError{Code::repeated_attribute, offset};
    known->slot(all_) = line.substr(equals + 1);
    return std::nullopt;
  }

  Result<PolicyRequest, PolicyRequestError> finish() {
    if (all_.kind != request_kind)
      return std::unexpected(PolicyRequestError{Code::not_a_request, 0});
    all_.request.client_ip = IpAddress::parse(all_.client_address);
    return std::move(all_.request);
  }

 private:
  Attributes all_;
  std::array<bool, attributes.size()> read_{};
};

}  // namespace

std::string_view to_string(PolicyRequestErrorCode code) {
  switch (code) {
    case Code::too_long:
      return "the policy request is longer than any of Postfix's";
    case Code::too_many_lines:
      return "the policy request has more attributes than any of Postfix's";
    case Code::missing_equals:
      return "a line of the policy request is no name=value";
    case Code::bad_octet:
      return "the policy request holds a NUL";
    case Code::repeated_attribute:
      return "an attribute of the policy request is there twice";
    case Code::not_a_request:
      return "the policy request is no request=smtpd_access_policy";
  }
  return "unknown error";
}

std::optional<std::size_t> policy_request_size(std::string_view buffer, std::size_t seen) {
  // The end may have begun in what was seen: LF, or LF CR.
  std::size_t at = seen > 2 ? seen - 2 : 0;
  for (at = buffer.find('\n', at); at != buffer.npos; at = buffer.find('\n', at + 1)) {
    const std::string_view line_before = buffer.substr(0, at);
    if (line_before.empty() || line_before == "\r" || line_before.ends_with('\n') ||
        line_before.ends_with("\n\r"))
      return at + 1;
  }
  return std::nullopt;
}

Result<PolicyRequest, PolicyRequestError> parse_policy_request(std::string_view text,
                                                               const Limits& limits) {
  if (text.size() > limits.policy_request_bytes_max)
    return std::unexpected(PolicyRequestError{Code::too_long, limits.policy_request_bytes_max});
  if (const std::size_t nul = text.find('\0'); nul != text.npos)
    return std::unexpected(PolicyRequestError{Code::bad_octet, nul});
  RequestReader reader;
  std::size_t lines = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view line = text.substr(begin, end - begin);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) break;
    if (++lines > limits.policy_attributes_max)
      return std::unexpected(PolicyRequestError{Code::too_many_lines, begin});
    if (const auto error = reader.read(line, begin)) return std::unexpected(*error);
    begin = end + 1;
  }
  return reader.finish();
}

std::string format_policy_reply(std::string_view action, const Limits& limits) {
  std::string reply = "action=";
  reply += action.substr(0, limits.policy_action_bytes_max);
  std::ranges::replace_if(reply, [](char c) { return !is_printable(c); }, '?');
  return reply += "\n\n";
}

}  // namespace countersign::mailflow
