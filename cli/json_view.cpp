// SPDX-License-Identifier: Apache-2.0

#include "cli/json_view.hpp"

#include <boost/json.hpp>

#include "countersign/domain/name.hpp"
#include "service/log/escape.hpp"

namespace countersign::cli {

JsonView JsonView::operator[](std::string_view key) const {
  const auto* const object = value_ == nullptr ? nullptr : value_->if_object();
  return JsonView(object == nullptr ? nullptr : object->if_contains(key));
}

std::vector<JsonView> JsonView::items() const {
  std::vector<JsonView> views;
  const auto* const array = value_ == nullptr ? nullptr : value_->if_array();
  if (array == nullptr) return views;
  views.reserve(array->size());
  for (const boost::json::value& item : *array) views.push_back(JsonView(&item));
  return views;
}

bool JsonView::is_null() const { return value_ == nullptr || value_->is_null(); }

bool JsonView::is_true() const {
  return value_ != nullptr && value_->is_bool() && value_->get_bool();
}

std::string JsonView::text() const {
  if (value_ != nullptr && value_->is_number()) return boost::json::serialize(*value_);
  return service::printable(raw());
}

std::string_view JsonView::raw() const {
  const auto* const string = value_ == nullptr ? nullptr : value_->if_string();
  return string == nullptr ? std::string_view() : std::string_view(string->data(), string->size());
}

std::uint64_t JsonView::number() const {
  if (value_ == nullptr) return 0;
  if (const std::uint64_t* const number = value_->if_uint64()) return *number;
  const std::int64_t* const number = value_->if_int64();
  return number == nullptr || *number < 0 ? 0 : static_cast<std::uint64_t>(*number);
}

std::string JsonView::domain() const {
  const auto name = DomainName::parse(raw());
  return name ? name->display() : raw().empty() ? "no domain" : text();
}

}  // namespace countersign::cli
