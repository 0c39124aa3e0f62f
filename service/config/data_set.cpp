// SPDX-License-Identifier: Apache-2.0

#include "service/config/data_set.hpp"

#include <array>
#include <utility>

#include "countersign/text/abnf.hpp"

namespace countersign::service::config {
namespace {

using Kind = DataSource::Kind;

// OpenDKIM reads a line of a table into 1,024 octets, and takes the rest for the next line.
constexpr std::size_t opendkim_line_octets_max = 1'023;

constexpr text::CharClass is_blank = text::CharClass(" \t\r\f\v");

constexpr std::array<std::pair<std::string_view, Kind>, 4> kinds{
    {{"file", Kind::file}, {"refile", Kind::patterns}, {"csl", Kind::list}, {"mdb", Kind::lmdb}}};

constexpr std::string_view export_it =
    "write its entries into a text file and name that with file: or refile:";
constexpr std::array<std::pair<std::string_view, std::string_view>, 11> refused{{
    {"db",
     "print its entries with db_dump -p, write them into a text file and name that with "
     "file:, or convert it to LMDB and name it with mdb:"},
    {"bdb",
     "print its entries with db_dump -p, write them into a text file and name that with "
     "file:, or convert it to LMDB and name it with mdb:"},
    {"dsn", export_it},
    {"ldap", export_it},
    {"ldaps", export_it},
    {"ldapi", export_it},
    {"lua", export_it},
    {"memcache", export_it},
    {"erlang", export_it},
    {"socket", export_it},
    {"repute", export_it},
}};

DataSource source_with_prefix(std::string prefix, std::string_view rest) {
  for (const auto& [name, kind] : kinds) {
    if (name == prefix) return {kind, std::move(prefix), std::string(rest)};
  }
  for (const auto& [name, remedy] : refused) {
    if (name == prefix) return {Kind::refused, std::move(prefix), std::string(remedy)};
  }
  return {Kind::unknown, std::move(prefix), std::string(rest)};
}

class Reader {
 public:
  Reader(const DataSet& set, const Files& files, Problems& problems)
      : set_(set), files_(files), problems_(problems) {}

  DataEntries read() {
    if (!set_.source.empty()) read_source(parse_data_source(set_.source));
    if (!set_.lines.empty()) read_lines();
    return std::move(result_);
  }

 private:
  // Entries that the settings write out are lines of a refile: a pattern without a wildcard is a
  // plain key.
  void read_lines() {
    result_.patterns = true;
    for (const std::string& line : set_.lines) add_line(line, set_.place);
  }

  void read_source(const DataSource& source) {
    switch (source.kind) {
      case Kind::list:
        return read_list(source.rest);
      case Kind::file:
        return read_file(source.rest);
      case Kind::patterns:
        result_.patterns = true;
        return read_file(source.rest);
      case Kind::lmdb:
        return read_lmdb(source.rest);
      case Kind::refused:
        return problems_.fatal(
            set_.place, "data sets of type " + source.prefix + ": cannot be read yet", source.rest);
      case Kind::unknown:
        return problems_.fatal(set_.place, "'" + source.prefix + ":' is no type of data set",
                               "there are file:, refile:, csl: and mdb:; a file needs its whole "
                               "path");
    }
  }

  void read_list(std::string_view text) {
    while (!text.empty()) {
      const std::size_t comma = text.find(',');
      const std::string_view item = text::trim(text.substr(0, comma), is_blank);
      text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
      if (item.empty()) continue;
      const std::size_t equals = item.find('=');
      const bool pair = equals != std::string_view::npos;
      add(text::trim(item.substr(0, equals), is_blank),
          pair ? text::trim(item.substr(equals + 1), is_blank) : std::string_view(), set_.place);
    }
  }

  void read_file(const std::string& path) {
    const std::expected<std::string, std::string> octets = files_.read(path);
    if (!octets) {
      return problems_.fatal(set_.place, "cannot read " + path + ": " + octets.error());
    }
    std::string_view text = *octets;
    std::size_t number = 0;
    while (!text.empty() && !full_) {
      const std::size_t end = text.find('\n');
      const std::string_view line = text.substr(0, end);
      text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
      add_line_of_file(line, {path, ++number});
    }
  }

  void add_line_of_file(std::string_view line, const Place& place) {
    if (line.find('\0') != std::string_view::npos) {
      return problems_.warning(place, "the line holds a NUL octet and is left out",
                               "is this a text file?");
    }
    if (line.size() > opendkim_line_octets_max) {
      problems_.note(place, "the line has " + std::to_string(line.size()) +
                                " octets; OpenDKIM would cut it after 1023");
    }
    add_line(line.substr(0, line.find('#')), place);
  }

  void add_line(std::string_view line, const Place& place) {
    line = text::trim(line, is_blank);
    if (line.empty()) return;
    std::size_t length = 0;
    while (length < line.size() && !is_blank(line[length])) ++length;
    add(line.substr(0, length), text::trim(line.substr(length), is_blank), place);
  }

  void read_lmdb(const std::string& path) {
    auto pairs = files_.read_lmdb(path);
    if (!pairs) {
      return problems_.fatal(set_.place, "cannot read " + path + ": " + pairs.error());
    }
    for (const auto& [key, value] : *pairs) add(key, value, {path, 0});
  }

  void add(std::string_view key, std::string_view value, const Place& place) {
    if (result_.entries.size() >= data_set_entries_max) {
      if (!std::exchange(full_, true)) problems_.fatal(place, "more than two million entries");
      return;
    }
    result_.entries.push_back({std::string(key), std::string(value), place});
  }

  const DataSet& set_;
  const Files& files_;
  Problems& problems_;
  DataEntries result_;
  bool full_ = false;
};

}  // namespace

DataSource parse_data_source(std::string_view text) {
  text = text::trim(text, is_blank);
  const std::size_t colon = text.find(':');
  const bool has_prefix = colon != std::string_view::npos && colon < text.find(',');
  if (has_prefix && text.front() != '/' && text::is_alpha.all_of(text.substr(0, colon)) &&
      colon > 0) {
    return source_with_prefix(text::to_lower(text.substr(0, colon)), text.substr(colon + 1));
  }
  if (text.ends_with(".db")) return source_with_prefix("db", text);
  if (text.starts_with('/')) return {Kind::file, "", std::string(text)};
  return {Kind::list, "", std::string(text)};
}

DataEntries read_data_set(const DataSet& set, const Files& files, Problems& problems) {
  return Reader(set, files, problems).read();
}

}  // namespace countersign::service::config
