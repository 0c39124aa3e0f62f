// SPDX-License-Identifier: Apache-2.0
//
// The reader of tag lists. It goes over the text once and allocates only the list of views.

#include "countersign/text/tag_list.hpp"

#include <algorithm>

#include "countersign/text/cursor.hpp"

namespace countersign::text {

namespace {

using TagCursor = Cursor<TagListErrorCode>;

// What stands inside a value apart from folds: tag values (RFC 8616 §5 adds 8-bit octets to them)
// with white space between.
constexpr CharClass is_value_line = is_tag_value | is_8bit | is_wsp;
// What may come behind a name that is complete; anything else belongs to the name and spoils it.
constexpr CharClass ends_name = is_fws | CharClass("=;");

// Enough for every list in use, so that the list is allocated once.
constexpr std::size_t tags_expected = 16;

std::string_view read_name(TagCursor& cursor) {
  if (cursor.at(';')) cursor.fail(TagListErrorCode::empty_tag);
  if (cursor.at('=')) cursor.fail(TagListErrorCode::missing_name);
  const std::size_t begin = cursor.offset();
  if (cursor.at(is_alpha)) cursor.take_while(is_tag_name);
  const std::string_view name = cursor.since(begin);
  if (name.empty() || !(cursor.at_end() || cursor.at(ends_name)))
    cursor.fail(TagListErrorCode::bad_name);
  return name;
}

std::string_view read_value(TagCursor& cursor) {
  const std::size_t begin = cursor.offset();
  do {
    cursor.take_while(is_value_line);
  } while (cursor.skip_fws());
  const std::string_view value = cursor.since(begin);
  if (!cursor.at_end() && !cursor.at(';')) cursor.fail(TagListErrorCode::bad_value);
  return trim(value, is_fws);
}

Tag read_tag(TagCursor& cursor) {
  Tag tag;
  tag.name = read_name(cursor);
  cursor.skip_fws();
  cursor.expect('=', TagListErrorCode::missing_equals);
  cursor.skip_fws();
  tag.value_offset = cursor.offset();
  tag.value = read_value(cursor);
  return tag;
}

const Tag* find_tag(const std::vector<Tag>& tags, std::string_view name) {
  const auto found = std::ranges::find(tags, name, &Tag::name);
  return found == tags.end() ? nullptr : &*found;
}

// Goes to the first octet of the next tag; false at the end.
bool skip_to_tag(TagCursor& cursor) {
  cursor.skip_fws();
  return !cursor.at_end();
}

}  // namespace

std::string_view to_string(TagListErrorCode code) {
  switch (code) {
    case TagListErrorCode::empty_tag:
      return "a \";\" has no tag before it (RFC 6376 §3.2)";
    case TagListErrorCode::missing_name:
      return "a tag has no name before its \"=\" (RFC 6376 §3.2)";
    case TagListErrorCode::missing_equals:
      return "a tag name is not followed by \"=\" (RFC 6376 §3.2)";
    case TagListErrorCode::bad_name:
      return "a tag name is not a letter followed by letters, digits and \"_\" (RFC 6376 §3.2)";
    case TagListErrorCode::bad_value:
      return "a tag value holds a control character or a broken fold (RFC 6376 §3.2)";
    case TagListErrorCode::duplicate_tag:
      return "a tag occurs twice, which makes the whole list invalid (RFC 6376 §3.2)";
    case TagListErrorCode::too_many_tags:
      return "the list has more tags than any use of it has names (RFC 6376 §3.2)";
  }
  return "unknown error";
}

const Tag* TagList::find(std::string_view name) const { return find_tag(tags_, name); }

Result<TagList, TagListError> parse_tag_list(std::string_view text, const Limits& limits) {
  TagCursor cursor(text);
  std::vector<Tag> tags;
  tags.reserve(tags_expected);
  while (skip_to_tag(cursor)) {
    const std::size_t begin = cursor.offset();
    const Tag tag = read_tag(cursor);
    if (find_tag(tags, tag.name)) cursor.fail(TagListErrorCode::duplicate_tag, begin);
    if (tags.size() == limits.tags_max) cursor.fail(TagListErrorCode::too_many_tags, begin);
    tags.push_back(tag);
    cursor.accept(';');
  }
  if (cursor.failed()) return std::unexpected(cursor.error());
  return TagList(std::move(tags));
}

}  // namespace countersign::text
