// Job: how it ends, and what is left of it then.
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <utility>

#include "common/text.h"
#include "scheduler/job.h"

namespace capstan {

namespace {

// `capstan run` gives the whole cluster one second more before it ends it by force.
constexpr std::chrono::seconds kStopPatience{3};

// "2 batches of pass 1" and so on; empty when no batch was refused.
std::string refused_words(const std::vector<PassFinished>& passes) {
  std::vector<std::string> words;
  for (const PassFinished& pass : passes) {
    if (pass.bad_batches == 0) continue;
    words.push_back(fmt::format("{} batch{} of pass {}", pass.bad_batches, pass.bad_batches == 1 ? "" : "es",
                                pass.pass + 1));
  }
  if (words.empty()) return "";
  return fmt::format("\nrefused for values that are not finite: {}; the workers' logs name them",
                     join(words, ", "));
}

}  // namespace

// The rows as the job leaves them are in a checkpoint that was made between passes.
bool Job::model_is_kept() const {
  const std::uint32_t pass = facts_.rows_of_pass.value_or(facts_.passes.back().pass);
  return std::any_of(facts_.checkpoints.begin(), facts_.checkpoints.end(),
                     [&](const CheckpointFact& fact) { return fact.passes == pass + 1; });
}

// A job that asked for checkpoints has failed when its model is in none, whatever its figures. There may be
// room by now where there was none when training ended.
void Job::finish_plan() {
  const std::string trained =
      is_direct() ? fmt::format("trained by {} batches that programs pushed", direct_.batches()) : "trained";
  const std::string text =
      (facts_.final_text.empty() ? trained : facts_.final_text) + refused_words(facts_.passes);
  if (!keeps_checkpoints() || facts_.passes.empty() || model_is_kept()) return finish(true, text);
  if (!std::exchange(kept_last_again_, true)) return begin_cut(CutPurpose::kPassEnd);
  finish(false,
         fmt::format("{}\nthe job is done, but its model is in no checkpoint: {}. {}", text,
                     cut_error_.empty() ? "the last one is gone" : cut_error_,
                     facts_.checkpoints.empty()
                         ? "There is no earlier one either: mend the cause and run again"
                         : fmt::format("Mend the cause and run again with --resume: it goes on from {}",
                                       facts_.checkpoints.back().directory)));
}

std::string Job::how_to_go_on() const {
  if (!keeps_checkpoints()) return "There is no checkpoint to resume from; set checkpoint.path to have one";
  if (!facts_.checkpoints.empty()) {
    return fmt::format("Run again with --resume to go on from {}", facts_.checkpoints.back().directory);
  }
  if (!facts_.resumed_from.empty()) {
    return fmt::format("Run again with --resume-from {}", facts_.resumed_from);
  }
  return "There is no checkpoint of this run to resume from yet";
}

void Job::stop(const std::string& reason, bool checkpoint) {
  if (ended_ || stop_by_.has_value()) return;
  if (is_direct() && checkpoint && facts_.state == JobState::kRunning) {
    if (step_.kind == PlanStep::Kind::kTrain) end_pass();
    return;
  }
  stop_reason_ = fmt::format("stopped: {}", reason.empty() ? "on request" : reason);
  const bool worth_it = checkpoint && facts_.state == JobState::kRunning && keeps_checkpoints();
  if (!worth_it) return finish(false, fmt::format("{}. {}", stop_reason_, how_to_go_on()));
  stop_by_ = context_.loop.now() + kStopPatience;
  if (!cut_.has_value()) begin_cut(CutPurpose::kAutomatic);
}

// As if the process had died: another scheduler goes on from the journal.
void Job::halt(const Error& why) {
  if (ended_) return;
  ended_ = halted_ = true;
  replaced_ = why.code == ErrorCode::kRefused;
  facts_.end_text =
      replaced_ || why.code == ErrorCode::kStale
          ? fmt::format("{}. This scheduler stops, without a word to servers and workers", why.message)
          : fmt::format(
                "{}. This scheduler stops; the servers and workers go on without it for {} s "
                "(cluster.scheduler_grace) and then wait. Mend {} and start it again with "
                "--recover",
                why.message, options().config.cluster.scheduler_grace_ms / 1000, context_.journal.engine());
  on_end_(false, facts_.end_text);
}

// A store that others see, too, must know it before any node does: who leads next would wait for nodes that
// have left.
void Job::finish(bool ok, const std::string& text) {
  if (ended_) return;
  if (journal_begun_) {
    const Status written = context_.journal.append(StateReached{ok ? "done" : "failed", facts_.pass, text});
    if (!written.ok() && context_.journal.leads_until() != Instant::max()) return halt(written.error());
    if (!written.ok()) context_.log.warn("{}", written.error().message);
  }
  ended_ = true;
  errands_.clear();
  cut_.reset();
  if (journal_begun_) remove_unpublished();
  if (journal_begun_ && keeps_checkpoints())
    remove_proofs(context_.storage, options().config.checkpoint.path, facts_.generation);
  part_results_.clear();
  enter(ok ? JobState::kDone : JobState::kFailed);
  facts_.ended = context_.loop.now();
  facts_.end_text = text;
  on_end_(ok, text);
}

}  // namespace capstan
