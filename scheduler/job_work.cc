// Job: granting work and taking in what came of it.
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>

#include "common/direct_stream.h"
#include "common/merged_report.h"
#include "common/planted_bugs.h"
#include "scheduler/job.h"
#include "scheduler/json.h"

namespace capstan {

namespace {

constexpr std::string_view kValidPart = "valid";

}  // namespace

// Takes a report of where a work item stands; false: it is another's by now. Of refused batches only the
// first of an item is told: they are many when something is badly wrong.
bool Job::take_progress(const Node& node, const WorkCursor& cursor) {
  if (const auto said = work_.split_said(node.id, cursor); said.has_value()) {
    if (!split(node, *said)) return false;
  }
  const WorkEntry* entry = work_.find(cursor.work);
  const bool told = entry != nullptr && entry->cursor().bad_batches > 0;
  if (!work_.progress(node.id, cursor)) return false;
  stragglers_.on_report(node.id, cursor, context_.loop.now());
  if (!told && entry->cursor().bad_batches > 0) {
    facts_.warn(
        fmt::format("pass {}, partition {}: a batch was refused for values that are not finite; {}'s log "
                    "names it and any "
                    "later one of that partition",
                    entry->work.pass + 1, entry->partition(), node.name));
  }
  return true;
}

// The rest is nobody's before the journal has it, and the holder has said that it does nothing of it.
bool Job::split(const Node& holder, const WorkSplit& split) {
  if (!record(split)) return false;
  work_.split(split);
  stragglers_.was_split(split.kept.work);
  ++facts_.splits;
  context_.log.info("pass {}, partition {}: {} is slow; batches {} to {} go on elsewhere",
                    split.kept.work.pass + 1, work_.find(split.kept.work)->partition(), holder.name,
                    split.rest.watermark, split.rest.end - 1);
  return true;
}

// This one has nothing to do, and nothing is free.
void Job::look_for_a_straggler(const Node& idle) {
  if (step_.kind != PlanStep::Kind::kTrain || stepped() || work_.held_by(idle.id) > 0) return;
  const auto wish = stragglers_.choose(work_, idle.id, context_.loop.now());
  if (!wish.has_value() || !CAPSTAN_PLANTED(kSplitsUnconfirmed)) return;
  const WorkEntry& entry = *work_.find(wish->work);
  split(*context_.membership.find(entry.holder), work_.split_at(entry, wish->end, entry.batches));
}

bool Job::is_ready(const Node& node) const {
  const auto found = ready_.find(node.id);
  return found != ready_.end() && found->second == node.incarnation;
}

void Job::count_ready_workers() {
  ready_workers_ = 0;
  for (const auto& [id, incarnation] : ready_) {
    const Node* node = context_.membership.find(id);
    if (node != nullptr && node->alive && node->incarnation == incarnation) ++ready_workers_;
  }
}

// In stepped modes a step needs all of its slots, so the partitions of a pass are all held at once.
std::uint32_t Job::hold_max() const {
  if (step_.kind != PlanStep::Kind::kTrain || !stepped()) return 1;
  const auto workers = static_cast<std::uint32_t>(std::max<std::size_t>(ready_workers_, 1));
  return (facts_.num_partitions + workers - 1) / workers;
}

Message Job::on_work_request(const Node& node, const WorkRequest& request) {
  if (request.direct) return grant_direct(node);
  // A thousand waiting workers should not ask more often, all together, than a few of them.
  const auto wait = static_cast<std::uint32_t>(
      std::clamp<std::size_t>(context_.membership.count_alive(Role::kWorker), 20, 500));
  const NoWork none{wait, waits_for_};
  const bool working = facts_.state == JobState::kRunning || facts_.state == JobState::kValidating ||
                       facts_.state == JobState::kEvaluating;
  if (ended_ || !working || !is_ready(node)) return none;
  auto granted = work_.grant(node.id, request.held, hold_max());
  if (!granted.has_value()) {
    if (request.held == 0) look_for_a_straggler(node);
    return none;
  }
  const WorkGrant& grant = granted->grant;
  if (!granted->again && grant.work.kind == kTrainWork) {
    if (!record(WorkGranted{work_.find(grant.work)->cursor(), node.id})) return none;
  }
  stragglers_.on_grant(node.id, grant, context_.loop.now());
  granted->grant.steps = steps_so_far();
  return std::move(granted->grant);
}

Message Job::on_work_progress(const Node& node, const WorkProgress& progress) {
  WorkProgressReply reply;
  for (std::uint32_t n = 0; n < progress.cursors.size(); ++n) {
    const WorkCursor& cursor = progress.cursors[n];
    const bool direct = cursor.work.kind == kDirectWork;
    const bool takes = direct ? ended_ || direct_.progress(node.id, cursor)  // it hears of the end by itself
                              : !ended_ && take_progress(node, cursor);
    if (!takes) {
      reply.revoked.push_back(n);
    } else if (direct) {
      continue;
    } else if (const auto end = stragglers_.wished_end(cursor, context_.loop.now()); end != 0) {
      reply.wishes.push_back({n, end});
    }
  }
  if (!ended_) check_bad_batches();
  reply.steps = steps_so_far();
  return reply;
}

void Job::check_bad_batches() {
  const std::uint32_t bad_max = options().config.train.max_bad_batches;
  std::uint64_t bad = step_.kind == PlanStep::Kind::kTrain ? work_.totals().bad_batches : 0;
  for (const PassFinished& pass : facts_.passes) bad += pass.bad_batches;
  if (bad <= bad_max) return;
  finish(false,
         fmt::format(
             "{} batches were refused, more than train.max_bad_batches = {}; the workers' logs name them",
             bad, bad_max));
}

Message Job::on_work_done(const Node& node, const WorkDone& done) {
  if (ended_) return WorkDoneReply{false};
  if (done.cursor.work.kind == kDirectWork) return close_direct(node, done.cursor);
  const WorkEntry* entry = work_.find(done.cursor.work);
  if (entry != nullptr && entry->done) return WorkDoneReply{work_.finish(node.id, done.cursor, {})};
  if (!take_progress(node, done.cursor)) return WorkDoneReply{false};
  if (!done.error.empty()) {
    finish(false, fmt::format("{}: {}", node.name, done.error));
    return WorkDoneReply{false};
  }
  if (done.cursor.work.kind == kTrainWork) {
    WorkCursor total = entry->cursor();
    total.watermark = std::max(total.watermark, done.cursor.watermark);
    if (!record(WorkFinished{total, node.id})) return WorkDoneReply{false};
  }
  work_.finish(node.id, done.cursor, done.result);
  check_bad_batches();
  if (!ended_ && work_.all_done()) on_items_done();
  return WorkDoneReply{true};
}

// Parts to evaluate once training is over.
bool Job::is_test(const EvaluatePart& part) const {
  const std::vector<std::string>& only = options().only_parts;
  if (only.empty()) return part.name != kValidPart;
  return std::find(only.begin(), only.end(), part.name) != only.end();
}

void Job::begin_parts(bool valid) {
  if (!record(StateReached{valid ? "validating" : "evaluating", facts_.pass, ""})) return;
  enter(valid ? JobState::kValidating : JobState::kEvaluating);
  merging_ = false;
  work_.clear();
  for (const EvaluatePart& part : facts_.agreed->parts) {
    if (valid ? part.name != kValidPart : !is_test(part)) continue;
    for (std::uint32_t p = 0; p < part.partitions; ++p) {
      work_.add(WorkId{kEvaluateWork, facts_.pass, p, part.name}, part.partitions);
    }
  }
  if (work_.all_done()) on_items_done();
}

void Job::begin_merge(const std::string& name, std::vector<Buffer> inputs) {
  merging_ = true;
  work_.clear();
  work_.add(WorkId{kMergeWork, facts_.pass, 0, name}, 1, std::move(inputs));
}

// In the order in which the workers named their parts, then by partition.
std::vector<Buffer> Job::collect_results() const {
  std::vector<Buffer> results;
  for (const EvaluatePart& part : facts_.agreed->parts) {
    for (std::uint32_t p = 0; p < part.partitions; ++p) {
      const WorkEntry* entry = work_.find(WorkId{kEvaluateWork, facts_.pass, p, part.name});
      if (entry != nullptr) results.push_back(entry->result);
    }
  }
  return results;
}

void Job::on_items_done() {
  switch (step_.kind) {
    case PlanStep::Kind::kTrain:
      return end_pass();
    case PlanStep::Kind::kValidate:
      if (!merging_) return begin_merge(std::string(kValidPart), collect_results());
      return on_validated(work_.entries().begin()->second.result.text());
    case PlanStep::Kind::kEvaluate:
      part_results_ = collect_results();
      ++facts_.test_evaluations;
      plan_->note_evaluated();
      return carry_out();
    case PlanStep::Kind::kReport:
      return on_reported(work_.entries().begin()->second.result);
    case PlanStep::Kind::kKeepBest:
    case PlanStep::Kind::kKeepLast:
    case PlanStep::Kind::kRestoreBest:
    case PlanStep::Kind::kDone:
      return;
  }
}

void Job::on_validated(std::string_view text) {
  const auto object = parse_json_object(text);
  if (!object.ok()) return finish(false, "the result of validation: " + object.error().message);
  JsonReader in(*object);
  PassValidated validated{step_.pass, 0.0, std::string(text)};
  in.real_of("better", validated.better);
  if (!in.status().ok()) return finish(false, "the result of validation: " + in.status().error().message);
  if (!record(validated)) return;
  facts_.validations.push_back(validated);
  plan_->note_validated(validated.pass, validated.better);
  context_.log.info("validation after pass {}: {:.5f}{}", validated.pass + 1, validated.better,
                    plan_->best_pass() == validated.pass ? ", the best so far" : "");
  work_.clear();
  carry_out();
}

void Job::on_reported(const Buffer& result) {
  MergedReport report = decode_merged_report(result);
  const auto object = parse_json_object(report.json);
  if (!object.ok()) return finish(false, "the result of evaluation: " + object.error().message);
  facts_.report_json = std::move(report.json);
  facts_.report_values = std::move(report.values);
  if (const json::value* words = object->if_contains("text"); words != nullptr && words->is_string()) {
    facts_.final_text = std::string(words->get_string());
  }
  plan_->note_reported();
  carry_out();
}

double Job::loss() const {
  const WorkTotals running = facts_.state == JobState::kRunning ? work_.totals() : WorkTotals{};
  if (running.examples > 0) return running.loss_sum / static_cast<double>(running.examples);
  if (facts_.passes.empty() || facts_.passes.back().examples == 0) return std::nan("");
  return facts_.passes.back().loss_sum / static_cast<double>(facts_.passes.back().examples);
}

std::uint64_t Job::examples_so_far() const {
  std::uint64_t examples = step_.kind == PlanStep::Kind::kTrain ? work_.totals().examples : 0;
  for (const PassFinished& pass : facts_.passes) examples += pass.examples;
  return examples;
}

void Job::note_uncounted(const Node& node) {
  const auto owns = [&](const ShardEntry& entry) { return holds(entry.chain, node.id); };
  if (std::any_of(map_.entries().begin(), map_.entries().end(), owns)) facts_.counted = false;
  if (draining_.contains(node.id) && holds_nothing(node.id)) return;
  facts_.warn(fmt::format("{} did not give its last counters; the report has those of its last heartbeat",
                          node.name));
}

std::uint64_t Job::slices_acknowledged() const {
  std::uint64_t slices = step_.kind == PlanStep::Kind::kTrain ? work_.totals().slices : 0;
  slices += direct_.slices();
  for (const PassFinished& pass : facts_.passes) {
    if (pass.pass <= facts_.rows_of_pass.value_or(pass.pass)) slices += pass.slices;
  }
  return slices;
}

std::uint64_t Job::steps_of_pass() const {
  const bool sync = options().config.train.consistency == Consistency::kSync;
  return sync ? work_.watermark_sum() / facts_.num_partitions : work_.watermark_sum();
}

std::uint64_t Job::steps_so_far() const {
  std::uint64_t steps = step_.kind == PlanStep::Kind::kTrain ? steps_of_pass() : 0;
  steps += direct_.batches();
  for (const PassFinished& pass : facts_.passes) steps += pass.steps;
  return steps;
}

}  // namespace capstan
