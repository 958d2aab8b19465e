// Journal: what the scheduler must remember over its own death, one record a line, fsynced before it is acted
// on.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/message.h"
#include "common/result.h"
#include "common/storage.h"

namespace capstan {

struct GenerationRaised {
  std::uint32_t generation = 0;
};
struct RunBegun {  // anew: checkpoints of lower generations are of earlier runs
  std::uint32_t generation = 0;
};
struct NodeGreeted {
  NodeId id = 0;
  Role role = Role::kServer;
  std::string name, endpoint, host;
  std::uint64_t incarnation = 0, memory_limit = 0;
};
struct NodeDrains {  // this process shall give all its shards away, and then leave
  NodeId id = 0;
};
struct NodeReady {  // a worker has prepared its data
  NodeId id = 0;
  std::uint64_t incarnation = 0;
};
struct TablesAgreed {
  std::vector<TableSpec> tables;
  std::uint64_t data_fingerprint = 0, train_examples = 0;
  std::vector<EvaluatePart> parts;
  std::string summary;
  DataCounts counts;
  std::uint32_t num_partitions = 0;  // of a pass
  std::uint32_t sketch_width = 0;    // common/sketch_size.h
};
struct MapChanged {
  std::vector<ShardEntry> shards;
};
// The job has come to a step: "running" with pass 3, "evaluating", "done" ... With "restoring", `text` is the
// directory of the checkpoint that the job resumes from.
struct StateReached {
  std::string state;
  std::uint32_t pass = 0;
  std::string text;
};
struct WorkGranted {
  WorkCursor cursor;  // of all terms before this one, and this one's number
  NodeId worker = 0;
};
struct WorkFinished {
  WorkCursor cursor;
  NodeId worker = 0;
};
struct PassFinished {
  std::uint32_t pass = 0;
  std::uint64_t examples = 0, bad_batches = 0;
  double loss_sum = 0.0, seconds = 0.0;
  std::uint64_t slices = 0;  // acknowledged
  std::uint64_t steps = 0;
};
struct PassValidated {
  std::uint32_t pass = 0;
  double better = 0.0;
  std::string json;
};
struct CutBegun {
  std::uint64_t checkpoint = 0;
  std::vector<WorkCursor> cursors;
};
struct CheckpointPublished {
  std::uint64_t checkpoint = 0;
  std::uint32_t passes = 0;  // finished before it
  bool best = false;
};

using JournalRecord = std::variant<GenerationRaised, NodeGreeted, NodeReady, TablesAgreed, MapChanged,
                                   StateReached, WorkGranted, WorkFinished, PassFinished, PassValidated,
                                   CutBegun, CheckpointPublished, RunBegun, NodeDrains>;

// The generation that the newest run in the journal began with; 0: it does not say.
std::uint32_t newest_run(const std::vector<JournalRecord>& records);

std::string to_json_text(const JournalRecord& record);
Result<JournalRecord> record_from_json(std::string_view text);

// kKnown passes over whole records that another version of the program wrote in a form unknown here.
enum class JournalLines : std::uint8_t { kAll, kKnown };

// Appends records, with room set aside for those to come: a disk that gets full does not stop a scheduler.
// After a failure to append or sync it takes no more: the scheduler has to stop.
class Journal {
 public:
  static constexpr std::uint64_t kRoom = 1ULL << 20;  // some thousand records

  // The records of `path`, none when there is no file. A torn last line is dropped; any other bad line is
  // kCorrupt and named.
  static Result<std::vector<JournalRecord>> read(Storage& storage, const std::string& path,
                                                 JournalLines lines = JournalLines::kAll);
  // A new file with `records` in it in place of any old one, by one atomic rename.
  static Result<std::unique_ptr<Journal>> start(Storage& storage, const std::string& path,
                                                const std::vector<JournalRecord>& records);

  // Durable on return.
  Status append(const JournalRecord& record);
  // Why the room for records to come is no longer filled up; ok: it is.
  const Status& has_room() const { return has_room_; }
  std::uint64_t room() const { return room_; }  // bytes that are set aside

 private:
  explicit Journal(std::unique_ptr<WritableFile> file) : file_(std::move(file)) {}
  void fill_up_room();

  std::unique_ptr<WritableFile> file_;
  std::uint64_t room_ = 0;
  Status has_room_ = ok_status();
  bool failed_ = false;
};

}  // namespace capstan
