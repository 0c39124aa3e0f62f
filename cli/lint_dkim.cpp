// SPDX-License-Identifier: Apache-2.0
//
// DKIM key records and signature fields. A text with b= or bh= is a signature, any other a key.

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "cli/json_output.hpp"
#include "cli/lint.hpp"
#include "cli/lint_layout.hpp"
#include "cli/tag_texts.hpp"
#include "countersign/dkim/key_record.hpp"
#include "countersign/dkim/signature.hpp"
#include "countersign/text/abnf.hpp"

namespace countersign::cli {
namespace {

namespace json = boost::json;
using dkim::KeyRecordErrorCode;
using dkim::SignatureErrorCode;

constexpr unsigned rsa_bits_advised = 2'048;     // RFC 8301 §3.2
constexpr unsigned rsa_bits_understood = 4'096;  // what verifiers must be able to use; there
constexpr std::uint64_t day_seconds = 86'400;
// Mail is delivered within days; what is older and turns up again is a copy.
constexpr std::uint64_t lifetime_days_max = 30;
// RFC 6376 §3.6.1
constexpr std::array<std::string_view, 7> key_tags = {"v", "h", "k", "n", "p", "s", "t"};
// RFC 6376 §3.5, RFC 6651 §3.2
constexpr std::array<std::string_view, 15> signature_tags = {
    "v", "a", "b", "bh", "c", "d", "h", "i", "l", "q", "r", "s", "t", "x", "z"};
// Fields that a forger would change. RFC 6376 §5.4.1
constexpr std::array<std::string_view, 3> fields_to_sign = {"date", "subject", "to"};
// Fields that change or vanish on the way. RFC 6376 §5.4
constexpr std::array<std::string_view, 9> fields_of_transport = {"return-path",
                                                                 "received",
                                                                 "comments",
                                                                 "keywords",
                                                                 "dkim-signature",
                                                                 "authentication-results",
                                                                 "arc-seal",
                                                                 "arc-message-signature",
                                                                 "arc-authentication-results"};

std::string remedy_of(KeyRecordErrorCode code) {
  switch (code) {
    case KeyRecordErrorCode::bad_tag_list:
      return "write tags as name=value, each once, with semicolons between them";
    case KeyRecordErrorCode::bad_version:
      return "begin the record with v=DKIM1;";
    case KeyRecordErrorCode::missing_key:
      return "add p= with the public key";
    case KeyRecordErrorCode::revoked:
      return "if that is not meant, make a new key with a new selector: countersign keygen";
    case KeyRecordErrorCode::unknown_key_type:
      return "write k=rsa or k=ed25519";
    case KeyRecordErrorCode::wrong_service:
      return "write s=email, or remove s=";
    default:
      return "publish the record as countersign keygen writes it";
  }
}

std::string remedy_of(SignatureErrorCode code) {
  switch (code) {
    case SignatureErrorCode::from_not_signed:
      return "sign the From field: add from to h=";
    case SignatureErrorCode::unknown_algorithm:
      return "sign with rsa-sha256 or ed25519-sha256";
    case SignatureErrorCode::auid_outside_sdid:
      return "let the domain of i= be that of d= or below it";
    case SignatureErrorCode::expires_before_signed:
      return "let x= be later than t=";
    default:
      return "look at what signs this mail, and at who changes its header on the way";
  }
}

const TagText* find(const std::vector<TagText>& tags, std::string_view name) {
  const auto found = std::ranges::find(tags, name, &TagText::name);
  return found == tags.end() ? nullptr : &*found;
}

std::size_t offset_of(const std::vector<TagText>& tags, std::string_view name) {
  const TagText* const tag = find(tags, name);
  return tag == nullptr ? 0 : tag->offset;
}

/// The tags that a text of so many can have; where they stand in all of the text.
std::vector<TagText> shown_tags(std::string_view text, std::size_t base, const Limits& limits) {
  std::vector<TagText> tags = tag_texts(text.substr(base));
  tags.resize(std::min(tags.size(), limits.tags_max));
  for (TagText& tag : tags) tag.offset += base;
  return tags;
}

template <class Names>
void judge_names(const std::vector<TagText>& tags, const Names& known, LintReport& report) {
  for (const TagText& tag : tags) {
    if (std::ranges::find(known, tag.name) != known.end()) continue;
    const bool is_removed = tag.name == "g";
    report.add(is_removed ? Severity::warning : Severity::note, tag.offset,
               is_removed ? "g= is gone; old verifiers that know it may refuse the key (RFC 6376 "
                            "§C.2)"
                          : "nobody reads this tag (RFC 6376 §3.2)",
               "remove it");
  }
}

void judge_hashes(const dkim::KeyRecord& record, std::size_t offset, LintReport& report) {
  if (!record.allows_sha256()) {
    report.usable = false;
    report.add(Severity::error, offset,
               "h= does not name sha256, so no signature verifies with this key (RFC 8301 §3.1)",
               "write h=sha256, or remove h=");
  } else if (std::ranges::find(record.hash_algorithms, "sha1") != record.hash_algorithms.end()) {
    report.add(Severity::warning, offset, "sha1 is not to be used any more (RFC 8301 §3.1)",
               "write h=sha256, or remove h=");
  }
}

void judge_key(const dkim::KeyRecord& record, const std::vector<TagText>& tags,
               const Limits& limits, LintReport& report) {
  const unsigned bits = record.key.bits();
  if (record.key.type() == crypto::KeyType::rsa && bits < rsa_bits_advised) {
    const bool refused = bits < limits.rsa_verify_bits_min;
    if (refused) report.usable = false;
    report.add(refused ? Severity::error : Severity::warning, offset_of(tags, "p"),
               refused ? fmt::format("the key has {} bits; receivers refuse fewer than {} (RFC "
                                     "8301 §3.2)",
                                     bits, limits.rsa_verify_bits_min)
                       : fmt::format("the key has {} bits; {} are advised (RFC 8301 §3.2)", bits,
                                     rsa_bits_advised),
               "make a new key: countersign keygen");
  }
  if (bits > rsa_bits_understood && record.key.type() == crypto::KeyType::rsa)
    report.add(Severity::warning, offset_of(tags, "p"),
               fmt::format("the key has {} bits; receivers need not verify with more than {} (RFC "
                           "8301 §3.2)",
                           bits, rsa_bits_understood),
               "make a key of 2048 bits: countersign keygen");
  judge_hashes(record, offset_of(tags, "h"), report);
  if (record.testing)
    report.add(Severity::warning, offset_of(tags, "t"),
               "t=y says that the domain is testing, so receivers may take its mail for unsigned "
               "(RFC 6376 §3.6.1)",
               "remove t=y when the tests are done");
  if (find(tags, "v") == nullptr)
    report.add(Severity::warning, 0, "v= is missing; some receivers want it (RFC 6376 §3.6.1)",
               "begin the record with v=DKIM1;");
}

std::string remedy_of(const dkim::KeyRecordError& error, const std::vector<TagText>& tags) {
  const TagText* const key = find(tags, "p");
  const bool has_pem = key != nullptr && key->value.contains("-----");
  return has_pem ? "remove the lines that begin with ----- from p=" : remedy_of(error.code);
}

LintReport lint_key(const LintText& input, const std::vector<TagText>& tags, const Limits& limits) {
  LintReport report;
  const auto record = dkim::parse_key_record(input.text, limits);
  report.usable = record.has_value();
  if (record) {
    judge_key(*record, tags, limits, report);
  } else {
    report.add(Severity::error, record.error().offset, std::string(to_string(record.error().code)),
               remedy_of(record.error(), tags));
  }
  judge_names(tags, key_tags, report);
  judge_layout(input, report);
  judge_separators(input, key_tags, report);
  report.facts["kind"] = "key";
  json::value& type = report.facts["key_type"];
  if (record) type = to_string(record->key.type());
  json::value& bits = report.facts["key_bits"];
  if (record) bits = record->key.bits();
  return report;
}

/// Judges a signature that obeys the grammar.
class SignatureJudge {
 public:
  SignatureJudge(const dkim::Signature& signature, const std::vector<TagText>& tags,
                 LintReport& report)
      : signature_(signature), tags_(tags), report_(report) {}

