// EmbeddingTable: the rows of one table in one shard. It knows nothing of messages. One thread at a time.
// It is a deterministic function of the calls made on it: two tables of the same spec that got the same calls
// hold the same bytes. Time and steps come in with the calls.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "common/hash.h"
#include "common/result.h"
#include "common/table_spec.h"
#include "ps/optimizer/row_updater.h"
#include "ps/table/admission.h"
#include "ps/table/initializer.h"
#include "ps/table/key_index.h"
#include "ps/table/removal_log.h"
#include "ps/table/row_layout.h"
#include "ps/table/row_slab.h"

namespace capstan {

struct UpdateContext {
  std::uint64_t step = 1;         // the shard's applied pushes, this one included
  std::uint32_t now_seconds = 0;  // any clock that goes on over restarts; only ttl reads it
  bool full = false;              // no row comes in that is not there
};

struct ApplyResult {
  std::uint64_t applied = 0;  // rows updated, new ones included
  std::uint64_t created = 0;
  std::uint64_t refused = 0;  // keys without a row that admission still holds back, or that found it full
  std::uint64_t evicted = 0;  // rows that made way for new ones

  ApplyResult& operator+=(const ApplyResult& other);
};

// Sums over the table's life in this shard; part of its saved state.
struct TableCounters {
  std::uint64_t applied = 0;
  std::uint64_t created = 0;
  std::uint64_t refused = 0;
  std::uint64_t evicted = 0;  // for max_rows and memory
  std::uint64_t expired = 0;  // for ttl
  bool operator==(const TableCounters&) const = default;
};

class EmbeddingTable {
 public:
  // REQUIRES: check_table_spec(spec).ok(); num_shards > 0. Of max_rows the table gets max_rows / num_shards,
  // at least 1. sketch_width: of the admission sketch; 0: the usual one.
  EmbeddingTable(const TableSpec& spec, std::uint32_t num_shards, std::uint32_t sketch_width = 0);
  EmbeddingTable(const EmbeddingTable&) = delete;
  EmbeddingTable& operator=(const EmbeddingTable&) = delete;

  const TableSpec& spec() const { return spec_; }
  const RowLayout& layout() const { return layout_; }
  std::size_t size() const { return index_.size(); }
  std::size_t max_rows() const { return max_rows_; }  // 0: no limit
  const TableCounters& counters() const { return counters_; }

  // out: [keys, dim] as stored, section_bytes() of them. Absent rows read as their initial weights. Changes
  // nothing, not even when a row was last used: only pushes count as use, so reads need no replication.
  // Returns how many keys had a row.
  std::size_t gather(std::span<const Key> keys, std::byte* out) const;
  std::size_t gather(std::span<const Key> keys, float* out) const;  // widened

  // One push. gradients: [keys, dim], usable (gradient_check.h), aligned to 4; values for
  // OptimizerKind::kAssign. Keys are unique; a repeated one would be stepped twice. A new row beyond max_rows
  // first evicts a sixteenth of the rows, least recently pushed first (at equal steps the lowest key).
  ApplyResult apply(std::span<const Key> keys, const float* gradients, const UpdateContext& context);

  // Drops rows not pushed for more than the spec's ttl. Cheap to call often: it scans all rows, but at most
  // once in a 32nd of the ttl (at least a second), so a row may outlive its ttl by that much. Returns how
  // many went.
  std::size_t evict_expired(std::uint32_t now_seconds);
  // Drops least recently pushed rows until bytes() <= budget or no row is left. Returns how many went.
  std::size_t evict_to(std::size_t budget, std::uint64_t step);

  // The same, told how many: replicas do what the primary did, whatever their own bytes().
  void evict_count(std::size_t count, std::uint64_t step);
  // Whether evict_expired(now_seconds) would look at the rows. Never while there are none: a replica may not
  // even have the table yet. Clocks may have gone back, above all when another server has become the primary.
  bool expiry_due(std::uint32_t now_seconds) const;

  // All memory behind the table: rows, index, admission sketch, this object. Pages once used count until
  // evict_to(), evict_expired() or clear() gives them back.
  std::size_t bytes() const;
  // The part of it that evicting rows does not give back.
  std::size_t fixed_bytes() const;

  // A copy of a row's bytes (see row_layout.h), empty when absent.
  std::vector<std::byte> find_row(Key key) const;
  // In an order that is a function of the calls so far.
  void for_each_row(const std::function<void(Key key, std::span<const std::byte> row)>& visit) const;
  // Rows pushed at step `since` or later; without one, all. The table has gone less than 2^31 steps since.
  std::size_t count_rows(std::optional<std::uint32_t> since) const;
  // Their records, key and row bytes, one after the other in the order of for_each_row. out: room for
  // count_rows(since).
  void copy_rows(std::optional<std::uint32_t> since, std::byte* out) const;
  std::size_t record_bytes() const { return sizeof(Key) + layout_.row_bytes(); }
  // Rows removed while somebody wants to know; clear() is not among it.
  RemovalLog& removals() { return removals_; }
  const RemovalLog& removals() const { return removals_; }
  // All rows at once, as copy_rows() gives them. kCorrupt when the table has rows already or a key comes
  // twice; nothing has come in then. REQUIRES: whole records.
  Status insert_rows(std::span<const std::byte> records);
  void clear();  // rows, sketch and counters

  // Counters, next scan and admission sketch, for snapshots beside the rows. restore_state: kCorrupt on
  // anything else than what save_state gave for the same spec and number of shards; then nothing has changed.
  std::vector<std::byte> save_state() const;
  Status restore_state(std::span<const std::byte> bytes);

 private:
  std::uint32_t create(Key key);
  void update(Key key, std::uint32_t slot, const float* gradient, std::uint32_t steps_since,
              const UpdateContext& context);
  // The initial ones, as stored. `wide`: room for dim floats.
  void fill_initial(Key key, float* wide, std::byte* out) const;
  void remove(Key key);
  void copy_row(std::uint32_t slot, std::byte* out) const;
  // visit(key, slot) for every row, its tail on the way to the cache.
  template <typename Visit>
  void for_each_tail(const Visit& visit) const;
  bool pushed_since(std::uint32_t slot, std::optional<std::uint32_t> since) const;
  void release_memory();
  std::uint64_t evict_oldest(std::size_t count, std::uint64_t step);

  TableSpec spec_;
  std::uint32_t sketch_width_;
  std::size_t max_rows_;
  RowUpdater updater_;
  RowLayout layout_;
  Initializer initializer_;
  Admission admission_;
  RowSlab rows_;
  KeyIndex index_;
  RemovalLog removals_;
  TableCounters counters_;
  std::uint32_t next_scan_ = 0;       // in seconds: no scan for expired rows before
  std::vector<float> wide_;           // [dim], of the row at hand; 16 bits only
  std::vector<std::size_t> missing_;  // of the push at hand: positions of keys without a row
};

}  // namespace capstan
