#include "common/optimizer_check.h"

#include <spdlog/fmt/fmt.h>

#include <cmath>

namespace capstan {
namespace {

Status bad(std::string_view what, float value) {
  return make_error(ErrorCode::kInvalid, fmt::format("optimizer: {} {}", what, value));
}

bool at_least_zero(float value) {
  return value >= 0.0F && std::isfinite(value);
}

Status check_kind(const OptimizerSpec& spec) {
  switch (spec.kind) {
    case OptimizerKind::kSgd:
    case OptimizerKind::kAssign:
      return ok_status();
    case OptimizerKind::kAdagrad:
    case OptimizerKind::kRowwiseAdagrad:
      if (spec.epsilon + spec.initial_accumulator > 0.0F) return ok_status();
      return bad("adagrad divides by zero when epsilon and initial_accumulator are", 0.0F);
    case OptimizerKind::kAdam:
      if (!(spec.beta1 >= 0.0F && spec.beta1 < 1.0F)) return bad("beta1 must be in [0, 1), is", spec.beta1);
      if (!(spec.beta2 >= 0.0F && spec.beta2 < 1.0F)) return bad("beta2 must be in [0, 1), is", spec.beta2);
      if (spec.epsilon <= 0.0F) return bad("adam needs a positive epsilon, not", spec.epsilon);
      return ok_status();
    case OptimizerKind::kFtrl:
      if (spec.learning_rate <= 0.0F)
        return bad("ftrl needs a positive learning_rate, not", spec.learning_rate);
      if (spec.ftrl_beta <= 0.0F) return bad("ftrl needs a positive ftrl_beta, not", spec.ftrl_beta);
      if (spec.l2 > 0.0F && spec.l2_mode == L2Mode::kDecayed) {
        return make_error(ErrorCode::kInvalid,
                          "optimizer: ftrl has l2 in its formula: not with l2_mode decayed");
      }
      if (spec.schedule.kind != ScheduleKind::kConstant || spec.schedule.warmup_steps > 0) {
        return make_error(ErrorCode::kInvalid,
                          "optimizer: ftrl derives the weights from its learning rate: it takes no schedule");
      }
      return ok_status();
  }
  return make_error(ErrorCode::kInvalid, "optimizer: unknown kind");
}

}  // namespace

Status check_optimizer_spec(const OptimizerSpec& spec) {
  if (!at_least_zero(spec.learning_rate))
    return bad("learning_rate must not be negative, is", spec.learning_rate);
  if (!at_least_zero(spec.epsilon)) return bad("epsilon must not be negative, is", spec.epsilon);
  if (!at_least_zero(spec.initial_accumulator)) {
    return bad("initial_accumulator must not be negative, is", spec.initial_accumulator);
  }
  if (!at_least_zero(spec.ftrl_beta)) return bad("ftrl_beta must not be negative, is", spec.ftrl_beta);
  if (!at_least_zero(spec.l1)) return bad("l1 must not be negative, is", spec.l1);
  if (!at_least_zero(spec.l2)) return bad("l2 must not be negative, is", spec.l2);
  if (!at_least_zero(spec.clip_norm)) return bad("clip_norm must not be negative, is", spec.clip_norm);
  if (!at_least_zero(spec.schedule.decay)) return bad("decay must not be negative, is", spec.schedule.decay);
  if (!at_least_zero(spec.schedule.floor)) return bad("floor must not be negative, is", spec.schedule.floor);
  CAPSTAN_TRY(check_kind(spec));
  const bool falls = spec.schedule.kind == ScheduleKind::kStep || spec.schedule.kind == ScheduleKind::kCosine;
  if (falls && spec.schedule.decay_steps == 0) {
    return make_error(ErrorCode::kInvalid, "optimizer: schedules step and cosine need decay_steps");
  }
  return ok_status();
}

}  // namespace capstan