  void judge(std::uint64_t now, const Limits& limits) {
    judge_algorithm();
    judge_body();
    judge_fields();
    judge_times(now, limits.clock_drift_seconds);
  }

 private:
  void add(Severity severity, std::string_view tag, std::string message, std::string remedy) {
    report_.add(severity, offset_of(tags_, tag), std::move(message), std::move(remedy));
  }

  /// Adds what makes receivers refuse the signature.
  void refuse(std::string_view tag, std::string message, std::string remedy) {
    report_.usable = false;
    add(Severity::error, tag, std::move(message), std::move(remedy));
  }

  void judge_algorithm() {
    if (signature_.algorithm == dkim::Algorithm::rsa_sha1)
      refuse("a", "receivers refuse rsa-sha1 (RFC 8301 §3.1)", "sign with rsa-sha256");
    if (signature_.header_canonicalization == dkim::Canonicalization::simple)
      add(Severity::note, find(tags_, "c") == nullptr ? "b" : "c",
          "the header is signed to the octet, and breaks where a relay folds a field anew (RFC "
          "6376 §3.4.1)",
          "sign with c=relaxed/relaxed");
  }

  void judge_body() {
    if (!signature_.body_length) return;
    if (*signature_.body_length == 0)
      add(Severity::warning, "l",
          "l=0 signs nothing of the body, which anybody may replace (RFC 6376 §8.2)",
          "sign the whole body: do without l=");
    else
      add(Severity::warning, "l",
          "with l= anybody may add to the body without breaking the signature (RFC 6376 §8.2)",
          "sign the whole body: do without l=");
  }

