// SPDX-License-Identifier: Apache-2.0

#include "cli/discovery_option.hpp"

#include "cli/exit_codes.hpp"
#include "cli/failure.hpp"
#include "service/config/files.hpp"
#include "service/config/public_suffix.hpp"

namespace countersign::cli {

void DiscoveryOption::declare(CLI::App& command) {
  command
      .add_option("--discovery", method,
                  "how organizations are found: treewalk (RFC 9989), or psl, by a list (RFC 7489)")
      ->check(CLI::IsMember({"treewalk", "psl"}))
      ->option_text("METHOD");
  command
      .add_option("--psl", list,
                  "the public suffix list, for --discovery psl (default: that of the system)")
      ->option_text("FILE");
}

dmarc::OrgDomainOf DiscoveryOption::org_domain_of() const {
  if (method != "psl") {
    if (!list.empty()) throw Failure(exit_usage, "--psl goes with --discovery psl");
    return {};
  }
  const service::config::SystemFiles files;
  auto read = service::config::read_public_suffix_list(list, files);
  if (!read) throw Failure(exit_no_input, read.error());
  return *std::move(read);
}

}  // namespace countersign::cli
