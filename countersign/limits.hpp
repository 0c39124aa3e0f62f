// SPDX-License-Identifier: Apache-2.0
//
// Every bound of the library, in one struct, each with its reason. A count or size that comes from
// the wire is compared with its bound before anything is allocated for it.

#pragma once

#include <cstddef>
#include <cstdint>

namespace countersign {

/// The bounds that the pure library obeys; sizes are octets, counts are items.
struct Limits {
  // --- message (RFC 5322) ---
  /// All header fields of a message together, with their line ends: what is cut off cannot be
  /// judged, and messages with 100,000 octets of tracing fields are seen. OpenDKIM's MaximumHeaders
  /// is a quarter of that.
  std::size_t header_bytes_max = 262'144;
  /// Header fields in one message: far above what relays add, low enough that a scan over all is
  /// cheap.
  std::size_t header_fields_max = 1'000;
  /// One header field with its folding; Postfix's header_size_limit of 102,400 still fits.
  std::size_t field_bytes_max = 131'072;

  // --- structured fields (RFC 5322 §3.2) ---
  /// Comments inside comments; people write one, and no reader should have to count parentheses
  /// forever.
  std::size_t comment_depth_max = 32;
  /// Mailboxes in one address field that is read; each may cost a conversion of its domain.
  std::size_t mailboxes_max = 1'000;

  // --- tag lists (RFC 6376 §3.2) ---
  /// Tags in one list; the registries hold less than twenty names.
  std::size_t tags_max = 64;

  // --- DKIM (RFC 6376) ---
  /// DKIM-Signature fields looked at in one message; the rest is reported as policy (RFC 6376 §6.1,
  /// denial of service).
  std::size_t signatures_max = 8;
  /// Names in one h=.
  std::size_t signed_fields_max = 256;
  /// TXT data of a key record: an RSA-8192 key needs about 1,500 octets.
  std::size_t key_record_bytes_max = 4'096;
  /// Clock difference that t= and x= may show, in seconds. OpenDKIM's ClockDrift has the same
  /// default.
  std::uint32_t clock_drift_seconds = 300;

  // --- ARC (RFC 8617) ---
  /// Sets of one chain, and so the largest instance (RFC 8617 §4.2.1).
  std::size_t arc_sets_max = 50;

  // --- SPF (RFC 7208) ---
  /// Terms of one evaluation that may ask DNS, those of included records too; it bounds the depth
  /// of include and redirect as well (RFC 7208 §4.6.4).
  std::size_t spf_lookup_terms_max = 10;
  /// Terms of one evaluation for which DNS may have nothing: a record that asks for names that do
  /// not exist makes us a tool against their servers (RFC 7208 §4.6.4, §11.1).
  std::size_t spf_void_lookups_max = 2;
  /// Hosts of one mx, and names of one client for ptr, whose addresses are asked for (RFC 7208
  /// §4.6.4).
  std::size_t spf_hosts_max = 10;
  /// TXT data of an SPF record or an explanation. RFC 7208 §3.4 asks for what fits a UDP answer;
  /// records of ten times that are seen.
  std::size_t spf_record_bytes_max = 8'192;
  /// A domain-spec with its macros expanded, before it is cut to the 253 octets of a name: each
  /// macro of four octets may stand for a whole local-part (RFC 7208 §7.3).
  std::size_t spf_expansion_bytes_max = 8'192;
  /// An explanation with its macros expanded: what two lines of an SMTP reply hold (RFC 7208 §6.2,
  /// RFC 5321 §4.5.3.1.5).
  std::size_t spf_explanation_bytes_max = 1'000;

  // --- DMARC (RFC 9989) ---
  /// TXT data of a DMARC record: four dozen report addresses fit, and no real record is that long.
  std::size_t dmarc_record_bytes_max = 4'096;
  /// Addresses of one rua or ruf: each is a destination that a stranger makes us send mail to.
  std::size_t report_uris_max = 32;
  /// Names that one tree walk may ask for (RFC 9989 §4.10).
  std::size_t tree_walk_queries_max = 8;
  /// Different domains of authenticated identifiers that are walked for one message: eight
  /// signatures, the SPF domain and one to spare. What comes later aligns only if it is equal.
  std::size_t walked_identifiers_max = 10;

  // --- Authentication-Results (RFC 8601) ---
  /// Results read of one field, and properties of one result; we write a dozen.
  std::size_t authres_results_max = 100;
  /// One value that we write: with every octet quoted it fits into the longest line of a message
  /// (RFC 5322 §2.1.1). Longer ones are left out.
  std::size_t authres_value_bytes_max = 450;

