#include "worker/nn/micro_batch.h"

#include <algorithm>

#include "common/assert.h"

namespace capstan {
namespace {

template <typename T>
std::span<const T> part(std::span<const T> values, std::uint32_t begin, std::uint32_t count) {
  return values.empty() ? values : values.subspan(begin, count);
}

FieldEntries part(const FieldEntries& entries, std::uint32_t begin, std::uint32_t count) {
  if (!entries.ends.empty()) {
    return {entries.offsets.subspan(begin, count), entries.positions, entries.weights,
            entries.ends.subspan(begin, count)};
  }
  if (!entries.offsets.empty()) {
    return {entries.offsets.subspan(begin, count + 1U), entries.positions, entries.weights};
  }
  return {{}, part(entries.positions, begin, count), part(entries.weights, begin, count)};
}

}  // namespace

bool MicroBatch::shares(std::uint32_t i) const {
  return std::any_of(fields.begin(), fields.end(),
                     [i](const FieldEntries& field) { return field.shared(i); });
}

MicroBatch slice(const MicroBatch& batch, std::uint32_t begin, std::uint32_t count,
                 std::vector<FieldEntries>& fields) {
  CAPSTAN_ASSERT(begin + count <= batch.size, "slice beyond the batch");
  fields.clear();
  for (const FieldEntries& entries : batch.fields) fields.push_back(part(entries, begin, count));
  MicroBatch result = batch;
  result.size = count;
  result.fields = fields;
  if (!batch.dense.empty()) result.dense = batch.dense.rows_from(begin, count);
  result.labels = part(batch.labels, begin, count);
  result.dropout_seeds = part(batch.dropout_seeds, begin, count);
  result.log_q = part(batch.log_q, begin, count);
  result.items = part(batch.items, begin, count);
  result.user_weights = part(batch.user_weights, begin, count);
  result.item_weights = part(batch.item_weights, begin, count);
  result.negative_weights = part(batch.negative_weights, begin, count);
  return result;
}

MicroBatch BatchData::view() {
  views.clear();
  for (const Field& field : fields)
    views.push_back({field.offsets, field.positions, field.weights, field.ends});
  return {.size = size,
          .fields = views,
          .dense = {dense.data(), size, num_dense},
          .labels = labels,
          .dropout_seeds = dropout_seeds,
          .group = group,
          .log_q = log_q,
          .items = items,
          .user_weights = user_weights,
          .item_weights = item_weights,
          .negative_weights = negative_weights};
}

}  // namespace capstan
