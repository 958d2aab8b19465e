#include "worker/train/work_run.h"

#include <algorithm>
#include <utility>

#include "common/planted_bugs.h"

namespace capstan {
namespace {

constexpr std::uint32_t kBuildLane = 0;

}  // namespace

struct WorkRun::Stage {
  enum class State { kBuilding, kBuilt, kPulling, kReady, kComputing };
  State state = State::kBuilding;
  Step step;
  PullTicket ticket;
  Status status = ok_status();
  Instant begun{};  // what it is at
};

WorkRun::WorkRun(TrainEnv& env, WorkItem item, const WorkGrant& grant, Hooks hooks)
    : env_(env),
      item_(std::move(item)),
      hooks_(std::move(hooks)),
      next_batch_(item_.kind == WorkKind::kTrain ? grant.first_batch : 0) {
  cursor_.work = grant.work;
  cursor_.term = grant.term;
  cursor_.watermark = next_batch_;  // results of an evaluation are kept here alone: it begins anew
  cursor_.batches = item_.kind == WorkKind::kMerge ? 0 : env_.program->num_batches(item_);
  cursor_.end = grant.end_batch == 0 ? cursor_.batches : std::min(grant.end_batch, cursor_.batches);
  if (!pushes()) return;
  const bool stepped = env_.options.consistency != Consistency::kAsync;
  if (!stepped) segments_ = Segments(cursor_.batches);
  PushStream::Id id{item_.pass,
                    item_.partition,
                    grant.term,
                    env_.options.num_shards,
                    stepped,
                    env_.options.frame_bytes_max,
                    std::max(1U, env_.options.push_window),
                    item_.num_partitions,
                    segments_};
  if (CAPSTAN_PLANTED(kStreamsOfItems)) {
    id.partition = grant.work.partition;
    id.segments = Segments();
  }
  pushes_ = std::make_unique<PushStream>(
      env_.loop, env_.rpc, env_.link, env_.peers, env_.program->tables(), env_.pushes, id,
      PushStream::Hooks{.on_acknowledged = [this](std::uint64_t sequence,
                                                  std::uint64_t slices) { acknowledge(sequence, slices); },
                        .on_fenced = [this] { hooks_.on_fenced(); }});
}

WorkRun::~WorkRun() {
  *alive_ = false;
  for (const auto& stage : stages_) env_.puller.cancel(stage->ticket);
}

std::uint64_t WorkRun::needs_clock(std::uint64_t batch) const {
  if (!pushes() || env_.options.consistency == Consistency::kAsync) return 0;
  std::uint64_t lag = env_.options.consistency == Consistency::kSync ? 0 : env_.options.staleness;
  if (CAPSTAN_PLANTED(kStalenessOneMore)) ++lag;
  return batch > lag ? batch - lag : 0;
}

StepId WorkRun::step_id(std::uint64_t batch) const {
  const std::uint32_t stream = segments_.stream(item_.partition, item_.num_partitions, batch);
  return {pushes() ? item_.pass : item_.pass + 1, stream, batch};
}

void WorkRun::pump() {
  if (finishing_ || !error_.empty()) return;
  while (next_batch_ < cursor_.end && stages_.size() < std::max(1U, env_.options.pipeline_depth)) {
    auto stage = std::make_shared<Stage>();
    stage->step.batch = next_batch_++;
    stages_.push_back(stage);
    build(stage);
  }
  pull_built();
  compute_front();
  if (cursor_.watermark >= cursor_.end && stages_.empty()) finish();
}

bool WorkRun::leave_from(std::uint64_t batch) {
  const std::uint64_t end = segments_.next_begin(std::max(batch, next_batch_));
  if (!pushes() || end >= cursor_.end) return false;
  env_.log.info("pass {}, partition {}: leaves the batches from {} on to another worker", item_.pass + 1,
                item_.partition, end);
  cursor_.end = end;
  pump();
  return true;
}

void WorkRun::build(const StageRef& stage) {
  stage->begun = env_.loop.now();
  env_.tasks.run(
      kBuildLane,
      [program = env_.program, item = item_, shards = env_.options.num_shards, stage] {
        stage->status = program->build(item, stage->step.batch, stage->step);
        if (stage->status.ok()) stage->ticket.ranges = shard_ranges(stage->step.tables, shards);
      },
      [this, alive = alive_, stage] {
        if (!*alive) return;
        env_.rpc.tracer().add(SpanKind::kBuild, step_id(stage->step.batch),
                              std::max(stage->begun, built_at_));
        built_at_ = env_.loop.now();
        if (!stage->status.ok()) {
          fail(stage->status.error().message);
        } else {
          stage->state = Stage::State::kBuilt;
          pump();
        }
      });
}

// sync: a step is pulled when every shard has taken the one before. So no shard is more than one step ahead
// of a slot that another worker has to do again, and can still show it the rows as they were.
void WorkRun::pull_built() {
  const bool in_step = pushes() && env_.options.consistency == Consistency::kSync;
  for (const auto& stage : stages_) {
    const bool may = !in_step || cursor_.watermark >= stage->step.batch;
    if (stage->state == Stage::State::kBuilt && may) pull(stage);
  }
}

void WorkRun::pull(const StageRef& stage) {
  stage->state = Stage::State::kPulling;
  // Evaluation sees the rows as the next pass will find them.
  stage->ticket.pass = pushes() ? item_.pass : item_.pass + 1;
  stage->ticket.term = cursor_.term;
  stage->ticket.needs_clock = needs_clock(stage->step.batch);
  stage->ticket.step = step_id(stage->step.batch);
  stage->ticket.of_copies = env_.options.pull_copies && pushes() && stage->ticket.needs_clock > 0;
  env_.puller.pull(stage->step.tables, stage->ticket, [this, stage] {
    stage->state = Stage::State::kReady;
    pump();
  });
}

// Batches compute in their order: pushes of a stream must be. What is computed is pushed at once, so a full
// window holds it up.
void WorkRun::compute_front() {
  if (pushes_ && pushes_->full()) return;
  if (computing_ || stages_.empty() || stages_.front()->state != Stage::State::kReady) return;
  if (!error_.empty()) return;
  computing_ = true;
  StageRef stage = stages_.front();
  stage->state = Stage::State::kComputing;
  stage->begun = env_.loop.now();
  env_.tasks.run(
      env_.tasks.lanes() - 1,
      [program = env_.program, item = item_, stage] { stage->status = program->compute(item, stage->step); },
      [this, alive = alive_, stage] {
        if (*alive) on_computed(stage);
      });
}

void WorkRun::on_computed(const StageRef& stage) {
  computing_ = false;
  env_.rpc.tracer().add(SpanKind::kCompute, step_id(stage->step.batch), stage->begun, stage->step.examples);
  if (!error_.empty()) return;
  stages_.pop_front();
  Computed& computed = computed_[stage->step.batch + 1];
  if (!stage->status.ok()) {
    if (!pushes() || stage->status.error().code != ErrorCode::kInvalid) {
      fail(stage->status.error().message);
      return;
    }
    computed.bad = true;
    ++refused_;
    env_.log.warn("batch refused: {} (train.max_bad_batches lets {} pass in all of the job)",
                  stage->status.error().message, env_.options.max_bad_batches);
    if (refused_ > env_.options.max_bad_batches) {
      fail(fmt::format("more than train.max_bad_batches = {} batches were refused; the last: {}",
                       env_.options.max_bad_batches, stage->status.error().message));
      return;
    }
    for (auto& table : stage->step.tables) table.gradients.clear();
  } else {
    computed.examples = stage->step.examples;
    computed.loss_sum = stage->step.loss_sum;
  }
  push(stage);
  pump();
}

void WorkRun::push(const StageRef& stage) {
  const std::uint64_t sequence = stage->step.batch + 1;
  if (!pushes_) {
    acknowledge(sequence, 0);
    return;
  }
  if (const std::string why = pushes_->too_large(stage->step.tables, stage->ticket); !why.empty()) {
    return fail(fmt::format("batch {} of pass {}: {}", stage->step.batch, item_.pass + 1, why));
  }
  pushes_->push(sequence, ++env_.steps, std::move(stage->step.tables), stage->ticket);
}

void WorkRun::acknowledge(std::uint64_t sequence, std::uint64_t slices) {
  computed_[sequence].slices = slices;
  computed_[sequence].acknowledged = true;
  if (CAPSTAN_PLANTED(kWatermarkSkipsGaps)) cursor_.watermark = std::max(cursor_.watermark, sequence - 1);
  for (auto next = computed_.begin(); next != computed_.end() && next->second.acknowledged;
       next = computed_.erase(next)) {
    if (next->first != cursor_.watermark + 1) break;
    ++cursor_.watermark;
    cursor_.slices += next->second.slices;
    cursor_.examples += next->second.examples;
    cursor_.loss_sum += next->second.loss_sum;
    cursor_.bad_batches += next->second.bad ? 1 : 0;
  }
  pump();
}

void WorkRun::finish() {
  if (finishing_) return;
  finishing_ = true;
  auto result = std::make_shared<Result<Buffer>>(Buffer());
  env_.tasks.run(
      env_.tasks.lanes() - 1,
      [program = env_.program, item = item_, result] { *result = program->finish(item); },
      [this, alive = alive_, result] {
        if (!*alive) return;
        if (!result->ok()) {
          fail(result->error().message);
          return;
        }
        result_ = std::move(*result).value();
        finished_ = true;
        hooks_.on_finished();
      });
}

void WorkRun::fail(const std::string& why) {
  if (finished_) return;
  error_ = why;
  finished_ = true;
  hooks_.on_finished();
}

}  // namespace capstan
