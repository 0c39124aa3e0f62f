// SPDX-License-Identifier: Apache-2.0
//
// The subcommands. Each lives in a file of its own that declares its options and runs it; main.cpp
// knows only this list.

#pragma once

#include <CLI/CLI.hpp>

namespace countersign::cli {

/// Declares `countersign serve` on the root; when chosen, its exit code is left in exit_code. The
/// same shape for all.
void add_serve(CLI::App& root, int& exit_code);
/// Declares `countersign sign`.
void add_sign(CLI::App& root, int& exit_code);
/// Declares `countersign verify`.
void add_verify(CLI::App& root, int& exit_code);
/// Declares `countersign explain`.
void add_explain(CLI::App& root, int& exit_code);
/// Declares `countersign spf`.
void add_spf(CLI::App& root, int& exit_code);
/// Declares `countersign dmarc`.
void add_dmarc(CLI::App& root, int& exit_code);
/// Declares `countersign arc seal`.
void add_arc(CLI::App& root, int& exit_code);
/// Declares `countersign lint spf`, `lint dkim`, `lint dmarc` and `lint authres`.
void add_lint(CLI::App& root, int& exit_code);
/// Declares `countersign keygen`.
void add_keygen(CLI::App& root, int& exit_code);
/// Declares `countersign testkey`.
void add_testkey(CLI::App& root, int& exit_code);
/// Declares `countersign config check` and `countersign config doc`.
void add_config(CLI::App& root, int& exit_code);
/// Declares `countersign probe`.
void add_probe(CLI::App& root, int& exit_code);
/// Declares `countersign report send`, `preview`, `list`, `resolve` and `import-history`.
void add_report(CLI::App& root, int& exit_code);

/// Runs as opendkim-genkey, with its options and files.
[[nodiscard]] int run_opendkim_genkey(int argc, char** argv);
/// Runs as opendkim-testkey, with its options and words.
[[nodiscard]] int run_opendkim_testkey(int argc, char** argv);
/// Runs as opendkim-testmsg, with its options.
[[nodiscard]] int run_opendkim_testmsg(int argc, char** argv);

}  // namespace countersign::cli
