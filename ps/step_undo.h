// StepUndo: the rows that the last combined step changed, as they were before it.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "common/bytes.h"
#include "common/message.h"
#include "ps/table/embedding_table.h"

namespace capstan {

// The steps of a pass that every slot has reported to a shard.
struct StepClock {
  std::uint32_t pass = 0;
  std::uint64_t steps = 0;
  auto operator<=>(const StepClock&) const = default;
};

// A holder of a slot pushes a step only when all shards have acknowledged the one before, so no shard is ever
// more than one step ahead of a slot that is done again.
class StepUndo {
 public:
  using Tables = std::vector<std::unique_ptr<EmbeddingTable>>;

  // Before step `at` changes these rows. sections: by table; keys: ascending within each.
  void keep(StepClock at, std::span<const Section> sections, std::span<const Key> keys, const Tables& tables);
  void clear() { *this = StepUndo(); }
  // Whether `at` is the step whose rows are kept.
  bool holds(StepClock at) const { return kept_ && at == at_; }
  void save(ByteWriter& out) const;
  // A failed reader leaves rubbish.
  void load(ByteReader& in, std::span<const TableSpec> specs);
  // Puts the kept weights of `keys` of a table over `rows`, [keys, dim] as stored.
  void restore(std::uint32_t table, std::span<const Key> keys, std::byte* rows) const;

 private:
  struct Part {
    std::uint32_t table = 0;
    std::size_t dim = 0, row_bytes = 0;
    std::vector<Key> keys;
    std::vector<std::uint32_t> weights;  // [keys, dim] as stored, zeros behind
  };
  bool kept_ = false;
  StepClock at_;
  std::vector<Part> parts_;
};

}  // namespace capstan
