// KeyIndex: key -> slot for the rows of one RowSlab. It stores no keys, only 27-bit slots with 5-bit digests,
// and looks keys up in the rows: about 5.5 bytes a row. Extendible hashing over segments of at most about two
// thousand entries, each an open-addressing table with linear probing. Growth rebuilds or splits one segment
// at a time, so no insert waits for the whole table. Removal shifts entries back, so there are no tombstones.
// Source: Fagin et al. 1979, "Extendible Hashing"; Knuth, TAOCP 3, 6.4, algorithm R.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "common/hash.h"
#include "ps/table/row_slab.h"
#include "ps/table/slab_pool.h"

namespace capstan {

class KeyIndex {
 public:
  static constexpr std::uint32_t kAbsent = ~0U;
  static constexpr std::uint32_t kMaxSlots = (1U << 27) - 1;  // of one table in one shard
  static constexpr std::size_t kGroup = 128;

  // `rows` holds the key of every slot that is given to insert(); it outlives the index.
  explicit KeyIndex(const RowSlab& rows);

  std::uint32_t find(Key key) const;
  // The same for up to kGroup keys at once, with their memory accesses overlapped; the rows found are on
  // their way into the cache afterwards. slots: [keys]. REQUIRES: keys.size() <= kGroup.
  void find_group(std::span<const Key> keys, std::uint32_t* slots) const;

  // REQUIRES: `key` is not in the index; rows.key(slot) == key.
  void insert(Key key, std::uint32_t slot);
  // The keys of all rows at once. False when one is there twice; the index is then empty.
  // REQUIRES: the index is empty.
  bool build();
  // REQUIRES: `key` is in the index at `slot`, its record still in place.
  void erase(Key key, std::uint32_t slot);
  // The record of `key` moves. REQUIRES: `key` is in the index at `from`.
  void relocate(Key key, std::uint32_t from, std::uint32_t to);
  void clear();

  std::size_t bytes() const;

 private:
  struct Segment {
    SlabBlock block;                   // of the entries
    std::uint32_t* entries = nullptr;  // digest << 27 | slot + 1; 0: empty
    std::uint32_t size = 0;
    std::uint32_t count = 0;
    int depth = 0;          // leading hash bits that its keys share
    std::size_t first = 0;  // the first of the directory's places that lead here
  };
  // What a look-up needs of a segment, repeated in every place of the directory that leads to it.
  struct Place {
    const std::uint32_t* entries = nullptr;
    std::uint32_t size = 0;
    std::uint32_t segment = 0;
  };

  const Place& place_of(std::uint64_t hash) const {
    return directory_[depth_ == 0 ? 0 : hash >> (64 - depth_)];
  }
  Segment& segment(std::uint64_t hash) { return segments_[place_of(hash).segment]; }
  std::uint64_t hash_of_slot(std::uint32_t slot) const;
  std::uint32_t position_of(const Segment& segment, std::uint64_t hash, std::uint32_t slot) const;
  void make_room(std::uint64_t hash);
  void rebuild(std::uint32_t which, std::uint32_t size);
  void split(std::uint32_t which);
  void double_directory();
  std::vector<std::uint32_t> take_slots(Segment& segment);
  void allocate(std::uint32_t which, std::uint32_t size);
  void put(Segment& segment, std::uint64_t hash, std::uint32_t slot);
  bool put_new(Segment& segment, std::uint64_t hash, std::uint32_t slot);

  const RowSlab& rows_;
  int depth_ = 0;
  std::vector<Place> directory_;  // [2^depth_]
  std::vector<Segment> segments_;
  std::size_t entry_bytes_ = 0;  // over all segments
};

}  // namespace capstan
