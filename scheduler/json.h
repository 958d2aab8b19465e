// Small helpers over Boost.JSON for the records, manifests and pages that the scheduler writes. Included by
// .cc files.
#pragma once

#include <boost/json.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"

namespace capstan {

namespace json = boost::json;

// Numbers that JSON cannot hold become null.
inline json::value json_number(double value) {
  return std::isfinite(value) ? json::value(value) : json::value(nullptr);
}
inline json::string json_string(std::string_view text) {
  return json::string(text.data(), text.size());
}

// Reads members of an object by name, forgiving none that is missing or of another type: status() then tells
// the first.
class JsonReader {
 public:
  explicit JsonReader(const json::object& object) : object_(object) {}

  template <typename T>
  void unsigned_of(std::string_view name, T& into) {
    const json::value* value = find(name);
    if (value == nullptr) return;
    boost::system::error_code failed;
    const auto number = value->to_number<std::uint64_t>(failed);
    if (failed || number > std::numeric_limits<T>::max()) {
      fail(name);
    } else {
      into = static_cast<T>(number);
    }
  }
  // An enumeration whose values run from 0 to `last`.
  template <typename T>
  void enum_of(std::string_view name, T last, T& into) {
    std::uint64_t number = 0;
    unsigned_of(name, number);
    if (number > static_cast<std::uint64_t>(last)) {
      fail(name);
    } else {
      into = static_cast<T>(number);
    }
  }
  template <typename T>
  void real_of(std::string_view name, T& into) {
    const json::value* value = find(name);
    if (value == nullptr) return;
    if (value->is_null()) {
      into = std::numeric_limits<T>::quiet_NaN();
    } else if (value->is_number() && std::abs(value->to_number<double>()) <= std::numeric_limits<T>::max()) {
      into = static_cast<T>(value->to_number<double>());
    } else {
      fail(name);
    }
  }
  void bool_of(std::string_view name, bool& into) {
    const json::value* value = find(name);
    if (value == nullptr) return;
    if (value->is_bool()) {
      into = value->get_bool();
    } else {
      fail(name);
    }
  }
  void text_of(std::string_view name, std::string& into) {
    const json::value* value = find(name);
    if (value == nullptr) return;
    if (value->is_string()) {
      into = std::string(value->get_string());
    } else {
      fail(name);
    }
  }
  // Calls read(object) for each element; it returns a Status.
  template <typename Read>
  void each_of(std::string_view name, Read&& read) {
    const json::value* value = find(name);
    if (value == nullptr) return;
    if (!value->is_array()) return fail(name);
    for (const json::value& element : value->get_array()) {
      if (!element.is_object()) return fail(name);
      if (const Status status = read(element.get_object()); !status.ok()) {
        return fail(name, ": " + status.error().message);
      }
    }
  }
  void object_of(std::string_view name, const json::object*& into) {
    const json::value* value = find(name);
    if (value == nullptr) return;
    if (value->is_object()) {
      into = &value->get_object();
    } else {
      fail(name);
    }
  }

  Status status() const {
    if (problem_.empty()) return ok_status();
    return make_error(ErrorCode::kCorrupt, problem_);
  }

 private:
  const json::value* find(std::string_view name) {
    const json::value* value = object_.if_contains(json::string_view(name.data(), name.size()));
    if (value == nullptr) fail(name);
    return value;
  }
  void fail(std::string_view name, std::string_view why = " is missing or wrong") {
    if (problem_.empty()) problem_ = "field " + std::string(name) + std::string(why);
  }

  const json::object& object_;
  std::string problem_;
};

inline Result<json::object> parse_json_object(std::string_view text) {
  boost::system::error_code failed;
  json::value value = json::parse(json::string_view(text.data(), text.size()), failed);
  if (failed) return make_error(ErrorCode::kCorrupt, "not JSON: " + failed.message());
  if (!value.is_object()) return make_error(ErrorCode::kCorrupt, "not a JSON object");
  return std::move(value.as_object());
}

}  // namespace capstan
