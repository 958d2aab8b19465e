// Server: snapshots and restores on the scheduler's word.
#include <algorithm>
#include <deque>
#include <utility>

#include "ps/section_file.h"
#include "ps/server.h"

namespace capstan {

// The scheduler sends a request again until it is answered, and the network may bring one twice. Doing it
// twice would write over a published checkpoint, or put a shard back that has moved on.
bool Server::repeated(std::uint64_t id) {
  if (id > errand_id_) {
    errand_id_ = id;
    errand_answer_.reset();
    return false;
  }
  if (id == errand_id_ && errand_answer_.has_value()) rpc_.reply(link_.peer(), id, *errand_answer_);
  return true;
}

void Server::answer_errand(std::uint64_t id, const Message& answer) {
  if (id == errand_id_) errand_answer_ = answer;
  rpc_.reply(link_.peer(), id, answer);
}

void Server::on_snapshot(std::uint64_t id, const Snapshot& request) {
  std::deque<std::uint32_t> owned;
  bool leaving = false;
  for (const auto& [shard, slot] : shards_) {
    if (slot.role == ShardRole::kPrimary) owned.push_back(shard);
    leaving = leaving || slot.handover != Handover::kNone;
  }
  const bool knows_map = link_.map().version() >= request.map_version;
  if (!knows_map) learn_map(request.map_version);
  if (owned.empty() || leaving || !knows_map || repeated(id))
    return;  // only owners are asked: the map is on its way
  if (snapshot_ != nullptr && !snapshot_->finished()) {
    snapshot_->fail(make_error(ErrorCode::kCancelled, "a newer checkpoint was asked for"), false);
  }
  auto done = [this, id](const SnapshotReply& reply) {
    if (!reply.error.empty()) log_.warn("checkpoint {} failed: {}", reply.checkpoint, reply.error);
    answer_errand(id, reply);
  };
  snapshot_ = std::make_unique<SnapshotJob>(disk_, storage_, request.checkpoint, request.directory,
                                            options_.name + ".rows", owned.size(), std::move(done),
                                            [this] { rest_after_snapshot(); });
  snapshot_ticket_ = id;
  snapshot_request_ = request;
  snapshot_left_ = std::move(owned);
  snapshots_taking_ = 0;
  pace_.begin(taken_in_);
  snapshot_rest_.stop();
  take_snapshots();
}

// Each shard is serialised on its own lane, between two pushes, and written by the disk lane. Few are under
// way at a time, so that what is not written yet takes little memory. In sync all must hear at once which
// step they are to wait for.
void Server::take_snapshots() {
  const bool at_once = snapshot_request_.after_step > 0;
  if (snapshot_rest_.running() && !at_once) return;
  while (!snapshot_left_.empty() && !snapshot_->finished() &&
         (at_once || snapshots_taking_ + snapshot_->open() < pace_.shards_at_once())) {
    const std::uint32_t shard = snapshot_left_.front();
    snapshot_left_.pop_front();
    take_snapshot(shard);
  }
}

void Server::rest_after_snapshot() {
  const Duration rest = pace_.rest(loop_.now(), taken_in_);
  if (rest == Duration(0)) return take_snapshots();
  snapshot_rest_.start(rest, [this] { take_snapshots(); });
}

void Server::take_snapshot(std::uint32_t shard) {
  const auto slot = shards_.find(shard);
  if (slot == shards_.end() || slot->second.role != ShardRole::kPrimary) {
    return snapshot_->fail(make_error(ErrorCode::kCancelled, "the shard moved away"), false);
  }
  ++snapshots_taking_;
  auto taken = std::make_shared<Result<ShardSnapshot>>(ShardSnapshot());
  auto forgot = std::make_shared<bool>(false);
  auto bytes = std::make_shared<std::uint64_t>(0);
  compute_.run(
      lane_of(shard),
      [taken, forgot, bytes, rows = slot->second.shard.get(), request = snapshot_request_,
       id = snapshot_ticket_] {
        *bytes = rows->stats().bytes;
        *forgot = rows->forget_below(request.forget_below_pass, request.forget_direct_below);
        *taken =
            rows->snapshot_after(request.pass, request.after_step, id, {request.checkpoint, request.base});
      },
      [this, taken, forgot, bytes, shard, rows = slot->second.shard.get(), id = snapshot_ticket_,
       request = snapshot_request_, begun = loop_.now()] {
        Slot* held = slot_of(shard, rows);
        if (held != nullptr && *forgot) {
          ShardRecord record;
          record.head.kind = RecordKind::kForget;
          record.head.pass = request.forget_below_pass;
          record.head.term = request.forget_direct_below;
          log_other(*held, shard, std::move(record));
        }
        if (id != snapshot_ticket_) return;
        --snapshots_taking_;
        pace_.note(begun, *bytes);
        if (!taken->ok()) {
          snapshot_->fail(taken->error(), true);
        } else {
          write_snapshot(shard, std::move(*taken).value());
        }
        take_snapshots();
      });
}

void Server::write_snapshot(std::uint32_t shard, ShardSnapshot snapshot) {
  const bool wanted = snapshot_ != nullptr && snapshot.ticket == snapshot_ticket_;
  if (wanted && !snapshot.bytes.empty()) snapshot_->add(shard, std::move(snapshot));
}

struct Server::RestoreJob {
  std::uint64_t id;
  Restore request;
  std::vector<SectionChain> chains;  // of the request
  std::size_t next = 0, open = 0;    // chains
  RestoreReply reply;
};

// Reads each shard's sections on a disk lane, gives them to the shard's lane, which checks them and takes
// what they come to, and hands that down the servers' chain.
void Server::on_restore(std::uint64_t id, const Restore& request) {
  const bool owner =
      std::all_of(request.sections.begin(), request.sections.end(),
                  [&](const ShardSection& section) { return primary_slot(section.shard) != nullptr; });
  if (!owner || repeated(id)) return;  // not owner: the map is still on its way
  auto job = std::make_shared<RestoreJob>(RestoreJob{id, request, {}, 0, 0, {}});
  job->chains = chains_of(job->request.sections);
  restore_next(job);
}

// What became of one shard.
struct Server::RestoredShard {
  SectionChain chain;
  Result<std::vector<Buffer>> stored = std::vector<Buffer>();
  const ShardSection* damaged = nullptr;
  Status status = ok_status();
  bool unfit = false;  // its bytes are at fault
  Buffer bytes;        // what the sections come to
  StepClock clock;
  std::uint64_t rows = 0;
};

// A few at a time: what the replicas have not confirmed takes memory.
void Server::restore_next(const std::shared_ptr<RestoreJob>& job) {
  constexpr std::size_t kShardsAtOnce = 6;
  if (job->next == job->chains.size() && job->open == 0) {
    answer_errand(job->id, job->reply);
    return;
  }
  while (job->next < job->chains.size() && job->open < kShardsAtOnce) {
    ++job->open;
    auto restored = std::make_shared<RestoredShard>();
    const auto lane = static_cast<std::uint32_t>(job->next % disk_.lanes());
    restored->chain = job->chains[job->next++];
    disk_.run(
        lane,
        [this, restored, job] {
          restored->stored =
              fetch_chain(storage_, job->request.directory, restored->chain, &restored->damaged);
        },
        [this, job, restored] {
          if (job->id == errand_id_) restore_shard(job, restored);  // else another checkpoint is by now
        });
  }
}

void Server::restore_shard(const std::shared_ptr<RestoreJob>& job,
                           const std::shared_ptr<RestoredShard>& restored) {
  const std::uint32_t shard = restored->chain.front().shard;
  if (!restored->stored.ok()) {
    restored->status = restored->stored.error();
    restored->unfit = !is_unreachable(restored->stored.error());
    return end_restore(job, *restored);
  }
  if (primary_slot(shard) == nullptr) {
    restored->status = make_error(ErrorCode::kCancelled, "the shard moved away");
    return end_restore(job, *restored);
  }
  // Requests and terms are both numbered from the scheduler's generation, in their upper half.
  const std::uint64_t fence = job->id >> 32 << 32;
  Slot& slot = shards_.at(shard);
  const bool travels = slot.log.after() != 0;
  compute_.run(
      lane_of(shard),
      [job, restored, rows = slot.shard.get(), fence,
       bytes_max = travels ? options_.frame_bytes_max : ~0ULL] {
        take_restored(*rows, job->request.directory, fence, bytes_max, *restored);
      },
      [this, job, restored, shard, rows = slot.shard.get(), fence] {
        Slot* held = slot_of(shard, rows);
        if (held == nullptr) restored->status = make_error(ErrorCode::kCancelled, "the shard moved away");
        if (!restored->status.ok()) return end_restore(job, *restored);
        held->clock = restored->clock;
        release_waiting(*held, SliceStatus::kBusy);
        job->reply.rows += restored->rows;
        ShardRecord record;
        record.head.kind = RecordKind::kReplace;
        record.head.term = fence;
        record.blob = restored->bytes;
        log_other(*held, shard, std::move(record));
        held->log.when_committed(held->log.applied(), [this, job, restored](bool committed) {
          if (!committed) restored->status = make_error(ErrorCode::kCancelled, "the shard moved away");
          end_restore(job, *restored);
        });
        run_ready(*held);
      });
}

// On the shard's lane. It goes down the chain as one record, of `bytes_max` at most.
void Server::take_restored(Shard& rows, const std::string& directory, std::uint64_t fence,
                           std::uint64_t bytes_max, RestoredShard& restored) {
  auto bytes = check_chain(*restored.stored, directory, restored.chain, &restored.damaged);
  restored.stored = std::vector<Buffer>();
  if (bytes.ok() && bytes->size() > bytes_max) {
    restored.status = make_error(
        ErrorCode::kInvalid,
        fmt::format("shard {} takes {} bytes in the checkpoint, more than a message may hold; raise "
                    "cluster.max_frame_bytes ({})",
                    restored.chain.front().shard, bytes->size(), bytes_max));
    return;
  }
  restored.status = bytes.ok() ? rows.restore(bytes->bytes(), fence) : Status(bytes.error());
  restored.unfit = !restored.status.ok();
  if (restored.unfit) return;
  restored.bytes = std::move(bytes).value();
  restored.clock = rows.clock();
  restored.rows = rows.stats().rows;
}

void Server::end_restore(const std::shared_ptr<RestoreJob>& job, const RestoredShard& restored) {
  RestoreReply& reply = job->reply;
  if (!restored.status.ok()) reply.error = restored.status.error().message;
  reply.damaged = reply.damaged || restored.unfit;
  if (restored.damaged != nullptr) {
    reply.damaged_file = section_path(job->request.directory, *restored.damaged);
    reply.damaged_offset = restored.damaged->offset;
  }
  --job->open;
  restore_next(job);
}

}  // namespace capstan
