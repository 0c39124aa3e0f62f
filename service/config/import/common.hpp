// SPDX-License-Identifier: Apache-2.0
//
// Options that several programs have under the same name and that are more than one assignment.

#pragma once

#include "service/config/import/importer.hpp"

namespace countersign::service::config {

/// Socket: one in each program; several, separated by commas, are our own.
void set_sockets(Importer& importer, const ConfigLine& line);
/// UMask: decimal without a leading 0, which is told.
void set_umask(Importer& importer, const ConfigLine& line);
/// MilterDebug: above 0 everything is logged.
void set_debug(Importer& importer, const ConfigLine& line);
/// DNSTimeout: 0 means for ever, which is our longest.
void set_dns_timeout(Importer& importer, const ConfigLine& line);
/// The least length of keys that sign and of keys in DNS, 1024 where less is asked for.
void set_key_bits(Importer& importer, const ConfigLine& line);
/// The same of keys in DNS alone; 0 means the default.
void set_verified_key_bits(Importer& importer, const ConfigLine& line);
/// Nameservers: a list.
void set_nameservers(Importer& importer, const ConfigLine& line);
/// MaximumHeaders: 0 means no limit, which is our largest.
void set_header_limit(Importer& importer, const ConfigLine& line);
/// AuthservID: HOSTNAME is the default here.
void set_authserv_id(Importer& importer, const ConfigLine& line);
/// Canonicalization: one word stands for the header; the body is then simple.
void set_canonicalization(Importer& importer, const ConfigLine& line);
/// RequiredHeaders: ours is rejected by its counts, that of others when its author cannot be told.
void set_required_headers(Importer& importer, const ConfigLine& line);

/// What no program but ours does is off: imported settings begin here, and each program switches
/// on what it does.
[[nodiscard]] Settings imported_defaults();

/// Without syslog a daemon in the foreground logs to standard error.
void settle_log(Settings& settings);

}  // namespace countersign::service::config
