// Merging: the evaluated parts' results into one JSON, for early stopping ("valid") and for people
// ("report").
#pragma once

#include <string>
#include <vector>

#include "common/config/job_config.h"
#include "worker/data/dataset.h"
#include "worker/program/part.h"
#include "worker/train/step_program.h"

namespace capstan {

// Work without batches: only finish().
class MergePart : public Part {
 public:
  std::uint64_t num_batches(const WorkItem&) const override { return 0; }
  Status build(const WorkItem&, std::uint64_t, Step&) override { return ok_status(); }
  Status compute(const WorkItem&, Step&) override { return ok_status(); }
};

// {"better": x, the metrics...}: x is the watched metric, turned so that larger is better.
class ValidMergePart final : public MergePart {
 public:
  explicit ValidMergePart(const JobConfig& job) : job_(job) {}
  Result<Buffer> finish(const WorkItem& item) override;

 private:
  const JobConfig& job_;
};

// An encoded MergedReport, of JSON {"model": {...}, "item_knn": {...}, ..., "comparisons": [...],
// "recommendations": [...], "text": "..."}; the inputs are those of `parts`, in their order, each with all
// its partitions. Its values: see kept_values.h.
class ReportMergePart final : public MergePart {
 public:
  ReportMergePart(const JobConfig& job, const Dataset& data, std::vector<ProgramInfo::Part> parts)
      : job_(job), data_(data), parts_(std::move(parts)) {}
  Result<Buffer> finish(const WorkItem& item) override;

 private:
  const JobConfig& job_;
  const Dataset& data_;
  std::vector<ProgramInfo::Part> parts_;
};

}  // namespace capstan
