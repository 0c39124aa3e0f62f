// SPDX-License-Identifier: Apache-2.0

#include "countersign/mailflow/own_mail.hpp"

#include <utility>
#include <vector>

#include "countersign/dkim/signer.hpp"
#include "countersign/mailflow/explanation.hpp"
#include "countersign/mailflow/identities.hpp"
#include "countersign/message/author.hpp"
#include "countersign/message/splitter.hpp"

namespace countersign::mailflow {

namespace {

std::string reasons_of(const Identities& identities) {
  std::string text;
  for (const Explanation& why : identities.reasons) {
    if (!text.empty()) text += "; ";
    text += to_string(why);
  }
  return text;
}

}  // namespace

Result<std::string, std::string> sign_own_mail(const Policy& policy, std::string_view mail,
                                               std::chrono::sys_seconds now) {
  const auto message = split_message(mail, policy.limits);
  if (!message) return std::unexpected(std::string(to_string(message.error().code)));
  const auto authors = find_authors(message->header, policy.limits);
  if (!authors) return std::unexpected("From: " + std::string(to_string(authors.error().code)));

  Identities identities = find_identities(policy, authors->front());
  if (identities.has_error || identities.chosen.empty())
    return std::unexpected(reasons_of(identities));
  dkim::Signer signer(message->header, std::move(identities.chosen), policy.limits);
  signer.body(message->body);

  std::string signed_mail;
  for (const HeaderField& field : std::move(signer).finish(now))
    signed_mail += std::string(field.raw()) + "\r\n";
  signed_mail += mail;
  return signed_mail;
}

}  // namespace countersign::mailflow
