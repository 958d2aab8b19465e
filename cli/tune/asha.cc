#include "cli/tune/asha.h"

#include <algorithm>
#include <cmath>

namespace capstan {

std::optional<std::uint32_t> Asha::promotable(const Rung& rung) const {
  std::vector<std::pair<double, std::uint32_t>> best;  // best first, then by number
  for (const auto& [trial, score] : rung.scores) best.emplace_back(-score, trial);
  std::sort(best.begin(), best.end());
  const std::size_t go_on = best.size() / eta_;
  for (std::size_t i = 0; i < go_on; ++i) {
    const auto [loss, trial] = best[i];
    if (!rung.promoted.contains(trial) && std::isfinite(loss)) return trial;
  }
  return std::nullopt;
}

std::optional<Asha::Task> Asha::next() {
  for (auto rung = static_cast<std::uint32_t>(rungs_.size() - 1); rung-- > 0;) {
    const auto trial = promotable(rungs_[rung]);
    if (!trial) continue;
    rungs_[rung].promoted.insert(*trial);
    running_.insert(*trial);
    return Task{*trial, rung + 1};
  }
  for (std::uint32_t trial = 0; trial < trials_; ++trial) {
    if (rungs_[0].scores.contains(trial) || !running_.insert(trial).second) continue;
    return Task{trial, 0};
  }
  return std::nullopt;
}

void Asha::note(const Task& task, double score) {
  running_.erase(task.trial);
  rungs_[task.rung].scores[task.trial] = score;
}

void Asha::recall(const Task& task, double score) {
  if (task.rung > 0) rungs_[task.rung - 1].promoted.insert(task.trial);
  note(task, score);
}

std::vector<std::uint32_t> rungs_of(std::uint32_t passes, std::uint32_t min_passes, std::uint32_t eta,
                                    std::size_t trials) {
  std::vector<std::uint32_t> rungs = {passes};
  double below = passes;
  for (std::size_t needed = eta; needed <= trials; needed *= eta) {
    below /= eta;
    const auto rung = static_cast<std::uint32_t>(std::lround(below));
    if (rung < std::max(min_passes, 1U) || rung >= rungs.back()) break;
    rungs.push_back(rung);
  }
  std::reverse(rungs.begin(), rungs.end());
  return rungs;
}

}  // namespace capstan
