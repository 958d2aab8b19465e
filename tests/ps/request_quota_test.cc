#include "ps/request_quota.h"

#include <gtest/gtest.h>

#include <vector>

#include "common/rng.h"

namespace capstan {
namespace {

TEST(RequestQuota, OnePeerAloneMayHaveAll) {
  RequestQuota quota({4, 1000});
  for (int n = 0; n < 4; ++n) EXPECT_TRUE(quota.take(1, 10, true));
  EXPECT_FALSE(quota.take(1, 10, true));
  quota.give_back(1, 10);
  EXPECT_TRUE(quota.take(1, 10, true));
}

TEST(RequestQuota, WhoHasNothingHereIsNeverKeptOut) {
  RequestQuota quota({4, 1000});
  for (int n = 0; n < 4; ++n) ASSERT_TRUE(quota.take(1, 10, true));
  EXPECT_TRUE(quota.take(2, 10, true));
  EXPECT_FALSE(quota.take(2, 10, true)) << "there is no room for more";
  for (int n = 0; n < 3; ++n) quota.give_back(1, 10);
  EXPECT_TRUE(quota.take(2, 10, true));
  EXPECT_FALSE(quota.take(2, 10, true)) << "half of it is another's";
  EXPECT_TRUE(quota.take(1, 10, true));
}

TEST(RequestQuota, BytesCountAsWell) {
  RequestQuota quota({100, 1000});
  EXPECT_TRUE(quota.take(1, 5000, true)) << "one, however large";
  EXPECT_FALSE(quota.take(1, 1, true));
  quota.give_back(1, 5000);
  EXPECT_TRUE(quota.take(1, 600, true));
  EXPECT_FALSE(quota.take(1, 600, true));
  EXPECT_TRUE(quota.take(1, 400, true));
  EXPECT_EQ(quota.bytes(), 1000U);
}

TEST(RequestQuota, UnsharedRoomIsWhoeversComesFirst) {
  RequestQuota quota({4, 1000});
  for (int n = 0; n < 3; ++n) EXPECT_TRUE(quota.take(1, 10, false));
  EXPECT_TRUE(quota.take(2, 10, false));
  EXPECT_FALSE(quota.take(3, 10, false));
}

// Whatever comes and goes, the room is kept to, but for one request a peer.
TEST(RequestQuota, IsKeptToByRandomPeers) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Rng rng(seed);
    RequestQuota quota({20, 1000});
    struct Taken {
      PeerId peer;
      std::uint64_t bytes;
    };
    std::vector<Taken> taken;
    for (int step = 0; step < 2000; ++step) {
      if (!taken.empty() && rng.chance(0.45)) {
        const std::size_t n = rng.below(taken.size());
        quota.give_back(taken[n].peer, taken[n].bytes);
        taken.erase(taken.begin() + static_cast<std::ptrdiff_t>(n));
      } else {
        const Taken wish{1 + rng.below(5), rng.below(300)};
        if (quota.take(wish.peer, wish.bytes, true)) taken.push_back(wish);
      }
      ASSERT_EQ(quota.requests(), taken.size());
      ASSERT_LE(quota.requests(), 20U + 5U);
    }
    for (const Taken& each : taken) quota.give_back(each.peer, each.bytes);
    EXPECT_EQ(quota.requests(), 0U);
  }
}

TEST(RequestLimits, TakeAnEighthOfTheMemoryAtMost) {
  const RequestLimits usual;
  EXPECT_EQ(usual.within(0).bytes, usual.bytes) << "no limit";
  EXPECT_EQ(usual.within(std::uint64_t{800} << 20).bytes, std::uint64_t{100} << 20);
  EXPECT_EQ(usual.within(std::uint64_t{1} << 40).bytes, usual.bytes);
  EXPECT_EQ(usual.within(1).bytes, std::uint64_t{8} << 20) << "enough to work with";
  EXPECT_EQ(usual.within(1).requests, usual.requests);
  EXPECT_EQ((RequestLimits{3, 10}.within(std::uint64_t{1} << 30).bytes), 10U);
}

}  // namespace
}  // namespace capstan
