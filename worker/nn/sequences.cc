#include "worker/nn/sequences.h"

#include <algorithm>

namespace capstan {
namespace {

// visit(first example, the one behind the last, first entry, the one behind the last) for each list.
template <typename Visit>
void each_list(const FieldEntries& list, std::uint32_t examples, std::uint32_t max_length,
               const Visit& visit) {
  for (std::uint32_t first = 0, next = 0; first < examples; first = next) {
    std::uint32_t end = list.end(first);
    for (next = first + 1; next < examples && list.shared(next); ++next) end = std::max(end, list.end(next));
    visit(first, next, std::max(list.begin(first), end > max_length ? end - max_length : 0), end);
  }
}

}  // namespace

Sequences pack(Arena& arena, const MicroBatch& batch, std::uint32_t field, std::uint32_t max_length) {
  const FieldEntries& list = batch.fields[field];
  std::size_t lists = 0, rows = 0;
  each_list(list, batch.size, max_length, [&](auto, auto, std::uint32_t begin, std::uint32_t end) {
    lists += end > begin ? 1 : 0;
    rows += end - begin;
  });
  const auto starts = arena.array<std::uint32_t>(lists + 1);
  const auto entries = arena.array<std::uint32_t>(rows);
  const auto last = arena.array<std::uint32_t>(batch.size);
  const auto seeds = arena.array<std::uint64_t>(rows);
  std::uint32_t row = 0, sequence = 0;
  starts[0] = 0;
  each_list(list, batch.size, max_length,
            [&](std::uint32_t first, std::uint32_t next, std::uint32_t begin, std::uint32_t end) {
              for (std::uint32_t i = first; i < next; ++i)
                last[i] = list.end(i) > begin ? row + list.end(i) - 1 - begin : Sequences::kNone;
              const std::uint64_t seed = batch.dropout_seeds.empty() ? 0 : batch.dropout_seeds[first];
              for (std::uint32_t entry = begin; entry < end; ++entry, ++row) {
                entries[row] = entry;
                seeds[row] = combine(seed, std::uint64_t{entry - begin});
              }
              if (end > begin) starts[++sequence] = row;
            });
  return {starts, entries, last, seeds};
}

}  // namespace capstan
