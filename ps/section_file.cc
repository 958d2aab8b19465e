#include "ps/section_file.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <utility>

#include "common/hash.h"
#include "ps/section_format.h"

namespace capstan {
namespace {

using Checksum = std::uint64_t;

std::span<const std::byte> block_of(std::span<const std::byte> bytes, std::uint64_t block) {
  const std::size_t begin = block * kSectionBlockBytes;
  return bytes.subspan(begin, std::min(kSectionBlockBytes, bytes.size() - begin));
}

struct ReadSection {
  Buffer bytes;  // without the blocks' checksums
  std::vector<SectionDamage> damage;
};

// Looks at every block, or gives up at the first that is damaged. An error when the storage is unreachable.
Result<ReadSection> read_section(Storage& storage, const std::string& directory, const ShardSection& section,
                                 bool all) {
  ReadSection read;
  const std::string path = section_path(directory, section);
  const auto damaged = [&](std::uint64_t from, std::uint64_t length, const std::string& what) {
    const std::uint64_t at = section.offset + from;
    read.damage.push_back({path, at, length,
                           fmt::format("{}: shard {}: {} (bytes {} to {} of the file) is damaged", path,
                                       section.shard, what, at, at + length - 1)});
  };
  auto stored = storage.read_range(path, section.offset, section.length);
  if (!stored.ok() && is_unreachable(stored.error())) return stored.error();
  if (!stored.ok()) {
    read.damage.push_back({path, section.offset, section.length, stored.error().message});
    return read;
  }
  const std::uint64_t blocks = blocks_of(section);
  const std::uint64_t table_bytes = blocks * sizeof(Checksum);
  const std::uint64_t size = section.length - std::min(section.length, table_bytes);
  if (blocks == 0 || (size + kSectionBlockBytes - 1) / kSectionBlockBytes != blocks) {
    damaged(0, section.length, fmt::format("a section of {} bytes", section.length));
    return read;
  }
  const Buffer table = stored->slice(size, table_bytes);
  if (hash_bytes(table.bytes()) != section.checksum) {
    damaged(size, table_bytes, "the list of its blocks' checksums");
    return read;
  }
  const Buffer bytes = stored->slice(0, size);
  ByteReader sums(table.bytes());
  for (std::uint64_t block = 0; block < blocks && (all || read.damage.empty()); ++block) {
    const auto part = block_of(bytes.bytes(), block);
    if (hash_bytes(part) == sums.get<Checksum>()) continue;
    damaged(block * kSectionBlockBytes, part.size(), fmt::format("block {} of {}", block, blocks));
  }
  read.bytes = bytes;
  return read;
}

}  // namespace

Status append_section(WritableFile& file, std::span<const std::byte> bytes, ShardSection& section) {
  const std::uint64_t blocks = (bytes.size() + kSectionBlockBytes - 1) / kSectionBlockBytes;
  ByteWriter out;
  for (std::uint64_t block = 0; block < blocks; ++block) out.put(hash_bytes(block_of(bytes, block)));
  const Buffer table = out.take();
  section.length = bytes.size() + table.size();
  section.checksum = hash_bytes(table.bytes());
  CAPSTAN_TRY(file.append(bytes));
  return file.append(table.bytes());
}

std::uint64_t blocks_of(const ShardSection& section) {
  constexpr std::uint64_t kStored = kSectionBlockBytes + sizeof(Checksum);
  return section.length / kStored + (section.length % kStored > 0 ? 1 : 0);
}

Result<std::vector<SectionDamage>> damage_of(Storage& storage, const std::string& directory,
                                             const ShardSection& section) {
  CAPSTAN_ASSIGN(ReadSection read, read_section(storage, directory, section, true));
  return std::move(read.damage);
}

Result<Buffer> read_chain(Storage& storage, const std::string& directory, SectionChain chain,
                          const ShardSection** damaged) {
  std::vector<Buffer> links;
  for (const ShardSection& section : chain) {
    CAPSTAN_ASSIGN(ReadSection read, read_section(storage, directory, section, false));
    if (!read.damage.empty()) {
      if (damaged != nullptr) *damaged = &section;
      return make_error(ErrorCode::kCorrupt, read.damage[0].text);
    }
    links.push_back(std::move(read.bytes));
  }
  auto merged = merge_sections(links);
  if (!merged.ok() && !chain.empty()) {
    return merged.error().wrap(
        fmt::format("{}: shard {}", section_path(directory, chain.back()), chain.back().shard));
  }
  return merged;
}

}  // namespace capstan