  // --- crypto (RFC 8301 §3.2) ---
  /// RSA modulus that may verify. Shorter keys never pass.
  unsigned rsa_verify_bits_min = 1'024;
  /// RSA modulus that may verify at most: the work grows with its square and it is a stranger's
  /// choice.
  unsigned rsa_bits_max = 8'192;
  /// RSA modulus that may sign; RFC 8301 §3.2 asks for 1024 and advises 2048.
  unsigned rsa_sign_bits_min = 1'024;
  /// Text of a private key with what is around it: the PEM of an RSA-8192 key takes 6,500 octets.
  std::size_t private_key_bytes_max = 65'536;

  // --- DNS ---
  /// Questions that one evaluation may have open at once.
  std::size_t questions_open_max = 64;
  /// Records in one answer that are looked at.
  std::size_t answer_records_max = 1'024;
  /// Records of a zone file: enough for a test or a demonstration, not a name server.
  std::size_t zone_records_max = 1'000'000;

  // --- milter ---
  /// One frame. The protocol sends body chunks of up to 65,535 octets; Sendmail may negotiate up to
  /// 1 MiB.
  std::size_t milter_frame_bytes_max = 1'048'576;
  /// Macros kept of one message, all stages together.
  std::size_t milter_macros_max = 256;
  /// Octets of all macros of one message.
  std::size_t milter_macro_bytes_max = 65'536;
  /// Recipients kept of one message; the rest is counted.
  std::size_t recipients_max = 10'000;

  /// Octets of one path, host name or HELO name of an envelope: RFC 5321 §4.5.3.1 allows 256 for a
  /// path, UTF-8 needs more. What is longer matches no list and is not kept.
  std::size_t envelope_text_bytes_max = 1'024;

  // --- Postfix's policy protocol ---
  /// One request: Postfix sends some forty attributes, none longer than its line_length_limit of
  /// 2,048 octets, and most of them short.
  std::size_t policy_request_bytes_max = 32'768;
  /// Lines of one request.
  std::size_t policy_attributes_max = 128;
  /// One action that we send: what Postfix reads of a line.
  std::size_t policy_action_bytes_max = 2'000;
  /// Forwarders that are asked for a client that is to be refused: each is an SPF check of its own.
  std::size_t access_forwarders_max = 20;

  // --- reports (RFC 9990, RFC 9991) ---
  /// Signatures of one row of a report (RFC 9990 §3.1.1.13), and of one that is read.
  std::size_t report_signatures_max = 100;
  /// Octets of a report as it comes, packed: mail servers rarely take more.
  std::size_t archive_bytes_max = 16'777'216;
  /// Octets that a report may unpack to, and so of one XML document.
  std::size_t report_bytes_max = 33'554'432;
  /// Files in one archive that is looked into; an honest one has one.
  std::size_t archive_entries_max = 16;
  /// Layers of gzip around one another: senders have been seen that pack twice.
  std::size_t archive_layers_max = 2;
  /// Octets unpacked for each octet packed, once the first mebibyte has passed; honest reports have
  /// been seen at 64.
  std::size_t archive_ratio_max = 200;
  /// Elements inside elements; a report has seven.
  std::size_t xml_depth_max = 32;
  /// Octets "<" and "=" of one document, which bound its elements and attributes and so the memory
  /// that they take: 40,000 rows of the usual size.
  std::size_t xml_markup_max = 2'000'000;
  /// Rows of one report that is read, and of one that is written.
  std::size_t report_records_max = 50'000;
  /// One text of a report that is read; longer ones are cut.
  std::size_t report_text_bytes_max = 2'048;
  /// Reasons of one row that are read.
  std::size_t report_reasons_max = 16;
  /// Departures from the format that are noted of one report.
  std::size_t report_leniencies_max = 64;
  /// One address of a rua or ruf.
  std::size_t report_uri_bytes_max = 1'024;
  /// Header octets kept of one message for its failure report: it waits with others in memory.
  std::size_t failure_header_bytes_max = 16'384;
  /// Addresses of one ruf that get a failure report; RFC 9991 §4 bounds nothing, and each is mail
  /// that a stranger makes us send.
  std::size_t failure_uris_max = 8;

  // --- the public suffix list (RFC 7489 §3.2) ---
  /// Octets of a list that are read: some thirty times what the list had in 2025.
  std::size_t public_suffix_bytes_max = 8'388'608;

  // --- OpenDMARC's HistoryFile ---
  /// Octets of one line: fifty ARC Sets with the longest names fit.
  std::size_t history_line_bytes_max = 65'536;
  /// Octets of one record with its line ends.
  std::size_t history_record_bytes_max = 131'072;

  // --- signing ---
  /// Signatures that we put on one message.
  std::size_t signatures_made_max = 16;
  /// Octets of one pattern of a SigningTable: an address with every letter in brackets fits.
  std::size_t signing_pattern_bytes_max = 1'024;
};

}  // namespace countersign
