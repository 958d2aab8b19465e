#include "worker/data/line_ranges.h"

#include <algorithm>

namespace capstan {

std::vector<std::string_view> split_ranges(std::string_view text, std::size_t n) {
  std::vector<std::string_view> ranges;
  std::size_t begin = 0;
  for (std::size_t i = 1; i <= n && begin < text.size(); ++i) {
    std::size_t end = text.size();
    if (i < n) {
      const auto share = text.size() / n * i;
      // The line that holds the byte before the cut belongs to this range.
      const std::size_t newline = text.find('\n', std::max(share, begin + 1) - 1);
      end = newline == std::string_view::npos ? text.size() : newline + 1;
    }
    ranges.push_back(text.substr(begin, end - begin));
    begin = end;
  }
  return ranges;
}

std::string_view take_line(std::string_view& text) {
  const std::size_t newline = text.find('\n');
  std::string_view line = text.substr(0, newline);
  text.remove_prefix(newline == std::string_view::npos ? text.size() : newline + 1);
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

}  // namespace capstan
