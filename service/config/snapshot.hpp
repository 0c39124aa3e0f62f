// SPDX-License-Identifier: Apache-2.0
//
// One configuration, read whole: settings, tables, decoded keys, and everything that is wrong with
// them. A reload makes a new snapshot and swaps it in, or keeps the old one.
//
//   Snapshot snapshot = load({.form = Source::Form::opendkim, .file = "/etc/opendkim.conf"},
//                            this_machine());
//   for (const Problem& problem : snapshot.problems) log(to_string(problem));
//   if (!snapshot.policy) exit(EX_CONFIG);
//
// A start needs a policy, so nothing fatal. A reload needs more: worst(problems) below error, or
// the old snapshot stays.

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "countersign/mailflow/access_policy.hpp"
#include "countersign/mailflow/policy.hpp"
#include "service/config/accounts.hpp"
#include "service/config/files.hpp"
#include "service/config/key_store.hpp"
#include "service/config/problem.hpp"
#include "service/config/settings.hpp"
#include "service/config/source.hpp"

namespace countersign::service::config {

/// The machine that a configuration is read on.
struct Machine {
  const Files& files;
  const Accounts& accounts;
  std::string host_name;  ///< for DKIM-Filter
};

/// This machine: its files, its users, its name.
[[nodiscard]] Machine this_machine();

/// A configuration as a value.
struct Snapshot {
  Settings settings;
  /// What the milter works by; null when a problem is fatal.
  std::shared_ptr<const mailflow::Policy> policy;
  /// What the policy service answers by; null with the other.
  std::shared_ptr<const mailflow::SpfAccessPolicies> access;
  KeyFiles key_files;  ///< of the keys that sign
  /// All problems, sorted by file and line.
  std::vector<Problem> problems;
};

/// Reads a configuration with all files that it names. Never stops at the first problem.
[[nodiscard]] Snapshot load(const Source& source, const Machine& machine);

/// Reads the settings alone.
[[nodiscard]] Settings read_settings(const Source& source, const Files& files, Problems& problems);

/// Reads the tables and keys that the settings name.
[[nodiscard]] Snapshot make_snapshot(Settings settings, const Machine& machine, Problems problems);

}  // namespace countersign::service::config
