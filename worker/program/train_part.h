// TrainPart: gradient steps of a model over the training examples.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "common/config/job_config.h"
#include "worker/data/dataset.h"
#include "worker/data/negatives.h"
#include "worker/models/backprop.h"
#include "worker/program/batch_slots.h"
#include "worker/program/example_writer.h"
#include "worker/program/part.h"
#include "worker/program/training_sequences.h"

namespace capstan {

// A batch is a pure function of (job, seed, pass, partition, batch): which examples, which negatives, which
// dropout. Of a model that reads sequences the units of a pass, and so of a batch, are users' sequences.
class TrainPart final : public Part {
 public:
  // All outlive the part.
  TrainPart(const JobConfig& job, const Dataset& data, const Model& model);

  // Positives of a pass.
  std::uint64_t num_examples() const { return sequences_ ? sequences_->num_targets() : units(); }
  std::uint64_t num_batches(const WorkItem& item) const override;
  Status build(const WorkItem& item, std::uint64_t batch, Step& step) override;
  Status compute(const WorkItem& item, Step& step) override;
  Result<Buffer> finish(const WorkItem&) override { return Buffer(); }

 private:
  // One training example: a row of train, or of validation where the job trains on it too. `id` names its
  // draws.
  struct Example {
    const Examples& rows;
    std::uint64_t row;
    std::uint64_t id;
  };
  // How many items of the batch's latest sequence are before an example; none: it brings its own.
  using Past = std::optional<std::uint32_t>;
  Example example_at(std::uint64_t id) const;
  std::uint64_t units() const;
  std::uint64_t examples_in(const PositionRange& range, std::uint32_t pass) const;
  void add_sequence(std::uint64_t sequence, std::uint32_t pass, ExampleWriter& train, ExampleWriter& valid,
                    BatchData& batch) const;
  void add_ranking(const Example& example, std::uint32_t pass, Past past, ExampleWriter& writer,
                   BatchData& batch) const;
  void add_pair_weights(std::uint32_t user, std::uint32_t item, BatchData& batch) const;
  void add_pointwise(const Example& example, std::uint32_t pass, ExampleWriter& writer,
                     BatchData& batch) const;
  float scale(const WorkItem& item, std::uint64_t batch, const BatchData& data) const;

  const JobConfig& job_;
  const Dataset& data_;
  const Model& model_;
  const Loss& loss_;
  std::optional<TrainingSequences> sequences_;
  BatchSlots slots_;
  std::uint32_t negatives_;  // a positive
  std::unique_ptr<NegativeSampler> sampler_;
  Backprop backprop_;
};

}  // namespace capstan
