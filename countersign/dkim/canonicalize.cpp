// SPDX-License-Identifier: Apache-2.0
//
// Canonicalization of fields and bodies.
//
// The body is where the octets are, so both ways through it copy in bulk. Simple passes slices of
// the chunk on. Relaxed looks, 32 octets at a time, for the next place where its output differs
// from its input, which in ordinary text is rare: a tab, a second space, a space at the end of a
// line. All between two such places is passed on as it is.

#include "countersign/dkim/canonicalize.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstring>

#include "countersign/text/abnf.hpp"

namespace countersign::dkim {

namespace {

using text::is_wsp;

constexpr std::string_view line_end = "\r\n";

// --- header ---

// The length of a fold at that place: a CRLF that white space follows. Without the white space.
std::size_t fold_length(std::string_view value, std::size_t at) {
  const bool folds =
      value.substr(at).starts_with(line_end) && at + 2 < value.size() && is_wsp(value[at + 2]);
  return folds ? line_end.size() : 0;
}

// The first octet at or behind `at` that is neither white space nor part of a fold.
std::size_t skip_folding_space(std::string_view value, std::size_t at) {
  while (at < value.size()) {
    if (is_wsp(value[at])) {
      ++at;
    } else if (const std::size_t fold = fold_length(value, at); fold != 0) {
      at += fold;
    } else {
      break;
    }
  }
  return at;
}

void append_relaxed_value(std::string& out, std::string_view value) {
  constexpr text::CharClass may_be_space = is_wsp | text::CharClass("\r");
  std::size_t at = skip_folding_space(value, 0);
  while (at < value.size()) {
    const std::size_t word = at;
    ++at;  // Not space: it may be a CR that folds nothing.
    while (at < value.size() && !may_be_space(value[at])) ++at;
    out += value.substr(word, at - word);
    const std::size_t next = skip_folding_space(value, at);
    if (next != at && next != value.size()) out += ' ';
    at = next;
  }
}

void append_lower_case(std::string& out, std::string_view name) {
  for (const char c : name) out += text::to_lower(c);
}

// --- body ---

constexpr std::size_t block_octets = 32;
using Block = unsigned char __attribute__((ext_vector_type(block_octets)));
using BlockMask = bool __attribute__((ext_vector_type(block_octets)));

// One bit for each octet of the block at which relaxed output differs from input: a tab, or a space
// before a space, a tab or a CR.
std::uint32_t irregular_bits(const char* octets) {
  Block here;
  Block next;
  std::memcpy(&here, octets, sizeof here);
  std::memcpy(&next, octets + 1, sizeof next);
  const auto irregular =
      (here == '\t') | ((here == ' ') & ((next == ' ') | (next == '\t') | (next == '\r')));
  return std::bit_cast<std::uint32_t>(__builtin_convertvector(irregular, BlockMask));
}

// True when the octet must be looked at one by one; the last octet of a chunk is, if it is a space
// or CR, because what follows is not known yet.
bool is_irregular(std::string_view chunk, std::size_t at) {
  const char c = chunk[at];
  const bool last = at + 1 == chunk.size();
  if (c == '\t') return true;
  if (c == '\r') return last;
  return c == ' ' && (last || is_wsp(chunk[at + 1]) || chunk[at + 1] == '\r');
}

std::size_t find_irregular(std::string_view chunk, std::size_t at) {
  for (; at + block_octets < chunk.size(); at += block_octets) {
    const std::uint32_t bits = irregular_bits(chunk.data() + at);
    if (bits != 0) return at + static_cast<std::size_t>(std::countr_zero(bits));
  }
  while (at < chunk.size() && !is_irregular(chunk, at)) ++at;
  return at;
}

}  // namespace

void append_canonical_field(std::string& out, const HeaderField& field,
                            Canonicalization canonicalization) {
  if (canonicalization == Canonicalization::simple) {
    out += field.raw();
    return;
  }
  append_lower_case(out, field.name());
  out += ':';
  append_relaxed_value(out, field.value());
}

// Gathers the pieces of a relaxed chunk, so that a chunk full of small changes does not become as
// many calls of the sink. No piece ends between CR and LF: pass_on() must see line ends whole.
class BodyCanonicalizer::RelaxedOutput {
 public:
  RelaxedOutput(BodyCanonicalizer& body, OctetSink& sink) : body_(body), sink_(sink) {}

  void append(std::string_view piece) {
    if (piece.size() > buffer_.size() - size_) flush();
    if (piece.size() > buffer_.size()) {
      body_.pass_on(piece, sink_);
      return;
    }
    std::memcpy(buffer_.data() + size_, piece.data(), piece.size());
    size_ += piece.size();
  }

