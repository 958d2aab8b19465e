#include "ps/table/key_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/rng.h"

namespace capstan {
namespace {

std::uint64_t undo_shift(std::uint64_t x, int shift) {
  std::uint64_t result = x;
  for (int done = shift; done < 64; done += shift) result = x ^ (result >> shift);
  return result;
}

std::uint64_t inverse(std::uint64_t odd) {  // modulo 2^64, by Newton
  std::uint64_t x = odd;
  for (int i = 0; i < 6; ++i) x *= 2 - odd * x;
  return x;
}

std::uint64_t unmix64(std::uint64_t x) {
  x = undo_shift(x, 31) * inverse(0x94d049bb133111ebULL);
  x = undo_shift(x, 27) * inverse(0xbf58476d1ce4e5b9ULL);
  return undo_shift(x, 30);
}

// The key whose hash in the index is `hash`.
Key key_with_hash(std::uint64_t hash) {
  return unmix64(hash * inverse(0x9e3779b97f4a7c15ULL));
}

// An index, and a std::unordered_map that says what it must hold.
class Pair {
 public:
  void insert(Key key) {
    const auto slot = static_cast<std::uint32_t>(next_slot_++);
    index_.insert(key, slot);
    keys_.push_back(key);
    model_[key] = slot;
  }
  void erase(Key key) {
    ASSERT_EQ(index_.erase(key), model_.at(key));
    model_.erase(key);
    std::iter_swap(std::find(keys_.begin(), keys_.end(), key), keys_.end() - 1);
    keys_.pop_back();
  }
  bool has(Key key) const { return model_.contains(key); }
  // As if each had been inserted.
  bool build(const std::vector<Key>& keys) {
    std::vector<KeyIndex::Entry> entries;
    for (const Key key : keys) {
      entries.push_back({key, static_cast<std::uint32_t>(next_slot_++)});
      model_[key] = entries.back().slot;
    }
    keys_ = keys;
    return index_.build(entries);
  }
  void check(Key key) const {
    const auto found = model_.find(key);
    ASSERT_EQ(index_.find(key), found == model_.end() ? KeyIndex::kAbsent : found->second) << key;
  }
  void check_all() const {
    ASSERT_EQ(index_.size(), model_.size());
    for (const auto& [key, slot] : model_) ASSERT_EQ(index_.find(key), slot);
    std::unordered_map<Key, std::uint32_t> seen;
    const auto visit = [&](Key key, std::uint32_t slot) { seen[key] = slot; };
    std::size_t fetched = 0;
    index_.for_each([&](std::uint32_t) { ++fetched; }, visit);
    ASSERT_EQ(seen, model_);
    ASSERT_EQ(fetched, model_.size());
  }
  Key some_key(Rng& rng) const { return keys_[rng.below(keys_.size())]; }
  std::size_t size() const { return model_.size(); }
  KeyIndex& index() { return index_; }

 private:
  KeyIndex index_;
  std::size_t next_slot_ = 0;
  std::vector<Key> keys_;
  std::unordered_map<Key, std::uint32_t> model_;
};

// Random inserts, removals and look-ups; the size drifts up, then down, so that segments grow, split and
// shrink.
void run(std::uint64_t seed, int operations, Key (*draw)(Rng&), std::size_t built = 0) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  Rng rng(seed);
  Pair pair;
  std::set<Key> first;
  while (first.size() < built) first.insert(draw(rng));
  ASSERT_TRUE(pair.build({first.begin(), first.end()}));
  pair.check_all();
  for (int i = 0; i < operations; ++i) {
    const double growth = i < operations / 2 ? 0.7 : 0.3;
    const Key key = draw(rng);
    pair.check(key);
    if (rng.chance(growth)) {
      if (!pair.has(key)) pair.insert(key);
    } else if (pair.size() > 0) {
      const Key gone = pair.some_key(rng);
      pair.erase(gone);
      pair.check(gone);
    }
    if (i % 4096 == 0) pair.check_all();
    if (testing::Test::HasFatalFailure()) return;
  }
  pair.check_all();
}

TEST(KeyIndex, AgreesWithAMapOverAllKeys) {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) run(seed, 40000, [](Rng& rng) { return rng.next(); });
}

TEST(KeyIndex, AgreesWithAMapOverFewKeys) {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    run(seed, 20000, [](Rng& rng) { return rng.chance(0.5) ? rng.below(300) : ~rng.below(300); });
  }
}

TEST(KeyIndex, AgreesWithAMapOverTheKeysOfOneShard) {
  run(7, 40000, [](Rng& rng) { return unmix64(rng.next() >> 8); });
}

TEST(KeyIndex, GoesOnFromManyKeysAtOnce) {
  for (const std::size_t built : {1, 1024, 1025, 30000})
    run(
        3, 20000, [](Rng& rng) { return rng.next(); }, built);
  const auto alike = [](Rng& rng) { return key_with_hash((rng.next() << 37) | 0x1512345678ULL); };
  run(3, 2000, alike, 3000);
}

