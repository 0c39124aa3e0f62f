// SPDX-License-Identifier: Apache-2.0

#include "service/config/access.hpp"

#include <string_view>
#include <utility>
#include <vector>

#include "countersign/authres/field.hpp"
#include "service/config/lists.hpp"
#include "service/config/recipient_policies.hpp"

namespace countersign::service::config {
namespace {

// What a milter has no counterpart for: whoever sets it believes that a policy service runs. The
// importers set the others together with those of the milter.
constexpr std::string_view of_the_service_alone[] = {
    "policy_service.must_pass", "policy_service.only_no_mail",    "policy_service.prospective",
    "policy_service.helo_pass", "policy_service.mail_from_pass",  "policy_service.reason",
    "policy_service.spf_codes", "policy_service.recipients_file",
};

class Maker {
 public:
  Maker(const Settings& settings, const std::string& host_name, const Files& files,
        Problems& problems)
      : settings_(settings),
        service_(settings.policy_service),
        host_name_(authres::is_authserv_id(host_name) ? host_name : "localhost"),
        files_(files),
        problems_(problems) {}

  mailflow::SpfAccessPolicy make() {
    if (service_.sockets.empty()) tell_that_it_is_off();
    return finish();
  }

  /// For some recipients, whose settings name no more lists than they change.
  mailflow::SpfAccessPolicy make_over(const mailflow::SpfAccessPolicy& usual) {
    policy_ = usual;
    is_over_usual_ = true;
    return finish();
  }

 private:
  void tell_that_it_is_off() {
    const std::string remedy = "name its socket: policy_service.sockets, or --policy-socket";
    for (const std::string_view key : of_the_service_alone) {
      const auto found = settings_.places.find(key);
      if (found == settings_.places.end()) continue;
      problems_.warning(found->second,
                        std::string(key) +
                            " has no effect: the policy service has no socket, and a milter has no "
                            "such thing",
                        remedy);
    }
    const auto helo = settings_.places.find("policy_service.refuses_helo");
    const mailflow::RefuseFrom from = service_.refuses_helo;
    const bool is_finer = from == mailflow::RefuseFrom::null_sender ||
                          from == mailflow::RefuseFrom::softfail ||
                          from == mailflow::RefuseFrom::not_pass;
    if (helo == settings_.places.end() || !is_finer) return;
    problems_.warning(helo->second,
                      "the greeting is rejected for fail alone, or not at all "
                      "(judging.actions.helo_fail): more is for the policy service, which has no "
                      "socket",
                      remedy);
  }

  mailflow::SpfAccessPolicy finish() {
    set_refusals();
    set_lists();
    set_who_is_let_in();
    set_what_is_told();
    return std::move(policy_);
  }

  void set_refusals() {
    policy_.helo = service_.refuses_helo;
    policy_.mail_from = service_.refuses_mail_from;
    policy_.only_no_mail = service_.only_no_mail;
    policy_.refuses_permerror = service_.refuses_permerror;
    policy_.defers_temperror = service_.defers_temperror;
    policy_.only_tests = service_.only_tests;
  }

  [[nodiscard]] bool says(std::string_view key) const {
    return !is_over_usual_ || settings_.places.contains(std::string(key));
  }

  void set_lists() {
    if (says("policy_service.must_pass"))
      policy_.must_pass = read_domain_set(service_.must_pass, files_, problems_);
    if (says("policy_service.skipped"))
      add_hosts(service_.skipped, files_, problems_, policy_.skipped);
    if (says("policy_service.trusted_helo"))
      policy_.trusted_helo = read_host_list(service_.trusted_helo, files_, problems_);
    if (says("policy_service.forwarders")) policy_.forwarders = forwarders();
  }

  void set_who_is_let_in() {
    policy_.skips_authenticated = service_.skips_authenticated;
    policy_.skips_loopback = service_.skips_loopback;
    policy_.forwarder_timeout = service_.forwarder_timeout;
    policy_.prospective.reset();
    if (service_.prospective.empty()) return;
    policy_.prospective = IpAddress::parse(service_.prospective);
    if (policy_.prospective || is_over_usual_) return;  // Told already.
    problems_.fatal(settings_.place_of("policy_service.prospective"),
                    "'" + service_.prospective + "' is no IP address",
                    "write the address from which mail of ours leaves");
  }

  std::vector<DomainName> forwarders() {
    const Place& place = service_.forwarders.place;
    std::vector<DomainName> domains;
    for (const std::string& name : read_names(service_.forwarders, files_, problems_)) {
      auto domain = DomainName::parse(name);
      if (domain) {
        domains.push_back(*std::move(domain));
      } else {
        problems_.error(place, "'" + name + "' is no domain", "name domains with an SPF record");
      }
    }
    constexpr std::size_t most = Limits{}.access_forwarders_max;
    if (domains.size() > most) {
      problems_.warning(place,
                        "more than " + std::to_string(most) +
                            " forwarders are named; those behind are not asked for",
                        "list the addresses of some as skipped clients");
      domains.resize(most, domains.front());
    }
    return domains;
  }

  void set_what_is_told() {
    policy_.field = service_.field;
    policy_.receiver = service_.receiver.empty() ? host_name_ : service_.receiver;
    policy_.authserv_id = host_name_;
    // What is none is told where the milter's policy is made.
    const std::string& id = settings_.judging.results.authserv_id;
    if (!id.empty() && authres::is_authserv_id(id)) policy_.authserv_id = id;
    policy_.helo_pass = service_.helo_pass;
    policy_.mail_from_pass = service_.mail_from_pass;
    policy_.reason = service_.reason;
    policy_.spf_codes = service_.spf_codes;
  }

  const Settings& settings_;
  const PolicyServiceSettings& service_;
  std::string host_name_;
  const Files& files_;
  Problems& problems_;
  mailflow::SpfAccessPolicy policy_;
  bool is_over_usual_ = false;
};

}  // namespace

mailflow::SpfAccessPolicies make_access_policies(const Settings& settings,
                                                 const std::string& host_name, const Files& files,
                                                 Problems& problems) {
  mailflow::SpfAccessPolicies policies{.usual = Maker(settings, host_name, files, problems).make(),
                                       .of_recipients = {}};
  const PolicyServiceSettings& service = settings.policy_service;
  if (service.recipients_file.empty()) return policies;
  // A milter alone need not fail for a file that is for the policy service. Without any socket the
  // settings are looked at before their time.
  if (service.sockets.empty() && !settings.daemon.sockets.empty()) return policies;
  const auto make = [&](const Settings& some, Problems& problems_of_line) {
    return Maker(some, host_name, files, problems_of_line).make_over(policies.usual);
  };
  policies.of_recipients = read_recipient_policies(settings, files, make, problems);
  return policies;
}

}  // namespace countersign::service::config
