#include "worker/nn/ops/embedding.h"

#include <algorithm>

#include "common/assert.h"

namespace capstan {
namespace {

struct Place {
  const FieldEntries& entries;
  ConstMatrix rows;
  Matrix out;
  std::uint32_t column;
};

void add_scaled(float* out, float scale, const float* row, std::uint32_t dim) {
  for (std::uint32_t j = 0; j < dim; ++j) out[j] += scale * row[j];
}

void pool_sum(const Place& place, bool mean) {
  const std::uint32_t dim = place.rows.cols;
  for (std::uint32_t i = 0; i < place.out.rows; ++i) {
    float* const out = place.out.row(i) + place.column;
    std::fill_n(out, dim, 0.0F);
    const std::uint32_t begin = place.entries.begin(i);
    const std::uint32_t end = place.entries.end(i);
    const float share = mean && end > begin ? 1.0F / static_cast<float>(end - begin) : 1.0F;
    for (std::uint32_t e = begin; e < end; ++e) {
      add_scaled(out, share * place.entries.weight(e), place.rows.row(place.entries.positions[e]), dim);
    }
  }
}

void pool_max(const Place& place, std::span<std::uint32_t> winner) {
  const std::uint32_t dim = place.rows.cols;
  for (std::uint32_t i = 0; i < place.out.rows; ++i) {
    float* const out = place.out.row(i) + place.column;
    std::uint32_t* const best = winner.data() + std::size_t{i} * dim;
    const std::uint32_t begin = place.entries.begin(i);
    std::fill_n(out, dim, 0.0F);
    std::fill_n(best, dim, begin);
    for (std::uint32_t e = begin; e < place.entries.end(i); ++e) {
      const float weight = place.entries.weight(e);
      const float* const row = place.rows.row(place.entries.positions[e]);
      for (std::uint32_t j = 0; j < dim; ++j) {
        const float value = weight * row[j];
        if (e != begin && !(value > out[j])) continue;
        out[j] = value;
        best[j] = e;
      }
    }
  }
}

void place_side_by_side(const Place& place, std::uint32_t length) {
  const std::uint32_t dim = place.rows.cols;
  for (std::uint32_t i = 0; i < place.out.rows; ++i) {
    float* out = place.out.row(i) + place.column;
    std::fill_n(out, dim * length, 0.0F);
    const std::uint32_t begin = place.entries.begin(i);
    const std::uint32_t end = std::min(place.entries.end(i), begin + length);
    for (std::uint32_t e = begin; e < end; ++e, out += dim) {
      add_scaled(out, place.entries.weight(e), place.rows.row(place.entries.positions[e]), dim);
    }
  }
}

}  // namespace

Var embedding(Tape& tape, const MicroBatch& batch, std::span<const EmbeddingInput> inputs) {
  std::uint32_t width = 0;
  const auto width_of = [&](const EmbeddingInput& input) {
    return tape.table(input.table).cols * (input.pooling == Pooling::kNone ? input.length : 1);
  };
  for (const EmbeddingInput& input : inputs) width += width_of(input);
  const auto [out, y] = tape.make_embedding(inputs, batch.size, width);

  std::uint32_t column = 0;
  for (const EmbeddingInput& input : inputs) {
    const Place place{batch.fields[input.field], tape.table(input.table), y, column};
    CAPSTAN_ASSERT(!place.entries.offsets.empty() || place.entries.positions.size() >= batch.size,
                   "embedding: a field without entries");
    std::span<std::uint32_t> winner;
    if (input.pooling == Pooling::kMax) {
      winner = tape.arena().array<std::uint32_t>(std::size_t{batch.size} * place.rows.cols);
      pool_max(place, winner);
    } else if (input.pooling == Pooling::kNone) {
      place_side_by_side(place, input.length);
    } else {
      pool_sum(place, input.pooling == Pooling::kMean);
    }
    if (tape.training()) {
      tape.leave({input.table, input.field, input.pooling, column, input.length, winner, tape.gradient(out)});
    }
    column += width_of(input);
  }
  return out;
}

}  // namespace capstan
