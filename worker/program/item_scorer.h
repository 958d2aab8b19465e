// ItemScorer: scores every item of the catalogue, or given ones, for a block of users: what ranking needs of
// a model.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "common/config/job_config.h"
#include "worker/data/dataset.h"
#include "worker/models/backprop.h"
#include "worker/train/step_program.h"

namespace capstan {

// Models with vectors are scored by one matrix product; others by a forward pass over every pair. Event
// fields take their values from the user's first row in `rows`. One call at a time.
class ItemScorer {
 public:
  // All outlive the scorer.
  ItemScorer(const JobConfig& job, const Dataset& data, const Examples& rows, const Model& model);

  // Users of one step, so that its pull stays small.
  std::uint32_t users_each() const { return users_each_; }

  // Fills step.tables and step.data for all items of `users`.
  void build_all(std::span<const std::uint32_t> users, Step& step) const;
  // scores: [users, num_items]. REQUIRES: the step was built by build_all() for as many users.
  std::vector<float> score_all(Step& step);

  // The same for pairs: items[i] belongs to users[i].
  void build_pairs(std::span<const std::uint32_t> users, std::span<const std::uint32_t> items,
                   Step& step) const;
  std::vector<float> score_pairs(Step& step);

  // Item vectors of a step built by build_all(): [num_items, vector_size]; empty for models without.
  std::vector<float> item_vectors(Step& step);

 private:
  bool has_vectors() const { return vector_size_ > 0; }

  const JobConfig& job_;
  const Dataset& data_;
  const Examples& rows_;
  const Model& model_;
  std::uint32_t vector_size_;
  std::uint32_t users_each_;
  std::vector<std::uint64_t> first_rows_;  // [num_users]
  Backprop backprop_;
};

}  // namespace capstan
