// SPDX-License-Identifier: Apache-2.0

#include "service/config/lists.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "countersign/arc/sealer.hpp"
#include "countersign/text/abnf.hpp"

namespace countersign::service::config {
namespace {

using mailflow::HostList;

std::string quote(std::string_view text) { return "'" + std::string(text) + "'"; }

// "*" in OpenDKIM's patterns denies everybody, because it matches the negated form first; what is
// meant may be the whole world, which nobody should trust by accident.
void refuse_everybody(const DataEntry& entry, Problems& problems) {
  problems.warning(entry.place, "'*' is left out: it would trust every client",
                   "name the networks, or 0.0.0.0/0 and ::/0 if you mean it");
}

void add_host(const DataEntry& entry, HostList& hosts, Problems& problems) {
  if (entry.key == "*") return refuse_everybody(entry, problems);
  switch (hosts.add(entry.key, entry.place)) {
    case HostList::Added::as_name:
    case HostList::Added::as_network:
      break;
    case HostList::Added::with_host_bits:
      problems.warning(entry.place,
                       quote(entry.key) +
                           " is taken as the network that it evidently means, "
                           "which OpenDKIM never matches",
                       "check that all of it is to be trusted, and write network/length");
      break;
    case HostList::Added::as_wildcard:
      problems.warning(entry.place,
                       quote(entry.key) +
                           " is taken as all that it evidently matches, which "
                           "OpenDKIM misreads",
                       "write .domain or network/length");
      break;
    case HostList::Added::not_an_entry:
      problems.warning(entry.place,
                       quote(entry.key) + " is neither a host name nor an address and is left out");
      break;
  }
}

// --- header fields ---

// RFC 6376 §5.4.1 and §5.4 as OpenDKIM 2.11 understands them.
constexpr std::string_view opendkim_signed_fields =
    "From Reply-To Subject Date To Cc Resent-Date Resent-From Resent-Sender Resent-To Resent-Cc "
    "In-Reply-To References List-Id List-Help List-Unsubscribe List-Subscribe List-Post List-Owner "
    "List-Archive";
constexpr std::string_view opendkim_omitted_fields =
    "Return-Path Received Comments Keywords Bcc Resent-Bcc DKIM-Signature";

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> result;
  while (!text.empty()) {
    const std::size_t blank = text.find(' ');
    result.emplace_back(text.substr(0, blank));
    text.remove_prefix(blank == std::string_view::npos ? text.size() : blank + 1);
  }
  return result;
}

// A list that replaces the defaults, or changes them when "*" is among its entries.
class FieldList {
 public:
  FieldList(const DataSet& set, const Files& files, Problems& problems)
      : entries_(read_data_set(set, files, problems).entries), problems_(problems) {}

  [[nodiscard]] std::vector<std::string> over(std::vector<std::string> defaults) const {
    if (entries_.empty()) return defaults;
    const bool changes = std::ranges::any_of(entries_, [](const auto& e) { return e.key == "*"; });
    std::vector<std::string> names = changes ? std::move(defaults) : std::vector<std::string>();
    for (const DataEntry& entry : entries_) apply(entry, names);
    return names;
  }

 private:
  void apply(const DataEntry& entry, std::vector<std::string>& names) const {
    std::string_view name = entry.key;
    if (name == "*" || name == ".") return;  // "." is how a list says that it has no entries.
    const bool removes = name.starts_with('-');
    if (removes || name.starts_with('+')) name.remove_prefix(1);
    if (name.empty() || !text::is_ftext.all_of(name)) {
      return problems_.warning(entry.place, quote(name) + " is no name of a header field");
    }
    const auto same = [&](const std::string& one) { return equal_names(one, name); };
    if (removes) {
      std::erase_if(names, same);
    } else if (std::ranges::none_of(names, same)) {
      names.emplace_back(name);
    }
  }

  std::vector<DataEntry> entries_;
  Problems& problems_;
};

}  // namespace

HostList read_host_list(const DataSet& set, const Files& files, Problems& problems) {
  HostList hosts;
  add_hosts(set, files, problems, hosts);
  return hosts;
}

