// Segments: which streams of pushes a partition is made of. In async its batches are dealt in their order to
// up to eight segments of equal length, and each is a stream of its own. So a worker can leave the segments
// that it has not begun to another, and which stream a batch belongs to is never in question, whoever does
// it. In stepped modes a partition is one segment: a slot.
#pragma once

#include <algorithm>
#include <cstdint>

namespace capstan {

class Segments {
 public:
  static constexpr std::uint64_t kMost = 8, kLeastBatches = 16;

  Segments() = default;  // one, however many batches there are
  // Of a partition of so many batches in async. A function of that number alone: shards remember streams.
  explicit Segments(std::uint64_t batches)
      : length_(std::max(kLeastBatches, (batches + kMost - 1) / kMost)) {}

  std::uint64_t of(std::uint64_t batch) const { return batch / length_; }
  std::uint64_t first_batch(std::uint64_t segment) const { return segment * length_; }
  // The first batch from `batch` on with which a segment begins; there need not be such a batch.
  std::uint64_t next_begin(std::uint64_t batch) const {
    return batch % length_ == 0 ? batch : first_batch(of(batch) + 1);
  }
  std::uint32_t stream(std::uint32_t partition, std::uint32_t num_partitions, std::uint64_t batch) const {
    return partition + num_partitions * static_cast<std::uint32_t>(of(batch));
  }

 private:
  std::uint64_t length_ = ~0ULL;
};

// A training item is named by the stream that it begins with: its partition, and its first batch. `batches`:
// of the partition.
inline std::uint32_t partition_of_stream(std::uint32_t stream, std::uint32_t num_partitions) {
  return stream % std::max(num_partitions, 1U);
}
inline std::uint64_t first_batch_of_stream(std::uint32_t stream, std::uint32_t num_partitions,
                                           std::uint64_t batches) {
  return Segments(batches).first_batch(stream / std::max(num_partitions, 1U));
}

}  // namespace capstan
