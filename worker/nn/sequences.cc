#include "worker/nn/sequences.h"

#include <algorithm>
#include <vector>

namespace capstan {

Sequences pack(Arena& arena, const MicroBatch& batch, std::uint32_t field, std::uint32_t max_length) {
  const FieldEntries& list = batch.fields[field];
  std::vector<std::uint32_t> starts{0}, entries, last;
  std::vector<std::uint64_t> seeds;
  for (std::uint32_t first = 0; first < batch.size;) {
    std::uint32_t next = first + 1;
    std::uint32_t end = list.end(first);
    for (; next < batch.size && list.shared(next); ++next) end = std::max(end, list.end(next));
    const std::uint32_t begin = std::max(list.begin(first), end > max_length ? end - max_length : 0);
    for (std::uint32_t i = first; i < next; ++i) {
      const bool any = list.end(i) > begin;
      last.push_back(any ? starts.back() + list.end(i) - 1 - begin : Sequences::kNone);
    }
    const std::uint64_t seed = batch.dropout_seeds.empty() ? 0 : batch.dropout_seeds[first];
    for (std::uint32_t entry = begin; entry < end; ++entry) {
      entries.push_back(entry);
      seeds.push_back(combine(seed, std::uint64_t{entry - begin}));
    }
    if (end > begin) starts.push_back(static_cast<std::uint32_t>(entries.size()));
    first = next;
  }
  return {
      arena.copy(std::span<const std::uint32_t>(starts)), arena.copy(std::span<const std::uint32_t>(entries)),
      arena.copy(std::span<const std::uint32_t>(last)), arena.copy(std::span<const std::uint64_t>(seeds))};
}

}  // namespace capstan
