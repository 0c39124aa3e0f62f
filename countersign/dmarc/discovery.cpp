// SPDX-License-Identifier: Apache-2.0
//
// Asking for the levels of a walk, and what follows from the answers. All but the questions are
// plain functions of what was found, so that the rules can be read, and tested, one by one.

#include "countersign/dmarc/discovery.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include "countersign/assert.hpp"

namespace countersign::dmarc {

namespace {

using dns::AnswerStatus;

constexpr std::string_view prefix = "_dmarc.";
constexpr std::size_t name_octets_max = 253;  // RFC 1035 §2.3.4

// What one text says: nothing when it is no DMARC record. A record too large to be read is one, and
// it asks for nothing.
std::optional<Record> record_of(const std::string& text, const Limits& limits) {
  auto record = parse_record(text, limits);
  if (record) return *std::move(record);
  if (record.error().code == RecordErrorCode::no_version) return std::nullopt;
  return Record{};
}

// What one name publishes, read.
struct Published {
  AnswerStatus status = AnswerStatus::servfail;
  bool authenticated = false;
  Finding finding = Finding::no_record;
  std::shared_ptr<const Record> record;
  std::string text;

  [[nodiscard]] std::size_t octets() const {
    // What a record keeps of its text is no longer than that.
    return sizeof *this + 2 * text.size() + (record ? sizeof *record : 0);
  }
};

// Takes the one record among all the texts at a name. RFC 9989 §4.10, item 2 and 3
void choose_record(const dns::Answer& answer, const Limits& limits, Published& published) {
  std::size_t looked_at = 0;
  for (const dns::RecordData& data : answer.records) {
    if (looked_at++ == limits.answer_records_max) return;
    const auto* strings = std::get_if<dns::Text>(&data);
    if (strings == nullptr) continue;
    std::string text = strings->joined();
    std::optional<Record> record = record_of(text, limits);
    if (!record) continue;
    if (published.record) {
      published.finding = Finding::several_records;
      published.record = nullptr;
      published.text.clear();
      return;
    }
    published.finding = Finding::record;
    published.record = std::make_shared<const Record>(*std::move(record));
    published.text = std::move(text);
  }
}

Published read_published(const dns::Question&, const dns::Answer& answer, const Limits& limits) {
  Published published{.status = answer.status, .authenticated = answer.authenticated};
  if (answer.is_failure()) published.finding = Finding::dns_failure;
  if (answer.status == AnswerStatus::records) choose_record(answer, limits, published);
  return published;
}

dns::Asking<WalkStep> look_up_one(DomainName domain, Limits limits) {
  WalkStep step{.domain = std::move(domain)};
  if (prefix.size() + step.domain.text().size() > name_octets_max) co_return step;
  const auto published = co_await dns::ask_parsed<read_published>(
      {std::string(prefix) + step.domain.text(), dns::RecordType::txt}, limits);
  step.status = published->status;
  step.finding = published->finding;
  step.record = published->record;
  step.authenticated = published->authenticated;
  step.text = published->text;
  co_return step;
}

Psd psd_of(const WalkStep& step) { return step.record ? step.record->psd : Psd::u; }

bool ends_walk(const WalkStep& step) { return psd_of(step) != Psd::u; }

bool is_failure(const WalkStep& step) { return step.finding == Finding::dns_failure; }

bool has_record(const WalkStep& step) { return step.finding == Finding::record; }

// RFC 9989 §4.10.2
DomainName org_domain_of(const std::vector<WalkStep>& steps) {
  const DomainName& start = steps.front().domain;
  const WalkStep& last = steps.back();
  if (psd_of(last) == Psd::n) return last.domain;
  if (psd_of(last) == Psd::y && steps.size() > 1)
    return start.ancestor(last.domain.label_count() + 1);
  const auto shortest = std::find_if(steps.rbegin(), steps.rend(), has_record);
  return shortest == steps.rend() ? start : shortest->domain;
}

}  // namespace

std::string_view to_string(Finding finding) {
  switch (finding) {
    case Finding::record:
      return "a DMARC record";
    case Finding::no_record:
      return "no DMARC record";
    case Finding::several_records:
      return "more than one DMARC record, so none of them counts (RFC 9989 §4.10)";
    case Finding::dns_failure:
      return "DNS did not answer (RFC 9989 §4.10)";
  }
  return "unknown finding";
}

std::string_view name_of(Finding finding) {
  switch (finding) {
    case Finding::record:
      return "record";
    case Finding::no_record:
      return "no_record";
    case Finding::several_records:
      return "several_records";
    case Finding::dns_failure:
      return "dns_failure";
  }
  return "unknown";
}

std::string_view to_string(PolicySource source) {
  switch (source) {
    case PolicySource::none:
      return "none";
    case PolicySource::author_domain:
      return "author_domain";
    case PolicySource::org_domain:
      return "org_domain";
    case PolicySource::psd:
      return "psd";
    case PolicySource::unknown:
      return "unknown";
  }
  return "unknown";
}

std::string_view to_string(DiscoveryMethod method) {
  return method == DiscoveryMethod::psl ? "psl" : "treewalk";
}

std::vector<DomainName> walk_names(const DomainName& start, const Limits& limits) {
  std::vector<DomainName> names = {start};
  const std::size_t above_max = limits.tree_walk_queries_max - 1;
  std::size_t labels = std::min(start.label_count() - 1, above_max);
  for (; labels > 0; --labels) names.push_back(start.ancestor(labels));
  return names;
}

dns::Asking<std::vector<WalkStep>> look_up(std::vector<DomainName> names, Limits limits) {
  std::vector<dns::Asking<WalkStep>> levels;
  levels.reserve(names.size());
  for (DomainName& name : names) levels.push_back(look_up_one(std::move(name), limits));
  co_return co_await dns::all(std::move(levels));
}

const WalkStep* Walk::step_at(const DomainName& domain) const {
  const auto found = std::ranges::find(steps, domain, &WalkStep::domain);
  return found == steps.end() ? nullptr : &*found;
}

Walk finish_walk(std::vector<WalkStep> steps) {
  COUNTERSIGN_ASSERT(!steps.empty());
  const auto end = std::ranges::find_if(steps, ends_walk);
  if (end != steps.end()) steps.erase(end + 1, steps.end());
  DomainName org_domain = org_domain_of(steps);
  Walk walk{.steps = std::move(steps), .org_domain = std::move(org_domain)};
  walk.is_certain = std::ranges::none_of(walk.steps, is_failure);
  if (walk.steps.size() > 1 && psd_of(walk.steps.back()) == Psd::y)
    walk.psd_step = walk.steps.size() - 1;
  return walk;
}

dns::Asking<Walk> walk_tree(DomainName start, Limits limits) {
  co_return finish_walk(co_await look_up(walk_names(start, limits), limits));
}

bool has_top_level_org(const Walk& walk) {
  return walk.org_domain.label_count() == 1 && walk.org_domain != walk.start();
}

const WalkStep* Discovery::policy() const {
  const bool is_found = source != PolicySource::none && source != PolicySource::unknown;
  return is_found ? &walk.steps[policy_step] : nullptr;
}

Discovery choose_policy(Walk walk) {
  Discovery discovery{.walk = std::move(walk)};
  const std::vector<WalkStep>& steps = discovery.walk.steps;
  const WalkStep* const of_org = discovery.walk.step_at(discovery.walk.org_domain);
  if (has_record(steps.front())) {
    discovery.source = PolicySource::author_domain;
  } else if (!discovery.walk.is_certain) {
    discovery.source = PolicySource::unknown;
  } else if (of_org != nullptr && has_record(*of_org)) {
    discovery.source = PolicySource::org_domain;
    discovery.policy_step = static_cast<std::size_t>(of_org - steps.data());
  } else if (discovery.walk.psd_step) {
    discovery.source = PolicySource::psd;
    discovery.policy_step = *discovery.walk.psd_step;
  }
  return discovery;
}

dns::Asking<Discovery> discover(DomainName author_domain, Limits limits,
                                OrgDomainOf org_domain_of) {
  if (!org_domain_of) co_return choose_policy(co_await walk_tree(std::move(author_domain), limits));
  DomainName org_domain = org_domain_of(author_domain);
  COUNTERSIGN_ASSERT(author_domain.is_at_or_below(org_domain));
  std::vector<DomainName> names = {std::move(author_domain)};
  if (names.front() != org_domain) names.push_back(org_domain);
  Walk walk{.steps = co_await look_up(std::move(names), limits),
            .org_domain = std::move(org_domain)};
  walk.is_certain = std::ranges::none_of(walk.steps, is_failure);
  Discovery discovery = choose_policy(std::move(walk));
  // RFC 7489 §6.6.3, item 5: the Organizational Domain is asked only where there is no record.
  if (discovery.walk.steps.front().finding == Finding::several_records)
    discovery.source = PolicySource::none;
  discovery.org_domain_of = std::move(org_domain_of);
  co_return discovery;
}

dns::Asking<std::optional<bool>> look_up_existence(DomainName domain) {
  const dns::Answer answer = co_await dns::ask({domain.text(), dns::RecordType::cname});
  if (answer.is_failure()) co_return std::nullopt;
  co_return answer.status != AnswerStatus::nxdomain;
}

}  // namespace countersign::dmarc
