// Server: snapshots and restores on the scheduler's word.
#include <utility>

#include "ps/server.h"

namespace capstan {

// Each shard is serialised on its own lane, between two pushes, and written by the disk lane: no shard waits
// for another, and pushes go on.
void Server::on_snapshot(std::uint64_t id, const Snapshot& request) {
  if (snapshot_ != nullptr && !snapshot_->finished()) {
    snapshot_->fail(make_error(ErrorCode::kCancelled, "a newer checkpoint was asked for"), false);
  }
  auto done = [this, id](const SnapshotReply& reply) {
    if (!reply.error.empty()) log_.warn("checkpoint {} failed: {}", reply.checkpoint, reply.error);
    rpc_.reply(link_.peer(), id, reply);
  };
  if (shards_.empty()) {
    SnapshotReply reply;
    reply.checkpoint = request.checkpoint;
    rpc_.reply(link_.peer(), id, reply);
    return;
  }
  snapshot_ = std::make_unique<SnapshotJob>(disk_, storage_, request.checkpoint, request.directory,
                                            options_.name + ".rows", shards_.size(), std::move(done));
  for (auto& [shard_id, slot] : shards_) {
    auto bytes = std::make_shared<Result<Buffer>>(Buffer());
    compute_.run(
        lane_of(shard_id),
        [bytes, shard = slot.shard.get(), request] {
          shard->forget_below(request.forget_below_pass);
          *bytes = request.after_step == 0 ? Result<Buffer>(shard->snapshot())
                                           : shard->snapshot_after(request.pass, request.after_step);
        },
        [this, bytes, shard_id = shard_id, checkpoint = request.checkpoint] {
          if (snapshot_->finished() || snapshot_->checkpoint() != checkpoint) return;
          if (!bytes->ok()) {
            snapshot_->fail(bytes->error(), true);
          } else if (!(*bytes)->empty()) {
            snapshot_->add(shard_id, std::move(*bytes).value());
          }
        });
  }
}

// Reads every section on the disk lane, checks it, and gives it to its shard's lane.
void Server::on_restore(std::uint64_t id, const Restore& request) {
  struct Progress {
    std::size_t left;
    RestoreReply reply;
  };
  auto progress = std::make_shared<Progress>(Progress{request.sections.size() + 1, {}});
  const auto finish_one = [this, id, progress] {
    if (--progress->left == 0) rpc_.reply(link_.peer(), id, progress->reply);
  };
  for (const auto& section : request.sections) {
    const auto found = shards_.find(section.shard);
    if (found == shards_.end()) {
      progress->reply.error = fmt::format("shard {} is not this server's", section.shard);
      finish_one();
      continue;
    }
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
        [this, bytes, progress, finish_one, shard_id = section.shard] {
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
              [outcome, bytes, shard = target->second.shard.get()] {
                outcome->status = shard->restore((*bytes)->bytes());
                outcome->clock = shard->clock();
                outcome->rows = shard->stats().rows;
              },
              [this, progress, finish_one, outcome, shard_id] {
                if (!outcome->status.ok()) progress->reply.error = outcome->status.error().message;
                const auto restored = shards_.find(shard_id);
                if (restored != shards_.end()) restored->second.clock = outcome->clock;
                progress->reply.rows += outcome->rows;
                finish_one();
              });
        });
  }
  finish_one();
}

}  // namespace capstan
