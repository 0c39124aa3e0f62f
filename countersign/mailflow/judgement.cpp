// SPDX-License-Identifier: Apache-2.0

#include "countersign/mailflow/judgement.hpp"

namespace countersign::mailflow {

namespace {

void add_word(std::string& out, std::string_view method, std::string_view result) {
  if (!out.empty()) out += ' ';
  out += method;
  out += '=';
  out += result;
}

}  // namespace

std::string to_string(const Judgement& judgement) {
  const Verdict& verdict = judgement.verdict;
  std::string out;
  if (verdict.mail_from) add_word(out, "spf", to_string(verdict.mail_from->result));
  if (verdict.checked_dkim) add_word(out, "dkim", to_string(dkim::summarize(verdict.signatures)));
  if (verdict.arc) add_word(out, "arc", to_string(verdict.arc->status));
  if (const auto dmarc = verdict.dmarc_result()) add_word(out, "dmarc", to_string(*dmarc));
  if (verdict.dmarc && verdict.dmarc->policy)
    add_word(out, "policy", to_string(*verdict.dmarc->policy));
  if (verdict.replay.is_replay) add_word(out, "replay", std::to_string(verdict.replay.recipients));
  for (const Ambiguity& one : verdict.authorship.ambiguities) out += "; " + to_string(one);
  for (const Override& one : judgement.disposition.overrides)
    out += "; " + std::string(to_string(one.reason)) + ": " + one.comment;
  if (!judgement.disposition.text.empty()) out += "; " + judgement.disposition.text;
  if (judgement.is_shadow) out += "; only watched, nothing is changed";
  return out;
}

}  // namespace countersign::mailflow
