// The sections of a checkpoint as its shards' chains: a whole section first, behind it what changed.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "common/message.h"

namespace capstan {

// One shard's sections, in the order in which they are put over one another.
using SectionChain = std::span<const ShardSection>;

// sections: ascending by shard. Views into them.
std::vector<SectionChain> chains_of(std::span<const ShardSection> sections);

// The chain of one of them; empty when there is none.
SectionChain chain_of(std::span<const ShardSection> sections, std::uint32_t shard);

// The file of a section of the checkpoint in `directory`.
std::string section_path(const std::string& directory, const ShardSection& section);

// The last part of a path.
std::string folder_name(const std::string& directory);

}  // namespace capstan
