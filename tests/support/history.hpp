// SPDX-License-Identifier: Apache-2.0
//
// Records of OpenDMARC's HistoryFile for tests, as Debian's opendmarc 1.4.2 wrote them, and how
// tests read and change them. tests/e2e/history.sh asks opendmarc again.

#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "countersign/report/history.hpp"

namespace countersign::test {

/// p=reject, SPF failed, and the message was refused.
inline constexpr std::string_view rejected =
    "job K1\nreporter vm\nreceived 1795718988\nipaddr 192.0.2.1\nfrom sender.example.org\n"
    "mfrom sender.example.org\nspf 7\npdomain sender.example.org\npolicy 16\n"
    "rua mailto:a@sender.example.org\npct 100\nadkim 114\naspf 115\np 114\nsp 113\nalign_dkim 5\n"
    "align_spf 5\narc 7\narc_policy 2 json:[]\naction 0\n";
/// SPF and DKIM passed.
inline constexpr std::string_view passed =
    "job J1\nreporter vm\nreceived 1795718963\nipaddr 192.0.2.1\nfrom sender.example\n"
    "mfrom sender.example\nspf 0\ndkim sender.example june 0\npdomain sender.example\npolicy 15\n"
    "rua mailto:a@sender.example\nrua mailto:b@other.example!10m\npct 50\nadkim 115\naspf 114\n"
    "p 114\nsp 113\nalign_dkim 4\nalign_spf 4\narc 7\narc_policy 2 json:[]\naction 2\n";
/// No DMARC record, the null path, another case.
inline constexpr std::string_view without_policy =
    "job K2\nreporter vm\nreceived 1795718989\nipaddr 2001:db8::1\nfrom SUB.Sender.Example.org\n"
    "mfrom \ndkim Sender.Example.org - 0\nspf 0\npdomain Example.org\npolicy 14\nrua -\npct 0\n"
    "adkim 0\naspf 0\np 0\nsp 0\nalign_dkim 0\nalign_spf 0\narc 7\narc_policy 2 json:[]\n"
    "action 2\n";
/// p=reject, and the sealer of its ARC Set is trusted.
inline constexpr std::string_view saved_by_arc =
    "job K8\nreporter vm\nreceived 1795718989\nipaddr 192.0.2.1\nfrom sender.example.org\n"
    "mfrom x.example\nspf 2\npdomain sender.example.org\npolicy 16\n"
    "rua mailto:a@sender.example.org\npct 100\nadkim 114\naspf 115\np 114\nsp 113\nalign_dkim 5\n"
    "align_spf 5\narc 0\n"
    "arc_policy 0 json:[{ \"i\": 1, \"d\":\"fwd.example.org\", \"s\":\"arc\", \"ip\":\"\" }]\n"
    "action 2\n";
/// Signatures with all kinds of errors, and no SPF.
inline constexpr std::string_view many_results =
    "job J5\nreporter vm\nreceived 1795718963\nipaddr 192.0.2.1\nfrom q.example\nmfrom x.example\n"
    "dkim q.example a 5\ndkim q.example b 4\ndkim q.example b 3\ndkim q.example b 8\nspf -1\n"
    "pdomain q.example\npolicy 17\nrua mailto:q@q.example\npct 100\nadkim 114\naspf 114\np 113\n"
    "sp 0\nalign_dkim 5\nalign_spf 5\narc 7\narc_policy 2 json:[]\naction 2\n";

/// Reads a file in chunks of that size.
inline std::vector<report::HistoryItem> read_history(std::string_view text,
                                                     std::size_t chunk = 1'000'000) {
  report::HistoryReader reader{Limits{}};
  std::vector<report::HistoryItem> items;
  const auto take = [&items](std::vector<report::HistoryItem> more) {
    for (report::HistoryItem& item : more) items.push_back(std::move(item));
  };
  for (std::size_t at = 0; at < text.size(); at += chunk) take(reader.body(text.substr(at, chunk)));
  take(reader.finish());
  return items;
}

/// The record of a text that is one.
inline report::HistoryRecord one_record(std::string_view text) {
  const std::vector<report::HistoryItem> items = read_history(text);
  if (items.size() != 1 || !items.front().record || !*items.front().record) {
    ADD_FAILURE() << items.size() << " records, the first of which is none: " << text;
    return {};
  }
  return **items.front().record;
}

/// The text with a line replaced, or without it.
inline std::string with_line(std::string_view text, std::string_view key, const std::string& line) {
  std::string changed(text);
  const std::size_t at = changed.find("\n" + std::string(key) + " ") + 1;
  const std::size_t end = changed.find('\n', at);
  changed.replace(at, end - at + 1, line.empty() ? "" : line + "\n");
  return changed;
}

}  // namespace countersign::test
