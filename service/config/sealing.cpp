// SPDX-License-Identifier: Apache-2.0

#include "service/config/sealing.hpp"

#include <string>
#include <utility>

#include "service/config/header_checks.hpp"
#include "service/config/lists.hpp"

namespace countersign::service::config {
namespace {

class Maker {
 public:
  Maker(const Settings& settings, const Files& files, KeyStore& keys, Problems& problems)
      : settings_(settings),
        sealing_(settings.sealing),
        files_(files),
        keys_(keys),
        problems_(problems) {}

  std::optional<mailflow::SealingPolicy> make() {
    const bool has_identity = !sealing_.domain.empty() || !sealing_.key_file.empty();
    if (!sealing_.judged && sealing_.returned.empty()) {
      if (has_identity)
        problems_.warning(place("sealing.domain"), "nothing is sealed",
                          "set judged or returned in [sealing]");
      return std::nullopt;
    }
    check_surroundings();
    std::optional<arc::SealingIdentity> identity = make_identity();
    if (!identity) return std::nullopt;
    return mailflow::SealingPolicy{
        .identity = *std::move(identity),
        .judged = sealing_.judged,
        .returned = read_host_list(sealing_.returned, files_, problems_),
        .header_checks = read_header_checks(sealing_.header_checks, files_, problems_),
        .on_error = sealing_.on_error};
  }

 private:
  [[nodiscard]] Place place(std::string_view key) const { return settings_.place_of(key); }

  void check_surroundings() {
    const bool judges = settings_.signing.mode != Mode::sign;
    if (sealing_.judged && !judges) {
      problems_.warning(place("sealing.judged"), "no mail is judged, so none of it is sealed",
                        "set mode = \"verify\" or \"both\" in [signing]");
    }
    if (sealing_.judged && !settings_.judging.arc) {
      problems_.fatal(place("sealing.judged"),
                      "a seal says what was found of the seals before it, and they are not checked",
                      "set arc = true in [judging]");
    }
    if (!sealing_.returned.empty() && settings_.judging.results.authserv_id_with_job_id) {
      problems_.warning(place("sealing.returned"),
                        "results with a queue id behind our name are not found on mail that comes "
                        "back, so it is not sealed",
                        "set authserv_id_with_job_id = false in [judging.results]");
    }
  }

  std::optional<arc::SealingIdentity> make_identity() {
    for (const auto& [key, value] : {std::pair("sealing.domain", &sealing_.domain),
                                     std::pair("sealing.selector", &sealing_.selector),
                                     std::pair("sealing.key_file", &sealing_.key_file)}) {
      if (!value->empty()) continue;
      problems_.fatal(place("sealing.judged"), std::string(key) + " is missing",
                      "domain, selector and key_file of [sealing] go together");
      return std::nullopt;
    }
    const std::optional<DomainName> domain = read_name("sealing.domain", sealing_.domain);
    const std::optional<DomainName> selector = read_name("sealing.selector", sealing_.selector);
    const std::optional<crypto::PrivateKey> key = read_key();
    if (!domain || !selector || !key) return std::nullopt;
    return arc::SealingIdentity{.sdid = *domain,
                                .selector = *selector,
                                .key = *key,
                                .signed_fields = {},
                                .fields = read_sealed_fields(sealing_, files_, problems_),
                                .header_canonicalization = sealing_.canonicalization.header,
                                .body_canonicalization = sealing_.canonicalization.body,
                                .lifetime = sealing_.lifetime};
  }

  std::optional<DomainName> read_name(std::string_view key, const std::string& text) {
    const auto name = DomainName::parse(text);
    if (name) return *name;
    problems_.fatal(place(key), "'" + text + "' cannot be used for " + std::string(key) + ": " +
                                    std::string(to_string(name.error().code)));
    return std::nullopt;
  }

  std::optional<crypto::PrivateKey> read_key() {
    const Place where = place("sealing.key_file");
    std::optional<crypto::PrivateKey> key = keys_.load(sealing_.key_file, where);
    if (!key) {
      problems_.fatal(where, "the key that seals cannot be used");
    } else if (key->type() == crypto::KeyType::ed25519) {
      problems_.note(where, "the key that seals is Ed25519, which few verifiers of ARC know",
                     "use an RSA key");
    }
    return key;
  }

  const Settings& settings_;
  const SealingSettings& sealing_;
  const Files& files_;
  KeyStore& keys_;
  Problems& problems_;
};

}  // namespace

std::optional<mailflow::SealingPolicy> make_sealing_policy(const Settings& settings,
                                                           const Files& files, KeyStore& keys,
                                                           Problems& problems) {
  return Maker(settings, files, keys, problems).make();
}

}  // namespace countersign::service::config
