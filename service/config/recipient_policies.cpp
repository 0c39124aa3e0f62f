// SPDX-License-Identifier: Apache-2.0

#include "service/config/recipient_policies.hpp"

#include <algorithm>
#include <expected>
#include <iterator>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "countersign/authres/field.hpp"
#include "countersign/domain/address.hpp"
#include "countersign/domain/name.hpp"
#include "countersign/text/abnf.hpp"
#include "service/config/data_set.hpp"
#include "service/config/import/foreign_value.hpp"
#include "service/config/import/policyd_spf.hpp"
#include "service/config/settings_table.hpp"
#include "service/config/suggest.hpp"

namespace countersign::service::config {
namespace {

using Policy = std::shared_ptr<const mailflow::SpfAccessPolicy>;

constexpr text::CharClass is_blank = text::CharClass(" \t\r\f\v");
constexpr std::string_view section = "policy_service.";
constexpr std::string_view authserv_id = "judging.results.authserv_id";
// As for a file of settings: each search costs something.
constexpr std::size_t suggestions_max = 100;

std::string quote(std::string_view text) { return "'" + std::string(text) + "'"; }

void copy(const Slot& from, const Slot& to) {
  std::visit([&from](auto* target) { *target = *std::get<decltype(target)>(from); }, to);
}

/// A recipient in the forms in which an MTA may name the domain; none when it is no address.
std::vector<std::string> read_recipient(std::string_view text) {
  const std::size_t at = text.rfind('@');
  if (at == std::string_view::npos || !text::is_dot_atom.all_of(text.substr(0, at))) return {};
  const auto domain = DomainName::parse(text.substr(at + 1));
  if (!domain) return {};
  std::vector<std::string> forms = {text::to_lower(text.substr(0, at + 1)) + domain->text()};
  if (std::string written = text::to_lower(text); written != forms.front())
    forms.push_back(std::move(written));
  return forms;
}

/// What policyd-spf.conf would be told about a value elsewhere, or at every client.
std::string_view fault_of(std::string_view key, std::string_view value) {
  if (key == "policy_service.prospective" && !value.empty() && !IpAddress::parse(value))
    return "is no IP address";
  if (key == authserv_id && !value.empty() && !authres::is_authserv_id(value))
    return "is no authserv-id";
  if (key == "policy_service.skipped" && split_list(value).empty())
    return "takes nobody out of those who are skipped for all recipients";
  return {};
}

// The settings of one line.
class LineReader {
 public:
  LineReader(const Settings& base, std::size_t& unknown, Problems& problems)
      : settings_(base), unknown_(unknown), problems_(problems) {}

  Settings read(std::string_view text, const Place& place) {
    while (!text.empty()) {
      const std::size_t bar = text.find('|');
      take(text::trim(text.substr(0, bar), is_blank), place);
      text.remove_prefix(bar == std::string_view::npos ? text.size() : bar + 1);
    }
    for (const auto& [option, line] : last_) apply(*option, line);
    return std::move(settings_);
  }

 private:
  void take(std::string_view pair, const Place& place) {
    if (pair.empty()) return;
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos || pair.find('=', equals + 1) != std::string_view::npos)
      return problems_.warning(place, quote(pair) + " is left out: it is no name=value");
    ConfigLine line{std::string(text::trim(pair.substr(0, equals), is_blank)),
                    std::string(text::trim(pair.substr(equals + 1), is_blank)), place};
    // The name in the files of recipients differs from that in policyd-spf.conf.
    if (text::equal_ignoring_case(line.name, "Authserv-Id")) line.name = "Authserv_Id";
    const Option* option = find_option(policyd_spf_dialect().options, line.name);
    if (option == nullptr) return refuse_unknown(line);
    if (!is_of_recipients(*option)) {
      return problems_.warning(place, line.name + " has no effect for one recipient",
                               "the setting can be removed here");
    }
    const auto [before, fresh] = last_.try_emplace(option, line);
    if (fresh) return;
    problems_.warning(place, line.name + " is set twice; the last one counts");
    before->second = std::move(line);
  }

  static bool is_of_recipients(const Option& option) {
    if (option.key == "policy_service.recipients_file") return false;
    return option.key.starts_with(section) || option.key == authserv_id;
  }

  void refuse_unknown(const ConfigLine& line) {
    std::vector<std::string_view> names;
    if (++unknown_ <= suggestions_max) {
      for (const Option& option : policyd_spf_dialect().options) {
        if (is_of_recipients(option)) names.push_back(option.name);
      }
    }
    problems_.warning(line.place, "there is no option " + quote(line.name) + "; it is left out",
                      suggestion(line.name, names));
  }

  // What a policyd-spf.conf of this line alone would set. The specials of many options say nothing
  // where a value is that of the program's default, which differs from what holds for all.
  void apply(const Option& option, const ConfigLine& line) {
    if (const std::string_view fault = fault_of(option.key, line.value); !fault.empty()) {
      return problems_.warning(
          line.place, line.name + " is left out: " + quote(line.value) + " " + std::string(fault));
    }
    Problems found;
    Importer importer(policyd_spf_dialect(), line.place.file, found);
    importer.settings().policy_service.skipped.lines.clear();
    importer.take(line);
    Settings said = importer.finish();
    if (!tell(found)) return;
    set(option.key, said, line.place);
    // With Prospective, or without, as the program has it.
    if (option.key == "policy_service.prospective")
      settings_.policy_service.skips_authenticated = said.policy_service.skips_authenticated;
  }

