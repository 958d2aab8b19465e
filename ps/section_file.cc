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

SectionDamage damage_at(const std::string& path, const ShardSection& section, std::uint64_t from,
                        std::uint64_t length, const std::string& what) {
  const std::uint64_t at = section.offset + from;
  return {path, at, length,
          fmt::format("{}: shard {}: {} (bytes {} to {} of the file) is damaged", path, section.shard, what,
                      at, at + length - 1)};
}

struct CheckedSection {
  Buffer bytes;  // without the blocks' checksums
  std::vector<SectionDamage> damage;
};

// Looks at every block, or gives up at the first that is damaged.
CheckedSection check_section(const Buffer& stored, const std::string& path, const ShardSection& section,
                             bool all) {
  const auto damaged = [&](std::uint64_t from, std::uint64_t length, const std::string& what) {
    return CheckedSection{{}, {damage_at(path, section, from, length, what)}};
  };
  const std::uint64_t blocks = blocks_of(section);
  const std::uint64_t table_bytes = blocks * sizeof(Checksum);
  const std::uint64_t size = section.length - std::min(section.length, table_bytes);
  if (blocks == 0 || (size + kSectionBlockBytes - 1) / kSectionBlockBytes != blocks) {
    return damaged(0, section.length, fmt::format("a section of {} bytes", section.length));
  }
  const Buffer table = stored.slice(size, table_bytes);
  if (hash_bytes(table.bytes()) != section.checksum) {
    return damaged(size, table_bytes, "the list of its blocks' checksums");
  }
  CheckedSection checked{stored.slice(0, size), {}};
  ByteReader sums(table.bytes());
  for (std::uint64_t block = 0; block < blocks && (all || checked.damage.empty()); ++block) {
    const auto part = block_of(checked.bytes.bytes(), block);
    if (hash_bytes(part) == sums.get<Checksum>()) continue;
    checked.damage.push_back(damage_at(path, section, block * kSectionBlockBytes, part.size(),
                                       fmt::format("block {} of {}", block, blocks)));
  }
  return checked;
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
  const std::string path = section_path(directory, section);
  const auto stored = storage.read_range(path, section.offset, section.length);
  if (stored.ok()) return check_section(*stored, path, section, true).damage;
  if (is_unreachable(stored.error())) return stored.error();
  return std::vector<SectionDamage>{{path, section.offset, section.length, stored.error().message}};
}

Result<std::vector<Buffer>> fetch_chain(Storage& storage, const std::string& directory, SectionChain chain,
                                        const ShardSection** damaged) {
  std::vector<Buffer> stored;
  for (const ShardSection& section : chain) {
    auto bytes = storage.read_range(section_path(directory, section), section.offset, section.length);
    if (bytes.ok()) {
      stored.push_back(std::move(bytes).value());
      continue;
    }
    if (is_unreachable(bytes.error())) return bytes.error();
    if (damaged != nullptr) *damaged = &section;
    return make_error(ErrorCode::kCorrupt, bytes.error().message);
  }
  return stored;
}

Result<Buffer> check_chain(std::span<const Buffer> stored, const std::string& directory, SectionChain chain,
                           const ShardSection** damaged) {
  std::vector<Buffer> links;
  for (std::size_t i = 0; i < chain.size(); ++i) {
    CheckedSection checked = check_section(stored[i], section_path(directory, chain[i]), chain[i], false);
    if (!checked.damage.empty()) {
      if (damaged != nullptr) *damaged = &chain[i];
      return make_error(ErrorCode::kCorrupt, checked.damage[0].text);
    }
    links.push_back(std::move(checked.bytes));
  }
  auto merged = merge_sections(links);
  if (!merged.ok() && !chain.empty()) {
    return merged.error().wrap(
        fmt::format("{}: shard {}", section_path(directory, chain.back()), chain.back().shard));
  }
  return merged;
}

Result<Buffer> read_chain(Storage& storage, const std::string& directory, SectionChain chain,
                          const ShardSection** damaged) {
  CAPSTAN_ASSIGN(const std::vector<Buffer> stored, fetch_chain(storage, directory, chain, damaged));
  return check_chain(stored, directory, chain, damaged);
}

}  // namespace capstan
