// SPDX-License-Identifier: Apache-2.0

#include "cli/spf_output.hpp"

#include <fmt/format.h>

namespace countersign::cli {
namespace {

void print_lookups(const JsonView& lookups, std::size_t indent) {
  for (const JsonView& lookup : lookups.items()) {
    const bool found = lookup["status"] == "records";
    fmt::print("{:{}}{} {}: {}\n", "", indent, lookup["type"].text(), lookup["name"].text(),
               found ? "found" : lookup["status"].text());
  }
}

/// An evaluation, and those inside of it; `name` is the one whose record was asked for. As deep as
/// the document, which its reader has bounded.
void print_evaluation(const JsonView& evaluation, const std::string& name, std::size_t indent) {
  if (name.empty()) return;
  fmt::print("{:{}}{}: {}\n", "", indent, name, evaluation["result"].text());
  const std::size_t deeper = indent + 2;
  print_lookups(evaluation["lookups"], deeper);
  if (const std::string record = evaluation["record"].text(); !record.empty())
    fmt::print("{:{}}{}\n", "", deeper, record);
  for (const JsonView& term : evaluation["terms"].items()) {
    const bool is_no_match = term["match"] == "not_matched";
    fmt::print("{:{}}- {}: {}\n", "", deeper, term["text"].text(),
               is_no_match ? "not matched" : term["match"].text());
    print_lookups(term["lookups"], deeper + 4);
    print_evaluation(term["inner"], term["inner"]["domain"].text(), deeper + 4);
  }
}

Colour colour_of(const JsonView& result) {
  if (result == "pass") return Colour::green;
  return result == "fail" || result == "permerror" ? Colour::red : Colour::yellow;
}

std::string identity_of(const JsonView& check) {
  const std::string helo = "HELO " + check["helo_name"].text();
  if (check["identity"] == "helo") return helo;
  const std::string path = check["mail_from"].text();
  if (path.empty()) return fmt::format("MAIL FROM <>, which means {},", helo);
  return fmt::format("MAIL FROM <{}>", path);
}

}  // namespace

void print_spf(const Terminal& terminal, const JsonView& check) {
  const std::string verdict = "spf=" + check["result"].text();
  fmt::print("{}  {} from {}\n", terminal.paint(colour_of(check["result"]), verdict),
             identity_of(check), check["client_ip"].text());
  fmt::print("  {}\n", check["message"].text());
  print_evaluation(check, check["evaluated"].text(), 2);
  if (check["lookups"].items().empty()) return;
  fmt::print("  {} of {} terms that ask DNS, {} of {} that found nothing\n",
             check["lookup_terms"].number(), check["lookup_terms_max"].number(),
             check["void_lookups"].number(), check["void_lookups_max"].number());
  const std::string explanation = check["explanation"].text();
  if (explanation.empty()) return;
  print_lookups(check["explanation_lookups"], 2);
  fmt::print("  the domain explains: {}\n", explanation);
}

}  // namespace countersign::cli
