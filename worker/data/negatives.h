// Negative items for training positives: pure functions of (seed, epoch, example, draw), never of the worker.
#pragma once

#include <cstdint>
#include <vector>

#include "common/config/job_config.h"
#include "worker/data/dataset.h"

namespace capstan {

// Draws index i with probability weights[i] / sum in constant time.
// Source: Vose, "A linear algorithm for generating random numbers with a given distribution", IEEE TSE 1991.
class AliasTable {
 public:
  // REQUIRES: not empty, no weight below 0, the sum above 0.
  explicit AliasTable(const std::vector<double>& weights);
  std::uint32_t draw(std::uint64_t uniform_bits) const;

 private:
  std::vector<double> keep_;  // chance of the column's own index
  std::vector<std::uint32_t> alias_;
};

// Test and validation items are drawn like any other. Popularity counts an item that train lacks as seen
// once, so that it is drawn too. Immutable after construction: any number of threads may draw. `data` must
// outlive it.
class NegativeSampler {
 public:
  // include_valid: validation is trained on too, so its items are known as well.
  NegativeSampler(const Dataset& data, const NegativeConfig& config, std::uint64_t seed,
                  bool include_valid = false);

  // Negative number `draw` of training row `example`. With exclude_known an item that the example's user has
  // in train is drawn again; after kTries the next item number that is not known serves, so a draw always
  // ends. REQUIRES: the sampler is not kInBatch.
  std::uint32_t draw(std::uint64_t epoch, std::uint64_t example, std::uint32_t draw) const {
    return draw_for(data_.train.user(example), epoch, example, draw);
  }
  // The same for an example of any split: `example` only names the draw.
  std::uint32_t draw_for(std::uint32_t user, std::uint64_t epoch, std::uint64_t example,
                         std::uint32_t draw) const;

  // Natural logarithm of the chance of `item` in one draw, before known items are excluded: the logQ of the
  // sampled softmax correction. In-batch: the item's share of the training rows, counting at least one.
  double log_q(std::uint32_t item) const;

 private:
  static constexpr int kTries = 64;
  std::uint32_t any_item(std::uint64_t bits) const;
  bool known(std::uint32_t user, std::uint32_t item) const;

  const Dataset& data_;
  Sampler sampler_;
  bool exclude_known_;
  bool include_valid_;
  std::uint64_t seed_;
  std::vector<AliasTable> popularity_;  // one, or none when uniform
  std::vector<double> log_q_;           // [items], or empty when uniform
};

}  // namespace capstan
