// Reading the shards' sections of a checkpoint's files; docs/FORMATS.md describes them.
#pragma once

#include <string>
#include <vector>

#include "common/buffer.h"
#include "common/message.h"
#include "common/result.h"
#include "common/storage.h"

namespace capstan {

// The section's bytes as Shard::restore() takes them. kCorrupt names the file, the shard and the byte at
// which the damage is. `directory`: of the checkpoint.
Result<Buffer> read_section(Storage& storage, const std::string& directory, const ShardSection& section);

struct SectionDamage {
  std::string file;
  std::uint64_t offset = 0;  // in the file
  std::string text;          // what a person reads, file and offset included
};
// All damage of a section, where read_section() stops at the first. `blocks` grows by how many were looked
// at.
std::vector<SectionDamage> find_damage(Storage& storage, const std::string& directory,
                                       const ShardSection& section, std::uint64_t& blocks);

}  // namespace capstan
