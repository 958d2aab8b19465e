// Asha: which trial trains next, and how far. Pure: a function of what was noted.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

namespace capstan {

// Successive halving that waits for nobody: a trial goes on to the next rung as soon as it is among the best
// 1/eta of those that have reached its own; while none is, another trial begins at the lowest.
// Source: Li et al., "A System for Massively Parallel Hyperparameter Tuning" (MLSys 2020), algorithm 2.
class Asha {
 public:
  struct Task {
    std::uint32_t trial = 0, rung = 0;
    bool operator==(const Task&) const = default;
  };

  Asha(std::uint32_t trials, std::uint32_t rungs, std::uint32_t eta)
      : trials_(trials), eta_(eta), rungs_(rungs) {}

  // The next task, which then counts as begun; nothing while there is none, and when none runs there will be
  // no more. Equal trials go by their number.
  std::optional<Task> next();
  // A task is done: larger is better, -infinity for one that failed.
  void note(const Task& task, double score);
  // The same of an earlier process, whose tasks that were begun and not done are given again.
  void recall(const Task& task, double score);

 private:
  struct Rung {
    std::map<std::uint32_t, double> scores;  // by trial
    std::set<std::uint32_t> promoted;        // begun at the next rung
  };
  std::optional<std::uint32_t> promotable(const Rung& rung) const;

  std::uint32_t trials_, eta_;
  std::vector<Rung> rungs_;
  std::set<std::uint32_t> running_;  // trials
};

// Passes after which trials are compared, ascending: `passes`, a part 1/eta of them, and so on, none below
// `min_passes`, and so few that one of `trials` gets to the last.
std::vector<std::uint32_t> rungs_of(std::uint32_t passes, std::uint32_t min_passes, std::uint32_t eta,
                                    std::size_t trials);

}  // namespace capstan
