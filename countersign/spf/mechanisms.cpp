// SPDX-License-Identifier: Apache-2.0
//
// The mechanisms, in the order of RFC 7208 §5. Each is handed its <target-name> and says whether it
// matched, or what ends the check. Where several addresses are needed their questions are open
// together; the answers are then judged in the order that the RFC gives them.

#include <algorithm>
#include <tuple>
#include <utility>
#include <variant>

#include "countersign/spf/evaluator.hpp"

namespace countersign::spf {

namespace {

using dns::Answer;
using dns::AnswerStatus;
using dns::Question;
using dns::RecordType;

dns::Asking<Answer> answer_to(Question question) {
  co_return co_await dns::ask(std::move(question));
}

// The names of an MX answer that can be asked for, most preferred first, each once.
std::vector<std::string> hosts_of(const Answer& answer) {
  std::vector<dns::MailExchange> exchanges;
  for (const dns::RecordData& data : answer.records)
    if (const auto* exchange = std::get_if<dns::MailExchange>(&data))
      exchanges.push_back(*exchange);
  std::ranges::sort(exchanges, {}, [](const dns::MailExchange& exchange) {
    return std::tie(exchange.preference, exchange.exchange);
  });
  std::vector<std::string> hosts;
  for (const dns::MailExchange& exchange : exchanges) {
    std::optional<std::string> host = query_name(exchange.exchange);
    if (host && std::ranges::find(hosts, *host) == hosts.end()) hosts.push_back(*std::move(host));
  }
  return hosts;
}

// The first names of a PTR answer that can be asked for. RFC 7208 §4.6.4
std::vector<std::string> names_of(const Answer& answer, std::size_t count_max) {
  std::vector<std::string> names;
  for (const dns::RecordData& data : answer.records) {
    if (names.size() == count_max) break;
    const auto* pointer = std::get_if<dns::NameData>(&data);
    std::optional<std::string> name = pointer != nullptr ? query_name(pointer->name) : std::nullopt;
    if (name) names.push_back(*std::move(name));
  }
  return names;
}

bool are_in_one_network(const IpAddress& a, const IpAddress& b, const Directive& lengths) {
  const unsigned bits = a.is_v4() ? lengths.prefix4 : lengths.prefix6;
  return a.is_v4() == b.is_v4() && a.masked(bits) == b.masked(bits);
}

bool is_at_or_below(std::string_view name, std::string_view domain) {
  return name == domain || (name.ends_with(domain) && name[name.size() - domain.size() - 1] == '.');
}

}  // namespace

RecordType Evaluator::address_type() const {
  return request_.client_ip.is_v4() ? RecordType::a : RecordType::aaaa;
}

bool Evaluator::is_client(const Answer& answer, const Directive& directive) const {
  return std::ranges::any_of(answer.records, [&](const dns::RecordData& data) {
    const auto* address = std::get_if<dns::Address>(&data);
    return address != nullptr &&
           are_in_one_network(request_.client_ip,
                              IpAddress::from_octets(address->octets, address->length == 4),
                              directive);
  });
}

dns::Asking<std::vector<Answer>> Evaluator::addresses_of(std::vector<std::string> names,
                                                         std::vector<Lookup>& lookups) {
  std::vector<dns::Asking<Answer>> questions;
  questions.reserve(names.size());
  for (const std::string& name : names) questions.push_back(answer_to({name, address_type()}));
  std::vector<Answer> answers = co_await dns::all(std::move(questions));
  for (std::size_t i = 0; i < names.size(); ++i)
    lookups.push_back({{std::move(names[i]), address_type()}, answers[i].status});
  co_return answers;
}

// include: the other record's pass is a match, and only that. RFC 7208 §5.2
dns::Asking<Matched> Evaluator::match_include(std::string target, TriedTerm& tried) {
  Evaluation inner = co_await check_host(std::move(target), Explains::no);
  Matched matched = inner.result == Result::pass;
  if (inner.result == Result::temperror || inner.result == Result::permerror)
    matched = std::unexpected(Conclusion{inner.result, inner.reason, inner.detail});
  if (inner.result == Result::none)
    matched =
        std::unexpected(Conclusion{Result::permerror, Reason::include_without_record,
                                   inner.domain + ": " + std::string(to_string(inner.reason))});
  tried.inner.push_back(std::move(inner));
  co_return matched;
}

// a: the client is one of the target's addresses. RFC 7208 §5.3
dns::Asking<Matched> Evaluator::match_a(std::string target, const Directive& directive,
                                        TriedTerm& tried) {
  const Question question{std::move(target), address_type()};
  const Answer answer = co_await dns::ask(question);
  tried.lookups.push_back({question, answer.status});
  if (answer.is_failure()) co_return std::unexpected(dns_failure(question, answer.status));
  if (is_void(answer.status)) co_return count_void_lookup();
  co_return is_client(answer, directive);
}

// mx: the client is an address of one of the target's mail exchanges. RFC 7208 §5.4
dns::Asking<Matched> Evaluator::match_mx(std::string target, const Directive& directive,
                                         TriedTerm& tried) {
  const Question question{std::move(target), RecordType::mx};
  const Answer answer = co_await dns::ask(question);
  tried.lookups.push_back({question, answer.status});
  if (answer.is_failure()) co_return std::unexpected(dns_failure(question, answer.status));
  if (is_void(answer.status)) co_return count_void_lookup();
  if (answer.records.size() > limits_.spf_hosts_max)
    co_return std::unexpected(
        Conclusion{Result::permerror, Reason::too_many_mail_exchanges, question.name});

  const std::vector<std::string> hosts = hosts_of(answer);
  const std::vector<Answer> addresses = co_await addresses_of(hosts, tried.lookups);
  bool is_all_void = !hosts.empty();
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    if (addresses[i].is_failure())
      co_return std::unexpected(dns_failure({hosts[i], address_type()}, addresses[i].status));
    if (is_client(addresses[i], directive)) co_return true;
    is_all_void = is_all_void && is_void(addresses[i].status);
  }
  if (is_all_void) co_return count_void_lookup();
  co_return false;
}

