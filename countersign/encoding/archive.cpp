// SPDX-License-Identifier: Apache-2.0

#include "countersign/encoding/archive.hpp"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "countersign/assert.hpp"

namespace countersign::encoding {

namespace {

/// Octets that may come out of any archive before its ratio is looked at.
constexpr std::size_t ratio_free_bytes = 1'048'576;

struct FreeReader {
  void operator()(archive* reader) const { archive_read_free(reader); }
};
using Reader = std::unique_ptr<archive, FreeReader>;

/// Runs one unpacking, with what it has counted.
class Unpacking {
 public:
  Unpacking(std::string_view octets, const Limits& limits, const ArchiveSink& sink)
      : octets_(octets), limits_(limits), sink_(sink) {}

  Result<Unpacked, ArchiveErrorCode> run() {
    if (octets_.size() > limits_.archive_bytes_max)
      return std::unexpected(ArchiveErrorCode::too_long);
    if (!octets_.empty()) unpack();
    if (error_) return std::unexpected(*error_);
    return std::move(unpacked_);
  }

 private:
  void fail(ArchiveErrorCode code) {
    if (!error_) error_ = code;
  }
  [[nodiscard]] bool ends() const { return error_ || is_stopped_; }

  void unpack() {
    if (!open()) return fail(ArchiveErrorCode::damaged);
    std::size_t entries = 0;
    while (!ends()) {
      archive_entry* entry = nullptr;
      const int status = archive_read_next_header(reader_.get(), &entry);
      if (status == ARCHIVE_EOF) break;
      // A warning is about names and times, which nobody looks at.
      if (status != ARCHIVE_OK && status != ARCHIVE_WARN) return fail(ArchiveErrorCode::damaged);
      if (entries == 0 && !note_layers()) return;
      if (++entries > limits_.archive_entries_max) return fail(ArchiveErrorCode::too_many_entries);
      if (archive_entry_filetype(entry) != AE_IFDIR) read_entry();
    }
  }

  bool open() {
    reader_.reset(archive_read_new());
    archive* const reader = reader_.get();
    return reader != nullptr && archive_read_support_filter_gzip(reader) == ARCHIVE_OK &&
           archive_read_support_format_zip_streamable(reader) == ARCHIVE_OK &&
           archive_read_support_format_raw(reader) == ARCHIVE_OK &&
           archive_read_open_memory(reader, octets_.data(), octets_.size()) == ARCHIVE_OK;
  }

  /// Says what the archive is made of; false when there is too much of it.
  bool note_layers() {
    const int filters = archive_filter_count(reader_.get());
    const auto layers = static_cast<std::size_t>(std::max(filters - 1, 0));
    if (layers > limits_.archive_layers_max) {
      fail(ArchiveErrorCode::too_many_layers);
      return false;
    }
    unpacked_.layers.assign(layers, ArchiveForm::gzip);
    const bool is_zip =
        (archive_format(reader_.get()) & ARCHIVE_FORMAT_BASE_MASK) == ARCHIVE_FORMAT_ZIP;
    if (is_zip) unpacked_.layers.push_back(ArchiveForm::zip);
    if (unpacked_.layers.empty()) unpacked_.layers.push_back(ArchiveForm::plain);
    return true;
  }

  void read_entry() {
    const std::size_t number = unpacked_.entries++;
    while (!ends()) {
      const void* block = nullptr;
      std::size_t size = 0;
      la_int64_t offset = 0;
      const int status = archive_read_data_block(reader_.get(), &block, &size, &offset);
      if (status == ARCHIVE_EOF) return;
      if (status != ARCHIVE_OK) return fail(ArchiveErrorCode::damaged);
      take(number, {static_cast<const char*>(block), size});
    }
  }

