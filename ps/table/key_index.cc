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
constexpr std::uint32_t kPrefetchAhead = 8;

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

KeyIndex::KeyIndex(const RowSlab& rows) : rows_(rows), directory_(1, 0), segments_(1) {}

std::uint64_t KeyIndex::hash_of_slot(std::uint32_t slot) const {
  return hash_of(rows_.key(slot));
}

std::uint32_t KeyIndex::find(Key key) const {
  std::uint32_t slot = kAbsent;
  find_group(std::span(&key, 1), &slot);
  return slot;
}

void KeyIndex::find_group(std::span<const Key> keys, std::uint32_t* slots) const {
  std::array<std::uint64_t, kGroup> hashes;
  std::array<const Segment*, kGroup> segments;
  std::array<std::uint32_t, kGroup> positions;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    hashes[i] = hash_of(keys[i]);
    segments[i] = &segment(hashes[i]);
    positions[i] = home(hashes[i], segments[i]->size);
    __builtin_prefetch(segments[i]->entries.get() + positions[i]);
  }
  // Walks to the next entry with the key's digest, or to the end of the run.
  const auto candidate = [&](std::size_t i) {
    const Segment& s = *segments[i];
    const std::uint32_t wanted = digest(hashes[i]);
    std::uint32_t position = positions[i];
    std::uint32_t entry = s.entries[position];
    while (entry != 0 && (entry & ~kSlotMask) != wanted) {
      position = next(position, s.size);
      entry = s.entries[position];
    }
    positions[i] = position;
    return entry == 0 ? kAbsent : slot_in(entry);
  };
  for (std::size_t i = 0; i < keys.size(); ++i) {
    slots[i] = segments[i]->size == 0 ? kAbsent : candidate(i);
    if (slots[i] != kAbsent) rows_.prefetch(slots[i]);
  }
  for (std::size_t i = 0; i < keys.size(); ++i) {
    while (slots[i] != kAbsent && rows_.key(slots[i]) != keys[i]) {
      positions[i] = next(positions[i], segments[i]->size);
      slots[i] = candidate(i);
    }
  }
}

void KeyIndex::insert(Key key, std::uint32_t slot) {
  CAPSTAN_ASSERT(slot < kMaxSlots, "a table has too many rows in one shard");
  const std::uint64_t hash = hash_of(key);
  while (is_full(segment(hash).count, segment(hash).size)) make_room(hash);
  place(segment(hash), hash, slot);
}

void KeyIndex::erase(Key key, std::uint32_t slot) {
  Segment& s = segment(hash_of(key));
  std::uint32_t hole = position_of(s, hash_of(key), slot);
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
  if (s.size > kShrinkFrom && s.count * 5 < s.size * 2) rebuild(s, roomy(s.count));
}

void KeyIndex::relocate(Key key, std::uint32_t from, std::uint32_t to) {
  const std::uint64_t hash = hash_of(key);
  Segment& s = segment(hash);
  s.entries[position_of(s, hash, from)] = digest(hash) | (to + 1);
}

void KeyIndex::clear() {
  depth_ = 0;
  directory_ = std::vector<std::uint32_t>(1, 0);
  segments_ = std::vector<Segment>(1);
  entries_ = 0;
}

std::size_t KeyIndex::bytes() const {
  return directory_.capacity() * sizeof(std::uint32_t) + segments_.capacity() * sizeof(Segment) +
         entries_ * sizeof(std::uint32_t);
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
  const std::uint32_t which = directory_[directory_slot(hash)];
  Segment& s = segments_[which];
  // Keys that agree in all leading bits would double the directory for nothing: then the segment itself
  // grows.
  const bool divisible = s.depth < depth_ || directory_.size() <= kDirectoryPerSegment * segments_.size();
  if (s.size >= kLargestSegment && divisible && s.depth < 27) {
    split(which);
  } else {
    rebuild(s, std::max(kSmallestSegment, s.size + s.size / 4));
  }
}

void KeyIndex::rebuild(Segment& s, std::uint32_t size) {
  const std::vector<std::uint32_t> slots = take_slots(s);
  allocate(s, size);
  for (std::size_t i = 0; i < slots.size(); ++i) {
    if (i + kPrefetchAhead < slots.size()) rows_.prefetch(slots[i + kPrefetchAhead]);
    place(s, hash_of_slot(slots[i]), slots[i]);
  }
}

void KeyIndex::split(std::uint32_t which) {
  if (segments_[which].depth == depth_) {
    std::vector<std::uint32_t> doubled(directory_.size() * 2);
    for (std::size_t i = 0; i < doubled.size(); ++i) doubled[i] = directory_[i / 2];
    directory_ = std::move(doubled);
    ++depth_;
  }
  const auto other = static_cast<std::uint32_t>(segments_.size());
  segments_.emplace_back();
  Segment& low = segments_[which];
  Segment& high = segments_[other];
  const std::vector<std::uint32_t> slots = take_slots(low);
  const int bit = 63 - low.depth;
  std::vector<std::uint64_t> hashes(slots.size());
  std::uint32_t num_high = 0;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    if (i + kPrefetchAhead < slots.size()) rows_.prefetch(slots[i + kPrefetchAhead]);
    hashes[i] = hash_of_slot(slots[i]);
    num_high += static_cast<std::uint32_t>(hashes[i] >> bit) & 1U;
  }
  high.depth = ++low.depth;
  allocate(low, roomy(static_cast<std::uint32_t>(slots.size()) - num_high));
  allocate(high, roomy(num_high));
  for (std::size_t i = 0; i < slots.size(); ++i)
    place((hashes[i] >> bit & 1) != 0 ? high : low, hashes[i], slots[i]);
  for (std::size_t i = 0; i < directory_.size(); ++i) {
    if (directory_[i] == which && ((i >> (depth_ - low.depth)) & 1) != 0) directory_[i] = other;
  }
}

std::vector<std::uint32_t> KeyIndex::take_slots(Segment& s) {
  std::vector<std::uint32_t> slots;
  slots.reserve(s.count);
  for (std::uint32_t i = 0; i < s.size; ++i) {
    if (s.entries[i] != 0) slots.push_back(slot_in(s.entries[i]));
  }
  return slots;
}

void KeyIndex::allocate(Segment& s, std::uint32_t size) {
  entries_ += size;
  entries_ -= s.size;
  s.entries = std::make_unique<std::uint32_t[]>(size);
  s.size = size;
  s.count = 0;
}

void KeyIndex::place(Segment& s, std::uint64_t hash, std::uint32_t slot) {
  std::uint32_t position = home(hash, s.size);
  while (s.entries[position] != 0) position = next(position, s.size);
  s.entries[position] = digest(hash) | (slot + 1);
  ++s.count;
}

}  // namespace capstan
