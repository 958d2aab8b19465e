#include "scheduler/job_plan.h"

namespace capstan {

PlanStep JobPlan::next() const {
  using Kind = PlanStep::Kind;
  const std::uint32_t last = finished_ == 0 ? 0 : finished_ - 1;
  if (finished_ > 0) {
    const bool due =
        settings_.has_valid && settings_.validate_every > 0 && finished_ % settings_.validate_every == 0;
    if (due && validated_ != last) return {Kind::kValidate, last};
    if (settings_.keeps_checkpoints && best_pass_ == last && tried_ != last) return {Kind::kKeepBest, last};
  }
  if (!training_over()) return {Kind::kTrain, finished_};
  const bool last_is_kept = kept_best_.has_value();  // the last pass, or the best, which is what counts
  if (settings_.keeps_checkpoints && finished_ > 0 && !last_is_kept && !tried_last_)
    return {Kind::kKeepLast, last};
  if (kept_best_.has_value() && kept_best_ == best_pass_ && best_pass_ != last && !restored_) {
    return {Kind::kRestoreBest, *best_pass_};
  }
  if (settings_.has_tests && !evaluated_) return {Kind::kEvaluate, last};
  if (settings_.has_tests && !reported_) return {Kind::kReport, last};
  return {Kind::kDone, last};
}

void JobPlan::note_pass(std::uint32_t pass) {
  finished_ = pass + 1;
}

void JobPlan::note_validated(std::uint32_t pass, double better) {
  validated_ = pass;
  const bool is_number = better == better;
  if (is_number && (!best_pass_.has_value() || better > best_value_)) {
    best_pass_ = pass;
    best_value_ = better;
  }
  if (settings_.patience > 0 && best_pass_.has_value() && pass - *best_pass_ >= settings_.patience)
    stopped_ = true;
}

void JobPlan::note_kept(bool ok) {
  const PlanStep step = next();
  if (step.kind == PlanStep::Kind::kKeepBest) {
    tried_ = step.pass;
    if (ok) kept_best_ = step.pass;
  } else if (step.kind == PlanStep::Kind::kKeepLast) {
    tried_last_ = true;
  }
}

void JobPlan::note_restored() {
  restored_ = true;
}
void JobPlan::note_evaluated() {
  evaluated_ = true;
}
void JobPlan::note_reported() {
  reported_ = true;
}

}  // namespace capstan
