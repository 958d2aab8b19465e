// RowLayout: where things stand in a row's bytes. `[weights | optimizer state | meta]`, little-endian, no
// padding:
//   dtype  weights[dim]               in 16 bits zeros up to a multiple of 4 bytes
//   float  state[state_floats]        what they mean is the optimizer's matter
//   uint32 last_step                  low 32 bits of the job's step at the row's last push (in sync, of the
//   shard's steps) uint32 touched_seconds            only in tables with a ttl: the time of that push
// These are the bytes of checkpoints, replication and migration. In memory what follows the weights, the
// row's tail, may lie elsewhere (see RowSlab).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "common/table_spec.h"

namespace capstan {

class RowLayout {
 public:
  RowLayout(const TableSpec& spec, std::uint32_t state_floats);

  std::uint32_t dim() const { return dim_; }
  std::uint32_t state_floats() const { return state_floats_; }
  std::size_t row_bytes() const { return row_bytes_; }
  std::size_t weight_bytes() const { return weight_bytes_; }
  std::size_t tail_bytes() const { return row_bytes_ - weight_bytes(); }

  // `row` points at a row's first byte, `tail` at the first one behind its weights; both aligned to 4.
  const std::byte* tail(const std::byte* row) const { return row + weight_bytes(); }
  void read_weights(const std::byte* row, float* out) const { widen(dtype_, row, dim_, out); }
  float* state(std::byte* tail) const { return reinterpret_cast<float*>(tail); }

  std::uint32_t last_step(const std::byte* tail) const { return read(tail + meta_); }
  // 0 in tables without a ttl.
  std::uint32_t touched_seconds(const std::byte* tail) const {
    return has_seconds_ ? read(tail + meta_ + 4) : 0;
  }
  void touch(std::byte* tail, std::uint32_t step, std::uint32_t now_seconds) const {
    std::memcpy(tail + meta_, &step, 4);
    if (has_seconds_) std::memcpy(tail + meta_ + 4, &now_seconds, 4);
  }

 private:
  static std::uint32_t read(const std::byte* at) {
    std::uint32_t value = 0;
    std::memcpy(&value, at, 4);
    return value;
  }

  std::uint32_t dim_;
  Dtype dtype_;
  std::size_t weight_bytes_;
  std::uint32_t state_floats_;
  bool has_seconds_;
  std::size_t meta_;  // where it begins in the tail
  std::size_t row_bytes_;
};

}  // namespace capstan
