// Reading the shards' sections of a checkpoint's files; docs/FORMATS.md describes them.
#pragma once

#include <string>

#include "common/buffer.h"
#include "common/message.h"
#include "common/result.h"
#include "common/storage.h"

namespace capstan {

// The section's bytes as Shard::restore() takes them. kCorrupt names the file, the shard and the byte at
// which the damage is. `directory`: of the checkpoint.
Result<Buffer> read_section(Storage& storage, const std::string& directory, const ShardSection& section);

}  // namespace capstan
