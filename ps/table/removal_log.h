// RemovalLog: the keys of rows that a table has removed, in order, as far back as a snapshot may ask for
// them. A row that is there says itself when it was last pushed; of one that is gone nothing else tells.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "common/hash.h"

namespace capstan {

class RemovalLog {
 public:
  // Removals since the table was made, kept or not.
  std::uint64_t position() const { return first_ + keys_.size(); }
  // Those from this position on are wanted; older ones are forgotten. REQUIRES: position <= position().
  void keep_from(std::uint64_t position);
  void stop();
  // rows: that the table still has. Once the keys kept are many beside them, all are forgotten.
  void add(Key key, std::size_t rows);
  // What was removed from this position on; nothing when some of it has been forgotten.
  std::optional<std::span<const Key>> since(std::uint64_t position) const;
  std::size_t bytes() const { return keys_.capacity() * sizeof(Key); }

 private:
  bool keeps_ = false;
  std::uint64_t first_ = 0;  // position of keys_[0]
  std::vector<Key> keys_;
};

}  // namespace capstan
