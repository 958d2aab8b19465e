#include "ps/optimizer/schedule.h"

#include <algorithm>
#include <cmath>

#include "common/portable_math.h"

namespace capstan {
namespace {

double factor(const ScheduleSpec& spec, std::uint64_t step) {
  const std::uint64_t warmup = spec.warmup_steps;
  const std::uint64_t number = std::max<std::uint64_t>(step, 1);
  if (number <= warmup) return static_cast<double>(number) / static_cast<double>(warmup);
  const std::uint64_t done = number - 1 - warmup;
  switch (spec.kind) {
    case ScheduleKind::kConstant:
    case ScheduleKind::kWarmup:
      return 1.0;
    case ScheduleKind::kStep:
      if (spec.decay_steps == 0) return 1.0;
      return portable_power(static_cast<double>(spec.decay), done / spec.decay_steps);
    case ScheduleKind::kCosine: {
      if (spec.decay_steps == 0) return 1.0;
      const double part = std::min(1.0, static_cast<double>(done) / static_cast<double>(spec.decay_steps));
      const double floor = static_cast<double>(spec.floor);
      return floor + (1.0 - floor) * (1.0 + portable_cos_pi(part)) / 2.0;
    }
    case ScheduleKind::kInverseSqrt: {
      const double start = static_cast<double>(std::max<std::uint64_t>(warmup, 1));
      return std::sqrt(start / static_cast<double>(number));
    }
  }
  return 1.0;
}

}  // namespace

float scheduled_rate(const ScheduleSpec& spec, float base, std::uint64_t step) {
  return static_cast<float>(static_cast<double>(base) * factor(spec, step));
}

}  // namespace capstan
