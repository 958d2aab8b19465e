// Each optimizer's first steps by hand.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "ps/optimizer/registry.h"

namespace capstan {
namespace {

constexpr float kRate = 0.1F;

struct Row {
  std::vector<float> weights;
  std::vector<float> state;
};

Row start(const Optimizer& optimizer, std::vector<float> weights) {
  const auto dim = static_cast<std::uint32_t>(weights.size());
  Row row{std::move(weights), std::vector<float>(optimizer.state_floats(dim))};
  optimizer.init_state(row.weights.data(), row.state.data(), dim, kRate);
  return row;
}

void step(const Optimizer& optimizer, Row& row, const std::vector<float>& gradient) {
  optimizer.update(row.weights.data(), row.state.data(), gradient.data(),
                   static_cast<std::uint32_t>(row.weights.size()), kRate);
}

OptimizerSpec of(OptimizerKind kind) {
  OptimizerSpec spec;
  spec.kind = kind;
  return spec;
}

TEST(HandComputed, Sgd) {
  const auto sgd = make_optimizer(of(OptimizerKind::kSgd));
  Row row = start(*sgd, {1.0F, -2.0F});
  EXPECT_TRUE(row.state.empty());
  step(*sgd, row, {0.5F, -1.0F});
  EXPECT_FLOAT_EQ(row.weights[0], 0.95F);
  EXPECT_FLOAT_EQ(row.weights[1], -1.9F);
}

TEST(HandComputed, Adagrad) {
  OptimizerSpec spec = of(OptimizerKind::kAdagrad);
  spec.initial_accumulator = 0.75F;
  spec.epsilon = 0.0F;
  const auto adagrad = make_optimizer(spec);
  Row row = start(*adagrad, {1.0F, 1.0F});
  ASSERT_EQ(row.state, (std::vector<float>{0.75F, 0.75F}));
  step(*adagrad, row, {0.5F, 0.0F});  // G = 0.75 + 0.25 = 1; w = 1 - 0.1 * 0.5 / 1
  EXPECT_FLOAT_EQ(row.state[0], 1.0F);
  EXPECT_FLOAT_EQ(row.weights[0], 0.95F);
  EXPECT_EQ(row.weights[1], 1.0F);
  step(*adagrad, row, {-1.5F, 0.0F});  // G = 1 + 2.25 = 3.25; w += 0.15 / sqrt(3.25)
  EXPECT_FLOAT_EQ(row.weights[0], 0.95F + 0.15F / std::sqrt(3.25F));
}

TEST(HandComputed, RowwiseAdagrad) {
  OptimizerSpec spec = of(OptimizerKind::kRowwiseAdagrad);
  spec.initial_accumulator = 1.5F;
  spec.epsilon = 0.0F;
  const auto rowwise = make_optimizer(spec);
  Row row = start(*rowwise, {0.0F, 0.0F});
  ASSERT_EQ(row.state, std::vector<float>{1.5F});
  step(*rowwise, row, {1.0F, 2.0F});  // G = 1.5 + (1 + 4) / 2 = 4; w = -0.1 g / 2
  EXPECT_FLOAT_EQ(row.state[0], 4.0F);
  EXPECT_FLOAT_EQ(row.weights[0], -0.05F);
  EXPECT_FLOAT_EQ(row.weights[1], -0.1F);
}

TEST(HandComputed, AdamsFirstStepIsTheLearningRateWhateverTheGradientsSize) {
  OptimizerSpec spec = of(OptimizerKind::kAdam);
  const auto adam = make_optimizer(spec);
  Row row = start(*adam, {1.0F, 1.0F});
  ASSERT_EQ(row.state.size(), 5U);
  step(*adam, row, {0.001F, -50.0F});
  EXPECT_NEAR(row.weights[0], 0.9F, 1e-5F);
  EXPECT_NEAR(row.weights[1], 1.1F, 1e-6F);
  EXPECT_FLOAT_EQ(row.state[1], -5.0F);    // m = 0.1 g
  EXPECT_NEAR(row.state[3], 2.5F, 1e-4F);  // v = 0.001 g^2
  EXPECT_EQ(row.state[4], 1.0F);
}

TEST(HandComputed, AdamsSecondStep) {
  const auto adam = make_optimizer(of(OptimizerKind::kAdam));
  Row row = start(*adam, {0.0F});
  step(*adam, row, {1.0F});
  step(*adam, row, {3.0F});
  // m = 0.9 * 0.1 + 0.1 * 3 = 0.39; v = 0.999 * 0.001 + 0.001 * 9 = 0.009999
  // m / (1 - 0.81) = 2.0526316; v / (1 - 0.998001) = 5.0020010, root 2.2365154; step 0.1 * 0.9177811
  EXPECT_FLOAT_EQ(row.state[0], 0.39F);
  EXPECT_NEAR(row.state[1], 0.009999F, 2e-7F);  // 1 - beta2 is of the float 0.999
  EXPECT_NEAR(row.weights[0], -0.1F - 0.09177811F, 1e-6F);
}

TEST(HandComputed, Ftrl) {
  OptimizerSpec spec = of(OptimizerKind::kFtrl);
  spec.l1 = 0.5F;
  spec.l2 = 2.0F;
  const auto ftrl = make_optimizer(spec);
  Row row = start(*ftrl, {0.0F, 0.0F});
  step(*ftrl, row, {3.0F, 0.25F});
  // z = 3, n = 9: w = -(3 - 0.5) / ((1 + 3) / 0.1 + 2) = -2.5 / 42; |0.25| <= l1 gives exactly 0.
  EXPECT_FLOAT_EQ(row.weights[0], -2.5F / 42.0F);
  EXPECT_EQ(row.weights[1], 0.0F);
  step(*ftrl, row, {-4.0F, 0.0F});
  // s = (5 - 3) / 0.1 = 20; z = 3 - 4 + 20 * 2.5 / 42 = 0.1904762, within l1
  EXPECT_NEAR(row.state[0], 0.1904762F, 1e-5F);
  EXPECT_FLOAT_EQ(row.state[2], 25.0F);
  EXPECT_EQ(row.weights[0], 0.0F);
}

TEST(HandComputed, FtrlLeavesL2PerExampleToTheWorker) {
  OptimizerSpec spec = of(OptimizerKind::kFtrl);
  spec.l2 = 2.0F;
  spec.l2_mode = L2Mode::kPerExample;
  const auto ftrl = make_optimizer(spec);
  Row row = start(*ftrl, {0.0F});
  step(*ftrl, row, {3.0F});
  EXPECT_FLOAT_EQ(row.weights[0], -3.0F / 40.0F);
}

TEST(HandComputed, FtrlStartsFromTheInitialWeights) {
  OptimizerSpec spec = of(OptimizerKind::kFtrl);
  spec.l1 = 0.5F;
  const auto ftrl = make_optimizer(spec);
  Row row = start(*ftrl, {0.25F, -0.25F});
  EXPECT_FLOAT_EQ(row.state[0], -(0.25F * 10.0F + 0.5F));
  step(*ftrl, row, {0.0F, 0.0F});
  EXPECT_FLOAT_EQ(row.weights[0], 0.25F);
  EXPECT_FLOAT_EQ(row.weights[1], -0.25F);
}

TEST(HandComputed, Assign) {
  const auto assign = make_optimizer(of(OptimizerKind::kAssign));
  Row row = start(*assign, {1.0F, 2.0F});
  step(*assign, row, {7.0F, -8.0F});
  EXPECT_EQ(row.weights, (std::vector<float>{7.0F, -8.0F}));
}

}  // namespace
}  // namespace capstan
