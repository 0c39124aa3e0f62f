// SPDX-License-Identifier: Apache-2.0

#include "service/config/forward_path.hpp"

#include "countersign/message/author.hpp"
#include "countersign/text/abnf.hpp"

namespace countersign::service::config {
namespace {

bool is_plain(std::string_view local_part) {
  return !local_part.empty() && text::is_dot_atom.all_of(local_part);
}

}  // namespace

std::optional<std::string> read_forward_path(std::string_view text) {
  if (is_plain(text)) return std::string(text);
  const auto mailbox = first_mailbox(text);
  if (!mailbox || !is_plain(mailbox->local_part)) return std::nullopt;
  return mailbox->local_part + "@" + mailbox->domain.text();
}

}  // namespace countersign::service::config
