// SPDX-License-Identifier: Apache-2.0
//
// A tag=value list cut at its semicolons and equals signs and nothing more, so that what is wrong
// with it can be shown as well.

#pragma once

#include <boost/json/fwd.hpp>
#include <cstddef>
#include <string_view>
#include <vector>

#include "countersign/dmarc/record.hpp"

namespace countersign::service {

/// One piece of a list, without the white space around name and value. It views the list.
struct TagText {
  std::size_t offset = 0;  ///< of the name, octets
  std::string_view name;
  std::string_view value;  ///< empty too where no "=" follows the name
};

/// The pieces of a list that are not blank, in their order.
[[nodiscard]] std::vector<TagText> tag_texts(std::string_view list);

/// A list as it is published: name in lower case to value; the first of a name counts.
[[nodiscard]] boost::json::object published_tags(std::string_view list);

/// What the tags of a DMARC record come to, those that are absent or dropped with their defaults:
/// {p, sp, np, t, psd, adkim, aspf, rua, ruf, fo}; p, sp and np are null when they are not there.
[[nodiscard]] boost::json::object tags_of(const dmarc::Record& record);

}  // namespace countersign::service
