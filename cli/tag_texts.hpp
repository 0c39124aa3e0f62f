// SPDX-License-Identifier: Apache-2.0
//
// The tags of a list as the subcommands show them; they are cut where the documents are made.

#pragma once

#include "service/explain/tag_texts.hpp"

namespace countersign::cli {

using service::published_tags;
using service::tag_texts;
using service::tags_of;
using service::TagText;

}  // namespace countersign::cli
