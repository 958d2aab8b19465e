// Cutting a text into byte ranges that never split or double a line.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace capstan {

// At most n parts in order, each a whole number of lines; together they are `text`. Empty parts are left out.
std::vector<std::string_view> split_ranges(std::string_view text, std::size_t n);

// Takes the next line off the front of `text`, without its \n or \r\n. REQUIRES: text is not empty.
std::string_view take_line(std::string_view& text);

}  // namespace capstan
