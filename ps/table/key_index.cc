#include "ps/table/key_index.h"

#include <algorithm>
#include <array>

#include "common/assert.h"

namespace capstan {
namespace {

constexpr std::uint32_t kSlotMask = (1U << 27) - 1;
constexpr std::uint32_t kSmallestSegment = 8;
constexpr std::uint32_t kLargestSegment = 2048;  // unless its keys cannot be told apart
constexpr std::uint32_t kShrinkFrom = 64;
constexpr std::size_t kDirectoryPerSegment = 8;
constexpr std::uint32_t kPrefetchAhead = 16;
constexpr int kDeepest = 27;  // the digest's bits follow

// Bits: the directory takes from the top, the digest is 32..36, the place in a segment comes from the low 32.
// Mixed once more than the shard's formula, whose top bits are equal for all keys of a shard.
std::uint64_t hash_of(Key key) {
  return mix64(mix64(key) + 0x9e3779b97f4a7c15ULL);
}

std::uint32_t home(std::uint64_t hash, std::uint32_t size) {
  return static_cast<std::uint32_t>(((hash & 0xffffffffULL) * size) >> 32);
}
std::uint32_t digest(std::uint64_t hash) {
  return static_cast<std::uint32_t>(hash >> 32) << 27;
}
std::uint32_t slot_in(std::uint32_t entry) {
  return (entry & kSlotMask) - 1;
}
std::uint32_t next(std::uint32_t position, std::uint32_t size) {
  return position + 1 == size ? 0 : position + 1;
}
bool is_full(std::uint32_t count, std::uint32_t size) {
  return (count + 1) * 5 > size * 4;
}
std::uint32_t roomy(std::uint32_t count) {
  return std::max(kSmallestSegment, count + count / 2);
}

}  // namespace

KeyIndex::KeyIndex(const RowSlab& rows) : rows_(rows), directory_(1), segments_(1) {}

std::uint64_t KeyIndex::hash_of_slot(std::uint32_t slot) const {
  return hash_of(rows_.key(slot));
}

std::uint32_t KeyIndex::find(Key key) const {
  std::uint32_t slot = kAbsent;
  find_group(std::span(&key, 1), &slot);
  return slot;
}

void KeyIndex::find_group(std::span<const Key> keys, std::uint32_t* slots) const {
  struct Probe {
    std::uint64_t hash;
    const std::uint32_t* entries;
    std::uint32_t size;
    std::uint32_t position;
  };
  CAPSTAN_ASSERT(keys.size() <= kGroup, "a group of keys is too large");
  std::array<Probe, kGroup> probes;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const std::uint64_t hash = hash_of(keys[i]);
    const Place& place = place_of(hash);
    probes[i] = {hash, place.entries, place.size, home(hash, place.size)};
    __builtin_prefetch(place.entries + probes[i].position);
  }
  // Walks to the next entry with the key's digest, or to the end of the run.
  const auto candidate = [](Probe& probe) {
    const std::uint32_t wanted = digest(probe.hash);
    std::uint32_t entry = probe.entries[probe.position];
    while (entry != 0 && (entry & ~kSlotMask) != wanted) {
      probe.position = next(probe.position, probe.size);
      entry = probe.entries[probe.position];
    }
    return entry == 0 ? kAbsent : slot_in(entry);
  };
  for (std::size_t i = 0; i < keys.size(); ++i) {
    slots[i] = probes[i].size == 0 ? kAbsent : candidate(probes[i]);
    if (slots[i] != kAbsent) rows_.prefetch(slots[i]);
  }
  for (std::size_t i = 0; i < keys.size(); ++i) {
    while (slots[i] != kAbsent && rows_.key(slots[i]) != keys[i]) {
      probes[i].position = next(probes[i].position, probes[i].size);
      slots[i] = candidate(probes[i]);
    }
  }
}

void KeyIndex::insert(Key key, std::uint32_t slot) {
  CAPSTAN_ASSERT(slot < kMaxSlots, "a table has too many rows in one shard");
  const std::uint64_t hash = hash_of(key);
  while (is_full(segment(hash).count, segment(hash).size)) make_room(hash);
  put(segment(hash), hash, slot);
}

