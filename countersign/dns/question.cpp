// SPDX-License-Identifier: Apache-2.0
//
// The words for record types and for the ways in which DNS answers.

#include "countersign/dns/question.hpp"

namespace countersign::dns {

std::string_view to_string(RecordType type) {
  switch (type) {
    case RecordType::a:
      return "A";
    case RecordType::ns:
      return "NS";
    case RecordType::cname:
      return "CNAME";
    case RecordType::soa:
      return "SOA";
    case RecordType::ptr:
      return "PTR";
    case RecordType::mx:
      return "MX";
    case RecordType::txt:
      return "TXT";
    case RecordType::aaaa:
      return "AAAA";
    case RecordType::tlsa:
      return "TLSA";
  }
  return "unknown type";
}

std::string_view to_string(AnswerStatus status) {
  switch (status) {
    case AnswerStatus::records:
      return "records";
    case AnswerStatus::nodata:
      return "NODATA";
    case AnswerStatus::nxdomain:
      return "NXDOMAIN";
    case AnswerStatus::servfail:
      return "SERVFAIL";
    case AnswerStatus::refused:
      return "REFUSED";
    case AnswerStatus::timeout:
      return "timeout";
    case AnswerStatus::malformed:
      return "malformed answer";
    case AnswerStatus::bogus:
      return "bogus (DNSSEC)";
  }
  return "unknown status";
}

std::string Text::joined() const {
  std::string text;
  for (const std::string& part : strings) text += part;
  return text;
}

}  // namespace countersign::dns
