// SPDX-License-Identifier: Apache-2.0
//
// tag=value lists, the one syntax shared by DKIM-Signature, key records, ARC fields and DMARC
// records.

#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "countersign/limits.hpp"
#include "countersign/result.hpp"

namespace countersign::text {

/// What can be wrong with a tag list.
enum class TagListErrorCode : std::uint8_t {
  empty_tag,       ///< nothing between two ";", or before the first
  missing_name,    ///< a tag without a name before its "="
  missing_equals,  ///< a name that no "=" follows
  /// a name that does not begin with a letter or holds something but letters, digits and "_"
  bad_name,
  bad_value,  ///< an octet that no tag value may hold (control octet, or 8-bit where not allowed)
  duplicate_tag,  ///< the same name twice: the list is void (RFC 6376 §3.2)
  too_many_tags,  ///< more than Limits::tags_max
};

using TagListError = SyntaxErrorOf<TagListErrorCode>;

/// Says in a sentence what is wrong and which section rules it.
[[nodiscard]] std::string_view to_string(TagListErrorCode code);

/// One tag of a list. The views point into the text that was parsed.
struct Tag {
  std::string_view name;         ///< as written; names are case-sensitive
  std::string_view value;        ///< folding space around it removed, inner folding kept
  std::size_t value_offset = 0;  ///< of value in the text, octets
};

/// A parsed list in the order of the text. It views the text, which must outlive it.
class TagList {
 public:
  TagList() = default;
  explicit TagList(std::vector<Tag> tags) : tags_(std::move(tags)) {}

  /// The tag of that name, or nullptr. Linear: lists are short.
  [[nodiscard]] const Tag* find(std::string_view name) const;
  /// All tags in order.
  [[nodiscard]] const std::vector<Tag>& tags() const { return tags_; }

 private:
  std::vector<Tag> tags_;
};

/// Parses a tag list.
///
///   tag-list  = tag-spec *( ";" tag-spec ) [ ";" ]
///   tag-spec  = [FWS] tag-name [FWS] "=" [FWS] tag-value [FWS]
///
/// text         raw octets, folding kept; the result views it.
/// Errors       the first one, with its offset.
/// Leniency     a bare LF counts as a line end in FWS, as milters hand fields over with it; 8-bit
///              octets are allowed in values, as RFC 8616 §5 allows UTF-8 there; a text of folding
///              space alone is an empty list.
/// Strictness   a ";" with no tag before it is an error: being liberal is a bad strategy here, says
///              RFC 6376 §6.1.1.
/// RFC 6376 §3.2
[[nodiscard]] Result<TagList, TagListError> parse_tag_list(std::string_view text,
                                                           const Limits& limits);

}  // namespace countersign::text
