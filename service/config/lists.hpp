// SPDX-License-Identifier: Apache-2.0
//
// Data sets that say whose mail is ours and how it is signed, as the values that mailflow works
// with. Entries that do not mean what they seem to are told with file and line.

#pragma once

#include <string>
#include <vector>

#include "countersign/dkim/signer.hpp"
#include "countersign/mailflow/policy.hpp"
#include "service/config/data_set.hpp"
#include "service/config/files.hpp"
#include "service/config/problem.hpp"
#include "service/config/settings.hpp"

namespace countersign::service::config {

/// Reads hosts: names, ".domain", addresses and networks, "!" in front to exclude.
[[nodiscard]] mailflow::HostList read_host_list(const DataSet& set, const Files& files,
                                                Problems& problems);

/// The same, added to hosts that are there.
void add_hosts(const DataSet& set, const Files& files, Problems& problems,
               mailflow::HostList& hosts);

/// Reads domains: names, ".domain", "*" for all.
[[nodiscard]] mailflow::DomainSet read_domain_set(const DataSet& set, const Files& files,
                                                  Problems& problems);

/// Reads recipients: addresses, domains, ".domain", patterns.
[[nodiscard]] mailflow::RecipientList read_recipients(const DataSet& set, const Files& files,
                                                      Problems& problems);

/// Reads the keys of a data set, in their order.
[[nodiscard]] std::vector<std::string> read_names(const DataSet& set, const Files& files,
                                                  Problems& problems);

/// Reads macros: "name", "name=value|value" or, as dkimpy-milter writes it, "name|value|value"; in
/// a file "name value|value". Braces around the name are cut.
[[nodiscard]] std::vector<mailflow::MacroRule> read_macros(const DataSet& set, const Files& files,
                                                           Problems& problems);

/// Makes the selection of header fields: the defaults, changed by the settings.
[[nodiscard]] dkim::FieldSelection read_field_selection(const SigningSettings& settings,
                                                        const Files& files, Problems& problems);

/// The same for the fields that a seal covers.
[[nodiscard]] dkim::FieldSelection read_sealed_fields(const SealingSettings& settings,
                                                      const Files& files, Problems& problems);

}  // namespace countersign::service::config
