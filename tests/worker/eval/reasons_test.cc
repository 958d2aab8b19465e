#include "worker/eval/reasons.h"

#include <gtest/gtest.h>

namespace capstan {
namespace {

const std::vector<std::string> kTitles = {"Fargo (1996)", "Heat (1995)", "Alien (1979)"};

TEST(Reasons, LargestPositiveFirstEqualOnesByItem) {
  const auto top = top_contributions({{2, 0.5}, {1, -1.0}, {0, 0.5}, {3, 0.75}, {4, 0.0}}, 3);
  ASSERT_EQ(top.size(), 3U);
  EXPECT_EQ(top[0].item, 3U);
  EXPECT_EQ(top[1].item, 0U);
  EXPECT_EQ(top[2].item, 2U);
  EXPECT_EQ(top_contributions({{2, 0.5}, {0, 0.6}}, 1).size(), 1U);
}

TEST(Reasons, ReadAsASentence) {
  const std::vector<Contribution> all = {{0, 0.414}, {1, 0.22}, {2, 0.1}};
  EXPECT_EQ(reason_line(std::span(all).first(1), kTitles, 9), "because of Fargo (1996) (+0.41)");
  EXPECT_EQ(reason_line(std::span(all).first(2), kTitles, 9),
            "because of Fargo (1996) (+0.41) and Heat (1995) (+0.22)");
  EXPECT_EQ(reason_line(all, kTitles, 9),
            "because of Fargo (1996) (+0.41), Heat (1995) (+0.22) and Alien (1979) (+0.10)");
}

TEST(Reasons, WithoutAContributionNothingIsNamed) {
  EXPECT_EQ(reason_line({}, kTitles, 123), "not for one title of the history; 123 users have it");
  EXPECT_EQ(reason_line({}, kTitles, 1), "not for one title of the history; 1 user has it");
}

}  // namespace
}  // namespace capstan
