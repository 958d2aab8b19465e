// TrainPart: gradient steps of a model over the training examples.
#pragma once

#include <cstdint>
#include <memory>

#include "common/config/job_config.h"
#include "worker/data/dataset.h"
#include "worker/data/negatives.h"
#include "worker/models/backprop.h"
#include "worker/program/batch_slots.h"
#include "worker/program/example_writer.h"
#include "worker/program/part.h"

namespace capstan {

// A batch is a pure function of (job, seed, pass, partition, batch): which examples, which negatives, which
// dropout.
class TrainPart final : public Part {
 public:
  // All outlive the part.
  TrainPart(const JobConfig& job, const Dataset& data, const Model& model);

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
  Example example_at(std::uint64_t id) const;
  void add_ranking(const Example& example, std::uint32_t pass, ExampleWriter& writer, BatchData& batch) const;
  void add_pair_weights(std::uint32_t user, std::uint32_t item, BatchData& batch) const;
  void add_pointwise(const Example& example, std::uint32_t pass, ExampleWriter& writer,
                     BatchData& batch) const;
  float scale(const WorkItem& item, std::uint64_t batch, const BatchData& data) const;

  const JobConfig& job_;
  const Dataset& data_;
  const Model& model_;
  const Loss& loss_;
  BatchSlots slots_;
  std::uint32_t negatives_;  // a positive
  std::unique_ptr<NegativeSampler> sampler_;
  Backprop backprop_;
};

}  // namespace capstan
