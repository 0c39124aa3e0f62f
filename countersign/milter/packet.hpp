// SPDX-License-Identifier: Apache-2.0
//
// The frames of the milter protocol, both ways: length, command octet, data. Versions 2 and 6.
//
//   uint32 length (big endian, of what follows) | char command | data
//
// There is no RFC: Sendmail's libmilter is the definition, Postfix the peer that counts. The
// trailing comments carry
// Sendmail's names.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "countersign/limits.hpp"

namespace countersign::milter {

/// What an MTA sends.
enum class CommandCode : char {
  abort = 'A',          // SMFIC_ABORT
  body_chunk = 'B',     // SMFIC_BODY
  connect = 'C',        // SMFIC_CONNECT
  macros = 'D',         // SMFIC_MACRO
  end_of_body = 'E',    // SMFIC_BODYEOB
  helo = 'H',           // SMFIC_HELO
  quit_new = 'K',       // SMFIC_QUIT_NC
  header_field = 'L',   // SMFIC_HEADER
  mail_from = 'M',      // SMFIC_MAIL
  end_of_header = 'N',  // SMFIC_EOH
  negotiate = 'O',      // SMFIC_OPTNEG
  quit = 'Q',           // SMFIC_QUIT
  rcpt_to = 'R',        // SMFIC_RCPT
  data = 'T',           // SMFIC_DATA
  unknown = 'U',        // SMFIC_UNKNOWN
};

}  // namespace countersign::milter
