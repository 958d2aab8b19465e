// JudgePart: pointwise evaluation (ctr, rating) of the model on a split. A partition is a range of examples.
#pragma once

#include <map>

#include "common/config/job_config.h"
#include "worker/eval/pointwise_evaluator.h"
#include "worker/models/backprop.h"
#include "worker/program/part.h"

namespace capstan {

class JudgePart final : public Part {
 public:
  // All outlive the part. rows: the split.
  JudgePart(const JobConfig& job, const Dataset& data, const Examples& rows, const Model& model);

  std::uint64_t num_batches(const WorkItem& item) const override;
  Status build(const WorkItem& item, std::uint64_t batch, Step& step) override;
  Status compute(const WorkItem& item, Step& step) override;
  // An encoded PointwisePart.
  Result<Buffer> finish(const WorkItem& item) override;

 private:
  struct Rows {
    std::uint64_t begin, end;
  };
  Rows rows_of(const WorkItem& item) const;
  Rows rows_of(const WorkItem& item, std::uint64_t batch) const;

  const JobConfig& job_;
  const Dataset& data_;
  const Examples& rows_;
  const Model& model_;
  const Loss& loss_;
  Backprop backprop_;
  std::map<std::uint32_t, PointwisePart> running_;  // by partition
};

}  // namespace capstan