// As deep as it takes for segments of half the largest size, each as roomy as after a split.
bool KeyIndex::build() {
  CAPSTAN_ASSERT(rows_.size() <= kMaxSlots, "a table has too many rows in one shard");
  clear();
  while (rows_.size() >> depth_ > kLargestSegment / 2) ++depth_;
  const auto place = [this](std::uint64_t hash) { return depth_ == 0 ? 0 : hash >> (64 - depth_); };
  const std::size_t places = std::size_t{1} << depth_;
  std::vector<std::uint64_t> hashes(rows_.size());
  std::vector<std::uint32_t> counts(places);
  for (std::uint32_t slot = 0; slot < rows_.size(); ++slot) {
    hashes[slot] = hash_of_slot(slot);
    ++counts[place(hashes[slot])];
  }
  directory_.resize(places);
  segments_ = std::vector<Segment>(places);
  for (std::uint32_t which = 0; which < places; ++which) {
    segments_[which].depth = depth_;
    segments_[which].first = which;
    allocate(which, roomy(counts[which]));
  }
  for (std::uint32_t slot = 0; slot < rows_.size(); ++slot) {
    if (slot + kPrefetchAhead < rows_.size()) {
      const std::uint64_t ahead = hashes[slot + kPrefetchAhead];
      const Segment& s = segments_[place(ahead)];
      __builtin_prefetch(s.entries + home(ahead, s.size));
    }
    if (put_new(segments_[place(hashes[slot])], hashes[slot], slot)) continue;
    clear();
    return false;
  }
  return true;
}

void KeyIndex::erase(Key key, std::uint32_t slot) {
  const std::uint64_t hash = hash_of(key);
  Segment& s = segment(hash);
  std::uint32_t hole = position_of(s, hash, slot);
  // An entry may fill the hole unless its home lies after the hole, on the way to where it stands.
  for (std::uint32_t at = next(hole, s.size); s.entries[at] != 0; at = next(at, s.size)) {
    const std::uint32_t from = home(hash_of_slot(slot_in(s.entries[at])), s.size);
    const std::uint32_t walked = at >= from ? at - from : at + s.size - from;
    const std::uint32_t gap = at >= hole ? at - hole : at + s.size - hole;
    if (walked < gap) continue;
    s.entries[hole] = s.entries[at];
    hole = at;
  }
  s.entries[hole] = 0;
  --s.count;
  if (s.size > kShrinkFrom && s.count * 5 < s.size * 2) rebuild(place_of(hash).segment, roomy(s.count));
}

void KeyIndex::relocate(Key key, std::uint32_t from, std::uint32_t to) {
  const std::uint64_t hash = hash_of(key);
  Segment& s = segment(hash);
  s.entries[position_of(s, hash, from)] = digest(hash) | (to + 1);
}

void KeyIndex::clear() {
  depth_ = 0;
  directory_ = std::vector<Place>(1);
  segments_ = std::vector<Segment>(1);
  entry_bytes_ = 0;
}

std::size_t KeyIndex::bytes() const {
  return directory_.capacity() * sizeof(Place) + segments_.capacity() * sizeof(Segment) + entry_bytes_;
}

std::uint32_t KeyIndex::position_of(const Segment& s, std::uint64_t hash, std::uint32_t slot) const {
  const std::uint32_t wanted = digest(hash) | (slot + 1);
  std::uint32_t position = home(hash, s.size);
  while (s.entries[position] != wanted) {
    CAPSTAN_ASSERT(s.entries[position] != 0, "the key is not in the index");
    position = next(position, s.size);
  }
  return position;
}

void KeyIndex::make_room(std::uint64_t hash) {
  const std::uint32_t which = place_of(hash).segment;
  const Segment& s = segments_[which];
  // Keys that agree in all leading bits would double the directory for nothing: then the segment itself
  // grows.
  const bool divisible = s.depth < depth_ || directory_.size() <= kDirectoryPerSegment * segments_.size();
  if (s.size >= kLargestSegment && divisible && s.depth < kDeepest) {
    split(which);
  } else {
    rebuild(which, std::max(kSmallestSegment, s.size + s.size / 4));
  }
}

