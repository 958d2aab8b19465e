#include "ps/optimizer/regularize.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "common/rng.h"
#include "ps/optimizer/row_updater.h"

namespace capstan {
namespace {

float step_once(const OptimizerSpec& spec, float weight, float gradient, std::uint32_t steps_since) {
  RowUpdater updater(spec, 1);
  std::vector<float> state(updater.state_floats() + 1);
  updater.begin(1);
  updater.init_state(&weight, state.data());
  updater.update(&weight, state.data(), &gradient, steps_since);
  return weight;
}

OptimizerSpec sgd(float l1, float l2, L2Mode mode) {
  OptimizerSpec spec;
  spec.kind = OptimizerKind::kSgd;
  spec.learning_rate = 0.1F;
  spec.l1 = l1;
  spec.l2 = l2;
  spec.l2_mode = mode;
  return spec;
}

TEST(Regularize, SumOfSquaresOfAnyLength) {
  for (std::uint32_t dim = 0; dim < 40; ++dim) {
    std::vector<float> values(dim);
    float expected = 0.0F;
    for (std::uint32_t i = 0; i < dim; ++i) {
      values[i] = static_cast<float>(i) - 7.0F;
      expected += values[i] * values[i];
    }
    EXPECT_EQ(sum_of_squares(values.data(), dim), expected) << dim;
  }
}

TEST(Regularize, ClipsToTheNormAndLeavesSmallerAlone) {
  std::vector<float> long_one = {3.0F, 4.0F};
  clip_to_norm(long_one.data(), 2, 1.0F);
  EXPECT_FLOAT_EQ(long_one[0], 0.6F);
  EXPECT_FLOAT_EQ(long_one[1], 0.8F);
  std::vector<float> short_one = {0.3F, 0.4F};
  clip_to_norm(short_one.data(), 2, 1.0F);
  EXPECT_EQ(short_one, (std::vector<float>{0.3F, 0.4F}));
}

TEST(Regularize, SoftThreshold) {
  std::vector<float> weights = {0.5F, -0.5F, 0.05F, -0.05F, 0.0F};
  soft_threshold(weights.data(), 5, 0.1F);
  EXPECT_FLOAT_EQ(weights[0], 0.4F);
  EXPECT_FLOAT_EQ(weights[1], -0.4F);
  for (const std::size_t i : {2U, 3U, 4U}) EXPECT_EQ(weights[i], 0.0F);
}

TEST(Regularize, L2PerTouchGoesThroughTheGradientOncePerPush) {
  // w - lr (g + l2 w) = 2 - 0.1 (1 + 0.5 * 2)
  EXPECT_FLOAT_EQ(step_once(sgd(0.0F, 0.5F, L2Mode::kPerTouch), 2.0F, 1.0F, 10), 1.8F);
}

TEST(Regularize, L2DecayedCatchesUpTheStepsMissed) {
  // 2 (1 - 0.1 * 0.5)^3 - 0.1
  EXPECT_FLOAT_EQ(step_once(sgd(0.0F, 0.5F, L2Mode::kDecayed), 2.0F, 1.0F, 3),
                  2.0F * std::pow(0.95F, 3.0F) - 0.1F);
}

TEST(Regularize, L2DecayedNeverTurnsAWeightsSign) {
  EXPECT_EQ(step_once(sgd(0.0F, 50.0F, L2Mode::kDecayed), 2.0F, 0.0F, 1), 0.0F);
}

TEST(Regularize, L2PerExampleIsTheWorkersBusiness) {
  EXPECT_FLOAT_EQ(step_once(sgd(0.0F, 0.5F, L2Mode::kPerExample), 2.0F, 1.0F, 1), 1.9F);
}

TEST(Regularize, L1ComesAfterTheStep) {
  // 0.05 - 0.1 * 0.1 = 0.04, then the threshold 0.1 * 0.3
  EXPECT_NEAR(step_once(sgd(0.3F, 0.0F, L2Mode::kPerTouch), 0.05F, 0.1F, 1), 0.01F, 1e-7F);
  EXPECT_EQ(step_once(sgd(0.5F, 0.0F, L2Mode::kPerTouch), 0.05F, 0.1F, 1), 0.0F);
}

TEST(Regularize, ClippingComesBeforeThePenalty) {
  OptimizerSpec spec = sgd(0.0F, 0.5F, L2Mode::kPerTouch);
  spec.clip_norm = 1.0F;
  EXPECT_FLOAT_EQ(step_once(spec, 2.0F, 10.0F, 1), 2.0F - 0.1F * (1.0F + 1.0F));
}

// A row touched at every step and a row touched once after n steps have been decayed by the same factor.
TEST(Regularize, DecayDoesNotDependOnHowOftenARowIsTouched) {
  const OptimizerSpec spec = sgd(0.0F, 0.2F, L2Mode::kDecayed);
  float often = 1.0F;
  for (int i = 0; i < 50; ++i) often = step_once(spec, often, 0.0F, 1);
  EXPECT_NEAR(step_once(spec, 1.0F, 0.0F, 50), often, 1e-5F);
}

}  // namespace
}  // namespace capstan
