#include "worker/data/line_ranges.h"

#include <gtest/gtest.h>

#include <string>

#include "common/rng.h"

namespace capstan {
namespace {

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) lines.emplace_back(take_line(text));
  return lines;
}

std::string random_text(Rng& rng) {
  std::string text;
  const std::uint64_t lines = rng.below(30);
  for (std::uint64_t i = 0; i < lines; ++i) {
    for (std::uint64_t c = rng.below(12); c > 0; --c) text += static_cast<char>('a' + rng.below(26));
    text += rng.chance(0.3) ? "\r\n" : "\n";
  }
  if (rng.chance(0.5)) text += "last line without an end";
  return text;
}

TEST(LineRanges, NeverSplitOrDoubleALine) {
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    SCOPED_TRACE(seed);
    Rng rng(seed);
    const std::string text = random_text(rng);
    const std::size_t n = 1 + rng.below(20);
    std::vector<std::string> lines;
    std::string joined;
    for (const auto range : split_ranges(text, n)) {
      ASSERT_FALSE(range.empty());
      joined += range;
      for (auto& line : lines_of(range)) lines.push_back(std::move(line));
    }
    ASSERT_EQ(joined, text);
    ASSERT_EQ(lines, lines_of(text));
  }
}

TEST(LineRanges, PartsAreNearTheirShare) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "0123456789\n";
  const auto ranges = split_ranges(text, 4);
  ASSERT_EQ(ranges.size(), 4U);
  for (const auto range : ranges) EXPECT_NEAR(static_cast<double>(range.size()), 2750.0, 11.0);
}

TEST(LineRanges, TakesTheLineEndOff) {
  std::string_view text = "a\r\n\nb\r";
  EXPECT_EQ(take_line(text), "a");
  EXPECT_EQ(take_line(text), "");
  EXPECT_EQ(take_line(text), "b");
  EXPECT_TRUE(text.empty());
}

}  // namespace
}  // namespace capstan
