// BatchSlots: which positions of a pass a batch reads. One formula for every consistency mode
// (docs/ARCHITECTURE.md).
#pragma once

#include <algorithm>
#include <cstdint>

namespace capstan {

struct PositionRange {
  std::uint64_t begin = 0, end = 0;
  std::uint64_t size() const { return end - begin; }
};

// A value. `total` positions, dealt to the partitions batch by batch. Stepped modes: batch_size positions
// make a step, shared out over the partitions; async: each batch has batch_size positions of its own.
class BatchSlots {
 public:
  BatchSlots(std::uint64_t total, std::uint64_t batch_size, bool stepped)
      : total_(total), batch_size_(std::max<std::uint64_t>(1, batch_size)), stepped_(stepped) {}

  // In stepped modes the same for all partitions: a batch may be empty.
  std::uint64_t num_batches(std::uint32_t partition, std::uint32_t partitions) const {
    const std::uint64_t stride = step_size(partitions);
    const std::uint64_t skipped = stepped_ ? 0 : partition * batch_size_;
    return total_ <= skipped ? 0 : (total_ - skipped + stride - 1) / stride;
  }
  PositionRange batch(std::uint64_t batch, std::uint32_t partition, std::uint32_t partitions) const {
    const std::uint64_t step = step_size(partitions);
    const std::uint64_t first = batch * step;
    const std::uint64_t begin = first + step * partition / partitions;
    const std::uint64_t end = first + step * (partition + 1) / partitions;
    return {std::min(begin, total_), std::min(end, total_)};
  }
  // All positions of step `batch`.
  PositionRange step(std::uint64_t batch, std::uint32_t partitions) const {
    const std::uint64_t size = step_size(partitions);
    return {std::min(batch * size, total_), std::min((batch + 1) * size, total_)};
  }

 private:
  std::uint64_t step_size(std::uint32_t partitions) const {
    return stepped_ ? batch_size_ : batch_size_ * partitions;
  }

  std::uint64_t total_;
  std::uint64_t batch_size_;
  bool stepped_;
};

}  // namespace capstan
