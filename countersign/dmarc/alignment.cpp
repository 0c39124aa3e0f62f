// SPDX-License-Identifier: Apache-2.0
//
// First what is certain without DNS, then all the walks that are left at once.

#include "countersign/dmarc/alignment.hpp"

#include <algorithm>
#include <utility>

namespace countersign::dmarc {

namespace {

using State = AlignmentState;

bool holds(const std::vector<DomainName>& names, const DomainName& name) {
  return std::ranges::find(names, name) != names.end();
}

Alignment mode_for(Mechanism mechanism, const AlignmentModes& modes) {
  return mechanism == Mechanism::spf ? modes.aspf : modes.adkim;
}

// The alignment as far as it shows without a walk of the identifier; nothing when one is needed.
std::optional<State> state_without_walk(const Walk& author, Alignment mode,
                                        const DomainName& domain) {
  if (domain == author.start()) return State::aligned;
  if (mode == Alignment::strict) return State::unaligned;
  // An Organizational Domain is an ancestor of all that is in it; whichever it is, it has at least
  // the top-level domain in common with the author.
  if (author.is_certain && !domain.is_at_or_below(author.org_domain)) return State::unaligned;
  if (domain.suffix(1) != author.start().suffix(1)) return State::unaligned;
  if (!author.is_certain) return State::unknown;
  return std::nullopt;
}

// The names of a walk that starts in the organization of the author. Like the author's walk it ends
// at the record that says psd=y or psd=n, if there is one.
std::vector<DomainName> names_below_end(const Walk& author, const DomainName& start,
                                        const Limits& limits) {
  std::vector<DomainName> names = walk_names(start, limits);
  const DomainName& end = author.steps.back().domain;
  std::erase_if(names, [&end](const DomainName& name) { return !name.is_at_or_below(end); });
  return names;
}

// The names of all walks that nobody has asked for yet, each once.
std::vector<DomainName> missing_names(const Walk& author, const std::vector<DomainName>& starts,
                                      const Limits& limits) {
  std::vector<DomainName> missing;
  for (const DomainName& start : starts)
    for (DomainName& name : names_below_end(author, start, limits))
      if (author.step_at(name) == nullptr && !holds(missing, name))
        missing.push_back(std::move(name));
  return missing;
}

// A walk of which every step is known: from the author's walk or from those asked for since.
Walk walk_over(const Walk& author, const std::vector<WalkStep>& others, const DomainName& start,
               const Limits& limits) {
  std::vector<WalkStep> steps;
  for (const DomainName& name : names_below_end(author, start, limits)) {
    const WalkStep* const known = author.step_at(name);
    steps.push_back(known ? *known : *std::ranges::find(others, name, &WalkStep::domain));
  }
  return finish_walk(std::move(steps));
}

State state_of(const Walk& walk, const Walk& author) {
  if (!walk.is_certain) return State::unknown;
  return walk.org_domain == author.org_domain ? State::aligned : State::unaligned;
}

}  // namespace

std::string_view to_string(Mechanism mechanism) {
  return mechanism == Mechanism::spf ? "spf" : "dkim";
}

std::string_view to_string(Authentication authentication) {
  return authentication == Authentication::pass ? "pass" : "temperror";
}

std::string_view to_string(AlignmentState state) {
  switch (state) {
    case State::aligned:
      return "aligned";
    case State::unaligned:
      return "unaligned";
    case State::unknown:
      return "unknown";
    case State::not_walked:
      return "not_walked";
  }
  return "unknown";
}

dns::Asking<std::vector<AlignedIdentifier>> align(const Walk& author, AlignmentModes modes,
                                                  std::vector<Identifier> identifiers,
                                                  Limits limits) {
  std::vector<AlignedIdentifier> results;
  std::vector<DomainName> starts;
  for (Identifier& identifier : identifiers) {
    const Alignment mode = mode_for(identifier.mechanism, modes);
    const std::optional<State> state = state_without_walk(author, mode, identifier.domain);
    if (!state && !holds(starts, identifier.domain)) starts.push_back(identifier.domain);
    // Marked as if it came too late, until it is walked.
    results.push_back({std::move(identifier), state.value_or(State::not_walked), {}});
  }
  if (starts.size() > limits.walked_identifiers_max)
    starts.erase(starts.begin() + static_cast<std::ptrdiff_t>(limits.walked_identifiers_max),
                 starts.end());

  const std::vector<WalkStep> others =
      co_await look_up(missing_names(author, starts, limits), limits);
  for (AlignedIdentifier& result : results) {
    if (result.state != State::not_walked || !holds(starts, result.identifier.domain)) continue;
    result.walk = walk_over(author, others, result.identifier.domain, limits);
    result.state = state_of(*result.walk, author);
  }
  co_return results;
}

std::vector<AlignedIdentifier> align_by_list(const DomainName& author, AlignmentModes modes,
                                             std::vector<Identifier> identifiers,
                                             const OrgDomainOf& org_domain_of) {
  const DomainName org_domain = org_domain_of(author);
  std::vector<AlignedIdentifier> results;
  for (Identifier& identifier : identifiers) {
    const Alignment mode = mode_for(identifier.mechanism, modes);
    const bool is_aligned =
        mode == Alignment::strict
            ? identifier.domain == author
            : identifier.domain == author || org_domain_of(identifier.domain) == org_domain;
    results.push_back(
        {std::move(identifier), is_aligned ? State::aligned : State::unaligned, std::nullopt});
  }
  return results;
}

}  // namespace countersign::dmarc
