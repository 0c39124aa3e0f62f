// SPDX-License-Identifier: Apache-2.0
//
// Finds the fields that h= names. A stranger chooses both the names and the fields, so the search
// compares one number for each pair and no text until the numbers are equal.

#include "countersign/dkim/signed_header.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "countersign/text/abnf.hpp"

namespace countersign::dkim {

namespace {

// Fields of which a second one is an error, or misleads. RFC 5322 §3.6, RFC 2045 §3
constexpr std::array<std::string_view, 14> single_fields = {
    "From",
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Date",
    "Subject",
    "Message-ID",
    "In-Reply-To",
    "References",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
    "List-Unsubscribe",
};

}  // namespace

FieldIndex::FieldIndex(const Header& header) : header_(&header) {
  hashes_.reserve(header.size());
  for (std::size_t place = 0; place < header.size(); ++place)
    hashes_.push_back(hash_of(name_at(place)));
}

std::string_view FieldIndex::name_at(std::size_t place) const {
  const HeaderField& field = (*header_)[place];
  const std::string_view before_value =
      field.raw().substr(0, field.raw().size() - field.value().size());
  return before_value.ends_with(':') ? field.name() : std::string_view();
}

std::size_t FieldIndex::count(std::string_view name) const {
  const std::uint32_t hash = hash_of(name);
  std::size_t count = 0;
  for (std::size_t place = 0; place < hashes_.size(); ++place)
    if (hashes_[place] == hash && equal_names(name_at(place), name)) ++count;
  return count;
}

std::uint32_t FieldIndex::hash_of(std::string_view name) {
  // FNV-1a. A stranger who makes names collide only makes us compare them.
  std::uint32_t hash = 2'166'136'261;
  for (const char c : name) {
    hash ^= static_cast<unsigned char>(text::to_lower(c));
    hash *= 16'777'619;
  }
  return hash;
}

void append_signed_fields(std::string& out, const FieldIndex& index, const SignedHeader& covered) {
  const Header& header = index.header();
  std::vector<bool> used(header.size());
  if (covered.own_place != no_place) used[covered.own_place] = true;
  for (const std::string& name : covered.names) {
    if (name.empty()) continue;
    const std::uint32_t hash = FieldIndex::hash_of(name);
    for (std::size_t place = header.size(); place-- > 0;) {
      if (used[place] || index.hash_at(place) != hash || !equal_names(index.name_at(place), name))
        continue;
      used[place] = true;
      append_canonical_field(out, header[place], covered.canonicalization);
      out += "\r\n";
      break;
    }
  }
}

crypto::Sha256 hash_signed_header(const FieldIndex& index, const SignedHeader& covered) {
  constexpr std::size_t usual_octets = 4'096;
  std::string octets;
  octets.reserve(usual_octets);
  append_signed_fields(octets, index, covered);
  append_canonical_field(octets, covered.signature_field, covered.canonicalization);
  return crypto::sha256(octets);
}

std::vector<std::string_view> find_added_fields(const FieldIndex& index,
                                                const std::vector<std::string>& names) {
  std::vector<std::string_view> added;
  for (const std::string_view single : single_fields) {
    const auto covered = std::ranges::count_if(
        names, [&](const std::string& name) { return equal_names(name, single); });
    if (covered != 0 && static_cast<std::size_t>(covered) < index.count(single))
      added.push_back(single);
  }
  return added;
}

HeaderField without_signature_value(const HeaderField& field) {
  const std::string_view value = field.value();
  const std::size_t value_offset = field.raw().size() - value.size();
  std::string raw(field.raw());
  for (std::size_t begin = 0; begin < value.size();) {
    const std::size_t end = std::min(value.find(';', begin), value.size());
    const std::string_view tag = value.substr(begin, end - begin);
    const std::size_t equals = tag.find('=');
    if (equals != tag.npos && text::trim(tag.substr(0, equals), text::is_fws) == "b") {
      const std::size_t tag_value = begin + equals + 1;
      raw.erase(value_offset + tag_value, end - tag_value);
      break;
    }
    begin = end + 1;
  }
  return HeaderField(std::move(raw));
}

}  // namespace countersign::dkim
