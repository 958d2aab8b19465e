// What the catalogue is scored with, when a model sees more than who and what.
#include "worker/program/item_scorer.h"

#include <gtest/gtest.h>

#include "tests/worker/nn/models/local_cluster.h"
#include "worker/models/registry.h"

namespace capstan {
namespace {

struct Event {
  std::uint32_t user, item;
  std::int64_t time;
  Key hour;
};

Dataset dataset() {
  Dataset data;
  data.task = Task::kRanking;
  data.fields = {make_field("user", FieldSource::kUser), make_field("item", FieldSource::kItem),
                 make_field("hour", FieldSource::kEvent)};
  data.num_users = 2;
  data.num_items = 3;
  data.user_fields.resize(3);
  data.item_fields.resize(3);
  data.user_fields[0].keys = Buffer::adopt(std::vector<Key>{0, 1});
  data.item_fields[1].keys = Buffer::adopt(std::vector<Key>{0, 1, 2});
  return data;
}

Examples examples(const std::vector<Event>& events) {
  std::vector<std::uint32_t> users, items;
  std::vector<std::int64_t> times;
  std::vector<Key> hours;
  for (const Event& event : events) {
    users.push_back(event.user);
    items.push_back(event.item);
    times.push_back(event.time);
    hours.push_back(event.hour);
  }
  Examples rows;
  rows.size = events.size();
  rows.users = Buffer::adopt(std::move(users));
  rows.items = Buffer::adopt(std::move(items));
  rows.times = Buffer::adopt(std::move(times));
  rows.fields.resize(3);
  rows.fields[2].keys = Buffer::adopt(std::move(hours));
  return rows;
}

std::vector<float> scores(const std::vector<Event>& events, EventRow row) {
  JobConfig job;
  job.task = Task::kRanking;
  job.model.type = "fm";
  job.model.embedding_dim = 4;
  job.tables["default"].init = InitSpec{.kind = InitKind::kNormal, .scale = 0.7F};
  const Dataset data = dataset();
  const auto model = make_model(job, data.fields);
  EXPECT_TRUE(model.ok()) << model.error().message;
  const Examples rows = examples(events);
  ItemScorer scorer(job, data, rows, **model, row);
  LocalCluster cluster((*model)->tables());
  Step step;
  scorer.build_all(std::vector<std::uint32_t>{0, 1}, step);
  cluster.pull(step.tables);
  return scorer.score_all(step);
}

// A history or a counter of a later moment would hold what is asked for.
TEST(ItemScorer, TheMomentIsTheUsersFirstOrLastByTimeInWhateverOrderTheLinesAre) {
  const std::vector<Event> events = {{0, 2, 9, 19}, {0, 1, 3, 13}, {1, 0, 4, 14}, {0, 0, 5, 15}};
  const std::vector<Event> reversed(events.rbegin(), events.rend());
  const auto first = scores({{0, 1, 3, 13}, {1, 0, 4, 14}}, EventRow::kFirst);
  const auto last = scores({{0, 2, 9, 19}, {1, 0, 4, 14}}, EventRow::kLast);
  EXPECT_NE(first, last);
  for (const auto& lines : {events, reversed}) {
    EXPECT_EQ(scores(lines, EventRow::kFirst), first);
    EXPECT_EQ(scores(lines, EventRow::kLast), last);
  }
}

}  // namespace
}  // namespace capstan
