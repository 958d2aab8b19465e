#include "worker/data/split/split.h"

#include <gtest/gtest.h>

#include "common/rng.h"

namespace capstan {
namespace {

struct Event {
  std::string user, item;
  std::int64_t time;
};

Events make(const std::vector<Event>& rows) {
  Events events;
  for (const auto& row : rows) {
    events.labels.push_back(1.0F);
    events.users.push_back(events.user_ids.add(row.user));
    events.items.push_back(events.item_ids.add(row.item));
    events.times.push_back(row.time);
  }
  return events;
}

SplitConfig method(SplitMethod kind, double test, double valid) {
  SplitConfig split;
  split.method = kind;
  split.test = test;
  split.valid = valid;
  return split;
}

// One letter a row: t(rain), v(alid), T(est).
std::string parts(const SplitConfig& split, Events events, std::vector<Origin> origin = {}) {
  origin.resize(events.rows(), Origin::kTrain);
  const Status status = assign_parts(split, 7, origin, events);
  if (!status.ok()) return status.error().message;
  std::string letters;
  for (const Part part : events.parts)
    letters += part == Part::kTrain ? 't' : part == Part::kValid ? 'v' : 'T';
  return letters;
}

TEST(Split, LeaveOneOutBreaksTiesByItemNumber) {
  const Events events = make({{"a", "9", 5}, {"a", "10", 5}, {"a", "8", 1}, {"b", "1", 1}, {"b", "2", 2}});
  EXPECT_EQ(parts(method(SplitMethod::kLeaveOneOut, 0, 0.1), events), "vTttt");
  EXPECT_EQ(parts(method(SplitMethod::kLeaveOneOut, 0, 0), events), "tTttT");
}

TEST(Split, ItemIdsThatAreNoNumbersAreOrderedAsText) {
  const Events events = make({{"a", "x9", 5}, {"a", "x10", 5}, {"a", "8", 1}});
  EXPECT_EQ(parts(method(SplitMethod::kLeaveOneOut, 0, 0), events), "Ttt");
}

TEST(Split, RatioByUserRoundsDown) {
  std::vector<Event> rows;
  for (int i = 0; i < 10; ++i) rows.push_back({"a", std::to_string(i), 10 - i});
  for (int i = 0; i < 3; ++i) rows.push_back({"b", std::to_string(i), i});
  EXPECT_EQ(parts(method(SplitMethod::kRatioByUser, 0.2, 0.25), make(rows)), "TTvvttttttttt");
}

TEST(Split, GlobalTimeKeepsEqualTimesTogether) {
  const Events events = make({{"a", "1", 1}, {"a", "2", 9}, {"b", "1", 8}, {"b", "3", 8}, {"c", "1", 2}});
  EXPECT_EQ(parts(method(SplitMethod::kGlobalTime, 0.4, 0), events), "tTTTt");
  EXPECT_EQ(parts(method(SplitMethod::kGlobalTime, 0.2, 0.25), events), "tTvvt");
}

TEST(Split, EveryRowIsTestedInExactlyOneFold) {
  std::vector<Event> rows(103, Event{"a", "1", 0});
  const Events events = make(rows);
  std::vector<int> tested(rows.size(), 0);
  for (std::uint32_t fold = 0; fold < 5; ++fold) {
    SplitConfig split = method(SplitMethod::kKFold, 0, 0.1);
    split.fold = fold;
    const std::string letters = parts(split, events);
    for (std::size_t i = 0; i < letters.size(); ++i) tested[i] += letters[i] == 'T' ? 1 : 0;
    EXPECT_EQ(std::count(letters.begin(), letters.end(), 'v'), 8) << letters;
  }
  EXPECT_EQ(tested, std::vector<int>(rows.size(), 1));
}

TEST(Split, RatioIsSeededAndExact) {
  const Events events = make(std::vector<Event>(50, Event{"a", "1", 0}));
  const std::string letters = parts(method(SplitMethod::kRatio, 0.2, 0.1), events);
  EXPECT_EQ(std::count(letters.begin(), letters.end(), 'T'), 10);
  EXPECT_EQ(std::count(letters.begin(), letters.end(), 'v'), 4);
  EXPECT_EQ(letters, parts(method(SplitMethod::kRatio, 0.2, 0.1), events));
  EXPECT_NE(letters.substr(40), "TTTTTTTTTT");
}

TEST(Split, FilesKeepTheirParts) {
  const std::vector<Origin> origin = {Origin::kTrain, Origin::kTrain, Origin::kTrain, Origin::kTest,
                                      Origin::kTest};
  Events events = make({{"a", "1", 5}, {"a", "2", 3}, {"b", "1", 1}, {"a", "3", 9}, {"b", "3", 9}});
  EXPECT_EQ(parts(method(SplitMethod::kFiles, 0, 0), events, origin), "tttTT");
  EXPECT_EQ(parts(method(SplitMethod::kNone, 0, 0.5), events, origin), "vttTT");
  EXPECT_EQ(parts(method(SplitMethod::kNone, 0, 0.5), events), "ttttt");
}

TEST(Split, FilesWithoutTimesHoldBackARandomShareOfEachUser) {
  std::vector<Event> rows(40, Event{"a", "1", 0});
  rows.resize(60, Event{"b", "1", 0});
  Events events = make(rows);
  events.times.clear();
  const std::string letters = parts(method(SplitMethod::kNone, 0, 0.25), events,
                                    {Origin::kTest});  // some file other than train makes it `files`
  EXPECT_EQ(std::count(letters.begin(), letters.begin() + 40, 'v'), 9);
  EXPECT_EQ(std::count(letters.begin() + 40, letters.end(), 'v'), 5);
  EXPECT_NE(letters.substr(31, 9), "vvvvvvvvv");
  EXPECT_NE(letters.substr(55, 5), "vvvvv");
}

TEST(Split, MissingColumnsAreNamed) {
  Events events = make({{"a", "1", 5}});
  events.times.clear();
  EXPECT_EQ(parts(method(SplitMethod::kLeaveOneOut, 0, 0), events),
            "a split by user needs data.user, data.item and data.time");
  EXPECT_EQ(parts(method(SplitMethod::kGlobalTime, 0.2, 0), events), "split global_time needs data.time");
}

}  // namespace
}  // namespace capstan
