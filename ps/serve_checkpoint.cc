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
        *forgot = rows->forget_below(request.forget_below_pass);
        *taken =
            rows->snapshot_after(request.pass, request.after_step, id, {request.checkpoint, request.base});
      },
      [this, taken, forgot, bytes, shard, rows = slot->second.shard.get(), id = snapshot_ticket_,
       pass = snapshot_request_.forget_below_pass, begun = loop_.now()] {
        Slot* held = slot_of(shard, rows);
        if (held != nullptr && *forgot) {
          ShardRecord record;
          record.head.kind = RecordKind::kForget;
          record.head.pass = pass;
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

// Reads each shard's sections on the disk lane, checks them, gives what they come to to the shard's lane, and
// hands it down the servers' chain.
void Server::on_restore(std::uint64_t id, const Restore& request) {
  const bool owner =
      std::all_of(request.sections.begin(), request.sections.end(),
                  [&](const ShardSection& section) { return primary_slot(section.shard) != nullptr; });
  if (!owner || repeated(id)) return;  // not owner: the map is still on its way
  auto job = std::make_shared<RestoreJob>(RestoreJob{id, request, {}, 0, 0, {}});
  job->chains = chains_of(job->request.sections);
  restore_next(job);
}

// A few at a time: what the replicas have not confirmed takes memory.
void Server::restore_next(const std::shared_ptr<RestoreJob>& job) {
  constexpr std::size_t kShardsAtOnce = 4;
  if (job->next == job->chains.size() && job->open == 0) {
    answer_errand(job->id, job->reply);
    return;
  }
  struct Read {
    Result<Buffer> bytes = Buffer();
    const ShardSection* damaged = nullptr;
  };
  while (job->next < job->chains.size() && job->open < kShardsAtOnce) {
    ++job->open;
    auto read = std::make_shared<Read>();
    const SectionChain chain = job->chains[job->next++];
    disk_.run(
        0,
        [this, read, job, chain] {
          read->bytes = read_chain(storage_, job->request.directory, chain, &read->damaged);
        },
        [this, job, read, shard = chain.front().shard] {
          if (job->id != errand_id_) return;  // another checkpoint is being restored by now
          if (read->damaged != nullptr) {
            job->reply.damaged_file = section_path(job->request.directory, *read->damaged);
            job->reply.damaged_offset = read->damaged->offset;
          }
          restore_shard(job, shard, read->bytes);
        });
  }
}

void Server::restore_shard(const std::shared_ptr<RestoreJob>& job, std::uint32_t shard,
                           const Result<Buffer>& bytes) {
  const auto finish_one = [this, job](const std::string& error) {
    if (!error.empty()) job->reply.error = error;
    --job->open;
    restore_next(job);
  };
  const auto target = shards_.find(shard);
  if (!bytes.ok() || primary_slot(shard) == nullptr) {
    job->reply.damaged = job->reply.damaged || (!bytes.ok() && !is_unreachable(bytes.error()));
    finish_one(bytes.ok() ? "the shard moved away" : bytes.error().message);
    return;
  }
  // It goes down the chain as one record.
  if (target->second.log.after() != 0 && bytes->size() > options_.frame_bytes_max) {
    return finish_one(
        fmt::format("shard {} takes {} bytes in the checkpoint, more than a message may hold; raise "
                    "cluster.max_frame_bytes ({})",
                    shard, bytes->size(), options_.frame_bytes_max));
  }
  struct Outcome {
    Status status = ok_status();
    StepClock clock;
    std::uint64_t rows = 0;
  };
  auto outcome = std::make_shared<Outcome>();
  // Requests and terms are both numbered from the scheduler's generation, in their upper half.
  const std::uint64_t fence = job->id >> 32 << 32;
  Shard* rows = target->second.shard.get();
  compute_.run(
      lane_of(shard),
      [outcome, blob = *bytes, rows, fence] {
        outcome->status = rows->restore(blob.bytes(), fence);
        outcome->clock = rows->clock();
        outcome->rows = rows->stats().rows;
      },
      [this, job, finish_one, outcome, shard, rows, fence, blob = *bytes] {
        Slot* slot = slot_of(shard, rows);
        if (!outcome->status.ok() || slot == nullptr) {
          job->reply.damaged = job->reply.damaged || !outcome->status.ok();
          finish_one(slot == nullptr ? "the shard moved away" : outcome->status.error().message);
          return;
        }
        slot->clock = outcome->clock;
        release_waiting(*slot, SliceStatus::kBusy);
        job->reply.rows += outcome->rows;
        ShardRecord record;
        record.head.kind = RecordKind::kReplace;
        record.head.term = fence;
        record.blob = blob;
        log_other(*slot, shard, std::move(record));
        slot->log.when_committed(slot->log.applied(), [finish_one](bool committed) {
          finish_one(committed ? "" : "the shard moved away");
        });
        run_ready(*slot);
      });
}

}  // namespace capstan
