// Manifest: what makes a folder of snapshot files a checkpoint. Written last; docs/FORMATS.md describes it.
#pragma once

#include <compare>
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/message.h"
#include "common/result.h"
#include "common/storage.h"
#include "scheduler/journal.h"

namespace capstan {

// One partition of the pass that the cut was made in.
struct StreamState {
  WorkCursor cursor;
  bool done = false;
};

struct Manifest {
  std::uint64_t checkpoint = 0;
  std::uint32_t generation = 0;  // of the scheduler that wrote it
  std::uint32_t run = 0;         // the generation that its run began with; 0: written before this was noted
  std::string job, job_text, written_at;
  std::uint64_t job_fingerprint = 0;  // XXH3 of job_text
  std::uint64_t data_fingerprint = 0, train_examples = 0;
  std::uint32_t num_shards = 0;
  std::uint32_t num_partitions = 0;  // of a pass
  bool best = false;
  std::uint64_t builds_on = 0;  // the checkpoint whose sections some of its chains go on from; 0: none
  std::vector<TableSpec> tables;
  std::vector<ShardSection> sections;  // ascending by shard; of each its chain, the whole section first
  std::vector<PassFinished> passes;    // finished before the cut
  std::vector<PassValidated> validations;
  std::vector<StreamState> streams;  // of the pass after those; empty: cut between passes
};

std::string to_json_text(const Manifest& manifest);
Result<Manifest> manifest_from_json(std::string_view text);

inline constexpr std::string_view kManifestName = "MANIFEST.json";
std::string checkpoint_directory(const std::string& path, std::uint64_t checkpoint);  // PATH/ckpt-000007

// Publishes the checkpoint: from here on it exists.
Status write_manifest(Storage& storage, const std::string& directory, const Manifest& manifest);
// Checks the manifest against its checksum.
Result<Manifest> read_manifest_alone(Storage& storage, const std::string& directory);
// That every file is as long as the manifest says; files' contents are checked by whoever restores them.
Status check_files(Storage& storage, const std::string& directory, const Manifest& manifest);
// Both.
Result<Manifest> read_manifest(Storage& storage, const std::string& directory);

// The manifest goes first: what is left of a removal that was cut short is no checkpoint.
Status remove_checkpoint(Storage& storage, const std::string& directory);

struct CheckpointName {
  std::uint64_t checkpoint = 0;
  std::string directory;
};
// Folders below `path` that are named like checkpoints, oldest first; none when there is no such path.
Result<std::vector<CheckpointName>> list_checkpoints(Storage& storage, const std::string& path);
// Whether it has a manifest, whole or not. What has none is being written or was given up.
Result<bool> is_published(Storage& storage, const std::string& directory);

struct FoundCheckpoint {
  std::string directory;
  Manifest manifest;
  std::vector<std::string> skipped;  // newer published ones, and what is wrong with them
};
// Where a section stands: its file and byte.
struct SectionPlace {
  std::string file;
  std::uint64_t offset = 0;
  auto operator<=>(const SectionPlace&) const = default;
};
// Why the checkpoint in `directory` cannot be used when these sections are damaged; empty: it can.
std::string needs_damaged(const Manifest& manifest, const std::string& directory,
                          const std::set<SectionPlace>& damaged);
struct CheckpointLimits {
  std::uint32_t generation_min = 0;  // those written by earlier schedulers are another run's
  std::uint64_t below = ~0ULL;       // only those with lower numbers
  std::set<SectionPlace> damaged{};  // and none that needs one of these
};
// The newest within the limits that verifies. kNotFound when there is none.
Result<FoundCheckpoint> newest_checkpoint(Storage& storage, const std::string& path,
                                          const CheckpointLimits& limits = {});

}  // namespace capstan
