#include "common/plain_name.h"

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

}  // namespace capstan
