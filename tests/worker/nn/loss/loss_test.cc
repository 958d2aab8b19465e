#include "worker/loss/loss.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "tests/worker/nn/finite_difference.h"
#include "worker/loss/bce.h"
#include "worker/loss/bpr.h"
#include "worker/loss/mse.h"
#include "worker/loss/sampled_softmax.h"
#include "worker/loss/ultragcn.h"

namespace capstan {
namespace {

struct Outcome {
  double sum;
  std::vector<float> gradient;
};

Outcome run(LossFunction function, std::vector<float>& scores, std::uint32_t cols, BatchData data,
            float scale = 1.0F) {
  const auto rows = static_cast<std::uint32_t>(scores.size() / cols);
  data.size = rows;
  Outcome outcome{0.0, std::vector<float>(scores.size())};
  const MicroBatch batch = data.view();
  outcome.sum = function({scores.data(), rows, cols}, batch, scale, {outcome.gradient.data(), rows, cols});
  return outcome;
}

// Labels, groups of three and log q; a loss reads what it needs. Square scores: items 0 and 2 are the same.
BatchData law_batch(const Loss& loss) {
  BatchData batch;
  batch.labels = {1, 0, 0.25F, 1, 0, 1};
  batch.group = loss.in_batch ? 1 : 3;
  batch.log_q = {-1, -2, -0.5F, -3, -1.5F, -2.5F};
  batch.items = {7, 8, 7, 9, 10, 11};
  batch.user_weights = {0.5F, 1, 0.3F, 2, 1, 0.7F};
  batch.item_weights = {1, 0.2F, 1, 0.6F, 0.9F, 3};
  batch.negative_weights = {3, 5, 3, 0.5F, 2, 1};
  return batch;
}

TEST(Losses, AgreeWithFiniteDifferences) {
  for (const Loss& loss : all_losses()) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      Rng rng(seed);
      const std::uint32_t cols = loss.in_batch ? 6 : 1;
      std::vector<float> scores(6 * cols);
      fill_random(scores, rng);
      const BatchData batch = law_batch(loss);
      const Outcome outcome = run(loss.function, scores, cols, batch, 0.5F);
      expect_gradient(
          std::string(loss.name) + ", seed " + std::to_string(seed), scores, outcome.gradient,
          [&] { return 0.5 * run(loss.function, scores, cols, batch).sum; }, 1e-2, 1e-3);
    }
  }
}

TEST(Losses, AreFiniteForScoresOfAnySizeAndNanForNan) {
  for (const Loss& loss : all_losses()) {
    const std::uint32_t cols = loss.in_batch ? 6 : 1;
    std::vector<float> scores(6 * cols, 1e4F);
    for (std::size_t i = 0; i < scores.size(); i += 2) scores[i] = -1e4F;
    const Outcome extreme = run(loss.function, scores, cols, law_batch(loss));
    EXPECT_TRUE(std::isfinite(extreme.sum)) << loss.name;
    for (const float value : extreme.gradient) EXPECT_TRUE(std::isfinite(value)) << loss.name;
    scores[0] = std::numeric_limits<float>::quiet_NaN();
    EXPECT_TRUE(std::isnan(run(loss.function, scores, cols, law_batch(loss)).sum)) << loss.name;
  }
}

TEST(Bce, ByHand) {
  std::vector<float> scores{0.0F, std::log(3.0F)};  // sigmoid 1/2 and 3/4
  const Outcome outcome = run(bce_loss, scores, 1, {.labels = {1, 0}}, 2.0F);
  EXPECT_NEAR(outcome.sum, std::log(2.0) + std::log(4.0), 1e-6);
  EXPECT_NEAR(outcome.gradient[0], 2 * -0.5, 1e-6);
  EXPECT_NEAR(outcome.gradient[1], 2 * 0.75, 1e-6);
}

TEST(Mse, ByHand) {
  std::vector<float> scores{3.0F, 1.0F};
  const Outcome outcome = run(mse_loss, scores, 1, {.labels = {1, 4}});
  EXPECT_NEAR(outcome.sum, 4.0 + 9.0, 1e-6);
  EXPECT_EQ(outcome.gradient, (std::vector<float>{4, -6}));
  std::vector<float> logits{0.0F};
  const Outcome of_sigmoid = run(sigmoid_mse_loss, logits, 1, {.labels = {1}});
  EXPECT_NEAR(of_sigmoid.sum, 0.25, 1e-6);
  EXPECT_NEAR(of_sigmoid.gradient[0], 2 * -0.5 * 0.25, 1e-6);
}

TEST(Bpr, ByHand) {
  const float three = std::log(3.0F);
  std::vector<float> scores{three, 0.0F, three, 1.0F, 1.0F, 1.0F};  // margins ln 3, 0; 0, 0
  const Outcome outcome = run(bpr_loss, scores, 1, {.group = 3});
  EXPECT_NEAR(outcome.sum, 0.5 * (std::log(4.0 / 3) + std::log(2.0)) + std::log(2.0), 1e-6);
  EXPECT_NEAR(outcome.gradient[1], 0.5 * 0.25, 1e-6);
  EXPECT_NEAR(outcome.gradient[2], 0.5 * 0.5, 1e-6);
  EXPECT_NEAR(outcome.gradient[0], -0.375, 1e-6);
  EXPECT_NEAR(outcome.gradient[3], -0.5, 1e-6);
}

