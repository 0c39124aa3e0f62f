// SPDX-License-Identifier: Apache-2.0
//
// The header is read line by line into one buffer, the body goes through untouched. Limits are
// checked before an octet is kept, on sums that do not depend on where the chunks were cut; so the
// same message fails at the same place however it comes.

#include "countersign/message/splitter.hpp"

#include <algorithm>

#include "countersign/text/abnf.hpp"

namespace countersign {

namespace {

constexpr std::string_view crlf = "\r\n";

// The line that mbox files put before each message. "From :" is a field, oddly written (S-02).
bool is_mbox_line(std::string_view line) {
  constexpr std::string_view start = "From ";
  if (!line.starts_with(start)) return false;
  const std::string_view sender = text::trim(line.substr(start.size()), text::is_wsp);
  return !sender.empty() && sender.front() != ':';
}

// What an ordinary reader would not take for a field, if it is such.
std::optional<SplitErrorCode> find_fault(const HeaderField& field) {
  if (!field.has_colon()) return SplitErrorCode::no_colon;
  const std::size_t colon = field.raw().size() - field.value().size() - 1;
  const std::string_view space = field.raw().substr(0, colon).substr(field.name().size());
  const bool good_name = !field.name().empty() && text::is_ftext.all_of(field.name());
  if (!good_name || !text::is_wsp.all_of(space)) return SplitErrorCode::bad_name;
  return std::nullopt;
}

}  // namespace

std::string_view to_string(SplitErrorCode code) {
  switch (code) {
    case SplitErrorCode::header_too_large:
      return "the header is larger than the limit";
    case SplitErrorCode::too_many_fields:
      return "the header has more fields than the limit";
    case SplitErrorCode::field_too_long:
      return "a header field is longer than the limit";
    case SplitErrorCode::no_colon:
      return "a line of the header has no colon (RFC 5322 section 2.2)";
    case SplitErrorCode::bad_name:
      return "a line of the header has no field name before its colon (RFC 5322 section 3.6.8)";
  }
  return "unknown";
}

Splitter::Splitter(const Limits& limits, std::function<void(std::string_view)> on_body)
    : limits_(limits), on_body_(std::move(on_body)) {}

bool Splitter::feed(std::string_view chunk) {
  while (!chunk.empty() && !in_body_ && !failed_) chunk = feed_header(chunk);
  if (failed_) return false;
  feed_body(chunk);
  return true;
}

bool Splitter::finish() {
  if (in_body_ || failed_) return !failed_;
  if (!line_.empty()) check_room(line_.front(), line_.size());  // A CR at its end is content now.
  if (!line_.empty() && !failed_) end_line();
  end_field();
  return !failed_;
}

// Takes what the chunk has of the current line and gives what is left of the chunk.
std::string_view Splitter::feed_header(std::string_view chunk) {
  const std::string_view text = chunk.substr(0, chunk.find('\n'));
  append_to_line(text);
  offset_ += text.size();
  chunk.remove_prefix(text.size());
  if (chunk.empty() || failed_) return {};
  ++offset_;
  take_line_feed();
  return chunk.substr(1);
}

// Decides whether the LF that was met ends a line.
void Splitter::take_line_feed() {
  const bool after_cr = line_.ends_with('\r');
  if (!std::exchange(line_end_known_, true)) lf_line_ends_ = !after_cr;
  if (!after_cr && !lf_line_ends_) return append_to_line("\n");
  if (after_cr) line_.pop_back();
  end_line();
}

bool Splitter::is_folding(char first) const { return !field_.empty() && text::is_wsp(first); }

void Splitter::append_to_line(std::string_view text) {
  if (text.empty()) return;
  // A CR at the end may turn out to be half of the line end, which is no part of the line.
  check_room(line_.empty() ? text.front() : line_.front(),
             line_.size() + text.size() - (text.back() == '\r' ? 1 : 0));
  if (!failed_) line_ += text;
}

// Fails when a line of that size, beginning with that octet, is more than the limits allow.
void Splitter::check_room(char first, std::size_t line_bytes) {
  const bool folding = is_folding(first);
  const std::size_t before = folding ? field_.size() + crlf.size() : 0;
  const std::size_t field_room =
      limits_.field_bytes_max - std::min(before, limits_.field_bytes_max);
  const std::size_t header_room = limits_.header_bytes_max - header_bytes_;
  if (line_bytes <= std::min(field_room, header_room)) return;
  fail(
      header_room <= field_room ? SplitErrorCode::header_too_large : SplitErrorCode::field_too_long,
      folding ? field_offset_ : line_offset_);
}

void Splitter::end_line() {
  if (line_.empty()) {
    end_field();
    in_body_ = !failed_;
    return;
  }
  if (line_offset_ == 0 && is_mbox_line(line_)) {
    line_.clear();
  } else {
    keep_line();
  }
  line_offset_ = offset_;
}

// Folds the line onto the field, or begins a field with it.
void Splitter::keep_line() {
  const bool folding = is_folding(line_.front());
  if (!folding) end_field();
  if (!folding) field_offset_ = line_offset_;
  header_bytes_ += line_.size() + crlf.size();
  if (header_bytes_ > limits_.header_bytes_max)
    return fail(SplitErrorCode::header_too_large, field_offset_);
  if (folding) {
    field_ += crlf;
    field_ += line_;
    line_.clear();
  } else {
    field_ = std::exchange(line_, {});
  }
}

void Splitter::end_field() {
  if (field_.empty() || failed_) return;
  if (header_.size() == limits_.header_fields_max)
    return fail(SplitErrorCode::too_many_fields, field_offset_);
  header_.emplace_back(std::exchange(field_, {}));
  const std::optional<SplitErrorCode> fault = find_fault(header_.back());
  if (fault && !stray_line_) stray_line_ = SplitError{*fault, field_offset_};
}

void Splitter::fail(SplitErrorCode code, std::size_t offset) {
  if (!std::exchange(failed_, true)) error_ = {code, offset};
}

void Splitter::feed_body(std::string_view chunk) {
  if (!lf_line_ends_) return emit(chunk);
  while (!chunk.empty()) {
    const std::string_view text = chunk.substr(0, chunk.find('\n'));
    emit(text);
    if (!text.empty()) after_cr_ = text.back() == '\r';
    if (text.size() == chunk.size()) return;
    emit(after_cr_ ? "\n" : crlf);
    after_cr_ = false;
    chunk.remove_prefix(text.size() + 1);
  }
}

void Splitter::emit(std::string_view body) {
  if (!body.empty() && on_body_) on_body_(body);
}

Result<Message, SplitError> split_message(std::string_view octets, const Limits& limits) {
  std::string body;
  Splitter splitter(limits, [&body](std::string_view chunk) { body += chunk; });
  if (!splitter.feed(octets) || !splitter.finish()) return std::unexpected(splitter.error());
  return Message{splitter.take_header(), std::move(body), splitter.stray_line()};
}

}  // namespace countersign
