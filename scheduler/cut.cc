#include "scheduler/cut.h"

#include <algorithm>

namespace capstan {

Cut::Cut(std::uint64_t checkpoint, std::string directory, bool best, std::uint64_t after_step,
         std::vector<StreamState> streams, std::set<NodeId> servers)
    : checkpoint_(checkpoint),
      directory_(std::move(directory)),
      best_(best),
      after_step_(after_step),
      streams_(std::move(streams)),
      missing_(std::move(servers)) {}

Cut::Outcome Cut::on_reply(NodeId server, const SnapshotReply& reply) {
  if (reply.checkpoint != checkpoint_ || !missing_.contains(server)) return Outcome::kWaiting;
  if (reply.too_late) return Outcome::kTooLate;
  if (reply.no_space || !reply.error.empty()) {
    no_space_ = reply.no_space;
    error_ = reply.error.empty() ? "no space left on the device" : reply.error;
    return Outcome::kFailed;
  }
  missing_.erase(server);
  for (ShardSection section : reply.sections) {
    if (section.file.empty()) section.file = reply.file;
    sections_.push_back(std::move(section));
  }
  if (!missing_.empty()) return Outcome::kWaiting;
  std::sort(sections_.begin(), sections_.end(),
            [](const ShardSection& a, const ShardSection& b) { return a.shard < b.shard; });
  return Outcome::kComplete;
}

bool CutSchedule::due(std::uint64_t steps, Instant now) const {
  if (steps <= last_steps_) return false;
  if (every_steps_ > 0 && steps - last_steps_ >= every_steps_) return true;
  return every_seconds_ > 0 && now - last_ >= std::chrono::seconds(every_seconds_);
}

void CutSchedule::begun(std::uint64_t steps, Instant now) {
  last_steps_ = steps;
  last_ = now;
}

void CutSchedule::too_late() {
  margin_ = std::min(margin_ * 2, kMarginMax);
}
void CutSchedule::in_time() {
  margin_ = std::max(margin_ - margin_ / 8, kMarginMin);
}

std::vector<std::uint64_t> to_prune(const std::vector<CheckpointFact>& published, std::uint32_t keep) {
  std::optional<std::uint64_t> newest_best;
  for (const CheckpointFact& fact : published) {
    if (fact.best) newest_best = fact.checkpoint;
  }
  const std::size_t stay = std::max(keep, 1U);
  std::vector<std::uint64_t> gone;
  for (std::size_t n = 0; n + stay < published.size(); ++n) {
    if (published[n].checkpoint != newest_best) gone.push_back(published[n].checkpoint);
  }
  return gone;
}

}  // namespace capstan
