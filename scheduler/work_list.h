// WorkList: the work items of the current phase, who holds which under which term, and how far each has come.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/buffer.h"
#include "common/message.h"
#include "common/segments.h"
#include "scheduler/journal.h"

namespace capstan {

inline constexpr std::uint8_t kTrainWork = 0, kEvaluateWork = 1, kMergeWork = 2;  // as WorkKind of the worker

struct WorkTotals {
  std::uint64_t examples = 0, bad_batches = 0;
  double loss_sum = 0.0;
  std::uint64_t slices = 0;  // acknowledged
};

WorkTotals totals_of(const WorkCursor& cursor);

struct WorkEntry {
  WorkId work;
  std::uint32_t num_partitions = 1;
  std::uint64_t term = 0;  // of the newest grant; 0: never granted
  NodeId holder = 0;       // 0: nobody's
  NodeId last_holder = 0;  // who had the newest term
  bool confirmed = false;  // the holder has spoken of this term
  bool done = false;
  std::uint64_t first = 0;      // its first batch; not 0: it was split off another item
  std::uint64_t watermark = 0;  // every slice of its batches below is acknowledged
  std::uint64_t end = 0;        // behind its last batch; 0: not known yet
  std::uint64_t batches = 0;    // of the whole partition; 0: not known yet
  WorkTotals before;            // of earlier terms
  WorkTotals term_totals;       // of the newest term
  std::vector<Buffer> inputs;
  Buffer result;

  std::uint32_t partition() const { return partition_of_stream(work.partition, num_partitions); }
  // What a restart needs: everything counted, as if in one term.
  WorkCursor cursor() const;
};

// Terms are generation << 32 | n and only rise, over all items. Every call is O(log items) or O(items it
// names).
class WorkList {
 public:
  explicit WorkList(std::uint32_t generation) : last_term_(std::uint64_t{generation} << 32) {}

  void clear();  // terms go on rising
  // For what is no item of the list.
  std::uint64_t next_term() { return ++last_term_; }
  void add(WorkId work, std::uint32_t num_partitions, std::vector<Buffer> inputs = {});
  // Puts a journaled item back: where it stands, what was counted `before` its newest term, and whose it was.
  // One holder's in the order of their terms. One that was split off is added.
  void recover(const WorkCursor& cursor, const WorkTotals& before, NodeId holder, bool done);

  struct Granted {
    WorkGrant grant;
    bool again = false;  // the term is not new
  };
  // What `worker`, which says that it holds `held` items, gets: the grant again that it never confirmed (lost
  // on the way), else the next free item under a new term while it holds fewer than `hold_max`.
  std::optional<Granted> grant(NodeId worker, std::uint32_t held, std::uint32_t hold_max);
  // False: the cursor is not the holder's (an old term, another worker, an unknown item). A worker that lost
  // its lease takes its item back by reporting it, as long as nobody else got it.
  bool progress(NodeId worker, const WorkCursor& cursor);
  // What the cursor says if its item's holder leaves the end to others: to be journaled and then carried out
  // by split(), before the cursor is taken in. The rest is free.
  std::optional<WorkSplit> split_said(NodeId worker, const WorkCursor& cursor) const;
  // The same for an end that nobody said. REQUIRES: a segment of the item begins there.
  WorkSplit split_at(const WorkEntry& entry, std::uint64_t end, std::uint64_t batches) const;
  void split(const WorkSplit& split);
  // False as above. True again for a repeated report of the same term.
  bool finish(NodeId worker, const WorkCursor& cursor, Buffer result);
  // The worker's lease has ended: its items go on from their watermarks, elsewhere. Returns how many.
  std::size_t release(NodeId worker);

  bool all_done() const { return done_ == entries_.size(); }
  std::size_t size() const { return entries_.size(); }
  std::size_t done() const { return done_; }
  std::size_t held_by(NodeId worker) const;
  const std::map<NodeId, std::vector<WorkId>>& held() const { return held_; }
  const std::map<WorkId, WorkEntry>& entries() const { return entries_; }
  const WorkEntry* find(const WorkId& work) const;
  const std::map<NodeId, std::uint64_t>& examples_by_worker() const {
    return examples_by_worker_;
  }  // training
  // Of the items in the list. Its loss depends in the last bits on the order in which reports came.
  WorkTotals totals() const { return totals_; }
  // The same in the items' order: equal runs give equal bits. O(items).
  double loss_sum() const;
  std::uint64_t watermark_sum() const { return watermark_sum_; }
  // 0..1; items not granted yet count as long as those that are.
  double fraction_done() const;

 private:
  bool is_of(NodeId worker, const WorkEntry& entry, const WorkCursor& cursor) const;
  WorkEntry* mine(NodeId worker, const WorkCursor& cursor);
  void set_size(WorkEntry& entry, std::uint64_t batches, std::uint64_t end);
  void account(WorkEntry& entry, const WorkCursor& cursor);
  void drop_holder(WorkEntry& entry);
  const WorkEntry* newest_unconfirmed(const std::vector<WorkId>& items) const;  // nullptr: none

  std::uint64_t last_term_;
  std::map<WorkId, WorkEntry> entries_;
  std::set<WorkId> free_;
  std::map<NodeId, std::vector<WorkId>> held_;
  std::map<NodeId, std::uint64_t> examples_by_worker_;
  WorkTotals totals_;
  std::uint64_t watermark_sum_ = 0, batches_sum_ = 0;
  std::size_t done_ = 0, rests_ = 0;  // rests_: items that were split off others
  std::size_t sized_ = 0;             // others whose number of batches is known
};

}  // namespace capstan
