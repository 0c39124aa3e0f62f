// SPDX-License-Identifier: Apache-2.0
//
// `countersign report import-history`: what OpenDMARC (or Exim) has recorded of its mail comes into
// the store, so that the reports of its last day are sent too.

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <boost/json.hpp>
#include <chrono>
#include <memory>
#include <string>

#include "cli/input.hpp"
#include "cli/json_output.hpp"
#include "cli/report_store.hpp"
#include "cli/settings_options.hpp"
#include "cli/terminal.hpp"
#include "service/run/clock.hpp"
#include "service/run/descriptor.hpp"
#include "service/store/history_import.hpp"

namespace countersign::cli {
namespace {

namespace json = boost::json;
namespace store = service::store;

// Records that are refused by their lines; the rest is a number.
constexpr std::uint64_t told_max = 100;
constexpr std::size_t octets_a_step = 1'024;

struct Options {
  SettingsOptions settings;
  std::string file;
  bool json = false;
};

/// Holds those off who add to the file, as opendmarc-import does, so that no half record is read.
/// What cannot be opened or locked is left to the reader.
class ReadLock {
 public:
  explicit ReadLock(const std::string& path) {
    if (path == "-") return;
    file_ = service::Descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (file_) static_cast<void>(::flock(file_.get(), LOCK_SH));
  }
  /// How large the file is; 0 when that is not known.
  [[nodiscard]] std::size_t octets() const {
    struct stat found{};
    const bool is_known = file_ && ::fstat(file_.get(), &found) == 0 && S_ISREG(found.st_mode);
    return is_known ? static_cast<std::size_t>(found.st_size) : 0;
  }

 private:
  service::Descriptor file_;
};

void tell_refused(const std::string& file, const report::HistoryError& error) {
  const std::string key = error.key.empty() ? "" : error.key + ": ";
  fmt::print(stderr, "{}:{}: {}{}\n", json_text(input_name(file)), error.line, key,
             to_string(error.code));
}

void print(const Options& options, const store::HistoryImportCounts& counts) {
  if (options.json) {
    print_json(json::object{{"file", json_text(input_name(options.file))},
                            {"records", counts.records},
                            {"added", counts.added},
                            {"known", counts.known},
                            {"uncounted", counts.uncounted},
                            {"expired", counts.expired},
                            {"refused", counts.refused}});
    return;
  }
  fmt::print(
      "{} records: {} added, {} there already, {} that no report counts, {} too old, {} "
      "refused\n",
      counts.records, counts.added, counts.known, counts.uncounted, counts.expired, counts.refused);
}

int import_history(const Options& options) {
  store::Store opened = make_report_store(options.settings.load_usable().settings);
  const ReadLock lock(options.file);
  Progress progress(lock.octets() / octets_a_step, "KiB read");
  std::uint64_t refused = 0;
  store::HistoryImport import(opened, service::now(), [&](const report::HistoryError& error) {
    if (++refused > told_max) return;
    progress.clear();
    tell_refused(options.file, error);
  });
  std::size_t octets = 0;
  read_in_chunks(options.file, [&](std::string_view chunk) {
    import.body(chunk);
    progress.show((octets += chunk.size()) / octets_a_step);
    return true;
  });
  const store::HistoryImportCounts counts = import.finish();
  progress.clear();
  if (counts.refused > told_max)
    fmt::print(stderr, "{}: and {} more\n", json_text(input_name(options.file)),
               counts.refused - told_max);
  print(options, counts);
  return counts.refused > 0 ? exit_no : exit_ok;
}

}  // namespace

void add_report_import_history(CLI::App& report, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* command = report.add_subcommand(
      "import-history", "Bring the HistoryFile of OpenDMARC, or of Exim, into the store.");
  command->add_option("FILE", options->file, "the file, or - for standard input")->required();
  command->add_flag("--json", options->json, "print JSON for programs");
  options->settings.declare(*command);
  command->footer(
      "What a file brought before is not added again, and of a file that has grown only the rest.\n"
      "A record that is refused is told with its line; corrected, it comes in a file of its own.\n"
      "Do not import what countersign wrote itself while it had a store.\n"
      "Exit codes: 0 all went well, 1 some records are refused, 66 no file, 69 no store, 78 "
      "settings with errors.");
  command->callback(guarded(import_history, options, exit_code));
}

}  // namespace countersign::cli