  void flush() {
    body_.pass_on({buffer_.data(), size_}, sink_);
    size_ = 0;
  }

 private:
  BodyCanonicalizer& body_;
  OctetSink& sink_;
  std::size_t size_ = 0;
  std::array<char, 4096> buffer_;  // Left uninitialized: only the first size_ octets are read.
};

void BodyCanonicalizer::update(std::string_view chunk, OctetSink& sink) {
  if (chunk.empty()) return;
  if (canonicalization_ == Canonicalization::simple)
    update_simple(chunk, sink);
  else
    update_relaxed(chunk, sink);
}

void BodyCanonicalizer::finish(OctetSink& sink) {
  // Space that is held ends the last line, so it goes; a CR that no LF followed is content.
  if (holds_cr_) pass_on(holds_space_ ? " \r" : "\r", sink);
  holds_cr_ = holds_space_ = false;
  if (has_content_ || canonicalization_ == Canonicalization::simple) sink.take(line_end);
  line_ends_ = 0;
  has_content_ = false;
}

void BodyCanonicalizer::update_simple(std::string_view chunk, OctetSink& sink) {
  if (holds_cr_) {
    holds_cr_ = false;
    if (chunk.front() == '\n') {
      ++line_ends_;
      chunk.remove_prefix(1);
    } else {
      pass_on("\r", sink);
    }
  }
  if (chunk.ends_with('\r')) {
    holds_cr_ = true;
    chunk.remove_suffix(1);
  }
  pass_on(chunk, sink);
}

void BodyCanonicalizer::update_relaxed(std::string_view chunk, OctetSink& sink) {
  RelaxedOutput output(*this, sink);
  std::size_t at = holds_cr_ ? settle_held_cr(chunk, output) : 0;
  while (at < chunk.size()) {
    if (holds_space_) {
      at = settle_held_space(chunk, at, output);
      continue;
    }
    const std::size_t regular = at;
    at = find_irregular(chunk, at);
    output.append(chunk.substr(regular, at - regular));
    if (at == chunk.size()) break;
    holds_cr_ = chunk[at] == '\r';
    holds_space_ = !holds_cr_;
    ++at;
  }
  output.flush();
}

// Decides on the CR, and the space before it, that the last chunk ended with.
std::size_t BodyCanonicalizer::settle_held_cr(std::string_view chunk, RelaxedOutput& output) {
  const bool ends_line = chunk.front() == '\n';
  output.append(ends_line ? line_end : holds_space_ ? " \r" : "\r");
  holds_cr_ = holds_space_ = false;
  return ends_line ? 1 : 0;
}

// Decides on the run of space that continues at this place of the chunk.
std::size_t BodyCanonicalizer::settle_held_space(std::string_view chunk, std::size_t at,
                                                 RelaxedOutput& output) {
  while (at < chunk.size() && is_wsp(chunk[at])) ++at;
  if (at == chunk.size()) return at;
  if (chunk[at] == '\r' && at + 1 == chunk.size()) {
    holds_cr_ = true;
    return chunk.size();
  }
  holds_space_ = false;
  if (chunk.substr(at).starts_with(line_end)) {
    output.append(line_end);
    return at + line_end.size();
  }
  output.append(" ");
  return at;
}

// Passes lines on, but for the line ends at their end, which are only counted. The text never ends
// between CR and LF of a line end.
void BodyCanonicalizer::pass_on(std::string_view lines, OctetSink& sink) {
  std::string_view content = lines;
  while (content.ends_with(line_end)) content.remove_suffix(line_end.size());
  if (!content.empty()) {
    release_line_ends(sink);
    sink.take(content);
    has_content_ = true;
  }
  line_ends_ += (lines.size() - content.size()) / line_end.size();
}

// Passes on the line ends that turned out not to be the end of the body.
void BodyCanonicalizer::release_line_ends(OctetSink& sink) {
  static constexpr std::size_t block_line_ends = 512;
  static constexpr auto block = [] {
    std::array<char, block_line_ends * 2> octets{};
    for (std::size_t i = 0; i < octets.size(); ++i) octets[i] = line_end[i % 2];
    return octets;
  }();
  while (line_ends_ > 0) {
    const std::uint64_t count = std::min<std::uint64_t>(line_ends_, block_line_ends);
    sink.take({block.data(), static_cast<std::size_t>(count) * line_end.size()});
    line_ends_ -= count;
  }
}

}  // namespace countersign::dkim
