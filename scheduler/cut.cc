#include "scheduler/cut.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <map>

#include "common/section_chains.h"

namespace capstan {

Cut::Cut(std::uint64_t checkpoint, std::string directory, bool best, std::uint64_t after_step,
         std::vector<StreamState> streams, std::set<NodeId> servers, CutBase base)
    : checkpoint_(checkpoint),
      directory_(std::move(directory)),
      best_(best),
      base_(std::move(base)),
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

std::uint64_t Cut::builds_on() const {
  const bool builds = std::any_of(sections_.begin(), sections_.end(),
                                  [](const ShardSection& section) { return section.base != 0; });
  return builds ? base_.checkpoint : 0;
}

Result<std::vector<ShardSection>> Cut::chains() const {
  std::map<std::uint32_t, SectionChain> before;
  for (const SectionChain chain : chains_of(base_.sections)) before[chain.front().shard] = chain;
  std::vector<ShardSection> all;
  for (const ShardSection& section : sections_) {
    if (!all.empty() && all.back().shard == section.shard) {
      return make_error(ErrorCode::kInvalid, "two servers wrote the same shard");
    }
    if (section.base != 0) {
      const auto chain = before.find(section.shard);
      if (section.base != base_.checkpoint || chain == before.end()) {
        return make_error(ErrorCode::kInvalid,
                          fmt::format("shard {} came as what changed since checkpoint {}, which it was not "
                                      "asked for",
                                      section.shard, section.base));
      }
      for (ShardSection link : chain->second) {
        if (link.folder.empty()) link.folder = base_.folder;
        all.push_back(std::move(link));
      }
    }
    all.push_back(section);
  }
  return all;
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

namespace {

// Marks the checkpoint and all that it needs.
void keep_chain(const std::vector<CheckpointFact>& published, std::uint64_t checkpoint,
                std::set<std::uint64_t>& kept) {
  for (auto fact = published.rbegin(); fact != published.rend(); ++fact) {
    if (fact->checkpoint != checkpoint) continue;
    kept.insert(checkpoint);
    checkpoint = fact->builds_on;
  }
}

}  // namespace

std::vector<std::uint64_t> to_prune(const std::vector<CheckpointFact>& published, std::uint32_t keep) {
  std::optional<std::uint64_t> newest_best;
  for (const CheckpointFact& fact : published) {
    if (fact.best) newest_best = fact.checkpoint;
  }
  std::set<std::uint64_t> kept;
  const std::size_t stay = std::min<std::size_t>(std::max(keep, 1U), published.size());
  for (std::size_t n = published.size() - stay; n < published.size(); ++n) {
    keep_chain(published, published[n].checkpoint, kept);
  }
  if (newest_best) keep_chain(published, *newest_best, kept);
  std::vector<std::uint64_t> gone;
  for (auto fact = published.rbegin(); fact != published.rend(); ++fact) {
    if (!kept.contains(fact->checkpoint)) gone.push_back(fact->checkpoint);
  }
  return gone;
}

std::size_t chain_length(const std::vector<CheckpointFact>& published) {
  std::set<std::uint64_t> chain;
  if (!published.empty()) keep_chain(published, published.back().checkpoint, chain);
  return chain.size();
}

bool changes_outweigh(const std::vector<ShardSection>& sections) {
  std::uint64_t whole = 0, changes = 0;
  for (const ShardSection& section : sections) (section.base == 0 ? whole : changes) += section.length;
  return changes >= whole;
}

}  // namespace capstan
