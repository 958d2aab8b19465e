#include "scheduler/work_list.h"

#include <gtest/gtest.h>

#include "common/rng.h"

namespace capstan {
namespace {

constexpr std::uint64_t kBase = 2ULL << 32;  // terms of generation 2

WorkId train(std::uint32_t partition) {
  return {kTrainWork, 0, partition, ""};
}

WorkCursor at(const WorkGrant& grant, std::uint64_t watermark, std::uint64_t examples) {
  WorkCursor cursor;
  cursor.work = grant.work;
  cursor.term = grant.term;
  cursor.watermark = watermark;
  cursor.examples = examples;
  cursor.loss_sum = static_cast<double>(examples) / 2;
  cursor.batches = 20;
  return cursor;
}

WorkList of_partitions(std::uint32_t count) {
  WorkList list(2);
  for (std::uint32_t p = 0; p < count; ++p) list.add(train(p), count);
  return list;
}

TEST(WorkList, GrantsInOrderUnderRisingTerms) {
  WorkList list = of_partitions(3);
  const auto a = list.grant(1, 0, 2);
  const auto b = list.grant(2, 0, 2);
  ASSERT_TRUE(a && b);
  EXPECT_EQ(a->grant.work, train(0));
  EXPECT_EQ(a->grant.term, kBase + 1);
  EXPECT_EQ(a->grant.num_partitions, 3U);
  EXPECT_EQ(b->grant.work, train(1));
  EXPECT_EQ(b->grant.term, kBase + 2);
  EXPECT_EQ(list.grant(1, 1, 2)->grant.work, train(2));
  EXPECT_FALSE(list.grant(1, 2, 2).has_value()) << "it holds as many as it may";
  EXPECT_FALSE(list.grant(2, 1, 2).has_value()) << "nothing is free";
}

TEST(WorkList, ALostGrantIsSentAgainUnderTheSameTerm) {
  WorkList list = of_partitions(2);
  const auto lost = list.grant(1, 0, 1);
  const auto again = list.grant(1, 0, 1);
  ASSERT_TRUE(again.has_value());
  EXPECT_TRUE(again->again);
  EXPECT_EQ(again->grant.work, lost->grant.work);
  EXPECT_EQ(again->grant.term, lost->grant.term);
  EXPECT_TRUE(list.progress(1, at(again->grant, 1, 10)));
  EXPECT_FALSE(list.grant(1, 0, 1).has_value()) << "it has spoken of the item: it was not lost";
}

TEST(WorkList, ALostGrantIsSentAgainToAWorkerThatTookAnotherItemBack) {
  WorkList list = of_partitions(2);
  list.grant(2, 0, 1);
  const WorkGrant kept = list.grant(1, 0, 1)->grant;
  EXPECT_TRUE(list.progress(1, at(kept, 1, 10)));
  list.release(1);
  list.release(2);
  const auto lost = list.grant(1, 1, 2);
  ASSERT_TRUE(lost.has_value());
  EXPECT_EQ(lost->grant.work, train(0));
  EXPECT_TRUE(list.progress(1, at(kept, 2, 20)));
  const auto again = list.grant(1, 1, 2);
  ASSERT_TRUE(again.has_value()) << "it holds one of its two items and nobody else can have the other";
  EXPECT_TRUE(again->again);
  EXPECT_EQ(again->grant.term, lost->grant.term);
}

TEST(WorkList, ALostWorkersItemGoesOnFromItsWatermarkAndTheOldTermIsRefused) {
  WorkList list = of_partitions(1);
  const WorkGrant old = list.grant(1, 0, 1)->grant;
  EXPECT_TRUE(list.progress(1, at(old, 7, 70)));
  EXPECT_EQ(list.release(1), 1U);
  const WorkGrant fresh = list.grant(2, 0, 1)->grant;
  EXPECT_EQ(fresh.first_batch, 7U);
  EXPECT_GT(fresh.term, old.term);
  EXPECT_FALSE(list.progress(1, at(old, 9, 90))) << "the zombie's";
  EXPECT_FALSE(list.finish(1, at(old, 20, 200), {}));
  EXPECT_FALSE(list.progress(3, at(fresh, 9, 20))) << "not its holder";
  EXPECT_TRUE(list.progress(2, at(fresh, 9, 20)));
  EXPECT_EQ(list.totals().examples, 90U);
  EXPECT_EQ(list.examples_by_worker().at(1), 70U);
  EXPECT_EQ(list.examples_by_worker().at(2), 20U);
  EXPECT_TRUE(list.finish(2, at(fresh, 20, 130), {}));
  EXPECT_TRUE(list.finish(2, at(fresh, 20, 130), {})) << "the answer was lost, it asks again";
  EXPECT_FALSE(list.progress(2, at(fresh, 20, 130))) << "it is done: whoever still holds it may let go";
  EXPECT_TRUE(list.all_done());
  EXPECT_EQ(list.totals().examples, 200U);
  EXPECT_DOUBLE_EQ(list.totals().loss_sum, 100.0);
}

TEST(WorkList, AWorkerThatCameBackInTimeKeepsItsItem) {
  WorkList list = of_partitions(1);
  const WorkGrant grant = list.grant(1, 0, 1)->grant;
  list.release(1);
  EXPECT_TRUE(list.progress(1, at(grant, 3, 30)));
  EXPECT_EQ(list.held_by(1), 1U);
  EXPECT_FALSE(list.grant(2, 0, 1).has_value());
}

TEST(WorkList, ReportsThatWereOvertakenChangeNothing) {
  WorkList list = of_partitions(2);
  const WorkGrant grant = list.grant(1, 0, 1)->grant;
  EXPECT_TRUE(list.progress(1, at(grant, 10, 100)));
  EXPECT_TRUE(list.progress(1, at(grant, 4, 40)));
  EXPECT_EQ(list.find(train(0))->watermark, 10U);
  EXPECT_EQ(list.totals().examples, 100U);
  EXPECT_DOUBLE_EQ(list.fraction_done(), 0.25) << "10 of 20 batches, in one of two partitions";
}

TEST(WorkList, RecoversWhereTheJournalEnded) {
  WorkList list = of_partitions(3);
  WorkCursor done = at({train(0), 3, 5, 0, 0, {}}, 20, 200), held = at({train(1), 3, 6, 0, 0, {}}, 8, 80);
  list.recover(done, {}, 1, true);
  const WorkTotals before{30, 0, 0.0, 0};  // 50 of the 80 were counted in the holder's own term
  list.recover(held, before, 2, false);
  EXPECT_EQ(list.done(), 1U);
  EXPECT_EQ(list.held_by(2), 1U);
  EXPECT_EQ(list.totals().examples, 280U);
  EXPECT_EQ(list.grant(4, 0, 1)->grant.work, train(2)) << "the held one is left to its holder";
  WorkCursor report = held;
  report.watermark = 12;
  report.examples = 90;
  EXPECT_TRUE(list.progress(2, report)) << "the holder's term is the journal's";
  EXPECT_EQ(list.totals().examples, 200U + 30 + 90) << "what the journal had seen of its term counts once";
  list.release(2);
  const WorkGrant moved = list.grant(5, 0, 1)->grant;
  EXPECT_EQ(moved.first_batch, 12U);
  EXPECT_GT(moved.term, kBase);
}

// The scheduler died between journaling a grant and sending it: the worker lives, keeps its lease and has
// nothing to do.
TEST(WorkList, AGrantThatDiedWithTheSchedulerIsGivenAgain) {
  WorkList list = of_partitions(2);
  const WorkCursor first = at({train(1), 2, 4, 0, 0, {}}, 3, 30), lost = at({train(0), 2, 5, 0, 0, {}}, 0, 0);
  list.recover(first, {}, 1, false);
  list.recover(lost, {}, 1, false);
  EXPECT_FALSE(list.grant(1, 2, 2).has_value()) << "it has both";
  const auto again = list.grant(1, 1, 2);
  ASSERT_TRUE(again.has_value());
  EXPECT_TRUE(again->again);
  EXPECT_EQ(again->grant.work, train(0)) << "the one granted last";
  EXPECT_EQ(again->grant.term, 5U);
}

// 160 batches in segments of 20.
WorkCursor of_160(const WorkGrant& grant, std::uint64_t watermark, std::uint64_t end) {
  WorkCursor cursor = at(grant, watermark, (watermark - grant.first_batch) * 10);
  cursor.batches = 160;
  cursor.end = end;
  return cursor;
}

TEST(WorkList, TheRestOfASplitItemIsFree) {
  WorkList list = of_partitions(2);
  const WorkGrant kept = list.grant(1, 0, 1)->grant;
  EXPECT_FALSE(list.split_said(1, of_160(kept, 30, 160)).has_value());
  EXPECT_FALSE(list.split_said(2, of_160(kept, 30, 60)).has_value()) << "not its holder";
  EXPECT_FALSE(list.split_said(1, of_160(kept, 30, 50)).has_value()) << "within a segment";
  const auto split = list.split_said(1, of_160(kept, 30, 60));
  ASSERT_TRUE(split.has_value());
  EXPECT_FALSE(list.progress(1, of_160(kept, 30, 60))) << "first the split";
  list.split(*split);
  EXPECT_TRUE(list.progress(1, of_160(kept, 30, 60)));
  EXPECT_FALSE(list.split_said(1, of_160(kept, 31, 60)).has_value()) << "it is known";
  EXPECT_DOUBLE_EQ(list.fraction_done(), 30.0 / 320) << "the other partition is taken to be as long";

  EXPECT_EQ(list.grant(2, 0, 1)->grant.work, train(1));
  const WorkGrant rest = list.grant(3, 0, 1)->grant;
  EXPECT_EQ(rest.work, train(6));
  EXPECT_EQ(rest.num_partitions, 2U);
  EXPECT_EQ(rest.first_batch, 60U);
  EXPECT_EQ(rest.end_batch, 160U);
  EXPECT_TRUE(list.finish(3, of_160(rest, 160, 160), {}));
  EXPECT_EQ(list.watermark_sum(), 130U) << "batches done";
  EXPECT_EQ(list.totals().examples, 1300U);
  EXPECT_EQ(list.release(1), 1U);
  EXPECT_EQ(list.grant(4, 0, 1)->grant.end_batch, 60U);
}

TEST(WorkList, RecoversTheRestOfASplitItem) {
  WorkList list = of_partitions(2);
  WorkCursor rest = of_160({train(6), 2, 5, 60, 0, {}}, 75, 160);
  list.recover(rest, {}, 1, false);
  WorkCursor kept = of_160({train(0), 2, 4, 0, 0, {}}, 60, 60);
  list.recover(kept, {}, 2, true);
  EXPECT_EQ(list.size(), 3U);
  EXPECT_EQ(list.watermark_sum(), 75U);
  EXPECT_EQ(list.held_by(1), 1U);
  EXPECT_DOUBLE_EQ(list.fraction_done(), 75.0 / 320);
  EXPECT_TRUE(list.finish(1, of_160({train(6), 2, 5, 60, 0, {}}, 160, 160), {}));
  EXPECT_EQ(list.grant(1, 0, 1)->grant.work, train(1));
}

// Random grants, deaths, late reports: no item is ever held twice, terms only rise, and everything gets done.
TEST(WorkList, SurvivesAnyOrderOfEvents) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Rng rng(seed);
    WorkList list = of_partitions(static_cast<std::uint32_t>(1 + rng.below(6)));
    std::map<NodeId, std::vector<WorkGrant>> believed;  // with stale ones
    std::uint64_t newest = 0;
    for (int event = 0; event < 20000 && !list.all_done(); ++event) {
      const auto worker = static_cast<NodeId>(1 + rng.below(3));
      auto& mine = believed[worker];
      const std::uint64_t kind = rng.below(10);
      if (kind < 4) {
        const auto granted = list.grant(worker, static_cast<std::uint32_t>(list.held_by(worker)), 2);
        if (!granted.has_value()) continue;
        EXPECT_GT(granted->grant.term, newest);
        newest = granted->grant.term;
        mine.push_back(granted->grant);
      } else if (kind < 9 && !mine.empty()) {
        const WorkGrant& grant = rng.chance(0.5) ? mine.back() : mine[rng.below(mine.size())];
        const WorkEntry* entry = list.find(grant.work);
        const std::uint64_t watermark = std::min<std::uint64_t>(20, entry->watermark + rng.below(6));
        const bool current = entry->term == grant.term;
        const WorkCursor cursor =
            at(grant, watermark, (watermark - std::min(watermark, grant.first_batch)) * 10);
        if (watermark == 20) {
          EXPECT_EQ(list.finish(worker, cursor, {}), current);
        } else {
          EXPECT_EQ(list.progress(worker, cursor), current && !entry->done);
        }
      } else {
        list.release(worker);
      }
      std::map<WorkId, int> holders;
      for (const auto& [work, entry] : list.entries()) {
        if (entry.holder != 0) ++holders[work];
        EXPECT_FALSE(entry.done && entry.holder != 0);
      }
    }
    EXPECT_TRUE(list.all_done());
    EXPECT_EQ(list.totals().examples, list.size() * 200);
    EXPECT_DOUBLE_EQ(list.fraction_done(), 1.0);
  }
}

}  // namespace
}  // namespace capstan
