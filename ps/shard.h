// Shard: a hash slice of all tables with everything that belongs to it: rows, the push window, the step
// barrier. Runs on one lane at a time; knows nothing of messages.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "common/buffer.h"
#include "common/message.h"
#include "common/table_spec.h"
#include "ps/push_window.h"
#include "ps/step_undo.h"
#include "ps/table/embedding_table.h"

namespace capstan {

// One slice of a push, read in place. The buffers keep keys and gradients alive for a slice that has to wait.
struct PushedSlice {
  std::uint32_t pass = 0, partition = 0;
  std::uint64_t term = 0, sequence = 0, previous = 0, pulled_version = 0;
  std::uint64_t step = 0;  // of the job, as its worker knows it; sync counts for itself
  std::vector<Section> sections;
  const Key* keys = nullptr;  // of all sections, one after the other
  // Likewise, [keys of a section, dim of its table]: as they came (see section_bytes()), and once the slice
  // waits for its step, floats.
  const void* gradients = nullptr;
  Buffer keys_owner, gradients_owner;
  bool malformed = false;  // its gradients are not as many as its sections say: refused unread
  bool refused = false;    // sync: waits as an empty one
  bool checked = false;    // by the replica that it comes from
  bool full = false;       // checked: that found no room for new rows
};

// A change as replicas replay it, with its part of the frames.
struct ShardRecord {
  ReplicaRecord head;
  Buffer keys, gradients, blob;
};

// Everything of a shard as bytes, or what changed since another snapshot; see docs/FORMATS.md.
struct ShardSnapshot {
  Buffer bytes;  // empty: none yet
  std::uint64_t rows = 0;
  std::uint64_t ticket = 0;  // of the request it answers
  std::uint64_t base = 0;    // the checkpoint that it goes on from; 0: it is whole
};

struct SnapshotIds {
  std::uint64_t checkpoint = 0;  // that it is for; 0: none, and nothing will go on from it
  std::uint64_t base = 0;        // that it may go on from; 0: it has to be whole
};

struct PushOutcome {
  SliceStatus status = SliceStatus::kOk;
  bool changed = false;  // the shard is not as before: its replicas have to follow
  bool waits = false;    // sync: kept until the other slots' slices of this step are here
  bool full = false;     // there was no room for new rows
  std::vector<std::uint32_t>
      released_slots;  // sync: slots whose waiting slices this one completed (itself included)
  std::uint64_t version = 0;
  StepClock clock;         // stepped modes: after this push
  ShardSnapshot snapshot;  // sync: taken because this push completed the step it was asked for
};

// The record of a slice that a shard with these tables has taken in. A refused one, or one that only raised
// its stream's term, travels without its values.
ShardRecord record_of(const PushedSlice& slice, const PushOutcome& outcome, std::uint32_t now_seconds,
                      std::span<const TableSpec> specs);

struct Eviction {
  bool changed = false;
  std::vector<std::uint64_t> counts;  // a table: rows that made room, beside the expired ones
};

struct TableStats {
  std::uint64_t rows = 0, bytes = 0;
  std::uint64_t evicted = 0;  // rows, in this process
};

struct ShardStats {
  static constexpr std::size_t kStalenessBuckets = 16;  // 0, 1, 2-3, 4-7, ... pushes between pull and push

  // Slices whose number the rows have taken in: saved and restored with them.
  std::uint64_t pushes_applied = 0, pushes_refused = 0;
  // Of this process.
  std::uint64_t pushes_applied_here = 0, pushes_refused_here = 0;
  std::uint64_t pushes_duplicate = 0, pushes_fenced = 0, pushes_gap = 0;
  std::uint64_t rows_pulled = 0, rows_pushed = 0, rows_evicted = 0, rows_not_admitted = 0;
  std::uint64_t rows_squeezed = 0;  // evicted to keep within its memory; among rows_evicted
  std::uint64_t streams_forgotten = 0;
  std::uint64_t rows = 0, bytes = 0;
  std::uint64_t streams = 0;      // that the push window remembers
  std::uint64_t fixed_bytes = 0;  // of them, what no eviction gives back: sketches and dense layers
  std::array<std::uint64_t, kStalenessBuckets> staleness{};
  std::vector<TableStats> tables;

  void add(const ShardStats& other);
  // What this process has done between the two: its counters alone.
  void add_progress(const ShardStats& before, const ShardStats& now);
};

class Shard {
 public:
  Shard(std::uint32_t id, std::uint32_t num_shards) : id_(id), num_shards_(num_shards) {}

  // Adds the tables that are not there yet; the specs of those that are must be equal.
  void declare(const DeclareTables& declare);

  // Writes the rows of all sections to `out`, one after the other, section_bytes() each; `keys` likewise.
  // sync: as they were before step `at`, if that is the last one applied here. A slot that is done again
  // after its worker's death may have reached some shards already, and must be computed from the same rows as
  // before. REQUIRES: the tables are declared.
  void pull(std::span<const Section> sections, const Key* keys, StepClock at, void* out);
  PushOutcome push(const PushedSlice& slice, std::uint32_t now_seconds);
  // Raw row bytes behind one another; found[i] tells which keys have a row.
  void get_rows(std::uint32_t table, std::span<const Key> keys, std::vector<bool>& found,
                std::vector<std::byte>& out) const;

