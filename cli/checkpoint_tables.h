// CheckpointTables: the rows of a checkpoint in this process, for commands that need no cluster.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/storage.h"
#include "ps/shard.h"
#include "scheduler/manifest.h"
#include "worker/train/step_program.h"

namespace capstan {

// One shard of the checkpoint in `directory` as a server would restore it. kNotFound, kCorrupt.
Result<std::unique_ptr<Shard>> load_shard(Storage& storage, const Manifest& manifest,
                                          const std::string& directory, std::uint32_t shard);

class CheckpointTables {
 public:
  // path: a checkpoint (a folder with a manifest), or a folder of checkpoints: of its newest run the best
  // one, else the newest, or the next that is not damaged; should the run have none, an earlier run's. Checks
  // every section's checksum. run_began: the generation of a run that is known to be in the folder.
  // kNotFound, kCorrupt.
  static Result<CheckpointTables> open(Storage& storage, const std::string& path,
                                       std::uint32_t run_began = 0);
  // What was passed over and why, and what is read instead; empty when all is as it should be. For the user.
  const std::vector<std::string>& notes() const { return notes_; }

  const Manifest& manifest() const { return manifest_; }
  const std::string& directory() const { return directory_; }
  // kNotFound names the tables there are.
  Result<std::uint32_t> table(const std::string& name) const;
  const TableSpec& spec(std::uint32_t table) const { return manifest_.tables[table]; }

  // What a server would answer: fills table.rows.
  void pull(StepTable& table);
  // The row as stored, empty when there is none; see row_layout.h.
  std::vector<std::byte> row(std::uint32_t table, Key key) const;
  // Every stored row, shard by shard.
  void for_each_row(std::uint32_t table,
                    const std::function<void(Key, std::span<const std::byte>)>& visit) const;

 private:
  Status load(Storage& storage, FoundCheckpoint checkpoint);

  Manifest manifest_;
  std::string directory_;
  std::map<std::uint32_t, std::unique_ptr<Shard>> shards_;
  std::vector<std::string> notes_;
};

// Works off one item of a program, or of one of its parts, in this process, its rows read from the
// checkpoint. For evaluation: nothing is pushed.
template <typename Program>
Result<Buffer> run_offline(Program& program, const WorkItem& item, CheckpointTables& tables) {
  const std::uint64_t batches = item.kind == WorkKind::kMerge ? 0 : program.num_batches(item);
  for (std::uint64_t batch = 0; batch < batches; ++batch) {
    Step step;
    step.batch = batch;
    CAPSTAN_TRY(program.build(item, batch, step));
    for (auto& table : step.tables) tables.pull(table);
    CAPSTAN_TRY(program.compute(item, step));
  }
  return program.finish(item);
}

}  // namespace capstan