void add_hosts(const DataSet& set, const Files& files, Problems& problems, HostList& hosts) {
  for (const DataEntry& entry : read_data_set(set, files, problems).entries) {
    add_host(entry, hosts, problems);
  }
}

mailflow::DomainSet read_domain_set(const DataSet& set, const Files& files, Problems& problems) {
  mailflow::DomainSet domains;
  for (const DataEntry& entry : read_data_set(set, files, problems).entries) {
    if (entry.key == "*") {
      domains.all = true;
    } else {
      add_host(entry, domains.entries, problems);
    }
  }
  return domains;
}

mailflow::RecipientList read_recipients(const DataSet& set, const Files& files,
                                        Problems& problems) {
  mailflow::RecipientList recipients;
  for (const DataEntry& entry : read_data_set(set, files, problems).entries) {
    if (recipients.add(entry.key)) continue;
    problems.error(entry.place, quote(entry.key) + " is no pattern that can be used",
                   "name addresses, domains or .domain");
  }
  return recipients;
}

std::vector<std::string> read_names(const DataSet& set, const Files& files, Problems& problems) {
  std::vector<std::string> names;
  for (DataEntry& entry : read_data_set(set, files, problems).entries) {
    names.push_back(std::move(entry.key));
  }
  return names;
}

std::vector<mailflow::MacroRule> read_macros(const DataSet& set, const Files& files,
                                             Problems& problems) {
  std::vector<mailflow::MacroRule> rules;
  const bool is_file = set.source.find('/') != std::string::npos;
  for (const DataEntry& entry : read_data_set(set, files, problems).entries) {
    std::string_view name = entry.key;
    std::string_view values = entry.value;
    bool is_odd = false;  // OpenDKIM takes it for a part of the name, which no macro has.
    if (const std::size_t equals = name.find('='); equals != std::string_view::npos) {
      values = name.substr(equals + 1);
      name = name.substr(0, equals);
      is_odd = is_file;
    } else if (const std::size_t bar = name.find('|'); bar != std::string_view::npos) {
      // As dkimpy-milter writes it; no name has a bar.
      values = name.substr(bar + 1);
      name = name.substr(0, bar);
    }
    if (name.starts_with('{') && name.ends_with('}')) {
      name = name.substr(1, name.size() - 2);
      is_odd = true;
    }
    if (is_odd) {
      problems.warning(entry.place,
                       quote(entry.key) + " is taken as the macro " + quote(name) +
                           ", which OpenDKIM never finds",
                       "write the name without braces, and its values behind a blank");
    }
    mailflow::MacroRule rule{.name = std::string(name)};
    while (!values.empty()) {
      const std::size_t bar = values.find('|');
      rule.values.emplace_back(values.substr(0, bar));
      values.remove_prefix(bar == std::string_view::npos ? values.size() : bar + 1);
    }
    rules.push_back(std::move(rule));
  }
  return rules;
}

dkim::FieldSelection read_field_selection(const SigningSettings& settings, const Files& files,
                                          Problems& problems) {
  dkim::FieldSelection defaults = dkim::default_field_selection();
  if (settings.fields == FieldDefaults::opendkim) {
    defaults = {words(opendkim_signed_fields), words(opendkim_omitted_fields), {}};
  }
  return {
      .sign = FieldList(settings.signed_fields, files, problems).over(defaults.sign),
      .omit = FieldList(settings.omitted_fields, files, problems).over(defaults.omit),
      .oversign = FieldList(settings.oversigned_fields, files, problems).over(defaults.oversign)};
}

dkim::FieldSelection read_sealed_fields(const SealingSettings& settings, const Files& files,
                                        Problems& problems) {
  const dkim::FieldSelection defaults = arc::default_sealed_fields();
  return {
      .sign = FieldList(settings.signed_fields, files, problems).over(defaults.sign),
      .omit = FieldList(settings.omitted_fields, files, problems).over(defaults.omit),
      .oversign = FieldList(settings.oversigned_fields, files, problems).over(defaults.oversign)};
}

}  // namespace countersign::service::config
