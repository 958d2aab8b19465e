// The part of the protocol by which workers prepare, get work and report it.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

#include "common/buffer.h"
#include "common/node_id.h"
#include "common/table_spec.h"

namespace capstan {

struct EvaluatePart {
  std::string name;
  std::uint32_t partitions = 0;
};
struct DataCounts {  // examples held back, and the ids of a ranking job (0: none)
  std::uint64_t valid = 0, test = 0, users = 0, items = 0;
};
struct WorkerReady {
  NodeId node_id = 0;
  std::uint64_t data_fingerprint = 0;
  std::vector<TableSpec> tables;
  std::uint64_t train_examples = 0;
  std::vector<EvaluatePart> evaluate_parts;
  std::string summary, error;
  DataCounts counts;
};
struct WorkId {
  std::uint8_t kind = 0;  // WorkKind of the worker's step_program.h
  std::uint32_t pass = 0;
  std::uint32_t partition = 0;  // training: the stream that it begins with, see common/segments.h
  std::string name;
  auto operator<=>(const WorkId&) const = default;
};
struct WorkRequest {
  NodeId node_id = 0;
  std::uint64_t incarnation = 0;
  std::uint32_t held = 0;
  bool direct = false;  // no item: a stream of its own (common/direct_stream.h)
};
struct WorkGrant {
  WorkId work;
  std::uint32_t num_partitions = 1;
  std::uint64_t term = 0, first_batch = 0;
  std::uint64_t steps = 0;  // batches of the whole job so far
  std::vector<Buffer> inputs;
  std::uint64_t end_batch = 0;  // the first that is not the item's; 0: the partition's end
};
struct NoWork {
  std::uint32_t wait_ms = 0;
  std::string state;
};
struct WorkCursor {
  WorkId work;
  std::uint64_t term = 0, watermark = 0, examples = 0;
  double loss_sum = 0.0;
  std::uint64_t batches = 0;  // of the whole partition
  std::uint64_t bad_batches = 0;
  std::uint64_t slices = 0;  // acknowledged ones of the batches below the watermark, since the grant
  std::uint64_t end = 0;     // the first batch that the holder leaves to others; 0: none
};
struct WorkProgress {
  NodeId node_id = 0;
  std::vector<WorkCursor> cursors;
};
// Another worker has nothing to do: the holder shall leave the batches from `end` on, or as many of them as
// it can. Its next cursor says where it will end.
struct EndWish {
  std::uint32_t cursor = 0;  // index
  std::uint64_t end = 0;
};
struct WorkProgressReply {
  std::vector<std::uint32_t> revoked;
  std::uint64_t steps = 0;  // batches of the whole job so far
  std::vector<EndWish> wishes;
};
struct WorkDone {
  NodeId node_id = 0;
  WorkCursor cursor;
  std::string error;
  Buffer result;
};
struct WorkDoneReply {
  bool accepted = false;
};

}  // namespace capstan
