// SPDX-License-Identifier: Apache-2.0
//
// Chooses what is signed. The sets of a selection are asked about every field of a message, so
// names are hashed once and compared by their hashes first.

#include "countersign/dkim/field_selection.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "countersign/message/header_field.hpp"
#include "countersign/text/abnf.hpp"
#include "countersign/text/glob.hpp"

namespace countersign::dkim {

namespace {

// Fields that "*" leaves out: relays add, change or remove them, or should. RFC 6376 §5.4
constexpr std::array<std::string_view, 9> unstable_fields = {
    "Authentication-Results", "Bcc",        "Comments",   "DKIM-Signature", "Keywords", "Received",
    "Received-SPF",           "Resent-Bcc", "Return-Path"};

// A set of field names and of patterns of names, made for asking it about every field of a message.
class NameSet {
 public:
  template <class Names>
  explicit NameSet(const Names& names) {
    for (const std::string_view name : names) {
      if (is_pattern(name)) {
        patterns_.push_back(name);
      } else {
        names_.push_back(name);
        hashes_.push_back(FieldIndex::hash_of(name));
      }
    }
  }

  [[nodiscard]] bool has(std::string_view name, std::uint32_t hash) const {
    for (std::size_t i = 0; i < hashes_.size(); ++i)
      if (hashes_[i] == hash && equal_names(names_[i], name)) return true;
    return std::ranges::any_of(
        patterns_, [&](std::string_view pattern) { return text::glob_matches(pattern, name); });
  }

 private:
  // A "*" alone has a meaning of its own.
  static bool is_pattern(std::string_view name) {
    return name.size() > 1 && name.find('*') != std::string_view::npos;
  }

  std::vector<std::string_view> names_;
  std::vector<std::uint32_t> hashes_;
  std::vector<std::string_view> patterns_;
};

// Whether h= can name such a field: RFC 5322 lets a name hold a ";", which would end the list.
bool may_be_named(std::string_view name) {
  constexpr text::CharClass is_named = text::is_ftext - text::CharClass(";");
  return !name.empty() && is_named.all_of(name);
}

bool is_from(std::string_view name) { return equal_names(name, "From"); }

// Collects names up to the limit, in which From always finds a place.
class NameList {
 public:
  NameList(std::size_t names_max, std::size_t expected) : names_max_(names_max) {
    names_.reserve(std::min(names_max, expected));
  }

  // Adds the name unless that would leave fewer than that many places besides one for From.
  void add(std::string_view name, std::size_t places_kept) {
    const bool from = is_from(name);
    const std::size_t kept = from ? 0 : places_kept + (has_from_ ? 0 : 1);
    if (names_.size() + kept >= names_max_) return;
    names_.emplace_back(name);
    has_from_ |= from;
  }

  std::vector<std::string> take() && {
    if (!has_from_) names_.emplace_back("From");
    return std::move(names_);
  }

 private:
  std::size_t names_max_;
  std::vector<std::string> names_;
  bool has_from_ = false;
};

}  // namespace

FieldSelection default_field_selection() {
  FieldSelection selection;
  selection.oversign = {
      "From",        "To",         "Cc",           "Subject",      "Date",
      "Reply-To",    "Message-ID", "MIME-Version", "Content-Type", "Content-Transfer-Encoding",
      "In-Reply-To", "References"};
  selection.sign = selection.oversign;
  for (const std::string_view name :
       {"Resent-Date", "Resent-From", "Resent-To", "Resent-Cc", "List-Id", "List-Help",
        "List-Unsubscribe", "List-Unsubscribe-Post", "List-Subscribe", "List-Post", "List-Owner",
        "List-Archive"})
    selection.sign.emplace_back(name);
  return selection;
}

std::vector<std::string> select_fields(const FieldIndex& index, const FieldSelection& selection,
                                       const Limits& limits) {
  const NameSet sign(selection.sign);
  const NameSet omit(selection.omit);
  const NameSet oversign(selection.oversign);
  const NameSet unstable(unstable_fields);
  const bool sign_all = sign.has("*", FieldIndex::hash_of("*"));

  NameList names(limits.signed_fields_max, index.header().size() + selection.oversign.size());
  for (std::size_t place = 0; place < index.header().size(); ++place) {
    const std::string_view name = index.name_at(place);
    const std::uint32_t hash = index.hash_at(place);
    if (!may_be_named(name)) continue;
    const bool selected =
        sign.has(name, hash) || oversign.has(name, hash) || (sign_all && !unstable.has(name, hash));
    if (is_from(name) || (selected && !omit.has(name, hash)))
      names.add(name, selection.oversign.size());
  }
  for (auto name = selection.oversign.begin(); name != selection.oversign.end(); ++name) {
    const bool repeated = std::ranges::any_of(
        selection.oversign.begin(), name,
        [&](const std::string& earlier) { return equal_names(earlier, *name); });
    if (!repeated && (is_from(*name) || !omit.has(*name, FieldIndex::hash_of(*name))))
      names.add(*name, 0);
  }
  return std::move(names).take();
}

}  // namespace countersign::dkim
