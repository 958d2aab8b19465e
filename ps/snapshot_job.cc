#include "ps/snapshot_job.h"

#include <utility>

#include "ps/section_file.h"

namespace capstan {

struct SnapshotJob::State {
  Storage& storage;
  std::string directory, file;
  std::unique_ptr<WritableFile> open;
  std::uint64_t offset = 0;
  ShardSection section;  // of the write just done
  Status status = ok_status();
  bool alive = true;  // the job still exists; read and written on the loop

  Status append(std::uint32_t shard, const ShardSnapshot& snapshot) {
    if (open == nullptr) {
      CAPSTAN_TRY(storage.create_dirs(directory));
      CAPSTAN_ASSIGN(open, storage.create(directory + "/" + file));
    }
    section = ShardSection{};
    section.shard = shard;
    section.offset = offset;
    section.rows = snapshot.rows;
    section.base = snapshot.base;
    section.file = file;
    CAPSTAN_TRY(append_section(*open, snapshot.bytes.bytes(), section));
    offset += section.length;
    return ok_status();
  }
  Status close() {
    if (open == nullptr) return ok_status();
    CAPSTAN_TRY(open->sync());
    CAPSTAN_TRY(open->close());
    return storage.sync_dir(directory);
  }
};

SnapshotJob::SnapshotJob(TaskPool& disk, Storage& storage, std::uint64_t checkpoint, std::string directory,
                         std::string file, std::size_t shards, Done done, std::function<void()> written)
    : disk_(disk),
      state_(std::make_shared<State>(
          State{storage, std::move(directory), std::move(file), nullptr, 0, {}, ok_status(), true})),
      shards_left_(shards),
      done_(std::move(done)),
      written_(std::move(written)) {
  reply_.checkpoint = checkpoint;
  reply_.file = state_->file;
}

SnapshotJob::~SnapshotJob() {
  state_->alive = false;
}

void SnapshotJob::add(std::uint32_t shard, ShardSnapshot snapshot) {
  if (finished_) return;
  waiting_.push_back({shard, std::move(snapshot)});
  write_next();
}

void SnapshotJob::write_next() {
  if (writing_ || finished_ || waiting_.empty()) return;
  writing_ = true;
  Part part = std::move(waiting_.front());
  waiting_.pop_front();
  disk_.run(
      0,
      [state = state_, part = std::move(part)] { state->status = state->append(part.shard, part.snapshot); },
      [this, state = state_] {
        if (state->alive) on_written();
      });
}

void SnapshotJob::on_written() {
  writing_ = false;
  if (!state_->status.ok()) {
    fail(state_->status.error(), false);
    return;
  }
  reply_.sections.push_back(state_->section);
  if (--shards_left_ > 0) {
    write_next();
    if (written_) written_();
    return;
  }
  disk_.run(
      0, [state = state_] { state->status = state->close(); },
      [this, state = state_] {
        if (!state->alive || finished_) return;
        if (!state->status.ok()) {
          fail(state->status.error(), false);
        } else {
          finish();
        }
      });
}

void SnapshotJob::fail(const Error& error, bool too_late) {
  if (finished_) return;
  reply_.error = error.message;
  reply_.no_space = error.code == ErrorCode::kNoSpace;
  reply_.too_late = too_late;
  finish();
}

void SnapshotJob::finish() {
  finished_ = true;
  waiting_.clear();
  done_(reply_);
}

}  // namespace capstan
