// TrainingSequences: each user's training events as one sequence, with a target at every place of it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "worker/data/dataset.h"

namespace capstan {

// A user's sequence is the list that stands at the latest training event, cut to its latest `max_length`
// items. Each training event that has some of them before it is a target, told by how many.
class TrainingSequences {
 public:
  struct Target {
    std::uint64_t example = 0;  // a row of train or, beyond train.size, of validation
    std::uint32_t length = 0;   // items of the sequence before it
  };

  // list: the field with the items before, whose column holds for each event the latest ones that came
  // before its time, as the transform `history` gives them. `data` must outlive this.
  TrainingSequences(const Dataset& data, std::uint32_t list, std::uint32_t max_length, bool include_valid);

  std::uint64_t size() const { return starts_.size() - 1; }
  std::uint64_t num_targets() const { return targets_.size(); }
  // In time order, at least one.
  std::span<const Target> targets(std::uint64_t sequence) const {
    return std::span(targets_).subspan(starts_[sequence], starts_[sequence + 1] - starts_[sequence]);
  }
  std::span<const Key> keys(std::uint64_t sequence) const;

 private:
  void add_user(std::vector<std::uint64_t>& examples, const std::vector<std::int64_t>& times);
  const Examples& rows_of(std::uint64_t example, std::uint64_t& row) const;
  std::int64_t time_of(std::uint64_t example) const;
  std::span<const Key> list_at(std::uint64_t example) const;

  const Dataset& data_;
  std::uint32_t list_, max_length_;
  std::vector<std::uint64_t> starts_{0};
  std::vector<Target> targets_;
};

}  // namespace capstan
