// SPDX-License-Identifier: Apache-2.0

#include "countersign/mailflow/iprev.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "countersign/domain/name.hpp"

namespace countersign::mailflow {

namespace {

using dns::Answer;
using dns::AnswerStatus;
using dns::RecordType;

/// The names of an answer to a PTR question that are domain names.
std::vector<std::string> names_of(const Answer& answer, std::size_t names_max) {
  std::vector<std::string> names;
  for (const dns::RecordData& record : answer.records) {
    const auto* data = std::get_if<dns::NameData>(&record);
    const auto name = data == nullptr ? std::nullopt : std::optional(DomainName::parse(data->name));
    if (names.size() < names_max && name && *name) names.push_back((*name)->text());
  }
  return names;
}

bool has_address(const Answer& answer, const IpAddress& address) {
  return std::ranges::any_of(answer.records, [&address](const dns::RecordData& record) {
    const auto* data = std::get_if<dns::Address>(&record);
    return data != nullptr && IpAddress::from_octets(data->octets, data->length == 4) == address;
  });
}

dns::Asking<Answer> look_up(std::string name, RecordType type) {
  co_return co_await dns::ask({std::move(name), type});
}

}  // namespace

std::string_view to_string(IprevResult result) {
  switch (result) {
    case IprevResult::pass:
      return "pass";
    case IprevResult::fail:
      return "fail";
    case IprevResult::temperror:
      return "temperror";
    case IprevResult::permerror:
      return "permerror";
  }
  return "permerror";
}

dns::Asking<bool> leads_to(std::string name, IpAddress address) {
  const RecordType type = address.is_v4() ? RecordType::a : RecordType::aaaa;
  co_return has_address(co_await dns::ask({std::move(name), type}), address);
}

dns::Asking<IprevOutcome> check_iprev(IpAddress client_ip, Limits limits) {
  const Answer pointers = co_await dns::ask({client_ip.reverse_name(), RecordType::ptr});
  if (pointers.is_failure()) co_return IprevOutcome{IprevResult::temperror, {}};
  const std::vector<std::string> names = names_of(pointers, limits.spf_hosts_max);
  if (names.empty()) co_return IprevOutcome{IprevResult::permerror, {}};

  std::vector<dns::Asking<Answer>> lookups;
  for (const std::string& name : names)
    lookups.push_back(look_up(name, client_ip.is_v4() ? RecordType::a : RecordType::aaaa));
  const std::vector<Answer> answers = co_await dns::all(std::move(lookups));
  IprevResult result = IprevResult::fail;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (has_address(answers[i], client_ip)) co_return IprevOutcome{IprevResult::pass, names[i]};
    if (answers[i].is_failure()) result = IprevResult::temperror;
  }
  co_return IprevOutcome{result, {}};
}

}  // namespace countersign::mailflow
