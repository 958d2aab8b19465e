// KeyIndex: key -> slot, in buckets of one cache line: five keys, their slots, and how many keys went on from
// here because it was full. A key has a first and a second bucket; where both are full a key in one of them
// makes room by going to its other one, and only where none can the buckets behind the second are filled. So
// a look-up costs one line, in one case of six two, and tells without a look at the row whether the key is
// there. An entry takes 12.8 bytes, some 15 with the places that are free. Extendible hashing over segments
// of at most some two thousand entries. Growth rebuilds or splits one segment at a time, so no insert waits
// for the whole table. Removal takes the counts back: there are no tombstones. Source: Fagin et al. 1979,
// "Extendible Hashing"; Pagh and Rodler 2001, "Cuckoo Hashing"; Bronson and Shi 2019, "Open-sourcing F14"
// (the counts).
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "common/hash.h"
#include "ps/table/slab_pool.h"

namespace capstan {

class KeyIndex {
 public:
  static constexpr std::uint32_t kAbsent = ~0U;

  struct Entry {
    Key key = 0;
    std::uint32_t slot = 0;
  };

  KeyIndex();

  std::size_t size() const { return size_; }
  std::uint32_t find(Key key) const;
  // The same for many keys, with their memory accesses overlapped: use(i, slot) for each of them in turn,
  // some time after fetch(slot) was called to ask for the row. fetch may be asked for slot 0, too.
  template <typename Fetch, typename Use>
  void look_up(std::span<const Key> keys, const Fetch& fetch, const Use& use) const;

  // REQUIRES: `key` is not in the index; slot != kAbsent.
  void insert(Key key, std::uint32_t slot);
  // All at once. False when a key is there twice; the index is then empty. REQUIRES: the index is empty.
  bool build(std::span<const Entry> entries);
  // Its slot. REQUIRES: `key` is in the index.
  std::uint32_t erase(Key key);
  void clear();

  // Calls visit(key, slot) for all, in an order that follows from the calls so far, and fetch(slot) some time
  // before. With an index that may change visit may take `std::uint32_t& slot` and give another one.
  template <typename Fetch, typename Visit>
  void for_each(const Fetch& fetch, const Visit& visit) const;
  template <typename Fetch, typename Visit>
  void for_each(const Fetch& fetch, const Visit& visit);

  std::size_t bytes() const;

 private:
  static constexpr std::uint32_t kWidth = 5;
  static constexpr std::size_t kBlock = 16;  // keys of a stage of look_up()

  struct alignas(64) Bucket {
    std::array<Key, kWidth> keys;
    std::array<std::uint32_t, kWidth> slots;
    std::uint16_t passed;  // keys that found this bucket full; once at the most it can say it stays there
    std::uint16_t count;
  };
  static_assert(sizeof(Bucket) == 64);

  struct Segment {
    SlabBlock block;  // of the buckets
    Bucket* buckets = nullptr;
    std::uint32_t size = 0;  // in buckets
    std::uint32_t count = 0;
    int depth = 0;          // leading hash bits that its keys share
    std::size_t first = 0;  // the first of the directory's places that lead here
  };
  // What a look-up needs of a segment, repeated in every place of the directory that leads to it.
  struct Place {
    const Bucket* buckets = nullptr;  // an empty one where the segment has none
    std::uint32_t size = 1;
    std::uint32_t segment = 0;
  };

  struct Probe {
    const Bucket* buckets;
    std::uint64_t hash;
    std::uint32_t size;
    std::uint32_t bucket;
    std::uint32_t slot;
  };

  // Bits: the directory takes from the top, the place in a segment comes from the low 32. mix64's own top
  // bits are equal for all keys of a shard; by the product each bit follows from all below it.
  static std::uint64_t hash_of(Key key) { return mix64(key) * 0x9e3779b97f4a7c15ULL; }
  static std::uint32_t home(std::uint64_t hash, std::uint32_t size) {
    return static_cast<std::uint32_t>(((hash & 0xffffffffULL) * size) >> 32);
  }
  // Where a key's walk goes on from its first bucket, and from there on.
  static std::uint32_t second(std::uint64_t hash, std::uint32_t size) {
    return home((hash * 0xd6e8feb86659fd93ULL) >> 32, size);
  }
  static std::uint32_t next(std::uint32_t bucket, std::uint32_t size) {
    return bucket + 1 == size ? 0 : bucket + 1;
  }
  // The key's place in the bucket, kWidth when it has none.
  static std::uint32_t place_in(const Bucket& bucket, Key key) {
    std::uint32_t alike = 0;
    for (std::uint32_t i = 0; i < kWidth; ++i)
      alike |= static_cast<std::uint32_t>(bucket.keys[i] == key) << i;
    alike &= (1U << bucket.count) - 1;
    return static_cast<std::uint32_t>(__builtin_ctz(alike | 1U << kWidth));
  }

  const Place& place_of(std::uint64_t hash) const {
    return directory_[depth_ == 0 ? 0 : hash >> (64 - depth_)];
  }
  Segment& segment(std::uint64_t hash) { return segments_[place_of(hash).segment]; }
  static std::uint32_t find_in(const Bucket* buckets, std::uint32_t size, std::uint64_t hash, Key key);
  // Of a key that is not in its first bucket; `bucket` is its second.
  static std::uint32_t find_from_second(const Bucket* buckets, std::uint32_t size, std::uint32_t bucket,
                                        Key key) {
    const std::uint32_t place = place_in(buckets[bucket], key);
    return place < kWidth ? buckets[bucket].slots[place] : find_behind(buckets, size, bucket, key);
  }
  static std::uint32_t find_behind(const Bucket* buckets, std::uint32_t size, std::uint32_t bucket, Key key);
  template <typename Segments, typename Fetch, typename Visit>
  static void visit_all(Segments& segments, const Fetch& fetch, const Visit& visit);

