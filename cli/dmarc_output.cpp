// SPDX-License-Identifier: Apache-2.0

#include "cli/dmarc_output.hpp"

#include <fmt/format.h>

#include <string>

namespace countersign::cli {
namespace {

Colour colour_of(const JsonView& result) {
  if (result == "pass") return Colour::green;
  return result == "fail" || result == "permerror" ? Colour::red : Colour::yellow;
}

void print_policy(const JsonView& check) {
  if (check["policy_tag"].is_null()) return;
  const std::string published = check["policy"].text();
  const std::string effective = check["effective_policy"].text();
  fmt::print("  policy of {} by {}=: {}", check["policy_domain"].domain(),
             check["policy_tag"].text(), published);
  if (effective != published) fmt::print(", while it is testing (t=y): {}", effective);
  fmt::print("\n");
  if (check["flawed"].is_true())
    fmt::print("  the record is not as it should be; see countersign lint dmarc\n");
}

void print_walk(const JsonView& walk) {
  for (const JsonView& step : walk.items()) {
    fmt::print("  {}: ", step["name"].text());
    const JsonView status = step["status"];
    if (!step["record"].is_null()) {
      fmt::print("{}\n", step["record"].text());
    } else if (step["finding"] == "no_record") {
      fmt::print("{}\n", status == "records" ? "no DMARC record" : status.text());
    } else {
      fmt::print("{}: {}\n", status.text(), step["message"].text());
    }
  }
}

void print_identifiers(const JsonView& identifiers) {
  for (const JsonView& one : identifiers.items()) {
    const JsonView domain = one["domain"];
    fmt::print("  {}={} {}: ", one["mechanism"].text(), one["result"].text(), domain.domain());
    const bool counts = one["result"] == "pass" || one["result"] == "temperror";
    if (!counts || domain.is_null()) {
      fmt::print("authenticates nothing\n");
    } else if (one["alignment"].is_null()) {
      fmt::print("not looked at\n");
    } else {
      fmt::print("{}", one["alignment"].text());
      const JsonView organization = one["org_domain"];
      if (!organization.is_null()) fmt::print(", organization {}", organization.domain());
      fmt::print("\n");
    }
  }
}

/// What an organization rests on, where that is not a walk without a gap.
std::string_view where_from(const JsonView& check) {
  if (check["discovery_method"].text() == "psl") return ", by the public suffix list";
  return check["org_domain_certain"].is_true() ? "" : ", as far as DNS tells";
}

}  // namespace

void print_dmarc(const Terminal& terminal, const JsonView& check) {
  const std::string verdict = "dmarc=" + check["result"].text();
  fmt::print("{}  From {}\n", terminal.paint(colour_of(check["result"]), verdict),
             check["author_domain"].domain());
  fmt::print("  {}\n", check["message"].text());
  fmt::print("  organization {}{}\n", check["org_domain"].domain(), where_from(check));
  if (check["top_level_org"].is_true())
    fmt::print(
        "  all below {} is one organization to receivers, as its record lacks psd=y; a record with "
        "psd=n at one's own domain ends that (RFC 9989 §11.8)\n",
        check["org_domain"].domain());
  print_policy(check);
  fmt::print("  asked of receivers: {}\n", check["disposition"].text());
  print_walk(check["walk"]);
  print_identifiers(check["identifiers"]);
}

}  // namespace countersign::cli
