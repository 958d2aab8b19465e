// Server: a chain's last member gives its shard to a learner, and the learner takes it.
#include <algorithm>
#include <utility>

#include "common/planted_bugs.h"
#include "common/units.h"
#include "ps/server.h"

namespace capstan {
namespace {

using namespace std::chrono_literals;
constexpr Duration kChunkTimeout = 2s;
constexpr Duration kChunkAgainPause = 50ms;
constexpr std::ptrdiff_t kLessonsAtOnce = 2;   // whose bytes are held
constexpr std::ptrdiff_t kLearnersAtOnce = 8;  // for whom records are kept
constexpr std::uint64_t kNear = 16;            // records behind: near enough to be waited for
constexpr Duration kTellPause = 60s;

}  // namespace

void Server::begin_lessons() {
  using Stage = Lesson::Stage;
  auto busy = std::count_if(shards_.begin(), shards_.end(), [](const auto& each) {
    const auto& lesson = each.second.lesson;
    return lesson.has_value() && (lesson->stage == Stage::kSaving || lesson->stage == Stage::kSending);
  });
  auto behind = std::count_if(shards_.begin(), shards_.end(), [](const auto& each) {
    const auto& lesson = each.second.lesson;
    return lesson.has_value() && lesson->stage != Stage::kQueued && !each.second.log.counts();
  });
  for (auto& [shard, slot] : shards_) {
    if (busy >= kLessonsAtOnce || behind >= kLearnersAtOnce) return;
    if (!slot.lesson.has_value() || slot.lesson->stage != Stage::kQueued) continue;
    if (!others_.find(slot.lesson->learner)) continue;
    ++busy;
    ++behind;
    save_for(shard, slot);
  }
}

// All chunks together keep within the rate. 0: it is the caller's turn, which this takes; else how long to
// wait.
Duration Server::take_turn(std::uint64_t bytes) {
  const Instant now = loop_.now();
  if (catch_up_rate_ == 0) return Duration(0);
  if (now < next_turn_) return next_turn_ - now;
  const double seconds = static_cast<double>(bytes) / static_cast<double>(catch_up_rate_);
  next_turn_ = now + std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
  return Duration(0);
}

std::uint64_t Server::backlog_most() const {
  constexpr std::uint64_t kLeast = 1 << 20;
  const std::uint64_t most = options_.learner_backlog_bytes;
  return memory_limit() == 0 ? most : std::min(most, std::max(memory_limit() / 64, kLeast));
}

// A learner that does not keep up must not take the memory that rows need. What is kept for it is in the
// shard, which is sent anew.
void Server::watch_backlog(std::uint32_t shard, Slot& slot) {
  const bool behind = slot.lesson.has_value() && !slot.log.counts();
  if (!behind || slot.log.kept_bytes() <= backlog_most()) return;
  const NodeId learner = slot.lesson->learner;
  ++lessons_begun_anew_;
  if (told_of_backlog_ == Instant{} || loop_.now() - told_of_backlog_ >= kTellPause) {
    told_of_backlog_ = loop_.now();
    log_.warn(
        "{} does not keep up with what is pushed while it copies shard {}: more than {} wait for it, so the "
        "copy begins anew. If that goes on, raise cluster.catch_up_rate or look at that server",
        others_.name_of(learner), shard, format_bytes(backlog_most()));
  }
  slot.log.follow(0);
  slot.lesson = Lesson{.learner = learner};
  begin_lessons();
}

// Between two pushes on the shard's lane; when the bytes are here, the log has just what they contain.
void Server::save_for(std::uint32_t shard, Slot& slot) {
  Lesson& lesson = *slot.lesson;
  lesson.stage = Lesson::Stage::kSaving;
  lesson.session = ++last_session_;
  lesson.pause = std::make_unique<Timer>(loop_);
  auto bytes = std::make_shared<Buffer>();
  compute_.run(
      lane_of(shard), [bytes, rows = slot.shard.get()] { *bytes = rows->save_all(); },
      [this, bytes, shard, rows = slot.shard.get(), session = lesson.session] {
        Slot* held = slot_of(shard, rows);
        if (held == nullptr || !held->lesson.has_value() || held->lesson->session != session) return;
        held->log.teach(held->lesson->learner);
        held->lesson->position = held->log.applied();
        held->lesson->bytes = std::move(*bytes);
        held->lesson->stage = Lesson::Stage::kSending;
        send_chunk(shard);
      });
}

void Server::send_chunk(std::uint32_t shard) {
  Slot& slot = shards_[shard];
  Lesson& lesson = *slot.lesson;
  const auto again = [this, shard] { send_chunk(shard); };
  const auto peer = others_.find(lesson.learner);
  if (!peer) return lesson.pause->start(kChunkAgainPause, again);
  const std::size_t size = lesson.bytes.size();
  const std::size_t step = std::max(options_.chunk_bytes, 1U);
  const std::size_t begin = std::min(size, lesson.next * step), end = std::min(size, begin + step);
  if (const Duration wait = take_turn(end - begin); wait > Duration(0))
    return lesson.pause->start(wait, again);
  ShardChunk chunk;
  chunk.sender = link_.node_id();
  chunk.map_version = link_.map().version();
  chunk.shard = shard;
  chunk.epoch = slot.epoch;
  chunk.session = lesson.session;
  chunk.index = lesson.next;
  chunk.count = static_cast<std::uint32_t>((size + step - 1) / step);
  chunk.position = lesson.position;
  chunk.declare = declared_;
  chunk.bytes = lesson.bytes.slice(begin, end - begin);
  rpc_.call(*peer, chunk, kChunkTimeout,
            [this, shard, session = lesson.session](const Result<Message>& reply) {
              on_chunk_reply(shard, session, reply);
            });
}

void Server::on_chunk_reply(std::uint32_t shard, std::uint64_t session, const Result<Message>& reply) {
  const auto found = shards_.find(shard);
  if (found == shards_.end() || !found->second.lesson.has_value()) return;
  Slot& slot = found->second;
  Lesson& lesson = *slot.lesson;
  if (lesson.session != session || lesson.stage != Lesson::Stage::kSending) return;
  const auto* answer = reply.ok() ? std::get_if<ShardChunkReply>(&*reply) : nullptr;
  const auto again = [this, shard] { send_chunk(shard); };
  others_.note(lesson.learner, reply);
  if (answer == nullptr || answer->status != ReplicaStatus::kOk) {
    if (answer != nullptr) learn_map(answer->map_version);
    return lesson.pause->start(kChunkAgainPause, again);
  }
  lesson.next = answer->next;
  const std::size_t step = std::max(options_.chunk_bytes, 1U);
  if (std::size_t{lesson.next} * step < lesson.bytes.size()) return lesson.pause->start(Duration(0), again);
  lesson.bytes = Buffer();
  lesson.stage = Lesson::Stage::kFollowing;
  if (CAPSTAN_PLANTED(kMovesWithoutTail)) slot.log.confirm(slot.log.applied());
  unsent_.insert(shard);
  send_records();
  follow_up(slot);
  begin_lessons();
}

// A learner that is near is waited for; one that has all is worth telling of.
void Server::follow_up(Slot& slot) {
  if (!slot.lesson.has_value() || slot.lesson->stage != Lesson::Stage::kFollowing) return;
  Lesson& lesson = *slot.lesson;
  if (!slot.log.counts() && slot.log.applied() - slot.log.confirmed() <= kNear) {
    slot.log.include();
    lesson.include_at = slot.log.applied();
  }
  if (is_taught(slot) && !lesson.told) tell_ready();
}

// Nothing is confirmed from here on that the learner lacks.
bool Server::is_taught(const Slot& slot) {
  if (!slot.lesson.has_value() || slot.lesson->stage != Lesson::Stage::kFollowing) return false;
  return (slot.log.counts() && slot.log.confirmed() >= slot.lesson->include_at) ||
         CAPSTAN_PLANTED(kCountsLearnersEarly);
}

// Again and again until the map shows it.
void Server::tell_ready() {
  LearnersReady ready;
  ready.node_id = link_.node_id();
  for (auto& [shard, slot] : shards_) {
    if (!is_taught(slot)) continue;
    slot.lesson->told = true;
    ready.shards.push_back({shard, slot.epoch, slot.lesson->learner});
  }
  if (!ready.shards.empty()) rpc_.notify(link_.peer(), ready);
}

void Server::on_shard_chunk(PeerId from, std::uint64_t id, const ShardChunk& chunk) {
  learn_map(chunk.map_version);
  ShardChunkReply reply{link_.map().version(), judge(chunk.shard, chunk.epoch, chunk.sender), 0};
  const auto found = shards_.find(chunk.shard);
  if (reply.status == ReplicaStatus::kOk && found->second.role != ShardRole::kLearner) {
    reply.status = ReplicaStatus::kStale;
  }
  // Of a copy that was begun anew meanwhile: what came of the newer one stays.
  const bool given_up = reply.status == ReplicaStatus::kOk && found->second.intake.has_value() &&
                        chunk.session < found->second.intake->session;
  if (given_up && !CAPSTAN_PLANTED(kTakesFormerCopies)) reply.status = ReplicaStatus::kStale;
  if (reply.status != ReplicaStatus::kOk) return rpc_.reply(from, id, reply);
  if (declared_.tables.size() < chunk.declare.tables.size() || declared_.fence < chunk.declare.fence) {
    tables_ = chunk.declare.tables;
    declared_ = chunk.declare;
    ++declarations_;
    on_map();
  }
  Slot& slot = found->second;
  if (!slot.intake.has_value() || slot.intake->session != chunk.session) {
    slot.in_place = false;
    slot.intake = Intake{chunk.session, chunk.position, 0, chunk.count, {}};
  }
  Intake& intake = *slot.intake;
  if (chunk.index == intake.next && intake.next < intake.count) {
    intake.bytes.insert(intake.bytes.end(), chunk.bytes.bytes().begin(), chunk.bytes.bytes().end());
    ++intake.next;
    if (intake.next == intake.count) return place_rows(from, id, chunk.shard, slot);
  }
  // The last chunk is answered when the rows are in their place: until then it may come again.
  if (intake.next == intake.count && !slot.in_place) return;
  reply.next = intake.next;
  rpc_.reply(from, id, reply);
}

void Server::place_rows(PeerId from, std::uint64_t id, std::uint32_t shard, Slot& slot) {
  new_rows(slot, shard);
  struct Outcome {
    Buffer bytes;
    Status status = ok_status();
    StepClock clock;
  };
  auto outcome = std::make_shared<Outcome>();
  outcome->bytes = Buffer::adopt(std::exchange(slot.intake->bytes, {}));
  Shard* rows = slot.shard.get();
  compute_.run(
      lane_of(shard),
      [outcome, rows, declare = declared_] {
        rows->declare(declare);
        outcome->status = rows->load_all(outcome->bytes.bytes());
        outcome->clock = rows->clock();
        outcome->bytes = Buffer();
      },
      [this, from, id, shard, rows, outcome, session = slot.intake->session] {
        Slot* held = slot_of(shard, rows);
        if (held == nullptr || !held->intake.has_value() || held->intake->session != session) return;
        Intake& intake = *held->intake;
        if (!outcome->status.ok()) {
          log_.error("shard {} did not arrive whole: {}", shard, outcome->status.error().message);
          intake.next = 0;
        } else {
          held->in_place = true;
          held->clock = outcome->clock;
          held->submitted = intake.position;
          held->log.begin(intake.position);
        }
        rpc_.reply(from, id, ShardChunkReply{link_.map().version(), ReplicaStatus::kOk, intake.next});
      });
}

}  // namespace capstan