void KeyIndex::rebuild(std::uint32_t which, std::uint32_t size) {
  Segment& s = segments_[which];
  const std::vector<std::uint32_t> slots = take_slots(s);
  allocate(which, size);
  for (std::size_t i = 0; i < slots.size(); ++i) {
    if (i + kPrefetchAhead < slots.size()) rows_.prefetch_key(slots[i + kPrefetchAhead]);
    put(s, hash_of_slot(slots[i]), slots[i]);
  }
}

void KeyIndex::split(std::uint32_t which) {
  if (segments_[which].depth == depth_) double_directory();
  const auto other = static_cast<std::uint32_t>(segments_.size());
  segments_.emplace_back();
  Segment& low = segments_[which];
  Segment& high = segments_[other];
  const std::vector<std::uint32_t> slots = take_slots(low);
  const int bit = 63 - low.depth;
  std::vector<std::uint64_t> hashes(slots.size());
  std::uint32_t num_high = 0;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    if (i + kPrefetchAhead < slots.size()) rows_.prefetch_key(slots[i + kPrefetchAhead]);
    hashes[i] = hash_of_slot(slots[i]);
    num_high += static_cast<std::uint32_t>(hashes[i] >> bit) & 1U;
  }
  high.depth = ++low.depth;
  high.first = low.first + (std::size_t{1} << (depth_ - low.depth));
  allocate(which, roomy(static_cast<std::uint32_t>(slots.size()) - num_high));
  allocate(other, roomy(num_high));
  for (std::size_t i = 0; i < slots.size(); ++i)
    put((hashes[i] >> bit & 1) != 0 ? high : low, hashes[i], slots[i]);
}

void KeyIndex::double_directory() {
  std::vector<Place> doubled(directory_.size() * 2);
  for (std::size_t i = 0; i < doubled.size(); ++i) doubled[i] = directory_[i / 2];
  directory_ = std::move(doubled);
  ++depth_;
  for (Segment& s : segments_) s.first *= 2;
}

std::vector<std::uint32_t> KeyIndex::take_slots(Segment& s) {
  std::vector<std::uint32_t> slots;
  slots.reserve(s.count);
  for (std::uint32_t i = 0; i < s.size; ++i) {
    if (s.entries[i] != 0) slots.push_back(slot_in(s.entries[i]));
  }
  return slots;
}

void KeyIndex::allocate(std::uint32_t which, std::uint32_t size) {
  Segment& s = segments_[which];
  entry_bytes_ -= s.block.bytes();
  s.block = SlabBlock(size * sizeof(std::uint32_t));
  entry_bytes_ += s.block.bytes();
  s.entries = reinterpret_cast<std::uint32_t*>(s.block.data());
  std::fill_n(s.entries, size, 0U);
  s.size = size;
  s.count = 0;
  const std::size_t places = std::size_t{1} << (depth_ - s.depth);
  std::fill_n(directory_.begin() + static_cast<std::ptrdiff_t>(s.first), places,
              Place{s.entries, size, which});
}

void KeyIndex::put(Segment& s, std::uint64_t hash, std::uint32_t slot) {
  std::uint32_t position = home(hash, s.size);
  while (s.entries[position] != 0) position = next(position, s.size);
  s.entries[position] = digest(hash) | (slot + 1);
  ++s.count;
}

// False: a row with this key is there.
bool KeyIndex::put_new(Segment& s, std::uint64_t hash, std::uint32_t slot) {
  std::uint32_t position = home(hash, s.size);
  for (std::uint32_t entry = 0; (entry = s.entries[position]) != 0; position = next(position, s.size)) {
    const bool alike = (entry & ~kSlotMask) == digest(hash);
    if (alike && rows_.key(slot_in(entry)) == rows_.key(slot)) return false;
  }
  s.entries[position] = digest(hash) | (slot + 1);
  ++s.count;
  return true;
}

}  // namespace capstan
