// SnapshotJob: writes the shards of one server into one file, shard after shard, while the server goes on.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "common/message.h"
#include "common/storage.h"
#include "common/task_pool.h"
#include "ps/shard.h"

namespace capstan {

// Shards come in any order through add(); at most one write is under way. `done` runs once, on the loop, and
// `written` after each shard but the last.
class SnapshotJob {
 public:
  using Done = std::function<void(const SnapshotReply&)>;

  SnapshotJob(TaskPool& disk, Storage& storage, std::uint64_t checkpoint, std::string directory,
              std::string file, std::size_t shards, Done done, std::function<void()> written = {});

  ~SnapshotJob();
  SnapshotJob(const SnapshotJob&) = delete;
  SnapshotJob& operator=(const SnapshotJob&) = delete;

  void add(std::uint32_t shard, ShardSnapshot snapshot);
  void fail(const Error& error, bool too_late);
  bool finished() const { return finished_; }
  // Shards that are not written yet: how far the disk is behind.
  std::size_t open() const { return waiting_.size() + (writing_ ? 1 : 0); }

 private:
  struct State;  // what the disk task works on; outlives this object if it must

  void write_next();
  void on_written();
  void finish();

  TaskPool& disk_;
  std::shared_ptr<State> state_;
  std::size_t shards_left_;
  struct Part {
    std::uint32_t shard;
    ShardSnapshot snapshot;
  };
  std::deque<Part> waiting_;
  bool writing_ = false;
  bool finished_ = false;
  SnapshotReply reply_;
  Done done_;
  std::function<void()> written_;
};

}  // namespace capstan
