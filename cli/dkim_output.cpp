// SPDX-License-Identifier: Apache-2.0

#include "cli/dkim_output.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <cstdint>
#include <ctime>
#include <string>

namespace countersign::cli {
namespace {

std::string time_text(const JsonView& seconds, std::string_view when_unknown) {
  // Years with more than four digits are a stranger's joke; show the number.
  constexpr std::uint64_t year_10000 = 253'402'300'800;
  if (seconds.is_null()) return std::string(when_unknown);
  const std::uint64_t time = seconds.number();
  if (time >= year_10000) return std::to_string(time);
  return fmt::format("{:%Y-%m-%d %H:%M:%SZ}", fmt::gmtime(static_cast<std::time_t>(time)));
}

/// Green is what vouches for the whole body.
Colour colour_of(const JsonView& signature) {
  const JsonView result = signature["result"];
  if (result == "pass" && signature["reason"] == "valid") return Colour::green;
  return result == "fail" || result == "permerror" ? Colour::red : Colour::yellow;
}

}  // namespace

void print_dkim(const Terminal& terminal, const JsonView& result) {
  const std::string verdict = "dkim=" + result["result"].text();
  fmt::print("{}  {}\n", terminal.paint(colour_of(result), verdict), result["explanation"].text());
  if (result["sdid"].is_null()) return;
  const JsonView bits = result["key_bits"];
  fmt::print("  domain {}  selector {}  identity {}\n", result["sdid"].text(),
             result["selector"].text(), result["auid"].text());
  fmt::print("  {}{}  canonicalization {}/{}\n", result["algorithm"].text(),
             bits.is_null() ? std::string() : fmt::format(", key of {} bits", bits.number()),
             result["header_canonicalization"].text(), result["body_canonicalization"].text());
  fmt::print("  body: {} of {} octets signed;  signed {},  expires {}\n",
             result["body_octets_signed"].number(), result["body_octets_total"].number(),
             time_text(result["time"], "at an unknown time"),
             time_text(result["expires"], "never"));
  std::string fields;
  for (const JsonView& name : result["signed_fields"].items()) {
    fields += fields.empty() ? "" : " ";
    fields += name.text();
  }
  fmt::print("  fields: {}\n", fields);
  if (result["key_testing"].is_true()) fmt::print("  the domain says that it is testing (t=y)\n");
}

}  // namespace countersign::cli
