// Which training events stand in one sequence, and what each of them has before it.
#include "worker/program/training_sequences.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "tests/worker/nn/models/local_cluster.h"

namespace capstan {
namespace {

struct Event {
  std::uint32_t user, item;
  std::int64_t time;
  std::vector<Key> before;
};

Examples examples(const std::vector<Event>& events) {
  std::vector<std::uint32_t> users, items;
  std::vector<std::int64_t> times;
  std::vector<Key> keys;
  std::vector<std::uint64_t> offsets{0};
  for (const Event& event : events) {
    users.push_back(event.user);
    items.push_back(event.item);
    times.push_back(event.time);
    keys.insert(keys.end(), event.before.begin(), event.before.end());
    offsets.push_back(keys.size());
  }
  Examples rows;
  rows.size = events.size();
  rows.users = Buffer::adopt(std::move(users));
  rows.items = Buffer::adopt(std::move(items));
  rows.times = Buffer::adopt(std::move(times));
  rows.fields.resize(3);
  rows.fields[2].keys = Buffer::adopt(std::move(keys));
  rows.fields[2].offsets = Buffer::adopt(std::move(offsets));
  return rows;
}

// User 0 chose 3 1 4 1 5 at times 1 to 5, user 1 chose 2 and 6 at once and then 7, user 2 chose 8 alone.
Dataset dataset() {
  Dataset data;
  data.num_users = 3;
  data.num_items = 9;
  data.train = examples({{0, 4, 3, {3, 1}},
                         {0, 3, 1, {}},
                         {1, 2, 1, {}},
                         {0, 1, 2, {3}},
                         {1, 6, 1, {}},
                         {1, 7, 2, {2, 6}},
                         {2, 8, 1, {}}});
  data.valid = examples({{0, 1, 4, {3, 1, 4}}});
  data.test = examples({{0, 5, 5, {3, 1, 4, 1}}});
  return data;
}

using Targets = std::vector<std::pair<std::uint64_t, std::uint32_t>>;

Targets targets_of(const TrainingSequences& sequences, std::uint64_t sequence) {
  Targets result;
  for (const auto& [example, length] : sequences.targets(sequence)) result.emplace_back(example, length);
  return result;
}

std::vector<Key> keys_of(const TrainingSequences& sequences, std::uint64_t sequence) {
  const auto keys = sequences.keys(sequence);
  return {keys.begin(), keys.end()};
}

TEST(TrainingSequences, HaveATargetBehindEachItem) {
  const Dataset data = dataset();
  const TrainingSequences sequences(data, 2, 50, false);
  ASSERT_EQ(sequences.size(), 2U) << "user 2 has nothing before anything";
  EXPECT_EQ(sequences.num_targets(), 3U);
  EXPECT_EQ(keys_of(sequences, 0), (std::vector<Key>{3, 1}));
  EXPECT_EQ(targets_of(sequences, 0), (Targets{{3, 1}, {0, 2}}));
  EXPECT_EQ(keys_of(sequences, 1), (std::vector<Key>{2, 6}));
  EXPECT_EQ(targets_of(sequences, 1), (Targets{{5, 2}})) << "events of one time do not see each other";
}

TEST(TrainingSequences, GoOnIntoValidationWhereItIsTrainedOn) {
  const Dataset data = dataset();
  const TrainingSequences sequences(data, 2, 50, true);
  EXPECT_EQ(keys_of(sequences, 0), (std::vector<Key>{3, 1, 4}));
  EXPECT_EQ(targets_of(sequences, 0), (Targets{{3, 1}, {0, 2}, {7, 3}}));
}

TEST(TrainingSequences, AreCutToTheLatestItems) {
  const Dataset data = dataset();
  const TrainingSequences sequences(data, 2, 2, true);
  EXPECT_EQ(keys_of(sequences, 0), (std::vector<Key>{1, 4}));
  EXPECT_EQ(targets_of(sequences, 0), (Targets{{0, 1}, {7, 2}}));
}

}  // namespace
}  // namespace capstan
