// Trainer and WorkRun: leased items on their way, against a scheduler and servers played by hand.
#include "worker/train/trainer.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/worker/train/played_cluster.h"

namespace capstan {
namespace {

constexpr std::uint64_t kBatches = 6;  // unless the test says otherwise

// Every batch touches one key of shard 0 and one of shard 1; batches of `bad` cannot be computed.
class TinyProgram final : public StepProgram {
 public:
  explicit TinyProgram(std::vector<TableSpec> specs) : specs_(std::move(specs)) {}

  const ProgramInfo& info() const override { return info_; }
  const std::vector<TableSpec>& tables() const override { return specs_; }
  std::uint64_t num_batches(const WorkItem& item) const override {
    return item.kind == WorkKind::kTrain ? batches : 1;
  }
  Status build(const WorkItem& item, std::uint64_t, Step& step) override {
    partitions.insert(item.partition);
    StepTable table;
    for (Key key = 0; table.keys.size() < 2; ++key) {
      if (shard_of(key, kPlayedShards) == table.keys.size()) table.keys.push_back(key);
    }
    step.tables.push_back(std::move(table));
    return ok_status();
  }
  Status compute(const WorkItem& item, Step& step) override {
    computed.push_back(step.batch);
    if (bad.contains(step.batch))
      return make_error(ErrorCode::kInvalid, fmt::format("batch {} has a NaN", step.batch));
    step.examples = 10;
    step.loss_sum = 5.0;
    if (item.kind == WorkKind::kTrain) step.tables[0].gradients.assign(4, 1.0F);
    return ok_status();
  }
  Result<Buffer> finish(const WorkItem& item) override {
    return item.kind == WorkKind::kTrain ? Buffer() : Buffer::copy_of(std::string_view("result"));
  }

  std::uint64_t batches = kBatches;
  std::set<std::uint64_t> bad;
  std::vector<std::uint64_t> computed;
  std::set<std::uint32_t> partitions;

 private:
  std::vector<TableSpec> specs_;
  ProgramInfo info_;
};

class TrainerTest : public PlayedCluster {
 protected:
  void make(Consistency consistency = Consistency::kAsync) {
    program = std::make_shared<TinyProgram>(specs);
    on_scheduler = [this](const Message& message) { return trainer_says(message); };
    TrainOptions options;
    options.consistency = consistency;
    options.staleness = 2;
    options.push_window = 2;
    options.pipeline_depth = 2;
    options.num_shards = kPlayedShards;
    options.max_bad_batches = 2;
    trainer = std::make_unique<Trainer>(node.loop(), *rpc, Log::silent(), *link, *peers, node.tasks(),
                                        program, options);
    on_change = [this] { trainer->resume(); };
  }
  std::optional<Message> trainer_says(const Message& message) {
    if (std::holds_alternative<WorkRequest>(message)) {
      held = std::get<WorkRequest>(message).held;
      if (grants.empty()) return NoWork{20, "nothing"};
      const WorkGrant grant = grants.front();
      grants.erase(grants.begin());
      return grant;
    }
    if (const auto* progress = std::get_if<WorkProgress>(&message)) {
      cursor = progress->cursors.at(0);
      WorkProgressReply reply{std::vector<std::uint32_t>(revokes ? 1 : 0, 0U), 0, {}};
      if (wished_end != 0) reply.wishes = {{0, wished_end}, {7, 1}};
      ++reports;
      return reply;
    }
    if (const auto* finished = std::get_if<WorkDone>(&message)) {
      dones.push_back(*finished);
      if (lose_dones-- > 0) return std::nullopt;
      return WorkDoneReply{true};
    }
    return std::nullopt;
  }
  void grant(std::uint64_t term, std::uint64_t first_batch, std::uint8_t kind = 0) {
    grants.push_back(WorkGrant{{kind, 3, 1, kind == 0 ? "" : "test"}, 2, term, first_batch, 0, {}});
  }
  std::vector<std::uint64_t> pushed() const {
    std::vector<std::uint64_t> sequences;
    for (const Push& push : pushes) sequences.push_back(push.sequence);
    return sequences;
  }

