// Part: one kind of work of a program: training, evaluating a split, a baseline. ModelProgram joins them.
#pragma once

#include <cstdint>

#include "worker/train/step_program.h"

namespace capstan {

// The calls mean what they mean in StepProgram.
class Part {
 public:
  virtual ~Part() = default;

  virtual std::uint64_t num_batches(const WorkItem& item) const = 0;
  virtual Status build(const WorkItem& item, std::uint64_t batch, Step& step) = 0;
  virtual Status compute(const WorkItem& item, Step& step) = 0;
  virtual Result<Buffer> finish(const WorkItem& item) = 0;
};

}  // namespace capstan
