#include "ps/optimizer/schedule.h"

#include <gtest/gtest.h>

#include <cmath>

namespace capstan {
namespace {

TEST(Schedule, Constant) {
  EXPECT_EQ(scheduled_rate({}, 0.3F, 1), 0.3F);
  EXPECT_EQ(scheduled_rate({}, 0.3F, 1'000'000'000'000), 0.3F);
}

TEST(Schedule, WarmupRisesByEqualParts) {
  const ScheduleSpec spec{.kind = ScheduleKind::kWarmup, .warmup_steps = 4};
  EXPECT_FLOAT_EQ(scheduled_rate(spec, 1.0F, 1), 0.25F);
  EXPECT_FLOAT_EQ(scheduled_rate(spec, 1.0F, 3), 0.75F);
  EXPECT_FLOAT_EQ(scheduled_rate(spec, 1.0F, 4), 1.0F);
  EXPECT_FLOAT_EQ(scheduled_rate(spec, 1.0F, 400), 1.0F);
}

TEST(Schedule, StepDropsAfterEachInterval) {
  const ScheduleSpec spec{.kind = ScheduleKind::kStep, .decay_steps = 10, .decay = 0.5F};
  EXPECT_EQ(scheduled_rate(spec, 1.0F, 10), 1.0F);
  EXPECT_EQ(scheduled_rate(spec, 1.0F, 11), 0.5F);
  EXPECT_EQ(scheduled_rate(spec, 1.0F, 20), 0.5F);
  EXPECT_EQ(scheduled_rate(spec, 1.0F, 31), 0.125F);
}

TEST(Schedule, CosineFallsToItsFloorAndStays) {
  const ScheduleSpec spec{
      .kind = ScheduleKind::kCosine, .warmup_steps = 5, .decay_steps = 100, .floor = 0.1F};
  EXPECT_FLOAT_EQ(scheduled_rate(spec, 2.0F, 5), 2.0F);
  EXPECT_FLOAT_EQ(scheduled_rate(spec, 2.0F, 6), 2.0F);
  EXPECT_FLOAT_EQ(scheduled_rate(spec, 2.0F, 56), 1.1F);  // half way: 0.1 + 0.9 / 2
  EXPECT_FLOAT_EQ(scheduled_rate(spec, 2.0F, 106), 0.2F);
  EXPECT_FLOAT_EQ(scheduled_rate(spec, 2.0F, 99999), 0.2F);
}

TEST(Schedule, InverseSqrtGoesOnFromTheWarmup) {
  const ScheduleSpec spec{.kind = ScheduleKind::kInverseSqrt, .warmup_steps = 100};
  EXPECT_FLOAT_EQ(scheduled_rate(spec, 1.0F, 50), 0.5F);
  EXPECT_FLOAT_EQ(scheduled_rate(spec, 1.0F, 100), 1.0F);
  EXPECT_FLOAT_EQ(scheduled_rate(spec, 1.0F, 400), 0.5F);
  EXPECT_FLOAT_EQ(scheduled_rate({.kind = ScheduleKind::kInverseSqrt}, 1.0F, 16), 0.25F);
}

TEST(Schedule, NoDecayLengthMeansNoDecay) {
  EXPECT_EQ(scheduled_rate({.kind = ScheduleKind::kStep}, 1.0F, 77), 1.0F);
  EXPECT_EQ(scheduled_rate({.kind = ScheduleKind::kCosine}, 1.0F, 77), 1.0F);
}

}  // namespace
}  // namespace capstan
