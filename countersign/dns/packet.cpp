// SPDX-License-Identifier: Apache-2.0
//
// The reader of DNS messages. One cursor walks the message (RFC 1035 §4.1); names are the only part
// that may jump (§4.1.4), so they alone need a bound on their steps.

#include "countersign/dns/packet.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "countersign/dns/presentation.hpp"

namespace countersign::dns {
namespace {

constexpr std::size_t name_octets_max = 255;  // RFC 1035 §2.3.4, on the wire
constexpr std::size_t label_octets_max = 63;  // The two bits above are taken (§4.1.4).
constexpr unsigned jumps_max = 127;           // No name has more labels to jump to.
constexpr unsigned aliases_max = 16;
constexpr std::uint16_t class_in = 1;
constexpr unsigned flag_response = 0x8000;
constexpr unsigned mask_opcode = 0x7800;
constexpr unsigned flag_truncated = 0x0200;
constexpr unsigned mask_rcode = 0x000F;

enum Rcode : std::uint8_t { noerror = 0, nxdomain = 3, refused = 5 };  // RFC 1035 §4.1.1

// A position in a message. The first read past the end, or of a name that cannot be, makes it fail
// for good; reads then give zeros and empty values.
class PacketReader {
 public:
  explicit PacketReader(std::string_view packet) : packet_(packet) {}

  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] std::size_t offset() const { return offset_; }

  std::uint8_t octet() {
    const std::string_view one = octets(1);
    return one.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(one.front());
  }
  std::uint16_t u16() {
    const unsigned high = octet();
    return static_cast<std::uint16_t>(high << 8U | octet());
  }
  std::uint32_t u32() {
    const std::uint32_t high = u16();
    return high << 16U | u16();
  }
  std::string_view octets(std::size_t count) {
    if (failed_ || count > packet_.size() - offset_) {
      failed_ = true;
      return {};
    }
    offset_ += count;
    return packet_.substr(offset_ - count, count);
  }
  std::string name();

 private:
  // The target of a pointer whose first octet was read; it lies before the pointer.
  std::size_t pointer_target(unsigned first) {
    const std::size_t here = offset_ - 1;
    const std::size_t target = (first & 0x3FU) << 8U | octet();
    if (target >= here) failed_ = true;
    return target;
  }

