// SPDX-License-Identifier: Apache-2.0

#include "service/store/record.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "service/log/escape.hpp"

namespace countersign::service::store {
namespace {

using report::DkimAuthResult;
using report::Evaluation;
using report::PolicyOverride;
using report::PublishedPolicy;
using report::SpfAuthResult;

// The first octet of a policy and of an identity; another form gets another number.
constexpr std::uint8_t form = 1;
// Rows of one record: each has 20 octets at least, and no record is longer than the spool reads.
constexpr std::uint64_t rows_max = 1'000'000;
// Few policies and identities are longer.
constexpr std::size_t usual_octets = 256;
constexpr std::uint64_t policy_words = 3;       // Values of AssessmentPolicy.
constexpr std::uint64_t disposition_words = 4;  // Values of ActionDisposition.
constexpr std::uint64_t override_words = 5;     // Values of OverrideReason.

class Writer {
 public:
  explicit Writer(std::size_t expected) { out_.reserve(expected); }

  template <std::size_t octets>
  void number(std::uint64_t value) {
    std::array<char, octets> digits;
    for (std::size_t i = 0; i < octets; ++i) {
      digits[i] = static_cast<char>(static_cast<unsigned char>(value >> (8 * (octets - 1 - i))));
    }
    out_.append(digits.data(), octets);
  }
  void text(std::string_view text) {
    text = text.substr(0, text_octets_max);
    number<2>(text.size());
    out_ += text;
  }
  /// What is made of texts, and may be longer than one.
  void block(std::string_view octets) {
    number<4>(octets.size());
    out_ += octets;
  }
  void optional(const std::optional<std::string>& value) {
    number<1>(value ? 1 : 0);
    if (value) text(*value);
  }
  template <class Item, class Write>
  void list(const std::vector<Item>& items, const Write& write) {
    const std::size_t count = std::min(items.size(), list_items_max);
    number<1>(count);
    for (std::size_t i = 0; i < count; ++i) write(items[i]);
  }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

/// Keeps its first failure; what is read after it is empty.
class Reader {
 public:
  explicit Reader(std::string_view octets) : rest_(octets) {}

