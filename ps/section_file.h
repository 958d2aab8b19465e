// A section in a checkpoint's file: its bytes, and behind them a checksum of each block, so that damage is
// found and named as narrowly as it can be. docs/FORMATS.md describes it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "common/buffer.h"
#include "common/message.h"
#include "common/result.h"
#include "common/section_chains.h"
#include "common/storage.h"

namespace capstan {

inline constexpr std::size_t kSectionBlockBytes = std::size_t{256} << 10;

// Says in `section` how long it is and what its checksum is.
Status append_section(WritableFile& file, std::span<const std::byte> bytes, ShardSection& section);

struct SectionDamage {
  std::string file;
  std::uint64_t offset = 0, length = 0;  // in the file
  std::string text;                      // file, shard, block and bytes, for people
};

// Everything that is wrong with a section of the checkpoint in `directory`; empty: nothing. An error when the
// storage is unreachable.
Result<std::vector<SectionDamage>> damage_of(Storage& storage, const std::string& directory,
                                             const ShardSection& section);
std::uint64_t blocks_of(const ShardSection& section);

// A shard's bytes as Shard::restore() takes them. Of what is damaged the first is told; `damaged` is then the
// section that it is in, or nullptr when each is what was written or the storage is unreachable.
Result<Buffer> read_chain(Storage& storage, const std::string& directory, SectionChain chain,
                          const ShardSection** damaged = nullptr);
// Its two halves, for who reads on one thread and checks on another: the sections as they are stored, and
// what they come to. REQUIRES: `stored` is what fetch_chain() gave for the chain.
Result<std::vector<Buffer>> fetch_chain(Storage& storage, const std::string& directory, SectionChain chain,
                                        const ShardSection** damaged = nullptr);
Result<Buffer> check_chain(std::span<const Buffer> stored, const std::string& directory, SectionChain chain,
                           const ShardSection** damaged = nullptr);

}  // namespace capstan
