#include "ps/table/removal_log.h"

#include <gtest/gtest.h>

namespace capstan {
namespace {

using Keys = std::vector<Key>;

Keys since(const RemovalLog& log, std::uint64_t position) {
  const auto keys = log.since(position);
  EXPECT_TRUE(keys.has_value());
  return keys ? Keys(keys->begin(), keys->end()) : Keys{};
}

TEST(RemovalLog, CountsAllAndKeepsWhatIsWanted) {
  RemovalLog log;
  log.add(1, 100);
  EXPECT_EQ(log.position(), 1U);
  EXPECT_FALSE(log.since(0).has_value()) << "nobody wanted it then";
  log.keep_from(log.position());
  log.add(2, 100);
  log.add(3, 100);
  EXPECT_EQ(since(log, 1), (Keys{2, 3}));
  EXPECT_EQ(since(log, 2), Keys{3});
  EXPECT_EQ(since(log, 3), Keys{});
  log.keep_from(2);
  EXPECT_FALSE(log.since(1).has_value());
  EXPECT_EQ(since(log, 2), Keys{3});
  log.keep_from(0);
  EXPECT_FALSE(log.since(1).has_value()) << "what is forgotten stays so";
  log.stop();
  EXPECT_FALSE(log.since(2).has_value());
  EXPECT_EQ(since(log, 3), Keys{}) << "nothing has gone since";
  log.add(4, 100);
  EXPECT_FALSE(log.since(3).has_value());
}

TEST(RemovalLog, ForgetsAllWhenTheKeysAreManyBesideTheRows) {
  RemovalLog log;
  log.keep_from(0);
  constexpr std::size_t kRows = 4000;
  for (Key key = 0; key < kRows / 4; ++key) log.add(key, kRows);
  EXPECT_EQ(since(log, 0).size(), kRows / 4);
  log.add(7, kRows);
  EXPECT_FALSE(log.since(0).has_value());
  EXPECT_EQ(log.bytes(), 0U);
  const std::uint64_t now = log.position();
  log.add(8, kRows);
  EXPECT_EQ(since(log, now), Keys{8}) << "later snapshots can go on from here";
}

}  // namespace
}  // namespace capstan