  // REQUIRES: the table is declared.
  const EmbeddingTable& table(std::uint32_t table) const { return *tables_[table]; }

  // Drops expired rows; then, if the shard takes more than `bytes_max`, the least recently used ones until a
  // sixteenth of the rows' part is free. While it takes more, pushes bring in no new rows, but for dense
  // ones.
  Eviction evict(std::uint32_t now_seconds, std::uint64_t bytes_max);

  // sequence 0: at once. Else (sync) right after step `sequence` of `pass`: kStale when the shard is past it;
  // when it is there already, the bytes come back now, else none now and PushOutcome::snapshot later. A new
  // request replaces one that still waits.
  // Only a shard that took the base's snapshot itself, and has lived on since, can leave out what has not
  // changed. It remembers the base and this one: which of them the next goes on from, the next request says.
  Result<ShardSnapshot> snapshot_after(std::uint32_t pass, std::uint64_t sequence, std::uint64_t ticket,
                                       SnapshotIds ids = {});
  // The next one is whole.
  void forget_snapshots();
  // Replaces everything. kCorrupt for bytes that are no snapshot of these tables; the shard is then empty.
  // Holders of streams from before, below term `fence` or seen here, are fenced from now on.
  Status restore(std::span<const std::byte> bytes, std::uint64_t fence);

  // Does what the record's shard did. REQUIRES: its tables are declared, its gradients fit its sections.
  PushOutcome replay(const ShardRecord& record);
  // Beside what a snapshot holds: fence, waiting slices, undo. For a replica that goes on from here. Rows
  // come in the order of this shard's tables, or by key: then copies that are equal give equal bytes.
  enum class RowOrder { kOfTables, kByKey };
  Buffer save_all(RowOrder order = RowOrder::kOfTables) const;
  // REQUIRES: a new shard with its tables declared. On an error it must not be used.
  Status load_all(std::span<const std::byte> bytes);

  std::uint64_t version() const { return version_; }
  const PushWindow& window() const { return window_; }
  StepClock clock() const { return {window_.newest_pass(), window_.clock(window_.newest_pass(), slots_)}; }
  // Finished passes and closed direct streams, see PushWindow. True: that is news.
  bool forget_below(std::uint32_t pass, std::uint64_t direct_term);
  ShardStats stats() const;

 private:
  std::uint64_t clock_of(std::uint32_t pass) const { return window_.clock(pass, slots_); }
  SliceStatus validate(const PushedSlice& slice, const float* gradients) const;
  const float* floats_of(const PushedSlice& slice);
  // Rates and decay go by the job's `step`, not by how often a shard is touched.
  void apply(std::span<const Section> sections, const Key* keys, const float* gradients,
             const UpdateContext& context);
  PushOutcome combine(const PushedSlice& slice, std::uint32_t now_seconds, bool full);
  void apply_step(StepClock at, std::uint32_t now_seconds, bool full);
  std::uint64_t bytes() const;
  void squeeze(Eviction& eviction);
  void count_evicted(std::size_t table, std::uint64_t rows);
  struct Wish {  // for a snapshot
    std::uint32_t pass = 0;
    std::uint64_t sequence = 0;  // 0: none asked for
    std::uint64_t ticket = 0;
    SnapshotIds ids;
  };
  struct Mark {  // how the shard stood at a snapshot
    std::uint64_t checkpoint = 0;
    std::uint64_t step = 0;               // rows pushed since have this one or a later one
    std::vector<std::uint64_t> removals;  // a table: rows it had removed
  };
  ShardSnapshot snapshot(const Wish& wish);
  std::optional<Mark> mark_of(std::uint64_t base) const;
  void remember(SnapshotIds ids);
  void save(ByteWriter& out, std::uint64_t checkpoint, const std::optional<Mark>& base,
            RowOrder order = RowOrder::kOfTables) const;
  Status load(ByteReader& in);
  void note_staleness(std::uint64_t pulled_version);
  void count_push(bool refused);

  std::uint32_t id_;
  std::uint32_t num_shards_;
  std::uint32_t slots_ = 0;  // partitions of a step in stepped modes, else 0
  bool combine_ = false;     // sync
  std::uint32_t sketch_width_ = 0;
  std::vector<TableSpec> specs_;
  std::vector<std::unique_ptr<EmbeddingTable>> tables_;
  PushWindow window_;
  std::uint64_t version_ = 0;                     // updates applied: slices, or combined steps in sync
  std::uint64_t step_ = 0;                        // the highest of the job that it has heard of
  std::map<std::uint32_t, PushedSlice> waiting_;  // sync: by slot, all of one step
  StepUndo undo_;
  std::vector<float> widened_;  // gradients of the slice at hand
  Wish waiting_snapshot_;       // sync: for its step
  std::vector<Mark> marks_;     // the newest base and what was taken since, oldest first
  std::uint64_t bytes_max_ = ~std::uint64_t{0};
  ShardStats stats_;
};

}  // namespace capstan
