// SPDX-License-Identifier: Apache-2.0
//
// The archives that reports travel in: gzip in both directions, zip inwards, and octets that are
// neither. What a stranger packed is unpacked as it streams by, in small blocks, so that a bomb
// costs no more than its limit; sizes that an archive claims and names that it gives to files are
// not looked at (S-45). Of libarchive three readers are enabled and no more.

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "countersign/limits.hpp"
#include "countersign/result.hpp"

namespace countersign::encoding {

/// Why an archive is not unpacked, or not to its end.
enum class ArchiveErrorCode : std::uint8_t {
  too_long,          ///< over Limits::archive_bytes_max as it came
  too_much,          ///< it unpacks to more than Limits::report_bytes_max
  too_many_entries,  ///< over Limits::archive_entries_max
  too_many_layers,   ///< over Limits::archive_layers_max
  bad_ratio,         ///< over Limits::archive_ratio_max
  damaged,           ///< cut off, or no sense in it
};

/// Says in a sentence what is wrong.
[[nodiscard]] std::string_view to_string(ArchiveErrorCode code);

/// What holds the files.
enum class ArchiveForm : std::uint8_t { plain, gzip, zip };

/// The word for a form, as in a list of the layers of a report.
[[nodiscard]] std::string_view to_string(ArchiveForm form);

/// Takes octets of the file of that number, counted from 0; false ends the unpacking.
using ArchiveSink = std::function<bool(std::size_t entry, std::string_view block)>;

/// What was unpacked.
struct Unpacked {
  std::vector<ArchiveForm> layers;  ///< from outside in; plain alone when nothing was packed
  std::size_t entries = 0;          ///< files that the sink got octets of
};

/// Unpacks to a sink, block by block.
///
/// octets       gzip once or twice, zip, or anything else, which goes to the sink as it is.
/// Errors       each ArchiveErrorCode; what the sink got by then is a part of the whole.
/// Leniency     octets behind a gzip member are ignored, and several members are one text.
[[nodiscard]] Result<Unpacked, ArchiveErrorCode> unpack(std::string_view octets,
                                                        const Limits& limits,
                                                        const ArchiveSink& sink);

/// The files of an archive.
struct UnpackedFiles {
  std::vector<ArchiveForm> layers;  ///< as Unpacked::layers
  std::vector<std::string> files;   ///< at least one, together within Limits::report_bytes_max
};

/// Unpacks into memory. Errors as unpack(), and damaged when there is no file.
[[nodiscard]] Result<UnpackedFiles, ArchiveErrorCode> unpack_files(std::string_view octets,
                                                                   const Limits& limits);

/// Packs octets: the same octets always give the same file, as it bears no time and no name.
/// RFC 1952
[[nodiscard]] std::string gzip(std::string_view octets);

}  // namespace countersign::encoding
