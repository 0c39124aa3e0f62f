// SPDX-License-Identifier: Apache-2.0

#include "countersign/mailflow/login_binding.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "countersign/spf/sender.hpp"

namespace countersign::mailflow {

namespace {

using Lines = std::vector<const LoginLine*>;

const LoginLine* find_line(const Lines& lines, const Login& login, const Mailbox& sender) {
  const auto found = std::ranges::find_if(
      lines, [&](const LoginLine* line) { return line->allows(login, sender); });
  return found == lines.end() ? nullptr : *found;
}

/// True when the reverse-path is one that the login may use. One that cannot be read, or that was
/// cut when it was kept, is nobody's (S-13).
bool allows_path(const Lines& lines, const Login& login, const std::string& path,
                 const Limits& limits) {
  if (path.empty() || std::ranges::any_of(lines, &LoginLine::allows_everything)) return true;
  if (path.size() >= limits.envelope_text_bytes_max) return false;
  const auto sender = spf::mail_from_sender(path, {});
  return sender && find_line(lines, login, {sender->local_part, sender->domain}) != nullptr;
}

}  // namespace

LoginRuling rule_on_login(const LoginPolicy& policy, const Envelope& envelope,
                          const std::vector<Mailbox>& senders, const Limits& limits) {
  const std::string name(envelope.macro("auth_authen"));
  if (!policy.bound || !envelope.has_login()) return {};

  const Login login = Login::parse(name);
  const Lines lines = policy.table.find(login);
  if (lines.empty()) return {false, Explanation{Reason::login_unknown, name, {}}};
  const LoginLine* allowing = nullptr;
  for (const Mailbox& sender : senders) {
    const LoginLine* line = find_line(lines, login, sender);
    if (line == nullptr)
      return {false, Explanation{Reason::login_not_author, name + " as " + sender.address(),
                                 lines.front()->place}};
    if (allowing == nullptr) allowing = line;
  }
  if (!allows_path(lines, login, envelope.mail_from, limits))
    return {false, Explanation{Reason::login_not_mail_from, name + " as " + envelope.mail_from,
                               lines.front()->place}};
  if (allowing == nullptr) return {};
  return {true, Explanation{Reason::login_agrees, name + " as " + senders.front().address(),
                            allowing->place}};
}

}  // namespace countersign::mailflow
