#include "common/text.h"

#include <gtest/gtest.h>

#include <cmath>

namespace capstan {
namespace {

TEST(Text, EditDistanceCountsASwapOnce) {
  EXPECT_EQ(edit_distance("", ""), 0U);
  EXPECT_EQ(edit_distance("abc", ""), 3U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
  EXPECT_EQ(edit_distance("lable", "label"), 1U);
}

TEST(Text, NearestWordIsTheFirstOfTheClosest) {
  const std::vector<std::string> words = {"label", "table", "user"};
  EXPECT_EQ(nearest_word("lable", words), "label");
  EXPECT_EQ(nearest_word("usr", words), "user");
  EXPECT_EQ(nearest_word("zzzzzz", words), "");
  EXPECT_EQ(nearest_word("q", words), "");
}

TEST(Text, Utf8IsCheckedToTheLetter) {
  EXPECT_TRUE(is_utf8("Am\xC3\xA9lie, longer than eight bytes \xE2\x82\xAC \xF0\x9F\x8E\xAC"));
  EXPECT_FALSE(is_utf8("Am\xE9lie and more"));  // Latin-1
  EXPECT_FALSE(is_utf8("\xC0\x80"));            // overlong
  EXPECT_FALSE(is_utf8("\xED\xA0\x80"));        // surrogate
  EXPECT_FALSE(is_utf8("\xF4\x90\x80\x80"));    // above U+10FFFF
  EXPECT_FALSE(is_utf8("cut \xE2\x82"));
  EXPECT_EQ(latin1_to_utf8("Am\xE9lie"), "Am\xC3\xA9lie");
}

TEST(Text, SplitsTrimsAndJoins) {
  EXPECT_EQ(split_text("1::two::", "::"), (std::vector<std::string_view>{"1", "two", ""}));
  EXPECT_EQ(split_text("", ","), (std::vector<std::string_view>{""}));
  EXPECT_EQ(trim(" \ta b\t "), "a b");
  EXPECT_EQ(trim("  "), "");
  EXPECT_EQ(join(std::vector<std::string>{"a", "b"}, ", "), "a, b");
}

TEST(Text, NumbersAreTheWholeText) {
  EXPECT_EQ(parse_double("-1.5e3"), -1500.0);
  EXPECT_EQ(parse_double("+2"), 2.0);
  EXPECT_FALSE(parse_double("+-2"));
  EXPECT_FALSE(parse_double("++2"));
  EXPECT_FALSE(parse_double("1.5x"));
  EXPECT_FALSE(parse_double(""));
  EXPECT_TRUE(std::isnan(*parse_double("nan")));
  EXPECT_EQ(parse_int("-7"), -7);
  EXPECT_FALSE(parse_int("7.0"));
  EXPECT_FALSE(parse_uint("-7"));
}

}  // namespace
}  // namespace capstan
