// SPDX-License-Identifier: Apache-2.0
//
// The store as the subcommands of `countersign report` use it.

#pragma once

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/failure.hpp"
#include "service/config/settings.hpp"
#include "service/store/store.hpp"

namespace countersign::cli {

/// Opens the store that the settings name. Throws Failure(exit_config) when they name none, and
/// Failure(exit_unavailable) when there is no such file: a store that is made by mistake, perhaps
/// by root, would only hide it.
[[nodiscard]] service::store::Store open_report_store(const service::config::Settings& settings);

/// The same, and makes the file when there is none, for the daemon's user.
[[nodiscard]] service::store::Store make_report_store(const service::config::Settings& settings);

/// Runs a subcommand; what the store says is for the user.
template <class Options, class Run>
auto guarded(Run run, const std::shared_ptr<Options>& options, int& exit_code) {
  return [run, options, &exit_code] {
    try {
      exit_code = run(*options);
    } catch (const service::store::StoreError& error) {
      throw Failure(exit_unavailable, error.what());
    }
  };
}

/// Declares `countersign report import-history`.
void add_report_import_history(CLI::App& report, int& exit_code);

}  // namespace countersign::cli
