// SPDX-License-Identifier: Apache-2.0

#include "cli/message_input.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "cli/failure.hpp"
#include "cli/input.hpp"

namespace countersign::cli {
namespace {

/// Octets that a message may have that is held in memory: far more than any MTA takes.
constexpr std::size_t message_bytes_max = 1UL << 30;

void print_octets(std::string_view octets) { std::fwrite(octets.data(), 1, octets.size(), stdout); }

void print_field(const HeaderField& field, bool with_lf) {
  std::string text = std::string(field.raw()) + "\r\n";
  if (with_lf) {
    for (std::size_t at = 0; (at = text.find("\r\n", at)) != std::string::npos;) text.erase(at, 1);
  }
  print_octets(text);
}

/// Octets of the first line when it is that of an mbox file, which the header then has not.
std::size_t mbox_line_octets(std::string_view text, const Header& header) {
  const std::string_view first = header.empty() ? std::string_view() : header.front().raw();
  const bool begins_field = !first.empty() && text.starts_with(first.substr(0, first.find('\r')));
  if (!text.starts_with("From ") || begins_field) return 0;
  return std::min(text.find('\n'), text.size() - 1) + 1;
}

}  // namespace

MessageInput::MessageInput(const std::string& file)
    : octets_(read_whole_input(file, message_bytes_max)),
      splitter_(Limits(), [this](std::string_view chunk) {
        if (on_body_) on_body_(chunk);
      }) {
  const std::string_view all = octets_;
  bool fits = true;
  // Line by line, so that the place of the body in the octets is known.
  while (fits && body_at_ < all.size() && !splitter_.header_complete()) {
    const std::size_t line_end = std::min(all.find('\n', body_at_), all.size() - 1) + 1;
    fits = splitter_.feed(all.substr(body_at_, line_end - body_at_));
    body_at_ = line_end;
  }
  if (fits && !splitter_.header_complete()) fits = splitter_.finish();
  if (!fits) {
    throw Failure(exit_data,
                  fmt::format("{}: {} (octet {})", input_name(file),
                              to_string(splitter_.error().code), splitter_.error().offset));
  }
  header_ = splitter_.take_header();
  header_at_ = mbox_line_octets(all, header_);
}

void MessageInput::feed_body(const std::function<void(std::string_view)>& on_body) {
  on_body_ = on_body;
  splitter_.feed(std::string_view(octets_).substr(body_at_));
  splitter_.finish();
}

void MessageInput::print_below(const std::vector<HeaderField>& fields, bool with_lf) const {
  const std::string_view all = octets_;
  print_octets(all.substr(0, header_at_));
  for (const HeaderField& field : fields) print_field(field, with_lf);
  print_octets(all.substr(header_at_));
}

void MessageInput::print_with(const Header& header) const {
  const std::string_view all = octets_;
  print_octets(all.substr(0, header_at_));
  for (const HeaderField& field : header) print_field(field, has_lf_line_ends());
  if (splitter_.header_complete()) print_octets(has_lf_line_ends() ? "\n" : "\r\n");
  print_octets(all.substr(body_at_));
}

}  // namespace countersign::cli
