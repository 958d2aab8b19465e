// CheckpointReader: reads checkpoints from end to end and finds what is damaged.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <map>
#include <vector>

#include "cli/checkpoint_list.h"
#include "ps/section_file.h"

namespace capstan {

struct CheckpointBytes {
  std::uint64_t blocks = 0, bytes = 0;
  std::vector<SectionDamage> damage;
};

class CheckpointReader {
 public:
  // Says on `progress` how far it is of `all`, once a GiB.
  CheckpointReader(Storage& storage, const std::vector<ListedCheckpoint>& all, std::ostream& progress);

  // What several checkpoints need is read once. An error when the storage is unreachable. REQUIRES: complete.
  Result<CheckpointBytes> read(const ListedCheckpoint& checkpoint);

 private:
  void tell(std::uint64_t bytes);

  Storage& storage_;
  std::ostream& progress_;
  std::uint64_t total_ = 0, done_ = 0, told_ = 0;  // bytes
  std::map<SectionPlace, std::vector<SectionDamage>> read_;
};

}  // namespace capstan
