// Small planted data: what a model can express it learns, what it cannot it does not.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/worker/nn/models/learner.h"

namespace capstan {
namespace {

std::vector<FieldInfo> two_fields() {
  return {make_field("user", FieldSource::kUser), make_field("item", FieldSource::kItem)};
}

constexpr Key kValues = 12;

// Every pair once; the label is whether the parities differ.
std::vector<TestExample> exclusive_or(Rng& rng) {
  std::vector<TestExample> pairs;
  for (Key user = 0; user < kValues; ++user) {
    for (Key item = 0; item < kValues; ++item) {
      pairs.push_back({{{user}, {item}}, {}, static_cast<float>((user ^ item) & 1)});
    }
  }
  for (std::size_t i = pairs.size(); i > 1; --i) std::swap(pairs[i - 1], pairs[rng.below(i)]);
  return pairs;
}

JobConfig job_of(std::string_view type) {
  JobConfig job;
  job.seed = 11;
  job.model.type = std::string(type);
  job.model.embedding_dim = 4;
  job.model.hidden = {16, 8};
  TableConfig all;
  all.init = InitSpec{.kind = InitKind::kNormal, .scale = 0.3F};
  job.tables["default"] = all;
  return job;
}

TEST(Learning, ExclusiveOrIsLearntByAllButTheLinearModel) {
  Rng rng(1);
  auto examples = exclusive_or(rng);
  const std::vector<TestExample> held_out(examples.end() - 40, examples.end());
  examples.resize(examples.size() - 40);
  for (const ModelEntry& entry : all_models()) {
    if (entry.type == "sequence") continue;  // needs a sequence: see sequence_test.cc
    Learner learner(job_of(entry.type), two_fields());
    const double before = learner.train(examples, 1, 0.0F);
    const double after = learner.train(examples, 300, 0.1F);
    if (entry.type == "lr") {
      EXPECT_GT(after, 0.6);
      EXPECT_LT(learner.auc(held_out), 0.65);
      continue;
    }
    EXPECT_GT(before, 0.5) << entry.type;
    EXPECT_LT(after, 0.1) << entry.type;
    // All that the net of dlrm sees of two fields is one number, their product.
    EXPECT_GT(learner.auc(held_out), entry.type == "dlrm" ? 0.8 : 0.95) << entry.type;
  }
}

TEST(Learning, LinearModelFindsMainEffectsOfKeysAndNumbers) {
  Rng rng(3);
  std::vector<FieldInfo> fields = two_fields();
  fields.push_back(make_field("price", FieldSource::kEvent, false, true));
  std::vector<TestExample> examples;
  for (int i = 0; i < 600; ++i) {
    const Key user = rng.below(6);
    const Key item = rng.below(6);
    const double price = rng.normal();
    const double logit = 2.0 * (static_cast<double>(user) - 2.5) + 2.0 * price;
    examples.push_back({{{user}, {item}, {}}, {static_cast<float>(price)}, logit > 0 ? 1.0F : 0.0F});
  }
  Learner learner(job_of("lr"), fields);
  EXPECT_LT(learner.train(examples, 300, 0.2F), 0.2);
  EXPECT_GT(learner.auc(examples), 0.98);
}

// Each user likes the items of their own half; groups are a liked item and two others.
TEST(Learning, RankingLossesPutLikedItemsFirst) {
  for (const LossKind kind : {LossKind::kBpr, LossKind::kSampledSoftmax}) {
    for (const std::string type : {"mf", "neumf"}) {
      Rng rng(4);
      std::vector<TestExample> examples;
      for (int i = 0; i < 200; ++i) {
        const Key user = rng.below(kValues);
        const auto add = [&](Key half, float label) {
          examples.push_back({{{user}, {2 * rng.below(kValues / 2) + half}}, {}, label});
        };
        add(user & 1, 1.0F);
        add((user & 1) ^ 1, 0.0F);
        add((user & 1) ^ 1, 0.0F);
      }
      JobConfig job = job_of(type);
      job.model.loss = kind;
      Learner learner(job, two_fields());
      EXPECT_LT(learner.train(examples, 200, 0.1F, 3), 0.1) << type;
      EXPECT_GT(learner.auc(examples), type == "mf" ? 0.9 : 0.8) << type;
    }
  }
}

// The batch of 64-32-1, ReLU, squared error of the sigmoid.
TEST(Learning, PlainMlpLearnsWithSquaredError) {
  Rng rng(5);
  const auto examples = exclusive_or(rng);
  JobConfig job = job_of("mlp");
  job.model.hidden = {64, 32};
  job.model.loss = LossKind::kMse;
  Learner learner(job, two_fields());
  EXPECT_LT(learner.train(examples, 200, 0.1F), 0.02);
}

TEST(Learning, FactorisationLearnsRatings) {
  Rng rng(6);
  std::vector<TestExample> examples;
  for (Key user = 0; user < 10; ++user) {
    for (Key item = 0; item < 10; ++item) {
      const double rating = 3.0 + 0.1 * static_cast<double>(user) + ((user ^ item) & 1 ? 1.0 : -1.0);
      examples.push_back({{{user}, {item}}, {}, static_cast<float>(rating)});
    }
  }
  JobConfig job = job_of("mf");
  job.task = Task::kRating;
  job.model.loss = LossKind::kMse;
  Learner learner(job, two_fields());
  EXPECT_LT(learner.train(examples, 500, 0.1F), 0.01);
}

}  // namespace
}  // namespace capstan