  std::ptrdiff_t times_signed(std::string_view name) const {
    return std::ranges::count_if(signature_.signed_fields, [name](const std::string& field) {
      return text::equal_ignoring_case(field, name);
    });
  }

  void judge_fields() {
    for (const std::string_view name : fields_to_sign)
      if (times_signed(name) == 0)
        add(Severity::note, "h",
            fmt::format("{} is not signed, so it may be changed on the way (RFC 6376 §5.4.1)",
                        name),
            fmt::format("add {} to h=", name));
    if (times_signed("from") == 1)
      add(Severity::note, "h",
          "from is named once, so a second From field can be added to the message (RFC 6376 "
          "§8.15)",
          "name from once more than the message has it");
    for (const std::string_view name : fields_of_transport)
      if (times_signed(name) > 0)
        add(Severity::warning, "h",
            fmt::format("{} changes on the way, which breaks the signature (RFC 6376 §5.4)", name),
            fmt::format("remove {} from h=", name));
    if (times_signed("list-unsubscribe") > 0 && times_signed("list-unsubscribe-post") == 0)
      add(Severity::warning, "h",
          "list-unsubscribe is signed without list-unsubscribe-post, so receivers offer no "
          "unsubscription by one click (RFC 8058 §4)",
          "add list-unsubscribe-post to h=");
  }

  void judge_times(std::uint64_t now, std::uint64_t drift) {
    const auto& signed_at = signature_.time;
    const auto& expires = signature_.expires;
    if (!signed_at)
      add(Severity::note, "b",
          "t= is missing, so nobody can tell how old the signature is (RFC 6376 §3.5)",
          "sign with t=");
    else if (*signed_at > now + drift)
      refuse("t", fmt::format("t= is {} seconds in the future (RFC 6376 §3.5)", *signed_at - now),
             "set the clock of the host that signs");
    if (!expires)
      add(Severity::note, "b",
          "x= is missing, so the signature and copies of the message are good for ever (RFC 6376 "
          "§8.6)",
          "sign with x= some days after t=");
    else if (*expires < now)
      refuse(
          "x",
          fmt::format("the signature has expired {} seconds ago (RFC 6376 §3.5)", now - *expires),
          "sign anew; when it was judged in time, that verdict stands");
    else if (signed_at && *expires - *signed_at > lifetime_days_max * day_seconds)
      add(Severity::note, "x",
          fmt::format("the signature and copies of the message are good for {} days (RFC 6376 "
                      "§8.6)",
                      (*expires - *signed_at) / day_seconds),
          "sign with x= some days after t=");
  }

  const dkim::Signature& signature_;
  const std::vector<TagText>& tags_;
  LintReport& report_;
};

LintReport lint_signature(const LintText& input, std::size_t base, const std::vector<TagText>& tags,
                          const Limits& limits) {
  LintReport report;
  const auto signature = dkim::parse_signature(input.text.substr(base), limits);
  report.usable = signature.has_value();
  if (signature) {
    const auto now = static_cast<std::uint64_t>(input.now.time_since_epoch().count());
    SignatureJudge(*signature, tags, report).judge(now, limits);
  } else {
    report.add(Severity::error, base + signature.error().offset,
               std::string(to_string(signature.error().code)), remedy_of(signature.error().code));
  }
  judge_names(tags, signature_tags, report);
  report.facts["kind"] = "signature";
  json::value& algorithm = report.facts["algorithm"];
  if (signature) algorithm = to_string(signature->algorithm);
  json::value& sdid = report.facts["sdid"];
  if (signature) sdid = signature->sdid.text();
  json::value& selector = report.facts["selector"];
  if (signature) selector = signature->selector.text();
  json::value& fields = report.facts["signed_fields"];
  if (signature) {
    json::array names;
    for (const std::string& name : signature->signed_fields) names.emplace_back(json_text(name));
    fields = std::move(names);
  }
  return report;
}

}  // namespace

LintReport lint_dkim(const LintText& input, const Limits& limits) {
  const std::string_view text = input.text;
  const std::size_t base = field_name_size(text, "DKIM-Signature");
  const std::vector<TagText> tags = shown_tags(text, base, limits);
  const bool is_signature = base > 0 || find(tags, "b") != nullptr || find(tags, "bh") != nullptr;
  LintReport report =
      is_signature ? lint_signature(input, base, tags, limits) : lint_key(input, tags, limits);
  report.facts["usable"] = report.usable;
  report.facts["tags"] = published_tags(text.substr(base));
  for (const TagText& tag : tags)
    report.parts.push_back({tag.offset, fmt::format("{}={}", tag.name, tag.value), ""});
  return report;
}

}  // namespace countersign::cli
