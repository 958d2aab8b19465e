// BaselinePart: fits a baseline and judges it on the test split, in one go on one worker.
#pragma once

#include <string>

#include "common/config/job_config.h"
#include "worker/data/dataset.h"
#include "worker/program/part.h"

namespace capstan {

class BaselinePart final : public Part {
 public:
  // All outlive the part.
  BaselinePart(const JobConfig& job, const Dataset& data, std::string name)
      : job_(job), data_(data), name_(std::move(name)) {}

  std::uint64_t num_batches(const WorkItem&) const override { return 0; }
  Status build(const WorkItem&, std::uint64_t, Step&) override { return ok_status(); }
  Status compute(const WorkItem&, Step&) override { return ok_status(); }
  // An encoded RankingPart. Settings are tuned on validation, then it is fitted on train and validation.
  Result<Buffer> finish(const WorkItem& item) override;

 private:
  const JobConfig& job_;
  const Dataset& data_;
  std::string name_;
};

}  // namespace capstan