  std::string_view packet_;
  std::size_t offset_ = 0;
  bool failed_ = false;
};

// A name in presentation form, as presentation.hpp writes labels; "." for the root. Each pointer
// leads backwards, names have an end and so have jumps: no message keeps this loop busy.
std::string PacketReader::name() {
  std::string text;
  std::size_t wire_octets = 1;
  std::optional<std::size_t> resume;  // Where reading goes on after the first jump.
  unsigned jumps = 0;
  while (const unsigned length = octet()) {
    if ((length & 0xC0U) == 0xC0U) {
      const std::size_t target = pointer_target(length);
      failed_ = failed_ || ++jumps > jumps_max;
      if (!resume) resume = offset_;
      offset_ = target;
    } else {
      wire_octets += 1 + length;
      failed_ = failed_ || length > label_octets_max || wire_octets > name_octets_max;
      if (!text.empty()) text += '.';
      text += escape_label(octets(length));
    }
  }
  if (failed_) return {};
  if (resume) offset_ = *resume;
  return text.empty() ? "." : text;
}

struct Record {
  std::string owner;
  std::uint16_t type = 0;
  std::uint16_t rclass = 0;
  std::chrono::seconds ttl{};
  std::size_t data_offset = 0;
  std::size_t data_length = 0;
};

Record read_record(PacketReader& reader) {
  Record record;
  record.owner = reader.name();
  record.type = reader.u16();
  record.rclass = reader.u16();
  const std::uint32_t ttl = reader.u32();
  record.ttl = std::chrono::seconds(ttl > 0x7FFF'FFFFU ? 0 : ttl);  // RFC 2181 §8
  record.data_length = reader.u16();
  record.data_offset = reader.offset();
  reader.octets(record.data_length);
  return record;
}

std::optional<RecordData> read_address(std::string_view data, std::size_t length) {
  if (data.size() != length) return std::nullopt;
  Address address;
  address.length = static_cast<std::uint8_t>(length);
  std::ranges::transform(data, address.octets.begin(),
                         [](char c) { return static_cast<std::uint8_t>(c); });
  return address;
}

std::optional<RecordData> read_text(std::string_view data) {
  Text text;
  while (!data.empty()) {
    const std::size_t length = static_cast<std::uint8_t>(data.front());
    data.remove_prefix(1);
    if (length > data.size()) return std::nullopt;
    text.strings.emplace_back(data.substr(0, length));
    data.remove_prefix(length);
  }
  if (text.strings.empty()) return std::nullopt;  // RFC 1035 §3.3.14: one or more.
  return text;
}

// The data of a record. Names in it may point at what is before it, so it is read in place.
std::optional<RecordData> read_data(std::string_view packet, const Record& record) {
  const std::size_t end = record.data_offset + record.data_length;
  PacketReader reader(packet.substr(0, end));
  const std::string_view skipped = reader.octets(record.data_offset);
  const std::string_view data = packet.substr(skipped.size(), record.data_length);
  switch (static_cast<RecordType>(record.type)) {
    case RecordType::a:
      return read_address(data, 4);
    case RecordType::aaaa:
      return read_address(data, 16);
    case RecordType::txt:
      return read_text(data);
    case RecordType::mx: {
      MailExchange exchange;
      exchange.preference = reader.u16();
      exchange.exchange = reader.name();
      if (reader.failed() || reader.offset() != end) return std::nullopt;
      return exchange;
    }
    case RecordType::cname:
    case RecordType::ptr:
    case RecordType::ns: {
      NameData name{reader.name()};
      if (reader.failed() || reader.offset() != end) return std::nullopt;
      return name;
    }
    default:
      return RawData{std::string(data)};
  }
}

// How long an absence holds: the least of the SOA's own TTL and its MINIMUM. RFC 2308 §5
std::optional<std::chrono::seconds> negative_ttl(std::string_view packet, const Record& soa) {
  PacketReader reader(packet.substr(0, soa.data_offset + soa.data_length));
  reader.octets(soa.data_offset);
  reader.name();
  reader.name();
  reader.octets(16);  // SERIAL, REFRESH, RETRY, EXPIRE
  const std::uint32_t minimum = reader.u32();
  if (reader.failed()) return std::nullopt;
  return std::min(soa.ttl, std::chrono::seconds(minimum));
}

struct Header {
  unsigned flags = 0;
  unsigned questions = 0;
  unsigned answers = 0;
  unsigned authorities = 0;
};

Header read_header(PacketReader& reader) {
  Header header;
  reader.u16();  // The resolver has matched the id.
  header.flags = reader.u16();
  header.questions = reader.u16();
  header.answers = reader.u16();
  header.authorities = reader.u16();
  reader.u16();
  return header;
}

bool is_whole_response(const Header& header) {
  return (header.flags & flag_response) != 0 && (header.flags & mask_opcode) == 0 &&
         (header.flags & flag_truncated) == 0 && header.questions == 1;
}

bool echoes(PacketReader& reader, const Question& question) {
  const std::string name = reader.name();
  const std::uint16_t type = reader.u16();
  const std::uint16_t rclass = reader.u16();
  return !reader.failed() && name == escape_name(plain_name(question.name)) &&
         type == static_cast<std::uint16_t>(question.type) && rclass == class_in;
}

// Walks the aliases from the name asked for and gathers the records at their end.
class Gatherer {
 public:
  Gatherer(std::string_view packet, const std::vector<Record>& records)
      : packet_(packet), records_(records) {}

  // False when a record on the way cannot be read or the aliases have no end.
  bool gather(const Question& question, std::size_t records_max) {
    std::string name = escape_name(plain_name(question.name));
    for (unsigned aliases = 0; aliases <= aliases_max; ++aliases) {
      if (!take(name, question.type, records_max)) return false;
      if (!found.empty() || question.type == RecordType::cname) return true;
      const Record* alias = find(name, RecordType::cname);
      if (alias == nullptr) return true;
      const std::optional<RecordData> target = read_data(packet_, *alias);
      if (!target) return false;
      ttl = std::min(ttl, alias->ttl);
      name = std::get<NameData>(*target).name;
    }
    return false;
  }

  std::vector<RecordData> found;
  std::chrono::seconds ttl = std::chrono::seconds::max();

 private:
  [[nodiscard]] static bool is_at(const Record& record, const std::string& name, RecordType type) {
    return record.type == static_cast<std::uint16_t>(type) && record.rclass == class_in &&
           record.owner == name;
  }
  [[nodiscard]] const Record* find(const std::string& name, RecordType type) const {
    const auto at = std::ranges::find_if(
        records_, [&](const Record& record) { return is_at(record, name, type); });
    return at == records_.end() ? nullptr : &*at;
  }
  bool take(const std::string& name, RecordType type, std::size_t records_max) {
    for (const Record& record : records_) {
      if (found.size() == records_max || !is_at(record, name, type)) continue;
      std::optional<RecordData> data = read_data(packet_, record);
      if (!data) return false;
      found.push_back(std::move(*data));
      ttl = std::min(ttl, record.ttl);
    }
    return true;
  }

  std::string_view packet_;
  const std::vector<Record>& records_;
};

// How long the message says that its absence holds; 0 when it says nothing.
std::chrono::seconds absence_ttl(std::string_view packet, PacketReader& reader,
                                 unsigned authorities) {
  for (unsigned i = 0; i < authorities && !reader.failed(); ++i) {
    const Record record = read_record(reader);
    if (reader.failed() || record.type != static_cast<std::uint16_t>(RecordType::soa)) continue;
    return negative_ttl(packet, record).value_or(std::chrono::seconds{0});
  }
  return std::chrono::seconds{0};
}

}  // namespace

Answer read_packet(std::string_view packet, const Question& question, const Limits& limits) {
  PacketReader reader(packet);
  const Header header = read_header(reader);
  if (reader.failed() || !is_whole_response(header) || !echoes(reader, question))
    return {.status = AnswerStatus::malformed};
  const unsigned rcode = header.flags & mask_rcode;
  if (rcode == Rcode::refused) return {.status = AnswerStatus::refused};
  if (rcode != Rcode::noerror && rcode != Rcode::nxdomain)
    return {.status = AnswerStatus::servfail};

  std::vector<Record> records;
  for (unsigned i = 0; i < header.answers && !reader.failed(); ++i)
    records.push_back(read_record(reader));
  Gatherer gatherer(packet, records);
  if (reader.failed() || !gatherer.gather(question, limits.answer_records_max))
    return {.status = AnswerStatus::malformed};
  if (rcode == Rcode::noerror && !gatherer.found.empty())
    return {
        .status = AnswerStatus::records, .records = std::move(gatherer.found), .ttl = gatherer.ttl};
  return {.status = rcode == Rcode::nxdomain ? AnswerStatus::nxdomain : AnswerStatus::nodata,
          .ttl = std::min(gatherer.ttl, absence_ttl(packet, reader, header.authorities))};
}

}  // namespace countersign::dns
