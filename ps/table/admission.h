// Admission: whether a key has been pushed often enough to get a row. Counts are kept for keys without a row
// only, in a count-min sketch with conservative update, kSketchDepth rows of 8-bit counters. An estimate is
// never below the true count, so no key waits too long, until the sketch ages: once it holds as many
// different keys as half its width, all counts are halved. Source: Cormode and Muthukrishnan 2005; Estan and
// Varghese 2002 (conservative update).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "common/hash.h"
#include "common/result.h"

namespace capstan {

class Admission {
 public:
  static constexpr std::uint32_t kMaxCount = 255;

  // width: counters a row, a power of two. REQUIRES: min_count <= kMaxCount. 0 and 1 admit at once and take
  // no memory.
  Admission(std::uint32_t min_count, std::uint32_t width);

  // Counts one push of a key that has no row; true: it gets one now.
  bool admit(Key key);

  std::size_t bytes() const { return counters_.capacity(); }
  void save(std::vector<std::byte>& out) const;
  // Also from a sketch of another width: no key is counted below its count there. kCorrupt when the bytes are
  // no sketch; then nothing has changed.
  Status restore(std::span<const std::byte> bytes);

 private:
  std::uint32_t min_count_;
  std::uint32_t width_ = 0;             // a power of two; 0: counts nothing
  std::uint32_t keys_ = 0;              // different keys counted, halved with the counts
  std::vector<std::uint8_t> counters_;  // [kSketchDepth, width_], made with the first key
};

}  // namespace capstan
