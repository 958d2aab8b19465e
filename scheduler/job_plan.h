// JobPlan: what a job does next, from the facts so far: passes, validation, early stopping, the best
// checkpoint, tests.
#pragma once

#include <cstdint>
#include <optional>

namespace capstan {

struct PlanSettings {
  std::uint32_t passes = 1;
  std::uint32_t validate_every = 0;  // passes; 0: never
  std::uint32_t patience = 0;        // passes without improvement before stopping; 0: off
  bool has_valid = false;            // the data has a validation part
  bool has_tests = false;            // the data has other parts to evaluate
  bool keeps_checkpoints = false;
};

struct PlanStep {
  enum class Kind {
    kTrain,        // pass `pass`
    kValidate,     // the rows as they are after pass `pass`
    kKeepBest,     // checkpoint of the best pass so far, which has just ended
    kKeepLast,     // checkpoint at the end of training
    kRestoreBest,  // the best pass was not the last
    kEvaluate,     // every part but validation, once
    kReport,       // join the results
    kDone,
  };
  Kind kind = Kind::kTrain;
  std::uint32_t pass = 0;
  bool operator==(const PlanStep&) const = default;
};

// Pure: next() is a function of the settings and of what was noted, so a restarted scheduler notes it all
// again.
class JobPlan {
 public:
  explicit JobPlan(PlanSettings settings) : settings_(settings) {}

  PlanStep next() const;

  void note_pass(std::uint32_t pass);                      // all of it is trained
  void note_validated(std::uint32_t pass, double better);  // larger is better; NaN never is
  void note_kept(bool ok);                                 // kKeepBest or kKeepLast was tried
  void note_restored();
  void note_evaluated();
  void note_reported();

  std::uint32_t passes_finished() const { return finished_; }
  std::optional<std::uint32_t> best_pass() const { return best_pass_; }
  double best_value() const { return best_value_; }
  bool stopped_early() const { return stopped_ && finished_ < settings_.passes; }

 private:
  bool training_over() const { return stopped_ || finished_ >= settings_.passes; }

  PlanSettings settings_;
  std::uint32_t finished_ = 0;
  std::optional<std::uint32_t> validated_, best_pass_;
  double best_value_ = 0.0;
  std::optional<std::uint32_t> tried_, kept_best_;  // passes after which the best was (tried to be) kept
  bool stopped_ = false, tried_last_ = false, restored_ = false, evaluated_ = false, reported_ = false;
};

}  // namespace capstan
