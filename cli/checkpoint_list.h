// The checkpoints of a folder as `capstan checkpoint` sees them, whole or not.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/storage.h"
#include "scheduler/job_facts.h"
#include "scheduler/manifest.h"

namespace capstan {

enum class CheckpointState {
  kComplete,     // its manifest verifies and its files are as long as it says
  kDamaged,      // it has a manifest, and that or a file is not whole
  kUnpublished,  // no manifest: being written, or given up
};
std::string_view to_string(CheckpointState state);

struct ListedCheckpoint {
  std::uint64_t checkpoint = 0;  // its number
  std::string directory;
  CheckpointState state = CheckpointState::kComplete;
  std::string problem;               // unless complete
  std::optional<Manifest> manifest;  // complete

  CheckpointFact fact() const { return fact_of(*manifest, directory); }  // of a complete one
  // Batches of the pass that the cut was made in, over all partitions.
  std::uint64_t steps() const;
};

// path: a folder of checkpoints (oldest first), or one checkpoint. kNotFound when it is neither.
Result<std::vector<ListedCheckpoint>> list_all(Storage& storage, const std::string& path);
// path: one checkpoint. What is wrong with it is an error here.
Result<ListedCheckpoint> find_one(Storage& storage, const std::string& path);

}  // namespace capstan
