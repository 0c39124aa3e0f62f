// SPDX-License-Identifier: Apache-2.0

#include "service/config/public_suffix.hpp"

#include <utility>

#include "countersign/domain/public_suffix.hpp"

namespace countersign::service::config {
namespace {

dmarc::OrgDomainOf finder(PublicSuffixList list) {
  return [list = std::move(list)](const DomainName& name) { return list.org_domain(name); };
}

}  // namespace

std::expected<dmarc::OrgDomainOf, std::string> read_public_suffix_list(const std::string& file,
                                                                       const Files& files) {
  const std::string path = file.empty() ? system_public_suffix_list : file;
  const auto octets = files.read(path);
  if (!octets && file.empty()) {
    if (auto list = PublicSuffixList::built_in()) return finder(*std::move(list));
  }
  if (!octets) return std::unexpected("cannot read " + path + ": " + octets.error());
  auto list = PublicSuffixList::parse(*octets);
  if (!list) return std::unexpected(path + ": " + std::string(to_string(list.error())));
  return finder(*std::move(list));
}

}  // namespace countersign::service::config
