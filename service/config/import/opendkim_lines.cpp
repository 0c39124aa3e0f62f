// SPDX-License-Identifier: Apache-2.0

#include "service/config/import/opendkim_lines.hpp"

#include <algorithm>

#include "countersign/text/abnf.hpp"

namespace countersign::service::config {
namespace {

constexpr text::CharClass ends_text = text::CharClass("#\r");

std::string_view cut_comment(std::string_view line) {
  std::size_t length = 0;
  while (length < line.size() && !ends_text(line[length])) ++length;
  return line.substr(0, length);
}

// Reads one file after another. A file that is being read already would lead to itself again, so
// it is refused at once and not only when it is too deep.
class Reader {
 public:
  Reader(const Files& files, Problems& problems) : files_(files), problems_(problems) {}

  void read(const std::string& file, const Place& from) {
    const std::expected<std::string, std::string> octets = files_.read(file);
    if (!octets) {
      problems_.fatal(from.file.empty() ? Place{file, 0} : from,
                      "cannot read " + file + ": " + octets.error());
      return;
    }
    open_.push_back(file);
    for (ConfigLine& line : split_config_lines(*octets, file, problems_)) {
      if (full_) break;
      if (text::equal_ignoring_case(line.name, "Include")) {
        include(line);
      } else {
        keep(std::move(line));
      }
    }
    open_.pop_back();
  }

  std::vector<ConfigLine> take() { return std::move(lines_); }

 private:
  void include(const ConfigLine& line) {
    if (std::ranges::find(open_, line.value) != open_.end()) {
      return problems_.fatal(line.place, line.value + " includes itself", "remove the line");
    }
    if (open_.size() > include_depth_max) {
      return problems_.fatal(line.place, "Include is nested deeper than " +
                                             std::to_string(include_depth_max) + " files");
    }
    if (++includes_ > includes_max) return stop(line.place, includes_max, "files");
    read(line.value, line.place);
  }

  void keep(ConfigLine line) {
    if (lines_.size() >= config_lines_max) return stop(line.place, config_lines_max, "lines");
    lines_.push_back(std::move(line));
  }

  void stop(const Place& place, std::size_t most, const std::string& what) {
    full_ = true;
    problems_.fatal(place, "the settings have more than " + std::to_string(most) + " " + what);
  }

  const Files& files_;
  Problems& problems_;
  std::vector<ConfigLine> lines_;
  std::vector<std::string> open_;  // From the first file to the one that is being read.
  std::size_t includes_ = 0;
  bool full_ = false;
};

}  // namespace

std::vector<ConfigLine> split_config_lines(std::string_view text, const std::string& file,
                                           Problems& problems) {
  std::vector<ConfigLine> lines;
  std::size_t number = 0;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text::trim(cut_comment(text.substr(0, end)), text::is_wsp);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    ++number;
    if (line.empty()) continue;
    const std::size_t blank = line.find_first_of(" \t");
    if (blank == std::string_view::npos) {
      problems.fatal({file, number}, "'" + std::string(line) + "' has no value",
                     "write the value after it, or remove the line");
      continue;
    }
    lines.push_back({std::string(line.substr(0, blank)),
                     std::string(text::trim(line.substr(blank), text::is_wsp)),
                     {file, number}});
  }
  return lines;
}

std::vector<ConfigLine> read_config_lines(const std::string& file, const Files& files,
                                          Problems& problems) {
  Reader reader(files, problems);
  reader.read(file, {});
  return reader.take();
}

}  // namespace countersign::service::config
