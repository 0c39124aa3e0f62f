// SPDX-License-Identifier: Apache-2.0

#include "countersign/dns/master_text.hpp"

#include <algorithm>

namespace countersign::dns {
namespace {

// Old name servers and web forms count the quotes too; 250 leaves room for them.
constexpr std::size_t string_octets_max = 250;

void split_evenly(std::string_view text, std::vector<std::string>& strings) {
  while (!text.empty()) {
    const std::string_view part = text.substr(0, string_octets_max);
    strings.emplace_back(part);
    text.remove_prefix(part.size());
  }
}

}  // namespace

std::vector<std::string> split_txt(std::string_view text, std::string_view break_before) {
  std::vector<std::string> strings;
  const std::size_t at = break_before.empty() ? std::string_view::npos : text.find(break_before);
  if (at != std::string_view::npos) {
    split_evenly(text.substr(0, at), strings);
    text.remove_prefix(at);
  }
  split_evenly(text, strings);
  if (strings.empty()) strings.emplace_back();
  return strings;
}

std::string quote_txt(std::string_view string) {
  std::string out = "\"";
  for (const char c : string) {
    const auto octet = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (octet >= 0x20 && octet < 0x7f) {
      out += c;
    } else {
      out += '\\';
      out += static_cast<char>('0' + octet / 100);
      out += static_cast<char>('0' + octet / 10 % 10);
      out += static_cast<char>('0' + octet % 10);
    }
  }
  return out += '"';
}

std::string format_txt_record(const TxtRecordText& record) {
  std::string out = record.owner + "\tIN\tTXT\t( ";
  bool first = true;
  for (const std::string& string : split_txt(record.text, record.break_before)) {
    if (!first) out += "\n\t  ";
    out += quote_txt(string);
    first = false;
  }
  out += " )";
  if (!record.comment.empty()) out += "  ; " + record.comment;
  return out += '\n';
}

}  // namespace countersign::dns