  // A mistake in a line of many must not stop mail. False when the value cannot be used.
  bool tell(const Problems& found) {
    bool is_usable = true;
    for (Problem problem : found.all()) {
      if (problem.severity > Severity::warning) {
        problem.severity = Severity::warning;
        problem.message += "; it is left out";
        is_usable = false;
      }
      problems_.add(std::move(problem));
    }
    return is_usable;
  }

  void set(std::string_view key, Settings& said, const Place& place) {
    const Setting& setting = *find_setting(key);
    settings_.places[std::string(key)] = place;
    const Slot from = setting.slot(said);
    const Slot to = setting.slot(settings_);
    DataSet* const* list = std::get_if<DataSet*>(&to);
    if (list == nullptr) return copy(from, to);
    // Three options make one list of who is skipped. A line never names a file or a data base.
    const DataSet& more = *std::get<DataSet*>(from);
    std::ranges::copy(more.lines, std::back_inserter((*list)->lines));
    std::ranges::copy(split_list(more.source), std::back_inserter((*list)->lines));
    (*list)->place = place;
  }

  Settings settings_;
  std::size_t& unknown_;
  Problems& problems_;
  std::map<const Option*, ConfigLine> last_;  // In the order of the table.
};

// The file, line by line.
class FileReader {
 public:
  FileReader(const Settings& settings, const Files& files, const RecipientPolicyMaker& make,
             Problems& problems)
      : place_(settings.place_of("policy_service.recipients_file")),
        path_(settings.policy_service.recipients_file),
        files_(files),
        make_(make),
        problems_(problems) {
    PolicyServiceSettings& service = base_.policy_service;
    service = settings.policy_service;
    service.must_pass = service.skipped = service.trusted_helo = service.forwarders = {};
    base_.judging.results.authserv_id = settings.judging.results.authserv_id;
  }

  RecipientPolicies read() {
    const std::expected<std::string, std::string> octets = files_.read(path_);
    if (!octets) problems_.fatal(place_, "cannot read " + path_ + ": " + octets.error());
    std::string_view text = octets ? std::string_view(*octets) : std::string_view();
    for (std::size_t number = 1; !text.empty() && !is_full_; ++number) {
      const std::size_t end = text.find('\n');
      read_line(text.substr(0, end), {path_, number});
      text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return std::move(policies_);
  }

 private:
  void read_line(std::string_view line, const Place& place) {
    line = text::trim(line.substr(0, line.find('#')), is_blank);
    if (line.empty()) return;
    const std::size_t comma = line.find(',');
    if (comma == std::string_view::npos) {
      return problems_.warning(place, "the line is left out: it has no comma behind a recipient",
                               "write user@example.com,name=value|name=value");
    }
    const std::string_view recipient = text::trim(line.substr(0, comma), is_blank);
    const std::vector<std::string> forms = read_recipient(recipient);
    if (forms.empty()) {
      return problems_.warning(place,
                               "the line is left out: " + quote(recipient) + " is no address",
                               "write user@example.com, or @example.com for the whole domain");
    }
    if (policies_.contains(forms.front())) {
      return problems_.warning(
          place, "the line is left out: an earlier one is for " + quote(recipient) + " too");
    }
    if (policies_.size() >= data_set_entries_max) return stop(place, "two million recipients");
    const Policy policy = policy_of(text::trim(line.substr(comma + 1), is_blank), place);
    if (policy == nullptr) return;
    for (const std::string& form : forms) policies_.try_emplace(form, policy);
  }

  Policy policy_of(std::string_view text, const Place& place) {
    const auto [found, fresh] = by_text_.try_emplace(std::string(text));
    if (!fresh) return found->second;
    if (by_text_.size() > recipient_policies_max) {
      stop(place, std::to_string(recipient_policies_max) + " different settings of recipients");
      return nullptr;
    }
    Problems problems;
    const Settings settings = LineReader(base_, unknown_, problems_).read(text, place);
    found->second = std::make_shared<const mailflow::SpfAccessPolicy>(make_(settings, problems));
    for (Problem problem : problems.all()) {
      problem.severity = std::min(problem.severity, Severity::warning);
      problems_.add(std::move(problem));
    }
    return found->second;
  }

  void stop(const Place& place, const std::string& most) {
    is_full_ = true;
    problems_.fatal(place, "more than " + most);
  }

  Place place_;
  const std::string& path_;
  const Files& files_;
  const RecipientPolicyMaker& make_;
  Problems& problems_;
  Settings base_;  // What a line changes.
  RecipientPolicies policies_;
  std::unordered_map<std::string, Policy> by_text_;
  std::size_t unknown_ = 0;
  bool is_full_ = false;
};

}  // namespace

RecipientPolicies read_recipient_policies(const Settings& settings, const Files& files,
                                          const RecipientPolicyMaker& make, Problems& problems) {
  return FileReader(settings, files, make, problems).read();
}

}  // namespace countersign::service::config