TEST(KeyIndex, SeesAKeyThatComesTwice) {
  std::vector<Key> keys(5000);
  for (std::size_t i = 0; i < keys.size(); ++i) keys[i] = mix64(i);
  keys.push_back(keys[7]);
  Pair pair;
  EXPECT_FALSE(pair.build(keys));
  EXPECT_EQ(pair.index().find(keys[0]), KeyIndex::kAbsent) << "it is empty then";
}

TEST(KeyIndex, AgreesWithAMapOverKeysWithEqualDigestsAndHomes) {
  run(5, 6000, [](Rng& rng) { return key_with_hash((rng.next() << 37) | 0x1512345678ULL); });
}

TEST(KeyIndex, KeysThatSplittingCannotSeparateDoNotDoubleTheDirectoryForEver) {
  Pair pair;
  for (std::uint64_t i = 0; i < 6000; ++i) pair.insert(key_with_hash(0xabcdef0000000000ULL | mix64(i) >> 32));
  pair.check_all();
  EXPECT_LT(pair.index().bytes(), std::size_t{4} << 20);
}

TEST(KeyIndex, LooksUpAnyNumberOfKeysInTurn) {
  Rng rng(11);
  Pair pair;
  for (int i = 0; i < 5000; ++i) pair.insert(rng.next());
  pair.insert(0);
  pair.insert(~0ULL);
  for (std::size_t n = 0; n <= 200; ++n) {
    std::vector<Key> keys = {0, ~0ULL};
    while (keys.size() < n) keys.push_back(rng.chance(0.5) ? pair.some_key(rng) : rng.next());
    keys.resize(n);
    std::set<std::uint32_t> fetched;
    std::size_t looked_up = 0;
    pair.index().look_up(
        keys, [&](std::uint32_t slot) { fetched.insert(slot); },
        [&](std::size_t i, std::uint32_t slot) {
          ASSERT_EQ(i, looked_up++);
          ASSERT_EQ(slot, pair.index().find(keys[i]));
          ASSERT_TRUE(slot == KeyIndex::kAbsent || fetched.contains(slot)) << "its row was not asked for";
        });
    ASSERT_EQ(looked_up, n);
  }
}

TEST(KeyIndex, SlotsCanBeChanged) {
  Rng rng(12);
  Pair pair;
  for (int i = 0; i < 3000; ++i) pair.insert(rng.next());
  pair.index().for_each([](std::uint32_t) {}, [](Key, std::uint32_t& slot) { slot += 7; });
  pair.index().for_each([](std::uint32_t) {},
                        [&](Key key, std::uint32_t slot) { EXPECT_EQ(pair.index().find(key), slot); });
  for (int i = 0; i < 100; ++i) {
    const Key key = pair.some_key(rng);
    const std::uint32_t slot = pair.index().find(key);
    EXPECT_GE(slot, 7U);
  }
}

TEST(KeyIndex, AnEmptyOneFindsNothing) {
  const KeyIndex index;
  EXPECT_EQ(index.find(0), KeyIndex::kAbsent);
  EXPECT_EQ(index.find(~0ULL), KeyIndex::kAbsent);
  EXPECT_LT(index.bytes(), 100U);
}

// Removal must leave nothing behind that makes later look-ups longer: what counts as passed goes back to what
// an index of the same keys has that never held others.
TEST(KeyIndex, ManyRemovalsLeaveRoomForAsManyNewKeys) {
  Rng rng(17);
  Pair pair;
  for (int i = 0; i < 20000; ++i) pair.insert(rng.next());
  const std::size_t before = pair.index().bytes();
  for (int i = 0; i < 40000; ++i) {
    pair.erase(pair.some_key(rng));
    pair.insert(rng.next());
  }
  pair.check_all();
  EXPECT_LE(pair.index().bytes(), before + before / 8);
}

TEST(KeyIndex, TakesFewBytesARowWhenBuiltAtOnce) {
  Rng rng(13);
  std::vector<Key> keys;
  for (const std::size_t size : {5000, 20000, 65536, 200000}) {
    while (keys.size() < size) keys.push_back(rng.next());
    Pair pair;
    ASSERT_TRUE(pair.build(keys));
    EXPECT_LE(pair.index().bytes() * 100 / size, 1700U) << "hundredths of a byte a row";
  }
}

TEST(KeyIndex, TakesFewBytesARowAtEverySize) {
  Rng rng(13);
  Pair pair;
  std::size_t worst = 0, sum = 0, times = 0;
  while (pair.size() < 200000) {
    pair.insert(rng.next());
    if (pair.size() < 5000 || pair.size() % 1000 != 0) continue;
    const std::size_t hundredths = pair.index().bytes() * 100 / pair.size();
    worst = std::max(worst, hundredths);
    sum += hundredths;
    ++times;
  }
  EXPECT_LE(sum / times, 1600U) << "hundredths of a byte a row";
  EXPECT_LE(worst, 2400U);
}

}  // namespace
}  // namespace capstan
