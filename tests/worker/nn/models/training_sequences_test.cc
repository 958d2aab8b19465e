// Which training events stand in one sequence, what each of them has before it, and what a user is scored by.
#include "worker/program/training_sequences.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "tests/worker/nn/models/local_cluster.h"
#include "worker/program/item_scorer.h"

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
  data.fields = {make_field("user", FieldSource::kUser), make_field("item", FieldSource::kItem),
                 make_field("before", FieldSource::kEvent, true)};
  data.fields[2].table = "item";
  data.user_fields.resize(3);
  data.item_fields.resize(3);
  data.user_fields[0].keys = Buffer::adopt(std::vector<Key>{0, 1, 2});
  data.item_fields[1].keys = Buffer::adopt(std::vector<Key>{0, 1, 2, 3, 4, 5, 6, 7, 8});
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

struct Scorer {
  JobConfig job;
  Dataset data = dataset();
  std::unique_ptr<Model> model;

  Scorer() {
    job.task = Task::kRanking;
    job.model.type = "sequence";
    job.model.embedding_dim = 4;
    job.tables["default"].init = InitSpec{.kind = InitKind::kNormal, .scale = 0.7F};
    model = std::move(make_model(job, data.fields)).value();
  }
  std::vector<float> all(const Examples& rows, EventRow row, std::uint32_t user) const {
    ItemScorer scorer(job, data, rows, *model, row);
    Step step;
    scorer.build_all(std::vector<std::uint32_t>{user}, step);
    LocalCluster(model->tables()).pull(step.tables);
    return scorer.score_all(step);
  }
  std::vector<float> pairs(const Examples& rows, const std::vector<std::uint32_t>& users,
                           const std::vector<std::uint32_t>& items) const {
    ItemScorer scorer(job, data, rows, *model);
    Step step;
    scorer.build_pairs(users, items, step);
    LocalCluster(model->tables()).pull(step.tables);
    return scorer.score_pairs(step);
  }
};

TEST(SequenceScores, KnowWhatWasBeforeTheMomentOrWithIt) {
  const Scorer scorer;
  const auto before_test = scorer.all(scorer.data.test, EventRow::kFirst, 0);
  EXPECT_EQ(scorer.all(scorer.data.valid, EventRow::kLast, 0), before_test);
  EXPECT_NE(scorer.all(scorer.data.valid, EventRow::kFirst, 0), before_test);
  const auto unknown = scorer.all(scorer.data.test, EventRow::kFirst, 2);  // no event of user 2 is there
  EXPECT_EQ(unknown, std::vector<float>(9, 0.0F));
}

TEST(SequenceScores, OfPairsAreThoseOfTheCatalogue) {
  const Scorer scorer;
  const auto all = scorer.all(scorer.data.test, EventRow::kFirst, 0);
  const auto pairs = scorer.pairs(scorer.data.test, {0, 0, 1, 0}, {4, 7, 2, 5});
  EXPECT_NEAR(pairs[0], all[4], 1e-5);
  EXPECT_NEAR(pairs[1], all[7], 1e-5);
  EXPECT_EQ(pairs[2], 0.0F);
  EXPECT_NEAR(pairs[3], all[5], 1e-5);
}

}  // namespace
}  // namespace capstan