  void take(std::size_t number, std::string_view block) {
    taken_ += block.size();
    if (taken_ > limits_.report_bytes_max) return fail(ArchiveErrorCode::too_much);
    const std::size_t expected = std::max<std::size_t>(octets_.size(), 1);
    if (taken_ > ratio_free_bytes && taken_ / expected > limits_.archive_ratio_max)
      return fail(ArchiveErrorCode::bad_ratio);
    if (!block.empty() && !sink_(number, block)) is_stopped_ = true;
  }

  std::string_view octets_;
  const Limits& limits_;
  const ArchiveSink& sink_;
  Reader reader_;
  Unpacked unpacked_;
  std::size_t taken_ = 0;
  bool is_stopped_ = false;
  std::optional<ArchiveErrorCode> error_;
};

la_ssize_t append(archive* /*writer*/, void* out, const void* octets, std::size_t size) {
  static_cast<std::string*>(out)->append(static_cast<const char*>(octets), size);
  return static_cast<la_ssize_t>(size);
}

}  // namespace

std::string_view to_string(ArchiveErrorCode code) {
  switch (code) {
    case ArchiveErrorCode::too_long:
      return "the archive is larger than what is read";
    case ArchiveErrorCode::too_much:
      return "the archive unpacks to more than what is read";
    case ArchiveErrorCode::too_many_entries:
      return "the archive has more files than what is read";
    case ArchiveErrorCode::too_many_layers:
      return "the archive is packed more often than what is read";
    case ArchiveErrorCode::bad_ratio:
      return "the archive unpacks to so much that it must be a bomb";
    case ArchiveErrorCode::damaged:
      return "the archive is damaged or cut off";
  }
  return "unknown error";
}

std::string_view to_string(ArchiveForm form) {
  switch (form) {
    case ArchiveForm::plain:
      return "plain";
    case ArchiveForm::gzip:
      return "gzip";
    case ArchiveForm::zip:
      return "zip";
  }
  return "plain";
}

Result<Unpacked, ArchiveErrorCode> unpack(std::string_view octets, const Limits& limits,
                                          const ArchiveSink& sink) {
  return Unpacking(octets, limits, sink).run();
}

Result<UnpackedFiles, ArchiveErrorCode> unpack_files(std::string_view octets,
                                                     const Limits& limits) {
  UnpackedFiles out;
  const ArchiveSink sink = [&out](std::size_t entry, std::string_view block) {
    if (out.files.size() <= entry) out.files.resize(entry + 1);
    out.files[entry] += block;
    return true;
  };
  Result<Unpacked, ArchiveErrorCode> unpacked = unpack(octets, limits, sink);
  if (!unpacked) return std::unexpected(unpacked.error());
  if (out.files.empty()) return std::unexpected(ArchiveErrorCode::damaged);
  out.layers = std::move(unpacked->layers);
  return out;
}

std::string gzip(std::string_view octets) {
  std::string out;
  archive* const writer = archive_write_new();
  archive_entry* const entry = archive_entry_new();
  COUNTERSIGN_ASSERT(writer != nullptr && entry != nullptr);
  archive_entry_set_filetype(entry, AE_IFREG);
  // Everything goes to memory, so that nothing can fail but for want of it.
  const bool is_done =
      archive_write_add_filter_gzip(writer) == ARCHIVE_OK &&
      archive_write_set_format_raw(writer) == ARCHIVE_OK &&
      archive_write_set_options(writer, "gzip:!timestamp,gzip:compression-level=9") == ARCHIVE_OK &&
      archive_write_set_bytes_per_block(writer, 0) == ARCHIVE_OK &&
      archive_write_open(writer, &out, nullptr, append, nullptr) == ARCHIVE_OK &&
      archive_write_header(writer, entry) == ARCHIVE_OK &&
      archive_write_data(writer, octets.data(), octets.size()) >= 0 &&
      archive_write_close(writer) == ARCHIVE_OK;
  archive_entry_free(entry);
  archive_write_free(writer);
  COUNTERSIGN_ASSERT(is_done);
  return out;
}

}  // namespace countersign::encoding
