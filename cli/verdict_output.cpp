// SPDX-License-Identifier: Apache-2.0

#include "cli/verdict_output.hpp"

#include <fmt/format.h>

#include <string>

#include "cli/dkim_output.hpp"
#include "cli/dmarc_output.hpp"
#include "cli/spf_output.hpp"
#include "service/log/escape.hpp"

namespace countersign::cli {
namespace {

/// A field on one line.
std::string unfolded(std::string_view field) {
  std::string text;
  for (const char c : field) {
    if (c != '\r' && c != '\n') text += c == '\t' ? ' ' : c;
  }
  return text;
}

void print_arc(const JsonView& arc) {
  if (arc.is_null() || arc["result"] == "none") return;
  fmt::print("arc={}  {}\n", arc["result"].text(), arc["message"].text());
  for (const JsonView& set : arc["chain"].items()) {
    fmt::print("  {}: sealed by {}, selector {}\n", set["instance"].number(),
               set["sealer"].domain(), set["selector"].text());
  }
}

void print_disposition(const Terminal& terminal, const JsonView& verdict) {
  const bool is_accepted = verdict["action"] == "accept";
  fmt::print("{}\n", terminal.paint(is_accepted ? Colour::green : Colour::red,
                                    "action: " + verdict["action"].text()));
  if (verdict["shadow"].is_true())
    fmt::print("  not carried out, and no field was written: judging.shadow\n");
  const JsonView text = verdict["text"];
  if (!text.is_null()) fmt::print("  {}\n", text.text());
  for (const JsonView& one : verdict["overrides"].items()) {
    fmt::print("  policy overridden: {} ({})\n", one["reason"].text(), one["comment"].text());
  }
  const std::uint64_t removed = verdict["removed_fields"].number();
  if (removed > 0) fmt::print("  {} forged or foreign fields are removed\n", removed);
}

}  // namespace

void print_verdict(const Terminal& terminal, const JsonView& verdict) {
  for (const JsonView& one : verdict["ambiguities"].items()) {
    fmt::print("{}\n", terminal.paint(Colour::red, one["message"].text()));
  }
  for (const JsonView& check : {verdict["helo"], verdict["spf"]}) {
    if (!check.is_null()) print_spf(terminal, check);
  }
  const std::vector<JsonView> signatures = verdict["dkim"].items();
  if (signatures.empty()) fmt::print("dkim=none  the message has no DKIM-Signature field\n");
  for (const JsonView& one : signatures) print_dkim(terminal, one);
  print_arc(verdict["arc"]);
  // Mail whose author is not known has a result without an evaluation.
  if (!verdict["dmarc"]["author_domain"].is_null()) print_dmarc(terminal, verdict["dmarc"]);
  print_disposition(terminal, verdict);
  const std::vector<JsonView> questions = verdict["questions"].items();
  fmt::print("DNS: {} questions\n", questions.size());
  for (const JsonView& one : questions) {
    fmt::print("  {} {}: {}\n", one["name"].text(), one["type"].text(), one["status"].text());
  }
  fmt::print("{}\n", service::printable(unfolded(verdict["authentication_results"].raw())));
}

}  // namespace countersign::cli
