// SPDX-License-Identifier: Apache-2.0
//
// Which configuration is read: our own file, files of other programs, or both.

#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace countersign::service::config {

/// The language that a configuration file is written in.
enum class Form : std::uint8_t {
  any,          ///< told by the name of the file, or by the options in it
  countersign,  ///< countersign.toml
  opendkim,     ///< opendkim.conf
  opendmarc,    ///< opendmarc.conf
  openarc,      ///< openarc.conf
  policyd_spf,  ///< policyd-spf.conf, pyspf-milter.conf
  dkimpy,       ///< dkimpy-milter.conf
};

/// A file and its language.
struct SourceFile {
  Form form = Form::any;
  std::string file;
};

/// Which configuration is read.
struct Source {
  using Form = config::Form;

  Form form = Form::countersign;
  std::string file;  ///< empty: the defaults of the form, and the overrides
  /// Settings of the command line: by their own names ({"daemon.sockets", "inet:8891"}) when our
  /// own file is all that is read, else by OpenDKIM's ({"Socket", "inet:8891"}) where it has one.
  /// They count more than the files, at a reload too.
  std::vector<std::pair<std::string, std::string>> overrides;
  /// Further files. What countersign.toml sets counts more than what they say.
  std::vector<SourceFile> others = {};
};

}  // namespace countersign::service::config
