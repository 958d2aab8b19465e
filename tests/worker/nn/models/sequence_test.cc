// Sequence models: sequences without padding, what order is worth, and what is learnt of nothing.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "tests/worker/nn/models/learner.h"
#include "worker/nn/sequences.h"

namespace capstan {
namespace {

constexpr SequenceEncoder kEncoders[] = {SequenceEncoder::kSasrec, SequenceEncoder::kGru4rec,
                                         SequenceEncoder::kCaser};

std::vector<FieldInfo> sequence_fields() {
  std::vector<FieldInfo> fields{make_field("user", FieldSource::kUser),
                                make_field("item", FieldSource::kItem),
                                make_field("before", FieldSource::kEvent, true)};
  fields[2].table = "item";
  return fields;
}

JobConfig sequence_job(SequenceEncoder encoder) {
  JobConfig job;
  job.seed = 5;
  job.model.type = "sequence";
  job.model.encoder = encoder;
  job.model.embedding_dim = 4;
  job.tables["default"].init = InitSpec{.kind = InitKind::kNormal, .scale = 0.4F};
  return job;
}

std::vector<std::uint32_t> values(std::span<const std::uint32_t> span) {
  return {span.begin(), span.end()};
}

TEST(Sequences, ArePackedWithoutPaddingAndCutAtTheirBeginning) {
  constexpr std::uint32_t kNone = Sequences::kNone;
  BatchData data;
  data.size = 4;
  data.fields.resize(1);
  data.fields[0].offsets = {0, 3, 3, 5, 6};
  data.fields[0].positions = {7, 8, 9, 5, 6, 4};
  Arena arena;
  const Sequences apart = pack(arena, data.view(), 0, 2);
  EXPECT_EQ(values(apart.starts), (std::vector<std::uint32_t>{0, 2, 4, 5}));
  EXPECT_EQ(values(apart.entries), (std::vector<std::uint32_t>{1, 2, 3, 4, 5}));
  EXPECT_EQ(values(apart.last), (std::vector<std::uint32_t>{1, kNone, 3, 4}));

  // Examples 0 to 2 have the first 1, 3 and 4 of four entries before them, example 3 the fifth.
  data.fields[0].offsets = {0, 0, 0, 4, 5};
  data.fields[0].positions = {7, 8, 9, 5, 6};
  data.fields[0].ends = {1, 3, 4, 5};
  const Sequences shared = pack(arena, data.view(), 0, 3);
  EXPECT_EQ(values(shared.starts), (std::vector<std::uint32_t>{0, 3, 4}));
  EXPECT_EQ(values(shared.entries), (std::vector<std::uint32_t>{1, 2, 3, 4}));
  EXPECT_EQ(values(shared.last), (std::vector<std::uint32_t>{kNone, 1, 2, 3}));
}

struct Target {
  std::size_t length;
  Key item;
};

// Two sequences with targets at several places, either once each or every target with its own copy.
class Pasts {
 public:
  Pasts(const JobConfig& job, bool share, std::uint32_t micro_batch)
      : model_(std::move(make_model(job, sequence_fields())).value()),
        cluster_(model_->tables()),
        builder_(model_->tables(), 4),
        backprop_(*model_, loss_of(job), micro_batch) {
    add({1, 4, 2, 2, 0}, {{1, 4}, {1, 3}, {2, 2}, {4, 0}, {5, 5}}, share);
    add({3, 1}, {{2, 2}, {1, 1}, {0, 4}}, share);
    add({5, 5, 1}, {{3, 0}}, share);
    step_ = builder_.finish();
    cluster_.pull(step_);
  }
  std::vector<float> scores() {
    std::vector<float> result(builder_.data().size);
    backprop_.score(builder_.data().view(), step_, result);
    return result;
  }
  std::vector<float> gradients() {
    EXPECT_TRUE(backprop_.train(builder_.data().view(), step_, 1.0F).ok());
    std::vector<float> all;
    for (const StepTable& table : step_)
      all.insert(all.end(), table.gradients.begin(), table.gradients.end());
    return all;
  }
  std::size_t entries() { return builder_.data().fields[2].positions.size(); }