  std::shared_ptr<TinyProgram> program;
  std::unique_ptr<Trainer> trainer;
  std::vector<WorkGrant> grants;
  std::vector<WorkDone> dones;
  WorkCursor cursor;
  std::uint32_t held = 0;
  int lose_dones = 0;
  bool revokes = false;
  std::uint64_t wished_end = 0;
  int reports = 0;
};

TEST_F(TrainerTest, TrainsAnItemFromItsFirstBatchToItsLast) {
  make();
  grant(40, 2);
  trainer->start();
  world.run_for(seconds(2));
  EXPECT_EQ(pushed(), (std::vector<std::uint64_t>{3, 4, 5, 6})) << "batch n is sequence n + 1";
  ASSERT_EQ(dones.size(), 1U);
  const WorkCursor& end = dones[0].cursor;
  EXPECT_EQ(dones[0].error, "");
  EXPECT_EQ(end.term, 40U);
  EXPECT_EQ(end.watermark, kBatches);
  EXPECT_EQ(end.batches, kBatches);
  EXPECT_EQ(end.examples, 40U) << "since the grant";
  EXPECT_EQ(end.slices, 8U);
  EXPECT_DOUBLE_EQ(end.loss_sum, 20.0);
  EXPECT_TRUE(trainer->idle());
  EXPECT_NE(trainer->stats_json().find(R"("pushes_sent":8,"pushes_abandoned":0)"), std::string::npos);
}

// The scheduler says where the job is; in between a worker knows of its own batches.
TEST_F(TrainerTest, PushesSayTheStepOfTheJob) {
  make();
  grant(40, 2);
  grants.back().steps = 100;
  grant(41, 2);
  trainer->start();
  world.run_for(seconds(2));
  std::vector<std::uint64_t> steps;
  for (const Push& push : pushes) steps.push_back(push.step);
  ASSERT_EQ(steps.size(), 8U);
  std::sort(steps.begin(), steps.end());
  for (std::size_t i = 0; i < steps.size(); ++i) EXPECT_EQ(steps[i], 101 + i);
}

TEST_F(TrainerTest, GivesTheResultOfAnEvaluationAndPushesNothing) {
  make();
  grant(41, 0, 1);
  trainer->start();
  world.run_for(seconds(2));
  ASSERT_EQ(dones.size(), 1U);
  EXPECT_EQ(dones[0].result.text(), "result");
  EXPECT_TRUE(pushes.empty());
  ASSERT_EQ(pulls.size(), 1U);
  EXPECT_EQ(pulls[0].pass, 4U) << "the rows as the next pass will find them";
}

TEST_F(TrainerTest, NoMoreThanTheWindowIsUnderWay) {
  make();
  on_push = [](const Message&) { return std::nullopt; };
  grant(40, 0);
  trainer->start();
  world.run_for(seconds(3));
  EXPECT_EQ(pushed(), (std::vector<std::uint64_t>{1, 2})) << "push_window: 2";
  EXPECT_EQ(cursor.watermark, 0U);
  EXPECT_EQ(cursor.slices, 0U);
  EXPECT_EQ(cursor.examples, 0U) << "who goes on from the watermark will count them";
  on_push = {};
  world.run_for(seconds(20));
  ASSERT_EQ(dones.size(), 1U);
  EXPECT_EQ(dones[0].cursor.slices, 2 * kBatches);
}

// Batch 2 is acknowledged before batch 1: a cut must not believe in batch 1.
TEST_F(TrainerTest, TheWatermarkWaitsForTheFirstGap) {
  make();
  on_push = [this](const Message& message) -> std::optional<Message> {
    const auto& push = std::get<Push>(message);
    return push.sequence == 1 && world.elapsed() < seconds(4)
               ? std::nullopt
               : std::optional(all_slices(push, SliceStatus::kOk));
  };
  grant(40, 0);
  trainer->start();
  world.run_for(seconds(2));
  EXPECT_GE(pushes.size(), 2U);
  EXPECT_EQ(cursor.watermark, 0U);
  world.run_for(seconds(20));
  ASSERT_EQ(dones.size(), 1U);
}

TEST_F(TrainerTest, ABadBatchIsLeftOutAndTrainingGoesOn) {
  make();
  program->bad = {1, 4};
  grant(40, 0);
  trainer->start();
  world.run_for(seconds(2));
  ASSERT_EQ(dones.size(), 1U);
  EXPECT_EQ(dones[0].error, "");
  EXPECT_EQ(dones[0].cursor.bad_batches, 2U);
  EXPECT_EQ(dones[0].cursor.examples, 40U);
  EXPECT_EQ(pushed(), (std::vector<std::uint64_t>{1, 3, 4, 6}));
  EXPECT_EQ(pushes[1].slices[0].previous, 1U) << "batch 1 was never sent";
}

TEST_F(TrainerTest, ABadBatchOfASteppedJobIsPushedEmpty) {
  make(Consistency::kBounded);
  program->bad = {1};
  grant(40, 0);
  trainer->start();
  world.run_for(seconds(2));
  ASSERT_EQ(pushes.size(), kBatches) << "every slot reports every step";
  for (const PushSlice& slice : pushes[1].slices) EXPECT_TRUE(slice.sections.empty());
  EXPECT_EQ(dones.at(0).cursor.bad_batches, 1U);
}

TEST_F(TrainerTest, TooManyBadBatchesFailTheItem) {
  make();
  program->bad = {0, 2, 3};
  grant(40, 0);
  trainer->start();
  world.run_for(seconds(2));
  ASSERT_EQ(dones.size(), 1U);
  EXPECT_EQ(dones[0].error,
            "more than train.max_bad_batches = 2 batches were refused; the last: batch 3 has a NaN");
}

TEST_F(TrainerTest, ARevokedItemIsAbandonedAndWorkAskedForAnew) {
  make();
  on_push = [](const Message&) { return std::nullopt; };
  grant(40, 0);
  trainer->start();
  world.run_for(milliseconds(150));
  EXPECT_EQ(held, 1U);
  revokes = true;
  world.run_for(seconds(1));
  const std::size_t sent = pushes.size();
  EXPECT_EQ(sent, 2U);
  EXPECT_TRUE(trainer->idle());
  world.run_for(seconds(10));
  EXPECT_EQ(pushes.size(), sent) << "nothing is sent again";
  EXPECT_EQ(held, 0U);
  EXPECT_TRUE(dones.empty());
  EXPECT_NE(trainer->stats_json().find(R"("pushes_sent":4,"pushes_abandoned":4)"), std::string::npos)
      << trainer->stats_json();
}

TEST_F(TrainerTest, AFencedItemIsGivenUp) {
  make();
  on_push = [](const Message& message) {
    return std::optional(all_slices(std::get<Push>(message), SliceStatus::kFenced));
  };
  grant(40, 0);
  trainer->start();
  world.run_for(seconds(2));
  EXPECT_TRUE(trainer->idle());
  EXPECT_TRUE(dones.empty());
}

TEST_F(TrainerTest, WhatIsDoneIsHandedInUntilItIsHeard) {
  make();
  lose_dones = 2;
  grant(40, 0);
  trainer->start();
  world.run_for(seconds(10));
  EXPECT_EQ(dones.size(), 3U);
  EXPECT_EQ(dones[2].cursor.slices, dones[0].cursor.slices);
  EXPECT_TRUE(trainer->idle());
}

TEST_F(TrainerTest, AGrantThatComesTwiceIsOneItem) {
  make();
  grant(40, 0);
  grant(40, 0);
  trainer->start();
  world.run_for(seconds(2));
  EXPECT_EQ(dones.size(), 1U);
  EXPECT_EQ(pushes.size(), kBatches);
}

// sync: a step is pulled once the one before is acknowledged; bounded: `staleness` steps may be missing.
TEST_F(TrainerTest, PullsAskForTheStepsThatTheirModePromises) {
  for (const bool sync : {true, false}) {
    pulls.clear();
    make(sync ? Consistency::kSync : Consistency::kBounded);
    grant(40, 0);
    trainer->start();
    world.run_for(seconds(2));
    ASSERT_EQ(pulls.size(), kBatches);
    for (std::uint64_t step = 0; step < kBatches; ++step) {
      EXPECT_EQ(pulls[step].needs_clock, sync ? step : step - std::min<std::uint64_t>(step, 2));
    }
    on_change = {};
  }
}

TEST_F(TrainerTest, SyncPullsAStepOnlyWhenTheOneBeforeIsAcknowledged) {
  make(Consistency::kSync);
  on_push = [](const Message&) { return std::nullopt; };
  grant(40, 0);
  trainer->start();
  world.run_for(seconds(2));
  EXPECT_EQ(pulls.size(), 1U);
  EXPECT_EQ(pushed(), std::vector<std::uint64_t>{1});
}

// 64 batches in four segments; no push is answered until `on_push` is taken away.
class LeavingTest : public TrainerTest {
 protected:
  void begin(std::uint64_t first_batch, Consistency consistency = Consistency::kAsync) {
    make(consistency);
    program->batches = 64;
    on_push = [](const Message&) { return std::nullopt; };
    grant(40, first_batch);
    trainer->start();
    world.run_for(milliseconds(500));
  }
  void wish(std::uint64_t end) {
    wished_end = end;
    world.run_for(milliseconds(500));
  }
  void go_on() {
    wished_end = 0;
    on_push = {};
    world.run_for(seconds(30));
    ASSERT_EQ(dones.size(), 1U);
  }
  std::uint64_t last_pushed() const {
    std::uint64_t last = 0;
    for (const Push& push : pushes) last = std::max(last, push.sequence - 1);
    return last;
  }
};

TEST_F(LeavingTest, TheHolderEndsWhereItIsAskedTo) {
  begin(0);
  EXPECT_EQ(cursor.end, 64U);
  wish(32);
  EXPECT_EQ(cursor.end, 32U) << "it has said so";
  EXPECT_EQ(cursor.batches, 64U);
  EXPECT_TRUE(dones.empty());
  go_on();
  EXPECT_EQ(dones[0].cursor.watermark, 32U);
  EXPECT_EQ(dones[0].cursor.end, 32U);
  EXPECT_EQ(dones[0].cursor.examples, 320U);
  EXPECT_EQ(last_pushed(), 31U);
  EXPECT_EQ(pushes.back().partition, 3U) << "partition 1 of 2, its second segment";
}

// Under way are the batches of the window and the pipeline: 14 to 17.
TEST_F(LeavingTest, WhatHasBegunIsKept) {
  begin(14);
  wish(16);
  EXPECT_EQ(cursor.end, 32U) << "the next segment that is whole";
  wish(16);
  EXPECT_EQ(cursor.end, 32U);
  go_on();
  EXPECT_EQ(last_pushed(), 31U);
}

TEST_F(LeavingTest, NothingIsLeftOfTheLastSegment) {
  begin(45);
  const int before = reports;
  wish(48);
  EXPECT_EQ(cursor.end, 64U);
  EXPECT_LE(reports, before + 4) << "it does not say so again and again";
  go_on();
  EXPECT_EQ(last_pushed(), 63U);
}

TEST_F(LeavingTest, AnItemThatWasLeftHasItsEndFromTheGrant) {
  make();
  program->batches = 64;
  grants.push_back(WorkGrant{{0, 3, 3, ""}, 2, 41, 16, 0, {}, 32});
  trainer->start();
  world.run_for(seconds(30));
  ASSERT_EQ(dones.size(), 1U);
  EXPECT_EQ(dones[0].cursor.work.partition, 3U);
  EXPECT_EQ(dones[0].cursor.watermark, 32U);
  EXPECT_EQ(dones[0].cursor.end, 32U);
  EXPECT_EQ(dones[0].cursor.batches, 64U);
  EXPECT_EQ(pushes.front().sequence, 17U);
  EXPECT_EQ(pushes.front().partition, 3U);
  EXPECT_EQ(program->partitions, std::set<std::uint32_t>{1}) << "the batches are those of the partition";
}

TEST_F(LeavingTest, ASlotIsNotSplit) {
  begin(0, Consistency::kBounded);
  wish(32);
  EXPECT_EQ(cursor.end, 64U);
  go_on();
  EXPECT_EQ(pushes.back().partition, 1U);
}

}  // namespace
}  // namespace capstan
