// RarePaths: settings of the product under which what is rare outside happens all the time in a simulated
// job. Each is of its own and may be combined with any other; what is not drawn is as tests have it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "common/config/job_config.h"
#include "common/rng.h"
#include "ps/request_quota.h"
#include "scheduler/etcd_journal.h"
#include "sim/ledger.h"

namespace capstan {

struct RarePaths {
  // A shard, of about a thousand bytes, goes to a learner in one piece, or in so many that it is overtaken.
  std::uint32_t chunk_bytes = 256;
  // Nearly none: servers say `busy` again and again. Not in sync, where a slice waits for all other slots.
  RequestLimits requests;
  // A worker's messages hold so much of the job's largest slice, which is the least that they must be able
  // to: pulls come in pieces, pushes to a server go in several messages. 0: any amount.
  std::uint32_t slice_percent = 0;
  // Records to the next in a chain go in many messages.
  std::uint64_t record_frame_bytes = 256ULL << 20;
  // Low: a checkpoint takes many steps, and servers die, join and hand over meanwhile.
  std::uint64_t snapshot_bytes_per_second = 128ULL << 20;
  // Low: learners are behind for long. 0: no limit.
  std::uint64_t catch_up_rate = 1U << 20;
  // Low: a learner that is overtaken gets its shard anew.
  std::uint64_t learner_backlog_bytes = 32ULL << 20;
  // Short: who is alone in a chain stops when the scheduler is silent for longer.
  std::uint64_t scheduler_grace_ms = 60'000;
  // Small: a record of the journal in a store goes on from one value to the next.
  std::size_t journal_value_bytes = EtcdJournalOptions().value_bytes_max;
};

RarePaths draw_rare_paths(Rng& rng, Consistency mode, std::uint32_t schedulers);
// async: partitions that end with a segment of a few batches. REQUIRES: about 320 batches a pass.
void draw_segments(Rng& rng, Consistency mode, LedgerShape& shape);

// ", chunks of 64 bytes, at most 3 requests": what is not as usual; empty: all is.
std::string to_string(const RarePaths& rare);

}  // namespace capstan