 private:
  void add(const std::vector<Key>& sequence, const std::vector<Target>& targets, bool share) {
    if (share) builder_.lay(2, sequence, {});
    for (const auto& [length, item] : targets) {
      if (model_->tables().key_set_of(0)) builder_.add(0, std::vector<Key>{sequence[0] % 2}, {});
      builder_.add(1, std::vector<Key>{item}, {});
      if (share) {
        builder_.share(2, length);
      } else {
        builder_.add(2, std::span(sequence).first(length), {});
      }
      BatchData& data = builder_.data();
      data.labels.push_back(static_cast<float>(data.size % 2));
      data.dropout_seeds.push_back(combine(9, data.size++));
    }
  }

  std::unique_ptr<Model> model_;
  LocalCluster cluster_;
  BatchBuilder builder_;
  Backprop backprop_;
  std::vector<StepTable> step_;
};

void expect_near(const std::vector<float>& a, const std::vector<float>& b, const std::string& what) {
  ASSERT_EQ(a.size(), b.size()) << what;
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-5) << what << " " << i;
}

// What makes one pass over a sequence enough for all its targets: nothing looks ahead.
TEST(Sequences, AreReadOnceForAllTheirTargets) {
  for (const SequenceEncoder encoder : kEncoders) {
    Pasts shared(sequence_job(encoder), true, 100), apart(sequence_job(encoder), false, 100);
    EXPECT_EQ(shared.entries(), 10U);
    EXPECT_EQ(apart.entries(), 19U);
    expect_near(shared.scores(), apart.scores(), "scores");
    expect_near(shared.gradients(), apart.gradients(), "gradients");
  }
}

TEST(Sequences, AreNeverCutByMicroBatches) {
  for (const SequenceEncoder encoder : kEncoders) {
    JobConfig job = sequence_job(encoder);
    job.model.dropout = 0.4;
    Pasts whole(job, true, 100), parts(job, true, 1);
    expect_near(whole.gradients(), parts.gradients(), "gradients");
  }
}

constexpr Key kItems = 12;

// The last of four items is noise; the one before it says which item comes next, or else a chance one.
std::vector<TestExample> ordered_clicks(std::uint32_t count, std::uint64_t seed) {
  Rng rng(seed);
  std::vector<TestExample> examples(count);
  for (TestExample& example : examples) {
    std::vector<Key> before(4);
    for (Key& item : before) item = rng.below(kItems);
    const Key next = (5 * before[2] + 1) % kItems;
    const Key item = rng.below(2) == 0 ? next : rng.below(kItems);
    example.keys = {{rng.below(3)}, {item}, before};
    example.label = item == next ? 1.0F : 0.0F;
  }
  return examples;
}

double auc_of(const JobConfig& job, const std::vector<TestExample>& train,
              const std::vector<TestExample>& test, int passes) {
  Learner learner(job, sequence_fields());
  learner.train(train, passes, 0.1F);
  return learner.auc(test);
}

JobConfig learning_job(SequenceEncoder encoder) {
  JobConfig job = sequence_job(encoder);
  job.model.embedding_dim = 12;
  job.model.blocks = 1;
  job.model.window = 3;
  job.model.filters = 8;
  return job;
}

TEST(Sequences, WhatReadsThemAndTheirOrderAreWorthTheirMargins) {
  const auto train = ordered_clicks(2500, 1), test = ordered_clicks(4000, 2);
  Rng rng(3);
  auto mixed = train;
  for (TestExample& example : mixed) {
    for (std::size_t i = 4; i > 1; --i) std::swap(example.keys[2][i - 1], example.keys[2][rng.below(i)]);
  }
  for (const SequenceEncoder encoder : kEncoders) {
    const JobConfig with = learning_job(encoder);
    JobConfig latest_alone = with;
    latest_alone.model.blocks = 0;
    latest_alone.model.window = 1;
    SCOPED_TRACE(static_cast<int>(encoder));
    const double kept = auc_of(with, train, test, 120);
    EXPECT_GT(kept, auc_of(latest_alone, train, test, 120) + 0.25);
    EXPECT_GT(kept, auc_of(with, mixed, test, 120) + 0.1);
  }
}

TEST(Sequences, ShuffledLabelsTeachNothing) {
  auto all = ordered_clicks(42'000, 4);
  Rng rng(5);
  for (std::size_t i = all.size(); i > 1; --i) std::swap(all[i - 1].label, all[rng.below(i)].label);
  const std::vector<TestExample> test(all.begin() + 2000, all.end());
  all.resize(2000);
  for (const SequenceEncoder encoder : kEncoders)
    EXPECT_NEAR(auc_of(learning_job(encoder), all, test, 40), 0.5, 0.01);
}

}  // namespace
}  // namespace capstan
