// Server: snapshots and restores on the scheduler's word.
#include <algorithm>
#include <utility>

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

// Each shard is serialised on its own lane, between two pushes, and written by the disk lane: no shard waits
// for another, and pushes go on.
void Server::on_snapshot(std::uint64_t id, const Snapshot& request) {
  if (shards_.empty() || repeated(id)) return;  // only owners are asked: the map is still on its way
  if (snapshot_ != nullptr && !snapshot_->finished()) {
    snapshot_->fail(make_error(ErrorCode::kCancelled, "a newer checkpoint was asked for"), false);
  }
  auto done = [this, id](const SnapshotReply& reply) {
    if (!reply.error.empty()) log_.warn("checkpoint {} failed: {}", reply.checkpoint, reply.error);
    answer_errand(id, reply);
  };
  snapshot_ = std::make_unique<SnapshotJob>(disk_, storage_, request.checkpoint, request.directory,
                                            options_.name + ".rows", shards_.size(), std::move(done));
  snapshot_ticket_ = id;
  for (auto& [shard_id, slot] : shards_) {
    auto taken = std::make_shared<Result<ShardSnapshot>>(ShardSnapshot());
    compute_.run(
        lane_of(shard_id),
        [taken, shard = slot.shard.get(), request, id] {
          shard->forget_below(request.forget_below_pass);
          *taken = shard->snapshot_after(request.pass, request.after_step, id);
        },
        [this, taken, shard_id = shard_id, id] {
          if (id != snapshot_ticket_) return;
          if (!taken->ok()) {
            snapshot_->fail(taken->error(), true);
          } else {
            write_snapshot(shard_id, std::move(*taken).value());
          }
        });
  }
}

void Server::write_snapshot(std::uint32_t shard, ShardSnapshot snapshot) {
  const bool wanted = snapshot_ != nullptr && snapshot.ticket == snapshot_ticket_;
  if (wanted && !snapshot.bytes.empty()) snapshot_->add(shard, snapshot.rows, std::move(snapshot.bytes));
}

// Reads every section on the disk lane, checks it, and gives it to its shard's lane.
void Server::on_restore(std::uint64_t id, const Restore& request) {
  const bool owner =
      std::all_of(request.sections.begin(), request.sections.end(),
                  [&](const ShardSection& section) { return shards_.contains(section.shard); });
  if (!owner || repeated(id)) return;  // not owner: the map is still on its way
  // Requests and terms are both numbered from the scheduler's generation, in their upper half.
  const std::uint64_t fence = id >> 32 << 32;
  struct Progress {
    std::size_t left;
    RestoreReply reply;
  };
  auto progress = std::make_shared<Progress>(Progress{request.sections.size() + 1, {}});
  const auto finish_one = [this, id, progress] {
    if (--progress->left == 0) answer_errand(id, progress->reply);
  };
  for (const auto& section : request.sections) {
    auto bytes = std::make_shared<Result<Buffer>>(Buffer());
    const std::string path = request.directory + "/" + section.file;
    disk_.run(
        0,
        [this, bytes, path, section] {
          *bytes = storage_.read_range(path, section.offset, section.length);
          if (bytes->ok() && hash_bytes((*bytes)->bytes()) != section.checksum) {
            *bytes = make_error(ErrorCode::kCorrupt, fmt::format("{}: shard {} at byte {} is damaged", path,
                                                                 section.shard, section.offset));
          }
        },
        [this, bytes, progress, finish_one, shard_id = section.shard, fence] {
          const auto target = shards_.find(shard_id);
          if (!bytes->ok() || target == shards_.end()) {
            progress->reply.error = bytes->ok() ? "the shard moved away" : bytes->error().message;
            finish_one();
            return;
          }
          struct Outcome {
            Status status = ok_status();
            StepClock clock;
            std::uint64_t rows = 0;
          };
          auto outcome = std::make_shared<Outcome>();
          compute_.run(
              lane_of(shard_id),
              [outcome, bytes, shard = target->second.shard.get(), fence] {
                outcome->status = shard->restore((*bytes)->bytes(), fence);
                outcome->clock = shard->clock();
                outcome->rows = shard->stats().rows;
              },
              [this, progress, finish_one, outcome, shard_id] {
                if (!outcome->status.ok()) progress->reply.error = outcome->status.error().message;
                const auto restored = shards_.find(shard_id);
                if (restored != shards_.end()) {
                  restored->second.clock = outcome->clock;
                  release_waiting(restored->second);
                }
                progress->reply.rows += outcome->rows;
                finish_one();
              });
        });
  }
  finish_one();
}

}  // namespace capstan
