// SPDX-License-Identifier: Apache-2.0

#include "cli/shared_networks.hpp"

#include <algorithm>
#include <array>

#include "countersign/text/abnf.hpp"

namespace countersign::cli {
namespace {

struct SharedNetworks {
  std::string_view domain;  ///< what these companies tell their customers to include
  std::string_view owner;
};

constexpr std::array<SharedNetworks, 13> shared_networks = {{
    {"_cloud-netblocks.googleusercontent.com", "Google Cloud"},
    {"_spf.kundenserver.de", "IONOS"},
    {"_spf.mailspamprotection.com", "SiteGround"},
    {"_spf.perfora.net", "IONOS"},
    {"mx.ovh.com", "OVHcloud"},
    {"netblocks.dreamhost.com", "DreamHost"},
    {"relay.mailchannels.net", "MailChannels"},
    {"secureserver.net", "GoDaddy"},
    {"smtp.servconfig.com", "InMotion Hosting"},
    {"spf.a2hosting.com", "A2 Hosting"},
    {"spf.antispamcloud.com", "SpamExperts"},
    {"spf.web-hosting.com", "Namecheap"},
    {"websitewelcome.com", "HostGator"},
}};

}  // namespace

std::string_view owner_of_shared_networks(std::string_view domain) {
  if (domain.ends_with('.')) domain.remove_suffix(1);
  const auto* found = std::ranges::find_if(shared_networks, [domain](const SharedNetworks& one) {
    return text::equal_ignoring_case(one.domain, domain);
  });
  return found == shared_networks.end() ? std::string_view() : found->owner;
}

}  // namespace countersign::cli
