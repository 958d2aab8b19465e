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

// Collects the servers' answers to one Snapshot.
class Cut {
 public:
  enum class Outcome { kWaiting, kComplete, kTooLate, kFailed };

  Cut(std::uint64_t checkpoint, std::string directory, bool best, std::uint64_t after_step,
      std::vector<StreamState> streams, std::set<NodeId> servers);

  // kFailed and kTooLate end the cut. Answers to other checkpoints and repeated ones change nothing.
  Outcome on_reply(NodeId server, const SnapshotReply& reply);

  std::uint64_t checkpoint() const { return checkpoint_; }
  const std::string& directory() const { return directory_; }
  bool best() const { return best_; }
  std::uint64_t after_step() const { return after_step_; }  // 0: at once
  const std::vector<StreamState>& streams() const { return streams_; }
  const std::vector<ShardSection>& sections() const { return sections_; }
  const std::string& error() const { return error_; }
  bool no_space() const { return no_space_; }

 private:
  std::uint64_t checkpoint_;
  std::string directory_;
  bool best_;
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

// Which of `published` (oldest first) go when the `keep` newest, at least one, are to stay, and the best one
// that no later one outdid.
std::vector<std::uint64_t> to_prune(const std::vector<CheckpointFact>& published, std::uint32_t keep);

}  // namespace capstan
