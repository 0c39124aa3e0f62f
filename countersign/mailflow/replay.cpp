// SPDX-License-Identifier: Apache-2.0

#include "countersign/mailflow/replay.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>

#include "countersign/crypto/digest.hpp"
#include "countersign/message/author.hpp"
#include "countersign/text/abnf.hpp"

namespace countersign::mailflow {

namespace {

// Most signatures have one recipient; so many for each of them bounds the memory of all.
constexpr std::uint64_t recipients_of_each = 4;

std::uint64_t octets_at(const crypto::Sha256& digest, std::size_t offset) {
  std::uint64_t number = 0;
  std::memcpy(&number, digest.data() + offset, sizeof number);
  return number;
}

SignatureId id_of(const dkim::Signature& signature) {
  const crypto::Sha256 digest = crypto::sha256(signature.signature);
  return {.high = octets_at(digest, 0), .low = octets_at(digest, 8)};
}

/// More than the policy allows need not be told apart.
std::vector<std::uint64_t> digests_of(const std::vector<std::string>& recipients,
                                      const ReplayPolicy& policy) {
  std::vector<std::uint64_t> digests;
  for (const std::string& one : recipients) {
    if (digests.size() > policy.recipients) break;
    digests.push_back(octets_at(crypto::sha256(text::to_lower(one)), 0));
  }
  return digests;
}

/// True when a field of addresses names none of the recipients; what cannot be read may name any.
bool names_nobody(std::string_view value, const std::vector<std::string>& recipients,
                  const Limits& limits) {
  const auto mailboxes = parse_mailbox_list(value, limits);
  // A group without members, as in "undisclosed-recipients:;".
  if (!mailboxes) return mailboxes.error().code == AuthorErrorCode::no_address;
  return std::ranges::none_of(*mailboxes, [&recipients](const Mailbox& mailbox) {
    return std::ranges::any_of(recipients, [&mailbox](const std::string& recipient) {
      return text::equal_ignoring_case(mailbox.address(), recipient);
    });
  });
}

bool is_addressed_elsewhere(const Header& header, const std::vector<std::string>& recipients,
                            const Limits& limits) {
  return std::ranges::all_of(header, [&](const HeaderField& field) {
    const bool is_address = field.is("To") || field.is("Cc");
    return !is_address || names_nobody(field.value(), recipients, limits);
  });
}

}  // namespace

std::uint64_t RecipientCounter::count(const SeenSignature& seen, const ReplayPolicy& policy,
                                      std::chrono::sys_seconds now) {
  while (!order_.empty() && entries_.at(order_.front()).since + policy.window <= now)
    forget_oldest();
  const auto [found, is_new] = entries_.try_emplace(seen.id, Entry{.since = now, .recipients = {}});
  if (is_new) order_.push_back(seen.id);
  std::vector<std::uint64_t>& known = found->second.recipients;
  for (const std::uint64_t recipient : seen.recipients) {
    if (known.size() > policy.recipients) break;
    const auto place = std::ranges::lower_bound(known, recipient);
    if (place != known.end() && *place == recipient) continue;
    known.insert(place, recipient);
    ++recipients_;
  }
  const std::uint64_t counted = known.size();
  while (entries_.size() > policy.signatures ||
         recipients_ > policy.signatures * recipients_of_each)
    forget_oldest();
  return counted;
}

void RecipientCounter::forget_oldest() {
  const auto oldest = entries_.find(order_.front());
  recipients_ -= oldest->second.recipients.size();
  entries_.erase(oldest);
  order_.pop_front();
}

ReplaySigns find_replay(const JudgedMail& mail, const ReplayPolicy& policy, const Limits& limits,
                        const CountRecipients& count, std::chrono::sys_seconds now) {
  ReplaySigns signs;
  if (!count || policy.window == std::chrono::seconds(0)) return signs;
  std::vector<std::uint64_t> recipients;
  for (const dkim::SignatureResult& one : mail.verdict.signatures) {
    if (one.result != dkim::Result::pass || !one.signature) continue;
    if (recipients.empty()) recipients = digests_of(mail.envelope.rcpt_to, policy);
    const std::uint64_t counted =
        count({.id = id_of(*one.signature), .recipients = recipients}, policy, now);
    signs.recipients = std::max(signs.recipients, counted);
  }
  if (signs.recipients <= policy.recipients) return signs;
  signs.is_addressed_elsewhere = is_addressed_elsewhere(mail.header, mail.envelope.rcpt_to, limits);
  signs.is_replay = signs.is_addressed_elsewhere && !mail.verdict.is_list_mail;
  return signs;
}

}  // namespace countersign::mailflow