TEST(SampledSoftmax, ByHand) {
  std::vector<float> scores{0.0F, 0.0F, 0.0F};
  EXPECT_NEAR(run(sampled_softmax_loss, scores, 1, {.group = 3}).sum, std::log(3.0), 1e-6);
  // exp(s - log q) is 1/q: 2, 4, 2.
  const BatchData corrected{.group = 3, .log_q = {std::log(0.5F), std::log(0.25F), std::log(0.5F)}};
  const Outcome outcome = run(sampled_softmax_loss, scores, 1, corrected);
  EXPECT_NEAR(outcome.sum, std::log(4.0), 1e-6);
  EXPECT_NEAR(outcome.gradient[0], 0.25 - 1, 1e-6);
  EXPECT_NEAR(outcome.gradient[1], 0.5, 1e-6);
}

TEST(InBatchSoftmax, LeavesOutTheSameItem) {
  std::vector<float> scores(9, 0.0F);
  const Outcome all = run(in_batch_softmax_loss, scores, 3, {});
  EXPECT_NEAR(all.sum, 3 * std::log(3.0), 1e-6);
  const Outcome outcome = run(in_batch_softmax_loss, scores, 3, {.items = {5, 6, 5}});
  EXPECT_NEAR(outcome.sum, 2 * std::log(2.0) + std::log(3.0), 1e-6);
  EXPECT_EQ(outcome.gradient[2], 0.0F);
  EXPECT_NEAR(outcome.gradient[1], 0.5, 1e-6);
}

// With the correction, drawing an item often does not make it look worse: the expected gradient of a sample
// over all draws goes to that of the full softmax as the sample grows; without it, the often drawn item is
// pushed too far down.
TEST(SampledSoftmax, CorrectionRemovesTheBiasOfTheSampler) {
  constexpr std::uint32_t kSample = 400;
  const std::vector<double> q{0.7, 0.1, 0.1, 0.1};
  const auto share_of_first = [&](bool corrected) {
    Rng rng(9);
    double first = 0;
    for (int round = 0; round < 50; ++round) {
      std::vector<float> scores(kSample, 0.0F);
      BatchData batch{.group = kSample};
      std::vector<std::uint32_t> items(kSample);
      for (std::uint32_t i = 1; i < kSample; ++i) {
        const double u = rng.uniform();
        items[i] = u < 0.7 ? 0 : 1 + static_cast<std::uint32_t>((u - 0.7) / 0.1 > 2 ? 2 : (u - 0.7) / 0.1);
        if (corrected) batch.log_q.resize(kSample);
        if (corrected) batch.log_q[i] = static_cast<float>(std::log(kSample * q[items[i]]));
      }
      const Outcome outcome = run(sampled_softmax_loss, scores, 1, batch);
      for (std::uint32_t i = 1; i < kSample; ++i) first += items[i] == 0 ? outcome.gradient[i] / 50.0 : 0.0;
    }
    return first;
  };
  EXPECT_NEAR(share_of_first(true), 0.2, 0.02);  // one positive of weight 1, four items of weight about 1
  EXPECT_GT(share_of_first(false), 0.6);
}

TEST(UltraGcn, ByHand) {
  const PairWeights weights = ultragcn_weights({.user = 3, .item = 24}, 2.0, 300.0);
  EXPECT_NEAR(weights.user * weights.item, 2.0 / 3 / 5, 1e-6);
  EXPECT_NEAR(weights.negative, 300.0 / 5 / 2, 1e-5);

  const float three = std::log(3.0F);  // softplus(ln 3) = ln 4
  std::vector<float> scores{-three, three, three, 0.0F};
  BatchData batch{.items = {5, 6}};
  batch.user_weights = {2, 1};
  batch.item_weights = {0.5F, 1};
  batch.negative_weights = {4, 6};
  const Outcome outcome = run(ultragcn_loss, scores, 2, batch);
  const double first = 2 * (0.5 * std::log(4.0) + 0.5 * 6 * std::log(4.0));
  const double second = std::log(2.0) + 0.5 * 4 * std::log(4.0);
  EXPECT_NEAR(outcome.sum, first + second, 1e-5);
  EXPECT_NEAR(outcome.gradient[0], -0.75, 1e-6);
  EXPECT_NEAR(outcome.gradient[1], 2 * 0.5 * 6 * 0.75, 1e-5);
  EXPECT_NEAR(outcome.gradient[2], 0.5 * 4 * 0.75, 1e-5);
  EXPECT_NEAR(outcome.gradient[3], -0.5, 1e-6);

  batch.items = {5, 5};
  const Outcome same = run(ultragcn_loss, scores, 2, batch);
  EXPECT_NEAR(same.sum, std::log(4.0) + std::log(2.0), 1e-6);
  EXPECT_EQ(same.gradient[1], 0.0F);
}

TEST(Losses, AreChosenByTheJob) {
  JobConfig job;
  job.model.loss = LossKind::kMse;
  job.task = Task::kRating;
  EXPECT_EQ(loss_of(job).name, "mse");
  job.task = Task::kCtr;
  EXPECT_EQ(loss_of(job).name, "mse of sigmoid");
  job.model.loss = LossKind::kSampledSoftmax;
  EXPECT_EQ(loss_of(job).name, "sampled softmax");
  job.data.negatives.sampler = Sampler::kInBatch;
  EXPECT_EQ(loss_of(job).name, "in-batch softmax");
  job.model.loss = LossKind::kBpr;
  EXPECT_EQ(loss_of(job).name, "bpr");
  MicroBatch batch;
  batch.size = 12;
  batch.group = 4;
  EXPECT_EQ(loss_of(job).count(batch), 3U);
}

}  // namespace
}  // namespace capstan
