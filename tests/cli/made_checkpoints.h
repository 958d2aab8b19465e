// A folder of checkpoints made as servers and scheduler make them, without a cluster.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/adapters/disk_files.h"
#include "common/section_chains.h"
#include "ps/shard.h"
#include "ps/snapshot_job.h"
#include "scheduler/cut.h"
#include "scheduler/manifest.h"
#include "tests/temp_dir.h"

namespace capstan {

class InlinePool final : public TaskPool {
 public:
  std::uint32_t lanes() const override { return 1; }
  void run(std::uint32_t, std::function<void()> work, std::function<void()> done) override {
    work();
    done();
  }
};

// Two tables of dim 2 whose rows are set by pushes of optimizer `assign`; four shards.
class MadeCheckpoints {
 public:
  static constexpr std::uint32_t kShards = 4;

  MadeCheckpoints() {
    for (const char* name : {"users", "items"}) {
      TableSpec spec;
      spec.name = name;
      spec.dim = 2;
      spec.optimizer.kind = OptimizerKind::kAssign;
      tables.push_back(spec);
    }
    for (std::uint32_t shard = 0; shard < kShards; ++shard) {
      shards.push_back(std::make_unique<Shard>(shard, kShards));
      shards.back()->declare({tables});
    }
  }

  std::string root() const { return dir.path("checkpoints"); }
  std::string directory(std::uint64_t checkpoint) const { return checkpoint_directory(root(), checkpoint); }

  // Sets a row to (value, value).
  void set(std::uint32_t table, Key key, float value) {
    PushedSlice slice;
    slice.term = 1;
    slice.sequence = ++sequence_;
    slice.step = sequence_;
    slice.sections = {{table, 1}};
    slice.keys = &key;
    const float values[2] = {value, value};
    slice.gradients = values;
    ASSERT_EQ(shards[shard_of(key, kShards)]->push(slice, 0).status, SliceStatus::kOk);
  }

  // Writes a checkpoint of the shards as they are, in two files; with a base only what changed since that.
  void cut(std::uint64_t checkpoint, const std::function<void(Manifest&)>& adjust = {},
           std::uint64_t base = 0) {
    CutBase before;
    if (base != 0) {
      const auto manifest = read_manifest(files, directory(base));
      ASSERT_TRUE(manifest.ok()) << manifest.error().message;
      before = {base, folder_name(directory(base)), manifest->sections};
    }
    Cut made(checkpoint, directory(checkpoint), false, 0, {}, {0, 1}, before);
    Manifest manifest;
    manifest.checkpoint = checkpoint;
    manifest.generation = 1;
    manifest.job = "made";
    manifest.job_text = "job: made\ntrain: {passes: 3}\n";
    manifest.written_at = "2026-01-02T03:04:05Z";
    manifest.num_shards = kShards;
    manifest.tables = tables;
    for (std::uint32_t half = 0; half < 2; ++half) {
      const auto take = [&](const SnapshotReply& reply) {
        ASSERT_EQ(reply.error, "");
        made.on_reply(half, reply);
      };
      SnapshotJob job(pool_, files, checkpoint, directory(checkpoint), "ps-" + std::to_string(half) + ".rows",
                      kShards / 2, take);
      for (std::uint32_t shard = half; shard < kShards; shard += 2) {
        auto taken = shards[shard]->snapshot_after(0, 0, 1, {checkpoint, base});
        ASSERT_TRUE(taken.ok());
        job.add(shard, std::move(taken).value());
      }
    }
    manifest.sections = made.chains().value();
    manifest.builds_on = made.builds_on();
    if (adjust) adjust(manifest);
    ASSERT_TRUE(write_manifest(files, directory(checkpoint), manifest).ok());
  }

  TempDir dir;
  DiskFiles files;
  std::vector<TableSpec> tables;
  std::vector<std::unique_ptr<Shard>> shards;

 private:
  InlinePool pool_;
  std::uint64_t sequence_ = 0;
};

}  // namespace capstan
