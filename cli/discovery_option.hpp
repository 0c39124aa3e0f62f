// SPDX-License-Identifier: Apache-2.0
//
// How the commands that judge by DMARC find organizations.

#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "countersign/dmarc/discovery.hpp"

namespace countersign::cli {

/// --discovery and --psl.
struct DiscoveryOption {
  std::string method;  ///< treewalk or psl; empty when it was not given
  std::string list;    ///< file; empty: that of the system

  /// Declares both options.
  void declare(CLI::App& command);
  /// True when one of them was given.
  [[nodiscard]] bool given() const { return !method.empty() || !list.empty(); }
  /// What they ask for; empty for the tree walk. Throws Failure when the list cannot be read.
  [[nodiscard]] dmarc::OrgDomainOf org_domain_of() const;
};

}  // namespace countersign::cli
