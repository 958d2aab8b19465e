// Operations against values worked out by hand or by definition.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "tests/worker/nn/finite_difference.h"
#include "tests/worker/nn/op_examples.h"
#include "worker/nn/ops/activation.h"
#include "worker/nn/ops/dropout.h"
#include "worker/nn/ops/embedding.h"
#include "worker/nn/ops/fm_interaction.h"
#include "worker/nn/ops/unit_rows.h"

namespace capstan {
namespace {

TEST(Ops, EmbeddingByHand) {
  BatchData data = example_batch();
  const MicroBatch batch = data.view();
  const std::vector<float> rows{1, -2, 3, 4, -5, 6, 7, 8};  // [4, 2]
  const std::vector<ConstMatrix> tables{{rows.data(), 4, 2}};
  const auto run = [&](Pooling pooling, std::uint32_t length) {
    Tape tape;
    tape.start(tables, Tape::Mode::kPredict);
    const std::vector<EmbeddingInput> inputs{{0, 1, pooling, length}};
    return values_of(tape, embedding(tape, batch, inputs));
  };
  // Example 0 has 0.5·[1, -2], -1.5·[3, 4], 2·[3, 4]; 1 none; 2 has [7, 8], 0.75·[-5, 6]; 3 has 1.25·[1, -2].
  EXPECT_EQ(run(Pooling::kSum, 1), (std::vector<float>{2, 1, 0, 0, 3.25, 12.5, 1.25, -2.5}));
  EXPECT_EQ(run(Pooling::kMax, 1), (std::vector<float>{6, 8, 0, 0, 7, 8, 1.25, -2.5}));
  const auto mean = run(Pooling::kMean, 1);
  EXPECT_FLOAT_EQ(mean[0], 2.0F / 3);
  EXPECT_FLOAT_EQ(mean[5], 6.25F);
  EXPECT_EQ(run(Pooling::kNone, 2),
            (std::vector<float>{0.5, -1, -4.5, -6, 0, 0, 0, 0, 7, 8, -3.75, 4.5, 1.25, -2.5, 0, 0}));
}

TEST(Ops, FmInteractionIsTheSumOverPairs) {
  Rng rng(5);
  std::vector<float> x(3 * 12);
  fill_random(x, rng);
  Tape tape;
  tape.start({}, Tape::Mode::kPredict);
  const auto result = values_of(tape, fm_interaction(tape, tape.constant({x.data(), 3, 12}), 3));
  for (std::size_t i = 0; i < 3; ++i) {
    double sum = 0;
    for (std::size_t f = 0; f < 4; ++f) {
      for (std::size_t g = f + 1; g < 4; ++g) {
        for (std::size_t d = 0; d < 3; ++d)
          sum += static_cast<double>(x[i * 12 + f * 3 + d]) * x[i * 12 + g * 3 + d];
      }
    }
    EXPECT_NEAR(result[i], sum, 1e-5);
  }
}

TEST(Ops, UnitRowsKeepTheDirectionAndLeaveZerosAlone) {
  const std::vector<float> x{3, -4, 0, 0, 1e-3F, 0};
  Tape tape;
  tape.start({}, Tape::Mode::kPredict);
  const auto result = values_of(tape, unit_rows(tape, tape.constant({x.data(), 3, 2})));
  const std::vector<float> expected{0.6F, -0.8F, 0, 0, 1, 0};
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(result[i], expected[i], 1e-6) << i;
}

TEST(Ops, ActivationsHaveKnownValues) {
  const std::vector<float> x{-1.0F, 0.0F, 2.0F, -200.0F, 200.0F};
  Tape tape;
  tape.start({}, Tape::Mode::kPredict);
  const auto f = [&](Activation a) {
    return values_of(tape, activate(tape, tape.constant({x.data(), 1, 5}), a));
  };
  EXPECT_EQ(f(Activation::kRelu), (std::vector<float>{0, 0, 2, 0, 200}));
  EXPECT_NEAR(f(Activation::kSigmoid)[0], 0.26894142, 1e-6);
  EXPECT_EQ(f(Activation::kSigmoid)[3], 0.0F);
  EXPECT_EQ(f(Activation::kSigmoid)[4], 1.0F);
  EXPECT_NEAR(f(Activation::kTanh)[2], 0.96402758, 1e-6);
  EXPECT_NEAR(f(Activation::kGelu)[0], -0.15865525, 1e-6);
  EXPECT_NEAR(f(Activation::kGelu)[2], 1.95449974, 1e-6);
}

TEST(Ops, ActivationsDoNotHideNan) {
  const std::vector<float> x{std::numeric_limits<float>::quiet_NaN()};
  for (const Activation a : {Activation::kRelu, Activation::kSigmoid, Activation::kTanh, Activation::kGelu}) {
    Tape tape;
    tape.start({}, Tape::Mode::kPredict);
    EXPECT_TRUE(std::isnan(values_of(tape, activate(tape, tape.constant({x.data(), 1, 1}), a))[0]));
  }
}

TEST(Ops, DropoutDependsOnExampleAndUnitOnly) {
  const std::vector<float> ones(5 * 400, 1.0F);
  const auto run = [&](std::uint32_t first, std::uint32_t count, std::uint64_t salt) {
    Tape tape;
    tape.start({}, Tape::Mode::kTrain);
    const Var x = tape.constant({ones.data(), count, 400});
    return values_of(tape, dropout(tape, x, 0.3, std::span(kSeeds).subspan(first, count), salt));
  };
  const auto all = run(0, 5, 1);
  const auto third = run(2, 1, 1);
  EXPECT_TRUE(std::equal(third.begin(), third.end(), all.begin() + 800));
  EXPECT_NE(run(2, 1, 2), third);
  EXPECT_NE(run(3, 1, 1), third);
  const auto dropped = static_cast<double>(std::count(all.begin(), all.end(), 0.0F)) / 2000;
  EXPECT_NEAR(dropped, 0.3, 0.04);  // deviation 0.0102
  for (const float value : all) EXPECT_TRUE(value == 0.0F || value == static_cast<float>(1 / 0.7));
}

TEST(Ops, DropoutDoesNothingInPrediction) {
  const std::vector<float> x{1, 2, 3, 4, 5};
  Tape tape;
  tape.start({}, Tape::Mode::kPredict);
  const Var in = tape.constant({x.data(), 5, 1});
  EXPECT_EQ(dropout(tape, in, 0.9, kSeeds, 0).id, in.id);
}

}  // namespace
}  // namespace capstan