  template <std::size_t octets>
  std::uint64_t number() {
    std::uint64_t value = 0;
    for (const char c : take(octets)) value = value << 8 | static_cast<unsigned char>(c);
    return value;
  }
  /// A number of one octet that is below a bound.
  std::uint64_t below(std::uint64_t bound) {
    const std::uint64_t value = number<1>();
    if (value >= bound) fail();
    return value < bound ? value : 0;
  }
  bool flag() { return below(2) == 1; }
  std::string text() {
    const std::string_view octets = take(number<2>());
    if (octets.size() > text_octets_max) fail();
    return std::string(octets.substr(0, text_octets_max));
  }
  std::string_view block() { return take(number<4>()); }
  std::optional<std::string> optional() {
    if (!flag()) return std::nullopt;
    return text();
  }
  template <class Item, class Read>
  std::vector<Item> list(const Read& read) {
    std::vector<Item> items;
    const std::uint64_t count = below(list_items_max + 1);
    for (std::uint64_t i = 0; i < count && !failed_; ++i) items.push_back(read());
    return items;
  }
  void fail() {
    failed_ = true;
    rest_ = {};
  }
  /// True when all was read and nothing is left.
  [[nodiscard]] bool is_done() const { return !failed_ && rest_.empty(); }
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  std::string_view take(std::uint64_t size) {
    if (size > rest_.size()) {
      fail();
      return {};
    }
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  std::string_view rest_;
  bool failed_ = false;
};

std::uint64_t number_of(const std::optional<dmarc::AssessmentPolicy>& policy) {
  return policy ? static_cast<std::uint64_t>(*policy) + 1 : 0;
}

std::optional<dmarc::AssessmentPolicy> read_optional_policy(Reader& reader) {
  const std::uint64_t number = reader.below(policy_words + 1);
  if (number == 0) return std::nullopt;
  return static_cast<dmarc::AssessmentPolicy>(number - 1);
}

void write(Writer& writer, const SpfAuthResult& spf) {
  writer.text(spf.domain);
  writer.text(spf.result);
  writer.text(spf.human_result);
}

std::string encode_identity(const Evaluation& evaluation) {
  Writer writer(usual_octets);
  writer.number<1>(form);
  writer.number<1>(static_cast<std::uint64_t>(evaluation.disposition));
  writer.number<1>(evaluation.dkim_aligned ? 1 : 0);
  writer.number<1>(evaluation.spf_aligned ? 1 : 0);
  writer.list(evaluation.reasons, [&](const PolicyOverride& reason) {
    writer.number<1>(static_cast<std::uint64_t>(reason.type));
    writer.text(reason.comment);
  });
  writer.text(evaluation.header_from);
  writer.optional(evaluation.envelope_from);
  writer.optional(evaluation.envelope_to);
  writer.list(evaluation.dkim, [&](const DkimAuthResult& dkim) {
    writer.text(dkim.domain);
    writer.text(dkim.selector);
    writer.text(dkim.result);
    writer.text(dkim.human_result);
  });
  writer.number<1>(evaluation.spf ? 1 : 0);
  if (evaluation.spf) write(writer, *evaluation.spf);
  return writer.take();
}

/// Reads what encode_identity() wrote into an evaluation; false when it is something else.
bool decode_identity(std::string_view octets, Evaluation& evaluation) {
  Reader reader(octets);
  if (reader.number<1>() != form) return false;
  evaluation.disposition = static_cast<report::ActionDisposition>(reader.below(disposition_words));
  evaluation.dkim_aligned = reader.flag();
  evaluation.spf_aligned = reader.flag();
  evaluation.reasons = reader.list<PolicyOverride>([&] {
    const auto type = static_cast<report::OverrideReason>(reader.below(override_words));
    return PolicyOverride{type, reader.text()};
  });
  evaluation.header_from = reader.text();
  evaluation.envelope_from = reader.optional();
  evaluation.envelope_to = reader.optional();
  evaluation.dkim = reader.list<DkimAuthResult>([&] {
    DkimAuthResult dkim{.domain = reader.text()};
    dkim.selector = reader.text();
    dkim.result = reader.text();
    dkim.human_result = reader.text();
    return dkim;
  });
  if (reader.flag()) {
    SpfAuthResult spf{.domain = reader.text()};
    spf.result = reader.text();
    spf.human_result = reader.text();
    evaluation.spf = std::move(spf);
  }
  return reader.is_done();
}

std::optional<IpAddress> decode_source(std::string_view octets) {
  if (octets.size() != 4 && octets.size() != 16) return std::nullopt;
  std::array<std::uint8_t, 16> address{};
  std::ranges::transform(octets, address.begin(),
                         [](char c) { return static_cast<std::uint8_t>(c); });
  const IpAddress read = IpAddress::from_octets(address, octets.size() == 4);
  // An IPv4-mapped address has another form, and equal values have equal octets.
  if (read.bits() != octets.size() * 8) return std::nullopt;
  return read;
}

}  // namespace

std::string encode_policy(const PublishedPolicy& policy) {
  Writer writer(usual_octets);
  writer.number<1>(form);
  writer.text(policy.domain);
  writer.number<1>(static_cast<std::uint64_t>(policy.p));
  writer.number<1>(number_of(policy.sp));
  writer.number<1>(number_of(policy.np));
  writer.number<1>(static_cast<std::uint64_t>(policy.adkim));
  writer.number<1>(static_cast<std::uint64_t>(policy.aspf));
  writer.number<1>(policy.testing ? 1 : 0);
  writer.text(policy.fo);
  writer.number<1>(static_cast<std::uint64_t>(policy.discovery_method));
  writer.list(policy.rua, [&](const std::string& uri) { writer.text(uri); });
  return writer.take();
}

std::optional<PublishedPolicy> decode_policy(std::string_view octets) {
  Reader reader(octets);
  if (reader.number<1>() != form) return std::nullopt;
  PublishedPolicy policy{.domain = reader.text()};
  policy.p = static_cast<dmarc::AssessmentPolicy>(reader.below(policy_words));
  policy.sp = read_optional_policy(reader);
  policy.np = read_optional_policy(reader);
  policy.adkim = static_cast<dmarc::Alignment>(reader.below(2));
  policy.aspf = static_cast<dmarc::Alignment>(reader.below(2));
  policy.testing = reader.flag();
  policy.fo = reader.text();
  policy.discovery_method = static_cast<report::DiscoveryMethod>(reader.below(2));
  policy.rua = reader.list<std::string>([&] { return reader.text(); });
  if (!reader.is_done()) return std::nullopt;
  return policy;
}

RowKey row_key(const Evaluation& evaluation, Day day) {
  const auto& octets = evaluation.source_ip.octets();
  return {.day = day,
          .policy = encode_policy(evaluation.published),
          .source = std::string(octets.begin(), octets.begin() + evaluation.source_ip.bits() / 8),
          .identity = encode_identity(evaluation)};
}

std::optional<Evaluation> evaluation_of(const RowKey& key) {
  std::optional<PublishedPolicy> policy = decode_policy(key.policy);
  const std::optional<IpAddress> source = decode_source(key.source);
  Evaluation evaluation;
  if (!policy || !source || !decode_identity(key.identity, evaluation)) return std::nullopt;
  evaluation.published = *std::move(policy);
  evaluation.source_ip = *source;
  return evaluation;
}

std::string encode_counts(const Counts& counts) {
  constexpr std::size_t numbers_of_row = 24;
  std::size_t size = 4;
  for (const auto& [key, messages] : counts) {
    size += numbers_of_row + key.policy.size() + key.source.size() + key.identity.size();
  }
  Writer writer(size);
  writer.number<4>(counts.size());
  for (const auto& [key, messages] : counts) {
    writer.number<4>(static_cast<std::uint64_t>(key.day.time_since_epoch().count()));
    writer.block(key.policy);
    writer.block(key.source);
    writer.block(key.identity);
    writer.number<8>(messages);
  }
  return writer.take();
}

std::optional<Counts> decode_counts(std::string_view octets, const Counts& known) {
  Reader reader(octets);
  const std::uint64_t rows = reader.number<4>();
  if (rows > rows_max) return std::nullopt;
  Counts counts;
  for (std::uint64_t i = 0; i < rows && !reader.failed(); ++i) {
    RowKey key;
    key.day = Day(std::chrono::days(static_cast<std::int32_t>(reader.number<4>())));
    key.policy = reader.block();
    key.source = reader.block();
    key.identity = reader.block();
    const std::uint64_t messages = reader.number<8>();
    if (reader.failed()) return std::nullopt;
    if (!known.contains(key) && !evaluation_of(key)) return std::nullopt;
    const std::size_t before = counts.size();
    // They come in their order.
    counts.emplace_hint(counts.end(), std::move(key), messages);
    if (counts.size() == before) return std::nullopt;
  }
  if (!reader.is_done()) return std::nullopt;
  return counts;
}

std::string storable_text(std::string_view text) {
  std::string kept = valid_utf8(text.substr(0, text_octets_max));
  for (std::size_t at = kept.find('\0'); at != std::string::npos; at = kept.find('\0', at)) {
    kept.replace(at, 1, "\xef\xbf\xbd");  // U+FFFD
  }
  if (kept.size() <= text_octets_max) return kept;
  std::size_t end = text_octets_max;
  while ((static_cast<unsigned char>(kept[end]) & 0xc0U) == 0x80U) --end;  // Within a character.
  kept.resize(end);
  return kept;
}

}  // namespace countersign::service::store
