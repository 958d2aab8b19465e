// Cut: one checkpoint in the making, and when the next is due. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/event_loop.h"
#include "common/message.h"
#include "scheduler/job_facts.h"
#include "scheduler/manifest.h"

namespace capstan {

// The checkpoint that a cut may build on: its sections need not be written again where nothing has changed.
struct CutBase {
  std::uint64_t checkpoint = 0;  // 0: none, the cut is a full one
  std::string folder;            // its name
  std::vector<ShardSection> sections;
};

// Collects the servers' answers to one Snapshot.
class Cut {
 public:
  enum class Outcome { kWaiting, kComplete, kTooLate, kFailed };

  Cut(std::uint64_t checkpoint, std::string directory, bool best, std::uint64_t after_step,
      std::vector<StreamState> streams, std::set<NodeId> servers, CutBase base = {});

  // kFailed and kTooLate end the cut. Answers to other checkpoints and repeated ones change nothing.
  Outcome on_reply(NodeId server, const SnapshotReply& reply);

  std::uint64_t checkpoint() const { return checkpoint_; }
  const std::string& directory() const { return directory_; }
  bool best() const { return best_; }
  std::uint64_t after_step() const { return after_step_; }  // 0: at once
  const std::vector<StreamState>& streams() const { return streams_; }
  // What the servers wrote, by shard.
  const std::vector<ShardSection>& sections() const { return sections_; }
  // The base's number, or 0 when no section goes on from it.
  std::uint64_t builds_on() const;
  // What is needed of it and what was written, as a manifest lists them. kInvalid when they do not fit
  // together: then there is no checkpoint.
  Result<std::vector<ShardSection>> chains() const;
  const std::string& error() const { return error_; }
  bool no_space() const { return no_space_; }

 private:
  std::uint64_t checkpoint_;
  std::string directory_;
  bool best_;
  CutBase base_;
  std::uint64_t after_step_;
  std::vector<StreamState> streams_;
  std::set<NodeId> missing_;
  std::vector<ShardSection> sections_;
  std::string error_;
  bool no_space_ = false;
};

// Automatic checkpoints every so many steps or seconds, and how far ahead a step to cut at must lie in sync
// mode.
class CutSchedule {
 public:
  CutSchedule() = default;
  CutSchedule(std::uint64_t every_steps, std::uint64_t every_seconds)
      : every_steps_(every_steps), every_seconds_(every_seconds) {}

  bool due(std::uint64_t steps, Instant now) const;
  void begun(std::uint64_t steps, Instant now);
  void too_late();  // the margin was too small
  void in_time();
  std::uint64_t margin() const { return margin_; }

 private:
  static constexpr std::uint64_t kMarginMin = 16, kMarginMax = 1ULL << 20;

  std::uint64_t every_steps_ = 0, every_seconds_ = 0;
  std::uint64_t last_steps_ = 0;
  Instant last_{};
  std::uint64_t margin_ = kMarginMin;
};

// Which of `published` (oldest first) go when the `keep` newest, at least one, are to stay, the best one that
// no later one outdid, and all that these build on. The newest first: nothing must ever lack what it needs.
std::vector<std::uint64_t> to_prune(const std::vector<CheckpointFact>& published, std::uint32_t keep);

// How many checkpoints a new one would need besides itself if it built on the newest of `published`.
std::size_t chain_length(const std::vector<CheckpointFact>& published);
// Whether its changes take as many bytes as what they change, so that more of them would help nobody.
bool changes_outweigh(const std::vector<ShardSection>& sections);

}  // namespace capstan
