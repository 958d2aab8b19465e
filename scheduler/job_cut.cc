// Job: checkpoints, from the cut to the manifest, and restores.
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>

#include "common/hash.h"
#include "common/planted_bugs.h"
#include "common/section_chains.h"
#include "common/units.h"
#include "scheduler/job.h"

namespace capstan {

namespace {

constexpr std::chrono::seconds kSlowErrand{5};  // files are written or read

}  // namespace

// Where every partition of the running pass stands; nothing between passes.
std::vector<StreamState> Job::streams() const {
  std::vector<StreamState> streams;
  if (step_.kind != PlanStep::Kind::kTrain) return streams;
  for (const auto& [work, entry] : work_.entries()) {
    StreamState stream{entry.cursor(), entry.done};
    stream.cursor.term = 0;
    streams.push_back(std::move(stream));
  }
  return streams;
}

void Job::check_cut_due() {
  if (cut_.has_value() || ended_ || facts_.state != JobState::kRunning || !handovers_.empty()) return;
  if (step_.kind == PlanStep::Kind::kTrain && cut_schedule_.due(steps_so_far(), context_.loop.now())) {
    begin_cut(CutPurpose::kAutomatic);
  }
}

// What the servers need not write again. A checkpoint that is kept for long, of the best pass or the last,
// stands by itself; others do so from time to time, so that no chain becomes long or larger than what it
// spares.
CutBase Job::base_of_cut() const {
  const std::uint32_t full_every = options().config.checkpoint.full_every;
  if (cut_purpose_ == CutPurpose::kPlan || facts_.checkpoints.empty()) return {};
  if (chain_length(facts_.checkpoints) >= full_every) return {};
  const CheckpointFact& newest = facts_.checkpoints.back();
  auto manifest = read_manifest(context_.storage, newest.directory);
  if (!manifest.ok()) {
    context_.log.warn("the next checkpoint is a full one: {}", manifest.error().message);
    return {};
  }
  if (changes_outweigh(manifest->sections)) return {};
  return {newest.checkpoint, folder_name(newest.directory), std::move(manifest->sections)};
}

// All but automatic cuts are drained: made between passes, when no batch is under way.
void Job::begin_cut(CutPurpose purpose) {
  // Each shard has one owner from the beginning of a cut to its end.
  if (!CAPSTAN_PLANTED(kHandsOverDuringCut)) give_up_handovers(Duration(0));
  if (ended_) return;
  cut_purpose_ = purpose;
  const bool drained = purpose != CutPurpose::kAutomatic;
  const bool best = purpose == CutPurpose::kPlan && step_.kind == PlanStep::Kind::kKeepBest;
  cut_schedule_.begun(steps_so_far(), context_.loop.now());
  close_silent_direct();
  if (ended_) return;
  std::vector<StreamState> at = drained ? std::vector<StreamState>{} : streams();
  std::vector<WorkCursor> cursors;  // where the streams are now; the cut's own may lie ahead
  for (const StreamState& stream : at) cursors.push_back(stream.cursor);
  for (const auto& [term, stream] : direct_.streams()) cursors.push_back(direct_.cursor(term));
  std::uint64_t after_step = 0;
  if (!drained && options().config.train.consistency == Consistency::kSync) {
    std::uint64_t front = 0, batches = 0;
    for (const StreamState& stream : at) {
      front = std::max(front, stream.cursor.watermark);
      batches = std::max(batches, stream.cursor.batches);
    }
    after_step = front + cut_schedule_.margin();
    // As long as nobody has said how many steps there are, the step may lie beyond them.
    if (batches == 0 || after_step >= batches) {
      cut_at_pass_end_ = true;
      return;
    }
    for (StreamState& stream : at) {
      stream.cursor.watermark = after_step;
      stream.cursor.slices = after_step * map_.num_shards();  // in sync every slot reports to every shard
    }
  }

  const std::string& path = options().config.checkpoint.path;
  const auto names = list_checkpoints(context_.storage, path);
  if (!names.ok()) return cut_failed(names.error().message);
  if (!names->empty()) last_checkpoint_ = std::max(last_checkpoint_, names->back().checkpoint);
  const std::uint64_t checkpoint = ++last_checkpoint_;
  const std::string directory = checkpoint_directory(path, checkpoint);
  if (const Status made = context_.storage.create_dirs(directory); !made.ok())
    return cut_failed(made.error().message);
  if (!record(CutBegun{checkpoint, std::move(cursors)})) return;

  std::set<NodeId> servers;
  for (const Chain& chain : map_.chains()) servers.insert(chain.front());
  CutBase base = base_of_cut();
  const std::uint64_t base_checkpoint = base.checkpoint;
  cut_.emplace(checkpoint, directory, best, after_step, std::move(at), servers, std::move(base));
  // Streams that a published checkpoint knows as finished need not be remembered any longer.
  const auto finished = static_cast<std::uint32_t>(facts_.passes.size());
  const std::uint32_t forgotten = CAPSTAN_PLANTED(kForgetsUnpublished) ? finished : kept_passes_;
  for (const NodeId server : servers) {
    errands_.add(server, next_request_id(),
                 Snapshot{checkpoint, directory, facts_.pass, after_step, forgotten, map_.version(),
                          base_checkpoint, direct_.closed_below()},
                 kSlowErrand);
  }
  cut_since_ = context_.loop.now();
  context_.log.info("checkpoint {} begun", checkpoint);
  send_errands();
}

void Job::on_snapshot_reply(const Node& node, std::uint64_t request_id, const SnapshotReply& reply) {
  if (ended_ || !cut_.has_value() || !errands_.answered(node.id, request_id)) return;
  switch (cut_->on_reply(node.id, reply)) {
    case Cut::Outcome::kWaiting:
      return;
    case Cut::Outcome::kComplete:
      return publish_cut();
    case Cut::Outcome::kTooLate: {
      cut_schedule_.too_late();
      if (cut_->after_step() == 0) {
        cut_error_ = fmt::format(
            "checkpoint {} is not made: shards hold steps of a later pass, from before "
            "the scheduler was rebuilt",
            cut_->checkpoint());
        warn(cut_error_);
      }
      const std::string directory = cut_->directory();
      errands_.clear();
      cut_.reset();
      static_cast<void>(context_.storage.remove(directory).ok());
      // When the pass has ended meanwhile, the plan may be waiting for this cut to be out of its way.
      if (step_.kind != PlanStep::Kind::kTrain || work_.all_done()) return after_cut(false);
      return begin_cut(CutPurpose::kAutomatic);
    }
    case Cut::Outcome::kFailed:
      return cut_failed(
          fmt::format("{}: {}{}", node.name, cut_->error(), cut_->no_space() ? " (disk full)" : ""));
  }
}

// The last good checkpoint stays, training goes on, and the operator is told.
void Job::cut_failed(const std::string& why) {
  std::string text = fmt::format("checkpoint failed: {}; training goes on, ", why);
  text += facts_.checkpoints.empty() ? "there is no earlier one" : "the last good one is kept";
  warn(text);
  cut_error_ = why;
  if (cut_.has_value()) {
    errands_.clear();
    static_cast<void>(remove_checkpoint(context_.storage, cut_->directory()).ok());
    cut_.reset();
    remove_unpublished();
  }
  after_cut(false);
}

// A cut of a sync job lies ahead of what the workers have told so far. A step's batches are all of one size
// but for the last, which no cut holds; of refused ones among them the mean is taken.
void Job::count_steps_ahead(std::vector<StreamState>& streams) const {
  std::uint64_t steps = 1;
  for (const StreamState& stream : streams) steps = std::max(steps, stream.cursor.batches);
  const double usual = static_cast<double>(facts_.agreed->train_examples) /
                       static_cast<double>(std::uint64_t{facts_.num_partitions} * steps);
  for (StreamState& stream : streams) {
    WorkCursor& cursor = stream.cursor;
    const WorkEntry* entry = work_.find(cursor.work);
    const WorkCursor told = entry == nullptr ? WorkCursor{} : entry->cursor();
    const double each =
        told.watermark > 0 ? static_cast<double>(told.examples) / static_cast<double>(told.watermark) : usual;
    const double loss = told.examples > 0 ? told.loss_sum / static_cast<double>(told.examples) : 0.0;
    cursor.examples = static_cast<std::uint64_t>(std::llround(each * static_cast<double>(cursor.watermark)));
    cursor.loss_sum = loss * static_cast<double>(cursor.examples);
  }
}

void Job::publish_cut() {
  auto chains = cut_->chains();
  if (!chains.ok()) return cut_failed(chains.error().message);
  Manifest manifest;
  manifest.checkpoint = cut_->checkpoint();
  manifest.generation = facts_.generation;
  manifest.run = run_began_;
  manifest.job = options().config.name;
  manifest.job_text = options().job_text;
  manifest.job_fingerprint = hash_string(options().job_text);
  if (options().wall_time) manifest.written_at = options().wall_time();
  manifest.data_fingerprint = facts_.agreed->data_fingerprint;
  manifest.train_examples = facts_.agreed->train_examples;
  manifest.num_shards = map_.num_shards();
  manifest.num_partitions = facts_.num_partitions;
  manifest.best = cut_->best();
  manifest.tables = facts_.agreed->tables;
  manifest.builds_on = cut_->builds_on();
  manifest.sections = std::move(chains).value();
  manifest.streams = CAPSTAN_PLANTED(kCutReadsCursorsLate) ? streams() : cut_->streams();
  if (cut_->after_step() > 0) count_steps_ahead(manifest.streams);
  const std::uint32_t pass =
      manifest.streams.empty() ? plan_->passes_finished() : manifest.streams[0].cursor.work.pass;
  for (const PassFinished& finished : facts_.passes) {
    if (finished.pass < pass) manifest.passes.push_back(finished);
  }
  for (const PassValidated& validated : facts_.validations) {
    if (validated.pass < pass) manifest.validations.push_back(validated);
  }
  // A server may have written to a folder of its own under the same name.
  if (const Status there = check_files(context_.storage, cut_->directory(), manifest); !there.ok()) {
    return cut_failed(there.error().message +
                      ": do the scheduler and all servers see the same folder there?");
  }
  const Status written = write_manifest(context_.storage, cut_->directory(), manifest);
  if (!written.ok()) return cut_failed(written.error().message);
  CheckpointFact fact = fact_of(manifest, cut_->directory());
  if (cut_->after_step() > 0) cut_schedule_.in_time();
  cut_.reset();
  if (!record(CheckpointPublished{fact.checkpoint, fact.passes, fact.best})) return;
  fact.seconds = seconds_of(context_.loop.now() - cut_since_);
  context_.log.info("checkpoint {}: {} rows, {} bytes in {}{}, {:.1f} s", fact.checkpoint, fact.rows,
                    fact.bytes, fact.directory,
                    fact.builds_on == 0 ? "" : fmt::format(", upon checkpoint {}", fact.builds_on),
                    fact.seconds);
  tell_if_slow(fact);
  kept_passes_ = fact.passes;
  facts_.published = context_.loop.now();
  facts_.checkpoints.push_back(std::move(fact));
  prune();
  after_cut(true);
}

// Of a disk that writes slowly, or a store.
void Job::tell_if_slow(const CheckpointFact& fact) {
  const std::uint64_t every = options().config.checkpoint.every_seconds;
  if (every == 0 || fact.seconds <= static_cast<double>(every) ||
      std::exchange(told_slow_checkpoints_, true)) {
    return;
  }
  const std::string text = fmt::format(
      "checkpoint {} took {:.1f} s, longer than checkpoint.every, {} s: where {} lies is slow to write, or "
      "checkpoint.every is too short. Training goes on meanwhile",
      fact.checkpoint, fact.seconds, every, options().config.checkpoint.path);
  warn(text);
}

void Job::prune() {
  for (const std::uint64_t gone : to_prune(facts_.checkpoints, options().config.checkpoint.keep)) {
    const auto fact = std::find_if(facts_.checkpoints.begin(), facts_.checkpoints.end(),
                                   [&](const CheckpointFact& each) { return each.checkpoint == gone; });
    const Status removed = remove_checkpoint(context_.storage, fact->directory);
    if (!removed.ok()) {  // what it needs has to stay too
      facts_.warn("an old checkpoint stays: " + removed.error().message);
      break;
    }
    facts_.checkpoints.erase(fact);
  }
  remove_unpublished();
}

void Job::remove_unpublished() const {
  if (!keeps_checkpoints()) return;
  const auto names = list_checkpoints(context_.storage, options().config.checkpoint.path);
  if (!names.ok()) return;
  for (const CheckpointName& name : *names) {
    if (cut_.has_value() && cut_->directory() == name.directory) continue;
    if (name.checkpoint > last_checkpoint_) continue;  // of a successor, who may lead by now
    const auto published = is_published(context_.storage, name.directory);
    if (published.ok() && !*published) static_cast<void>(context_.storage.remove(name.directory).ok());
  }
}

// Goes on with whatever waited for the cut.
void Job::after_cut(bool ok) {
  if (ended_) return;
  cut_ended_ = context_.loop.now();
  if (stop_by_.has_value()) {
    finish(false, stop_reason_ + (ok ? fmt::format("; checkpoint {} is kept, go on with --resume",
                                                   facts_.checkpoints.back().directory)
                                     : "; its last checkpoint failed"));
    return;
  }
  const bool plan_waits = step_.kind == PlanStep::Kind::kKeepBest ||
                          step_.kind == PlanStep::Kind::kKeepLast ||
                          step_.kind == PlanStep::Kind::kRestoreBest;
  if (cut_purpose_ == CutPurpose::kPlan) plan_->note_kept(ok);
  if (cut_purpose_ != CutPurpose::kAutomatic || plan_waits) carry_out();
}

// Between passes: makes the cut that was put off to here, or that a stop waits for.
bool Job::cut_before_going_on() {
  const bool wanted = cut_at_pass_end_ || stop_by_.has_value();
  cut_at_pass_end_ = false;
  if (!wanted || facts_.passes.empty()) return false;
  if (!cut_.has_value()) {
    begin_cut(CutPurpose::kPassEnd);
    return true;
  }
  return stop_by_.has_value();
}

// Every server gets the sections of the shards that it is the primary of, from however many files they were
// in.
void Job::restore_from(const Manifest& manifest, const std::string& directory) {
  give_up_handovers(Duration(0));
  if (ended_) return;
  std::map<NodeId, Restore> restores;
  const std::vector<Chain> chains = map_.chains();
  for (const Chain& chain : chains) restores[chain.front()].directory = directory;
  for (const ShardSection& section : manifest.sections) {
    if (section.shard < chains.size()) restores[chains[section.shard].front()].sections.push_back(section);
  }
  errands_.clear();
  for (auto& [server, restore] : restores)
    errands_.add(server, next_request_id(), std::move(restore), kSlowErrand);
  send_errands();
}

void Job::restore_best() {
  if (cut_.has_value()) return;
  enter(JobState::kRestoring);
  for (auto fact = facts_.checkpoints.rbegin(); fact != facts_.checkpoints.rend(); ++fact) {
    if (!fact->best || fact->passes != step_.pass + 1) continue;
    const auto manifest = read_manifest(context_.storage, fact->directory);
    if (!manifest.ok()) return finish(false, "cannot restore the best pass: " + manifest.error().message);
    return restore_from(*manifest, fact->directory);
  }
  finish(false, "the checkpoint of the best pass is gone");
}

}  // namespace capstan
