// JobFacts: what is known of the job so far, as plain values that the status page and the report read.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/buffer.h"
#include "common/event_loop.h"
#include "scheduler/journal.h"

namespace capstan {

struct Manifest;

enum class JobState { kWaiting, kPreparing, kRestoring, kRunning, kValidating, kEvaluating, kDone, kFailed };
std::string_view to_string(JobState state);

struct CheckpointFact {
  std::uint64_t checkpoint = 0;
  std::string directory;
  std::uint32_t passes = 0;  // finished before it
  bool best = false;
  std::uint64_t bytes = 0, rows = 0;  // bytes: that it added
  std::uint64_t builds_on = 0;        // the checkpoint that it needs besides its own files; 0: none
  double seconds = 0.0;               // that it took; 0: another process made it
};
// What a published checkpoint's manifest says of it.
CheckpointFact fact_of(const Manifest& manifest, const std::string& directory);

struct JobFacts {
  static constexpr std::size_t kWarningsMax = 100;

  JobState state = JobState::kWaiting;
  std::uint32_t generation = 0;
  std::uint32_t pass = 0;            // the one in training, or the last
  std::uint32_t num_partitions = 0;  // of a pass
  std::optional<TablesAgreed> agreed;
  std::vector<PassFinished> passes;
  std::vector<PassValidated> validations;
  std::optional<std::uint32_t> rows_of_pass;  // the best pass, once it has been restored
  std::optional<std::uint32_t> best_pass;
  bool stopped_early = false;
  std::vector<CheckpointFact> checkpoints;  // published and kept, oldest first
  Instant published{};                      // the newest one of this process
  std::string resumed_from;                 // directory of the checkpoint
  std::string report_json;                  // what the last merge gave
  Buffer report_values;                     // beside it, see MergedReport
  std::string final_text;                   // for people
  std::string end_text;
  bool counted = true;                                 // every owner of shards gave its last counters
  std::uint32_t test_evaluations = 0;                  // times that the test parts were evaluated
  std::map<NodeId, std::uint64_t> examples_by_worker;  // trained under this scheduler
  std::uint64_t splits = 0;                            // of slow workers' items, in all of the run
  std::uint64_t trained_here = 0;                      // examples of whole passes under this scheduler
  std::vector<std::string> warnings;                   // the newest kWarningsMax
  Instant started{}, trained_since{}, ended{};
  Duration training{0};             // spent in passes
  std::vector<Duration> handovers;  // of a shard: from the word to its primary until another leads

  void warn(std::string text);
};

}  // namespace capstan
