// SPDX-License-Identifier: Apache-2.0
//
// Collects sets. The fields may stand in any order, so they go by their instance into a table, and
// the table is then read from the bottom.

#include "countersign/arc/set.hpp"

#include <utility>

namespace countersign::arc {

namespace {

// A set whose fields have not all been found yet.
template <class Values>
struct Found {
  Values values;
  std::size_t place = 0;
};

struct OpenSet {
  std::optional<Found<AuthenticationResults>> aar;
  std::optional<Found<MessageSignature>> ams;
  std::optional<Found<Seal>> seal;
};

std::optional<FieldKind> kind_of(const HeaderField& field) {
  for (const FieldKind kind :
       {FieldKind::authentication_results, FieldKind::message_signature, FieldKind::seal})
    if (field.is(name_of(kind))) return kind;
  return std::nullopt;
}

class Collector {
 public:
  explicit Collector(const Limits& limits) : limits_(limits), open_(limits.arc_sets_max) {}

  void add(FieldKind kind, const HeaderField& field, std::size_t place) {
    // More fields than complete sets can have: one of them is there twice at least.
    if (++fields_ > 3 * limits_.arc_sets_max)
      return fail(Reason::too_many_sets, "more ARC fields than complete sets can have");
    switch (kind) {
      case FieldKind::authentication_results:
        return keep(kind, &OpenSet::aar, parse_authentication_results(field.value(), limits_),
                    {field, place});
      case FieldKind::message_signature:
        return keep(kind, &OpenSet::ams, parse_message_signature(field.value(), limits_),
                    {field, place});
      case FieldKind::seal:
        return keep(kind, &OpenSet::seal, parse_seal(field.value(), limits_), {field, place});
    }
  }

  Chain take() && {
    Chain chain;
    chain.instance_max = instance_max_;
    if (newest_seal_failed()) {
      // Whatever else is wrong, this is what the newest host that was right about it says.
      fault_ = StructureFault{Reason::ended, of_set(instance_max_) + "cv=fail"};
    } else if (!fault_) {
      check_complete();
    }
    if (!fault_) close_sets(chain);
    chain.fault = std::move(fault_);
    return chain;
  }

 private:
  struct Origin {
    const HeaderField& field;
    std::size_t place;
  };

  static std::string of_set(unsigned instance) { return "i=" + std::to_string(instance) + ": "; }

  void fail(Reason reason, std::string detail) {
    if (!fault_) fault_ = StructureFault{reason, std::move(detail)};
  }

  template <class Values>
  void keep(FieldKind kind, std::optional<Found<Values>> OpenSet::* member,
            Result<Values, FieldError> values, Origin origin) {
    if (!values) return refuse(kind, values.error(), origin.field);
    const unsigned instance = values->instance;
    instance_max_ = std::max(instance_max_, instance);
    std::optional<Found<Values>>& slot = open_[instance - 1].*member;
    if (slot)
      return fail(Reason::duplicate_field,
                  of_set(instance) + "a second " + std::string(name_of(kind)));
    slot = Found<Values>{*std::move(values), origin.place};
  }

  void refuse(FieldKind kind, const FieldError& error, const HeaderField& field) {
    instance_max_ =
        std::max(instance_max_, read_instance(kind, field.value(), limits_).value_or(0));
    const Reason reason = error.code == FieldErrorCode::instance_too_large ? Reason::too_many_sets
                                                                           : Reason::bad_field;
    fail(reason, std::string(name_of(kind)) + ": " + std::string(to_string(error.code)) +
                     ", at octet " + std::to_string(error.offset));
  }

  [[nodiscard]] bool newest_seal_failed() const {
    if (instance_max_ == 0 || instance_max_ > open_.size()) return false;
    const auto& seal = open_[instance_max_ - 1].seal;
    return seal && seal->values.chain_status == ChainStatus::fail;
  }

  void check_complete() {
    for (unsigned instance = 1; instance <= instance_max_; ++instance) {
      const OpenSet& set = open_[instance - 1];
      if (!set.aar && !set.ams && !set.seal)
        return fail(Reason::missing_set, of_set(instance) + "there is no such set");
      if (!set.aar) return fail_missing(instance, FieldKind::authentication_results);
      if (!set.ams) return fail_missing(instance, FieldKind::message_signature);
      if (!set.seal) return fail_missing(instance, FieldKind::seal);
      const ChainStatus expected = instance == 1 ? ChainStatus::none : ChainStatus::pass;
      const ChainStatus status = set.seal->values.chain_status;
      if (status != expected)
        return fail(Reason::bad_chain_status,
                    of_set(instance) + "cv=" + std::string(to_string(status)));
    }
  }

  void fail_missing(unsigned instance, FieldKind kind) {
    fail(Reason::missing_field, of_set(instance) + "no " + std::string(name_of(kind)));
  }

  void close_sets(Chain& chain) {
    chain.sets.reserve(instance_max_);
    for (unsigned instance = 1; instance <= instance_max_; ++instance) {
      OpenSet& set = open_[instance - 1];
      chain.sets.push_back({.instance = instance,
                            .aar = std::move(set.aar->values),
                            .ams = std::move(set.ams->values),
                            .seal = std::move(set.seal->values),
                            .aar_place = set.aar->place,
                            .ams_place = set.ams->place,
                            .seal_place = set.seal->place});
    }
  }

  const Limits& limits_;
  std::vector<OpenSet> open_;  // By instance, the first for i=1.
  std::size_t fields_ = 0;
  unsigned instance_max_ = 0;
  std::optional<StructureFault> fault_;
};

}  // namespace

Chain collect_chain(const Header& header, const Limits& limits) {
  std::optional<Collector> collector;  // Most messages have no ARC field.
  for (std::size_t place = 0; place < header.size(); ++place) {
    const std::optional<FieldKind> kind = kind_of(header[place]);
    if (!kind) continue;
    if (!collector) collector.emplace(limits);
    collector->add(*kind, header[place], place);
  }
  return collector ? std::move(*collector).take() : Chain{};
}

}  // namespace countersign::arc
