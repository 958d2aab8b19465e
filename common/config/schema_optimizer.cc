#include "common/config/codecs.h"
#include "common/config/schema.h"

namespace capstan {
namespace {

std::shared_ptr<const SectionSpec> schedule_schema() {
  const auto kind = word<ScheduleKind>({
      {"constant", ScheduleKind::kConstant, ""},
      {"warmup", ScheduleKind::kWarmup, "rises from 0 in `warmup_steps`, then stays"},
      {"step", ScheduleKind::kStep, "times `decay` every `decay_steps`"},
      {"cosine", ScheduleKind::kCosine, "falls to `floor` in `decay_steps`"},
      {"inverse_sqrt", ScheduleKind::kInverseSqrt, "falls as 1/sqrt(step) after `warmup_steps`"},
  });
  return SectionBuilder<ScheduleSpec>()
      .key("type", &ScheduleSpec::kind, kind,
           "How the learning rate goes with the steps. A step is a batch of any worker; in `sync` one of "
           "each.")
      .key("warmup_steps", &ScheduleSpec::warmup_steps, integer<std::uint64_t>(),
           "Steps in which the rate rises from 0, before any schedule.")
      .key("decay_steps", &ScheduleSpec::decay_steps, integer<std::uint64_t>(),
           "step: the interval; cosine: the length.")
      .key("decay", &ScheduleSpec::decay, number<float>(between(0, 1)), "step: factor of each interval.")
      .key("floor", &ScheduleSpec::floor, number<float>(between(0, 1)),
           "cosine: the lowest fraction of the learning rate.")
      .build();
}

}  // namespace

std::shared_ptr<const SectionSpec> optimizer_schema(const OptimizerSpec& standard) {
  const auto kind = word<OptimizerKind>({
      {"sgd", OptimizerKind::kSgd, ""},
      {"adagrad", OptimizerKind::kAdagrad, ""},
      {"rowwise_adagrad", OptimizerKind::kRowwiseAdagrad, "one accumulator a row"},
      {"adam", OptimizerKind::kAdam, "lazy: a row's moments and step count move only when it is touched"},
      {"ftrl", OptimizerKind::kFtrl, "FTRL-proximal"},
  });
  const auto l2_mode = word<L2Mode>({
      {"per_example", L2Mode::kPerExample, "charged by each example that touches the row"},
      {"per_touch", L2Mode::kPerTouch, "charged once a step that touches the row"},
      {"decayed", L2Mode::kDecayed, "charged for every step, caught up at the next touch"},
  });
  return SectionBuilder<OptimizerSpec>()
      .key("type", &OptimizerSpec::kind, kind, "The optimizer.")
      .key("learning_rate", &OptimizerSpec::learning_rate, number<float>(above(0)), "The step size.")
      .key("beta1", &OptimizerSpec::beta1, number<float>(between(0, 0.999999)), "adam: decay of the mean.")
      .key("beta2", &OptimizerSpec::beta2, number<float>(between(0, 0.9999999)), "adam: decay of the square.")
      .key("epsilon", &OptimizerSpec::epsilon, number<float>(at_least(0)),
           "adam, adagrad: added to the divisor.")
      .key("initial_accumulator", &OptimizerSpec::initial_accumulator, number<float>(at_least(0)),
           "adagrad: what the sum of squares starts from.")
      .key("ftrl_beta", &OptimizerSpec::ftrl_beta, number<float>(at_least(0)),
           "ftrl: beta of the learning rate.")
      .key("l1", &OptimizerSpec::l1, number<float>(at_least(0)), "L1 penalty.")
      .key("l2", &OptimizerSpec::l2, number<float>(at_least(0)), "L2 penalty.")
      .key("l2_mode", &OptimizerSpec::l2_mode, l2_mode, "When the L2 penalty is charged.")
      .key("clip_norm", &OptimizerSpec::clip_norm, number<float>(at_least(0)),
           "Longest gradient of one row; 0: any.")
      .key("schedule", &OptimizerSpec::schedule, section<ScheduleSpec>(schedule_schema()),
           "The learning rate over time.")
      .build(standard);
}

}  // namespace capstan
