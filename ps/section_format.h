// The bytes of a shard in a checkpoint, apart from the tables they are loaded into: what stands where, and
// how what changed is put over what was there before. docs/FORMATS.md describes them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "common/buffer.h"
#include "common/bytes.h"
#include "common/result.h"

namespace capstan {

struct SectionHead {
  std::uint32_t shard = 0;
  std::uint64_t checkpoint = 0;  // that it was written for; 0: for none
  std::uint64_t base = 0;        // the checkpoint that it goes on from; 0: it is whole
};

// A record is a key and its row's bytes.
struct SectionTable {
  std::string name;
  std::uint32_t record_bytes = 0;
  std::span<const std::byte> removed;  // keys of rows that went since the base; they go before records come
  std::span<const std::byte> state;    // EmbeddingTable::save_state()
  std::span<const std::byte> records;  // all of them, or those pushed since the base
};

// Views into the bytes that were read.
struct SectionContent {
  SectionHead head;
  std::span<const std::byte> state;  // of the shard beside its tables
  std::vector<SectionTable> tables;
};

void put_section(ByteWriter& out, const SectionHead& head, std::span<const std::byte> state,
                 std::size_t tables);
// To be called so many times. `table.records` is left to the caller, who fills the room returned.
std::span<std::byte> put_table(ByteWriter& out, const SectionTable& table, std::size_t records_bytes);

// By their keys: to compare copies of a table, each of which has its rows in an order of its own.
void sort_records(std::span<std::byte> records, std::size_t record_bytes);

// kCorrupt when the next bytes are no section.
Result<SectionContent> get_section(ByteReader& in);

// A whole section and the changes behind it as one whole section: what it holds, not the order of its
// records, is what the shard's whole section would have been. kCorrupt when a link is missing or is no
// section of this shard.
Result<Buffer> merge_sections(std::span<const Buffer> chain);

}  // namespace capstan
