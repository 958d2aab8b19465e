// Journal: what the scheduler must remember over its own death, one record a line, durable before it is acted
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

#include "common/event_loop.h"
#include "common/message.h"
#include "common/result.h"

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
  std::string name, endpoint, host, zone;
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
// directory of the checkpoint that the job resumes from; with "rebuilt", of the one whose cursors it has.
inline constexpr std::string_view kRebuiltState = "rebuilt";
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
struct WorkSplit {  // the holder of an item leaves its end to others
  WorkCursor kept;  // where the item stands, and where it ends now
  WorkCursor rest;  // an item of its own
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
                                   CutBegun, CheckpointPublished, RunBegun, NodeDrains, WorkSplit>;

// The generation that the newest run in the journal began with; 0: it does not say.
std::uint32_t newest_run(const std::vector<JournalRecord>& records);

std::string to_json_text(const JournalRecord& record);
Result<JournalRecord> record_from_json(std::string_view text);

// kKnown passes over whole records that another version of the program wrote in a form unknown here.
enum class JournalLines : std::uint8_t { kAll, kKnown };

// The record as a line with its checksum, and lines as records. A torn last line is dropped; any other bad
// line is kCorrupt and named as "PLACE:LINE".
std::string journal_line(const JournalRecord& record);
Result<std::vector<JournalRecord>> parse_journal(std::string_view text, const std::string& place,
                                                 JournalLines lines);

// How the job that the records tell of ended; nullptr when it has not.
const StateReached* ended_state(const std::vector<JournalRecord>& records);
// The tables were settled: there is something to recover.
bool tables_agreed(const std::vector<JournalRecord>& records);

// Where the records are kept, and with them the right to lead: FileJournal, EtcdJournal.
class Journal {
 public:
  virtual ~Journal() = default;

  virtual Result<std::vector<JournalRecord>> read(JournalLines lines) = 0;
  // `records` in place of any there were, all at once.
  virtual Status begin(const std::vector<JournalRecord>& records) = 0;
  // Durable on return. After a failure it takes no more: the scheduler has to stop. kRefused: another
  // scheduler leads. REQUIRES: begin().
  virtual Status append(const JournalRecord& record) = 0;
  // For people: where the records are, and what they depend on.
  virtual std::string place() const = 0;
  virtual std::string engine() const = 0;

  // Why the room for records to come is no longer filled up; ok: it is. And the bytes that are set aside.
  virtual Status has_room() const { return ok_status(); }
  virtual std::uint64_t room() const { return 0; }
  // Until when this scheduler may act.
  virtual Instant leads_until() const { return Instant::max(); }
  // Why it may act no more, for good; empty: that is not so.
  virtual std::string lost_lead() const { return ""; }
};

}  // namespace capstan
