#include "common/plain_name.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace capstan {

bool is_plain_name(std::string_view name) {
  constexpr std::size_t kLongest = 128;
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  };
  return name.size() <= kLongest && name.find_first_not_of('.') != std::string_view::npos &&
         std::all_of(name.begin(), name.end(), plain);
}

std::string plain_name_rule(std::string_view name) {
  return fmt::format("may have letters, digits, '-', '_' and '.', not '{}'", name);
}

}  // namespace capstan