// ptr: a validated name of the client is the target or below it. A failure of DNS is no match: the
// client's names are not the target's to keep in order. RFC 7208 §5.5
dns::Asking<Matched> Evaluator::match_ptr(std::string target, TriedTerm& tried) {
  if (!client_names_) client_names_ = co_await ask_client_names(tried.lookups);
  // It is terms that count: each that rests on the void answer, though it was asked for once.
  if (is_void(client_names_->status)) co_return count_void_lookup();
  co_return std::ranges::any_of(client_names_->validated, [&target](const std::string& name) {
    return is_at_or_below(name, target);
  });
}

// Looks up the client's names and keeps those that lead back to it. RFC 7208 §5.5
dns::Asking<ClientNames> Evaluator::ask_client_names(std::vector<Lookup>& lookups) {
  const Question question{request_.client_ip.reverse_name(), RecordType::ptr};
  const Answer answer = co_await dns::ask(question);
  lookups.push_back({question, answer.status});
  ClientNames found{.status = answer.status, .validated = {}};
  std::vector<std::string> names = names_of(answer, limits_.spf_hosts_max);
  const std::vector<Answer> addresses = co_await addresses_of(names, lookups);
  for (std::size_t i = 0; i < names.size(); ++i)
    if (is_client(addresses[i], Directive{})) found.validated.push_back(std::move(names[i]));
  co_return found;
}

// The name for %{p}: the domain itself, else one below it, else any. RFC 7208 §7.3
std::string_view Evaluator::client_name(std::string_view domain) const {
  if (!client_names_ || client_names_->validated.empty()) return "unknown";
  const std::vector<std::string>& names = client_names_->validated;
  const auto same = std::ranges::find(names, domain);
  if (same != names.end()) return *same;
  const auto below = std::ranges::find_if(
      names, [domain](const std::string& name) { return is_at_or_below(name, domain); });
  return below != names.end() ? *below : names.front();
}

// ip4, ip6. RFC 7208 §5.6
bool Evaluator::is_in_network(const Directive& directive) const {
  const bool wants_v4 = directive.mechanism == Mechanism::ip4;
  return request_.client_ip.is_v4() == wants_v4 &&
         are_in_one_network(request_.client_ip, directive.network, directive);
}

// exists: there is an address record, and of IPv4 whatever the client has. RFC 7208 §5.7
dns::Asking<Matched> Evaluator::match_exists(std::string target, TriedTerm& tried) {
  const Question question{std::move(target), RecordType::a};
  const Answer answer = co_await dns::ask(question);
  tried.lookups.push_back({question, answer.status});
  if (answer.is_failure()) co_return std::unexpected(dns_failure(question, answer.status));
  if (is_void(answer.status)) co_return count_void_lookup();
  co_return true;
}

}  // namespace countersign::spf
