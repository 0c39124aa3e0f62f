// SPDX-License-Identifier: Apache-2.0

#include "service/config/header_checks.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "countersign/text/abnf.hpp"
#include "service/config/data_set.hpp"

namespace countersign::service::config {
namespace {

namespace json = boost::json;

constexpr text::CharClass is_blank = text::CharClass(" \t\r\f\v");

// Octets are matched as they come: strangers need not write UTF-8.
RE2::Options options() {
  RE2::Options options;
  options.set_encoding(RE2::Options::EncodingLatin1);
  options.set_log_errors(false);
  options.set_max_mem(header_check_memory_max);
  return options;
}

// A value that is no JSON costs one look at its beginning.
std::optional<json::value> read_json(std::string_view value) {
  if (!value.starts_with('[') && !value.starts_with('"')) return std::nullopt;
  boost::system::error_code error;
  json::value read = json::parse(value, error);
  if (error) return std::nullopt;
  return read;
}

bool matches(const RE2& expression, std::string_view value) {
  const auto finds = [&expression](std::string_view text) {
    return RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), expression);
  };
  const std::optional<json::value> read = read_json(value);
  if (!read) return finds(value);
  if (const json::string* text = read->if_string()) return finds({text->data(), text->size()});
  return std::ranges::any_of(read->as_array(), [&finds](const json::value& one) {
    const json::string* text = one.if_string();
    return text != nullptr && finds({text->data(), text->size()});
  });
}

class Reader {
 public:
  Reader(const DataSet& set, const Files& files, Problems& problems)
      : set_(set), files_(files), problems_(problems) {}

  std::vector<mailflow::HeaderCheck> read() {
    for (const std::string& line : set_.lines) add(line, set_.place);
    if (!set_.source.empty()) read_source(parse_data_source(set_.source));
    return std::move(checks_);
  }

 private:
  // An expression may hold the commas and equals signs that divide a list.
  void read_source(const DataSource& source) {
    if (source.kind == DataSource::Kind::file) return read_file(source.rest);
    problems_.fatal(set_.place, "'" + set_.source + "' is no file of header checks",
                    "name a file with its whole path, or write a list of strings");
  }

  void read_file(const std::string& path) {
    const std::expected<std::string, std::string> octets = files_.read(path);
    if (!octets) return problems_.fatal(set_.place, "cannot read " + path + ": " + octets.error());
    std::string_view text = *octets;
    for (std::size_t number = 1; !text.empty() && !is_full_; ++number) {
      const std::size_t end = text.find('\n');
      const std::string_view line = text::trim(text.substr(0, end), is_blank);
      text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
      if (!line.starts_with('#')) add(line, {path, number});
    }
  }

  void add(std::string_view line, const Place& place) {
    if (line.empty() || is_full_) return;
    if (checks_.size() >= header_checks_max) {
      is_full_ = true;
      return problems_.fatal(
          place, "there are more than " + std::to_string(header_checks_max) + " header checks",
          "join them with | in one expression");
    }
    const std::size_t colon = line.find(':');
    const std::string_view name = text::trim(line.substr(0, colon), is_blank);
    if (colon == std::string_view::npos || name.empty() || !text::is_ftext.all_of(name)) {
      return problems_.fatal(place, "this is no header check",
                             "write the name of a field, a colon and a regular expression");
    }
    compile(name, text::trim(line.substr(colon + 1), is_blank), place);
  }

  void compile(std::string_view name, std::string_view pattern, const Place& place) {
    if (pattern.size() > header_check_octets_max) {
      return problems_.fatal(place, "the expression has more than " +
                                        std::to_string(header_check_octets_max) + " octets");
    }
    auto expression =
        std::make_shared<const RE2>(re2::StringPiece(pattern.data(), pattern.size()), options());
    if (!expression->ok()) {
      return problems_.fatal(
          place, "the expression cannot be used: " + expression->error(),
          "it must be one of RE2; see https://github.com/google/re2/wiki/Syntax");
    }
    checks_.push_back({.name = std::string(name),
                       .matches = [expression = std::move(expression)](std::string_view value) {
                         return matches(*expression, value);
                       }});
  }

  const DataSet& set_;
  const Files& files_;
  Problems& problems_;
  std::vector<mailflow::HeaderCheck> checks_;
  bool is_full_ = false;
};

}  // namespace

std::vector<mailflow::HeaderCheck> read_header_checks(const DataSet& set, const Files& files,
                                                      Problems& problems) {
  return Reader(set, files, problems).read();
}

}  // namespace countersign::service::config
