// Laws that every optimizer in the registry keeps.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <span>
#include <vector>

#include "common/optimizer_check.h"
#include "common/rng.h"
#include "ps/optimizer/registry.h"
#include "ps/optimizer/row_updater.h"
#include "ps/table/embedding_table.h"

namespace capstan {
namespace {

class OptimizerLaw : public testing::TestWithParam<OptimizerEntry> {
 protected:
  TableSpec spec(std::uint32_t dim) const {
    TableSpec spec;
    spec.name = "t";
    spec.dim = dim;
    spec.optimizer.kind = GetParam().kind;
    spec.optimizer.l1 = 0.001F;
    spec.optimizer.l2 = 0.01F;
    spec.optimizer.clip_norm = 2.0F;
    return spec;
  }
};

std::vector<float> random_floats(Rng& rng, std::size_t n) {
  std::vector<float> values(n);
  for (float& value : values) value = static_cast<float>(rng.normal());
  return values;
}

TEST_P(OptimizerLaw, SavedRestoredAndSteppedBothGiveEqualBits) {
  for (const std::uint32_t dim : {1U, 3U, 8U, 17U}) {
    Rng rng(dim);
    const std::vector<Key> keys = {0, 7, ~0ULL, 12345};
    EmbeddingTable original(spec(dim), 1);
    std::uint64_t step = 0;
    for (int i = 0; i < 20; ++i)
      original.apply(keys, random_floats(rng, keys.size() * dim).data(), {++step, 0});

    EmbeddingTable copy(spec(dim), 1);
    std::vector<std::byte> records(original.size() * original.record_bytes());
    original.copy_rows(std::nullopt, records.data());
    ASSERT_TRUE(copy.insert_rows(records).ok());
    for (int i = 0; i < 20; ++i) {
      const std::vector<float> gradients = random_floats(rng, keys.size() * dim);
      ++step;
      original.apply(keys, gradients.data(), {step, 0});
      copy.apply(keys, gradients.data(), {step, 0});
    }
    for (const Key key : keys) {
      const auto a = original.find_row(key);
      const auto b = copy.find_row(key);
      ASSERT_EQ(a.size(), original.layout().row_bytes());
      EXPECT_EQ(std::memcmp(a.data(), b.data(), a.size()), 0) << GetParam().name << " dim " << dim;
    }
  }
}

// Every element is stepped alone (but for row-wise sums), so a wide row's tail must not differ from its
// vectorised body.
TEST_P(OptimizerLaw, EqualElementsStayEqualWhateverTheirPlaceInTheRow) {
  constexpr std::uint32_t kDim = 37;
  TableSpec table = spec(kDim);
  table.init = {.kind = InitKind::kConstant, .scale = 0.5F};
  EmbeddingTable rows(table, 1);
  Rng rng(4);
  const Key key = 9;
  for (std::uint64_t step = 1; step <= 30; ++step) {
    const std::vector<float> gradient(kDim, static_cast<float>(rng.normal()));
    rows.apply({&key, 1}, gradient.data(), {step, 0});
    std::vector<float> weights(kDim);
    rows.gather({&key, 1}, weights.data());
    for (const float w : weights) ASSERT_EQ(w, weights[0]) << GetParam().name;
  }
}

TEST_P(OptimizerLaw, ZeroGradientsLeaveAFreshRowFiniteAndUnmovedWithoutPenalties) {
  TableSpec table = spec(4);
  table.optimizer.l1 = table.optimizer.l2 = 0.0F;
  EmbeddingTable rows(table, 1);
  const Key key = 3;
  std::vector<float> before(4), after(4);
  rows.gather({&key, 1}, before.data());
  const std::vector<float> zero(4, 0.0F);
  for (std::uint64_t step = 1; step <= 3; ++step) rows.apply({&key, 1}, zero.data(), {step, 0});
  rows.gather({&key, 1}, after.data());
  for (int i = 0; i < 4; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const float expected = GetParam().kind == OptimizerKind::kAssign ? 0.0F : before[at];
    EXPECT_NEAR(after[at], expected, 1e-7F) << GetParam().name;
  }
}

TEST_P(OptimizerLaw, StaysFiniteUnderTheLargestUsableGradients) {
  TableSpec table = spec(8);
  table.optimizer.clip_norm = 0.0F;
  EmbeddingTable rows(table, 1);
  const Key key = 5;
  for (std::uint64_t step = 1; step <= 50; ++step) {
    const std::vector<float> gradient(8, step % 2 == 0 ? 1e18F : -1e18F);
    rows.apply({&key, 1}, gradient.data(), {step, 0});
  }
  std::vector<float> weights(8);
  rows.gather({&key, 1}, weights.data());
  for (const float w : weights) EXPECT_TRUE(std::isfinite(w)) << GetParam().name;
}

// On (w - 3)^2 / 2 the weights come near 3, where the penalties are off.
TEST_P(OptimizerLaw, DescendsAQuadratic) {
  if (GetParam().kind == OptimizerKind::kAssign) return;
  OptimizerSpec spec;
  spec.kind = GetParam().kind;
  spec.learning_rate = 0.5F;
  RowUpdater updater(spec, 2);
  std::vector<float> weights = {0.0F, 10.0F};
  std::vector<float> state(updater.state_floats() + 1);
  updater.begin(1);
  updater.init_state(weights.data(), state.data());
  for (std::uint64_t step = 1; step <= 2000; ++step) {
    const std::vector<float> gradient = {weights[0] - 3.0F, weights[1] - 3.0F};
    updater.begin(step);
    updater.update(weights.data(), state.data(), gradient.data(), 1);
  }
  EXPECT_NEAR(weights[0], 3.0F, 0.1F) << GetParam().name;
  EXPECT_NEAR(weights[1], 3.0F, 0.1F) << GetParam().name;
}

INSTANTIATE_TEST_SUITE_P(Registry, OptimizerLaw, testing::ValuesIn(optimizers().begin(), optimizers().end()),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(Registry, ListsEveryKindOnce) {
  ASSERT_EQ(optimizers().size(), 6U);
  for (std::size_t i = 0; i < optimizers().size(); ++i) {
    EXPECT_EQ(static_cast<std::size_t>(optimizers()[i].kind), i);
    OptimizerSpec spec;
    spec.kind = optimizers()[i].kind;
    EXPECT_TRUE(check_optimizer_spec(spec).ok());
  }
}

TEST(Registry, RefusesSettingsThatCannotWork) {
  const auto message = [](auto change) {
    OptimizerSpec spec;
    change(spec);
    const Status status = check_optimizer_spec(spec);
    return status.ok() ? std::string() : status.error().message;
  };
  EXPECT_NE(message([](auto& s) { s.learning_rate = -1.0F; }).find("learning_rate"), std::string::npos);
  EXPECT_NE(message([](auto& s) { s.l1 = std::nanf(""); }).find("l1"), std::string::npos);
  EXPECT_NE(message([](auto& s) { s.epsilon = s.initial_accumulator = 0.0F; }).find("epsilon"),
            std::string::npos);
  EXPECT_NE(message([](auto& s) {
              s.kind = OptimizerKind::kAdam;
              s.beta2 = 1.0F;
            }).find("beta2"),
            std::string::npos);
  EXPECT_NE(message([](auto& s) {
              s.kind = OptimizerKind::kFtrl;
              s.schedule.kind = ScheduleKind::kCosine;
            }).find("schedule"),
            std::string::npos);
  EXPECT_NE(message([](auto& s) { s.kind = static_cast<OptimizerKind>(99); }).find("unknown"),
            std::string::npos);
}

}  // namespace
}  // namespace capstan
