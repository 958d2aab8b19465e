// LedgerProgram: the tiny StepProgram that simulated workers run, and what it finds wrong with rows it pulls.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/config/job_config.h"
#include "sim/ledger.h"
#include "worker/train/step_program.h"

namespace capstan {

// What all workers of a world have seen, over their lives. Outlives them.
struct Findings {
  std::vector<std::string> wrong;  // the first few
  std::uint64_t computed = 0;      // training batches, repeated ones included
  std::uint64_t evaluated = 0;     // evaluation batches
  std::uint64_t newest_lead = 0;   // bounded: the most steps that a pulled row was ahead of its batch's own

  void report(std::string what) {
    constexpr std::size_t kKept = 5;
    if (wrong.size() < kKept) wrong.push_back(std::move(what));
  }
};

// Each training batch checks the rows it was given: of each stream (common/segments.h) they hold a first
// part, nothing of the pass before is missing, and what the consistency mode promises is there: bounded all
// steps < t - s, sync all steps < t. (That sync shows no more than those, where it counts, is for the model's
// rows to tell: what a worker computes anew of long acknowledged steps may see more, and counts nowhere.)
// Evaluation demands the whole ledger.
class LedgerProgram final : public StepProgram {
 public:
  LedgerProgram(std::shared_ptr<const Ledger> ledger, std::shared_ptr<Findings> findings,
                Consistency consistency, std::uint32_t staleness);

  const ProgramInfo& info() const override { return info_; }
  const std::vector<TableSpec>& tables() const override { return tables_; }
  std::uint64_t num_batches(const WorkItem& item) const override;
  Status build(const WorkItem& item, std::uint64_t batch, Step& step) override;
  Status compute(const WorkItem& item, Step& step) override;
  Result<Buffer> finish(const WorkItem& item) override;

 private:
  void check_train(const BatchId& id, Key key, std::span<const float> row);
  void check_whole(Key key, std::span<const float> row);

  std::shared_ptr<const Ledger> ledger_;
  std::shared_ptr<Findings> findings_;
  Consistency consistency_;
  std::uint32_t staleness_;
  ProgramInfo info_;
  std::vector<TableSpec> tables_;
};

}  // namespace capstan
