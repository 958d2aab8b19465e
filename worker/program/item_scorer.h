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

// Which of a user's rows stands for the moment that is asked for, by (time, item); without times by the order
// of the lines. kFirst: of a test split, before all that is asked. kLast: of the training part, the latest
// that is known.
enum class EventRow : std::uint8_t { kFirst, kLast };

// Models with vectors are scored by one matrix product; others by a forward pass over every pair. Event
// fields take their values from one of the user's rows in `rows`; a sequence of items is what was before it
// or, for kLast, what is known with it. One call at a time.
class ItemScorer {
 public:
  // All outlive the scorer.
  ItemScorer(const JobConfig& job, const Dataset& data, const Examples& rows, const Model& model,
             EventRow row = EventRow::kFirst);

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

  // [users, num_items]: what the user's own vector gives to score_all(), without biases. REQUIRES: the model
  // has vector_size().
  std::vector<float> taste_scores(Step& step);

  // Adds to a step of build_all() what item_vectors() needs and scoring does not.
  void build_item_vectors(Step& step) const;
  // [num_items, model.item_vector_size()]; empty for models without. REQUIRES: build_item_vectors().
  std::vector<float> item_vectors(Step& step);

 private:
  bool has_vectors() const { return vector_size_ > 0; }
  void add_items(Step& step) const;
  std::vector<float> user_vectors(Step& step);
  // [users, items] of rows of vector_size_ floats.
  std::vector<float> products(std::vector<float> users, std::vector<float> items) const;

  const JobConfig& job_;
  const Dataset& data_;
  const Examples& rows_;
  const Model& model_;
  std::uint32_t vector_size_;
  std::uint32_t users_each_;
  EventRow event_row_;
  std::vector<std::uint64_t> user_rows_;  // [num_users]
  Backprop backprop_;
};

}  // namespace capstan