  void make_room(std::uint64_t hash);
  void rebuild(std::uint32_t which, std::uint32_t size);
  void split(std::uint32_t which);
  void double_directory();
  static std::vector<Entry> entries_of(const Segment& segment);
  void allocate(std::uint32_t which, std::uint32_t size);
  static void put(Segment& segment, std::uint64_t hash, const Entry& entry);
  static void append(Segment& segment, std::uint32_t bucket, const Entry& entry);
  static bool make_way(Segment& segment, std::uint32_t bucket);
  static std::uint32_t take_out(Segment& segment, std::uint64_t hash, Key key);

  int depth_ = 0;
  std::size_t size_ = 0;
  std::vector<Place> directory_;  // [2^depth_]
  std::vector<Segment> segments_;
  std::size_t bucket_bytes_ = 0;  // over all segments
};

// In four stages, each a block of keys behind the one before, so that the memory that one asks for comes
// while the others compute. One key in six is not in its first bucket: a branch on that would be guessed
// wrong and stop the processor until the bucket has come, so such keys are noted, and looked for a stage
// later.
template <typename Fetch, typename Use>
void KeyIndex::look_up(std::span<const Key> keys, const Fetch& fetch, const Use& use) const {
  if (size_ == 0) {
    for (std::size_t i = 0; i < keys.size(); ++i) use(i, kAbsent);
    return;
  }
  constexpr std::size_t kRing = 4 * kBlock;
  std::array<Probe, kRing> probes;
  std::array<std::uint32_t, 2 * (kBlock + 1)> noted;  // of two blocks by turns
  std::array<std::size_t, 2> num_noted{};
  const std::size_t blocks = (keys.size() + kBlock - 1) / kBlock;
  const auto stage = [&](std::size_t block, const auto& each) {
    if (block >= blocks) return;  // also one that has not begun
    const std::size_t end = std::min(keys.size(), (block + 1) * kBlock);
    for (std::size_t i = block * kBlock; i < end; ++i) each(i, probes[i % kRing]);
  };
  for (std::size_t block = 0; block < blocks + 3; ++block) {
    stage(block, [&](std::size_t i, Probe& probe) {
      const std::uint64_t hash = hash_of(keys[i]);
      const Place& place = place_of(hash);
      probe = {place.buckets, hash, place.size, home(hash, place.size), kAbsent};
      __builtin_prefetch(probe.buckets + probe.bucket);
    });
    std::uint32_t* note = noted.data() + block % 2 * (kBlock + 1);
    std::size_t n = 0;
    stage(block - 1, [&](std::size_t i, Probe& probe) {
      const Bucket& bucket = probe.buckets[probe.bucket];
      const std::uint32_t place = place_in(bucket, keys[i]);
      const bool found = place < kWidth;
      const std::uint32_t slot = bucket.slots[std::min(place, kWidth - 1)];
      probe.slot = found ? slot : kAbsent;
      fetch(found ? slot : 0);
      probe.bucket = second(probe.hash, probe.size);
      note[n] = static_cast<std::uint32_t>(i);
      n += static_cast<std::size_t>(!found & (bucket.passed != 0));
    });
    for (std::size_t k = 0; k < n; ++k) {
      const Probe& probe = probes[note[k] % kRing];
      __builtin_prefetch(probe.buckets + probe.bucket);
    }
    const std::uint32_t* before = noted.data() + (block + 1) % 2 * (kBlock + 1);
    for (std::size_t k = 0; k < num_noted[(block + 1) % 2]; ++k) {
      Probe& probe = probes[before[k] % kRing];
      probe.slot = find_from_second(probe.buckets, probe.size, probe.bucket, keys[before[k]]);
      if (probe.slot != kAbsent) fetch(probe.slot);
    }
    num_noted[block % 2] = n;
    stage(block - 3, [&](std::size_t i, const Probe& probe) { use(i, probe.slot); });
  }
}

template <typename Segments, typename Fetch, typename Visit>
void KeyIndex::visit_all(Segments& segments, const Fetch& fetch, const Visit& visit) {
  constexpr std::uint32_t kAhead = 4;
  for (auto& segment : segments) {
    for (std::uint32_t b = 0; b < segment.size + kAhead; ++b) {
      if (b < segment.size) {
        const Bucket& next = segment.buckets[b];
        for (std::uint32_t i = 0; i < next.count; ++i) fetch(next.slots[i]);
      }
      if (b < kAhead) continue;
      auto& bucket = segment.buckets[b - kAhead];
      for (std::uint32_t i = 0; i < bucket.count; ++i) visit(bucket.keys[i], bucket.slots[i]);
    }
  }
}

template <typename Fetch, typename Visit>
void KeyIndex::for_each(const Fetch& fetch, const Visit& visit) const {
  visit_all(segments_, fetch, [&](Key key, std::uint32_t slot) { visit(key, slot); });
}

template <typename Fetch, typename Visit>
void KeyIndex::for_each(const Fetch& fetch, const Visit& visit) {
  visit_all(segments_, fetch, visit);
}

}  // namespace capstan
