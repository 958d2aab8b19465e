#include "ps/table/key_index.h"

#include <algorithm>

#include "common/assert.h"

namespace capstan {
namespace {

constexpr std::uint32_t kLargestSegment = 512;  // in buckets, unless its keys cannot be told apart
constexpr std::uint32_t kShrinkFrom = 16;
constexpr std::size_t kDirectoryPerSegment = 8;
constexpr std::uint32_t kPrefetchAhead = 16;
constexpr std::uint16_t kManyPassed = 0xffff;
constexpr int kDeepest = 27;

// Nine places in ten are the most that a segment fills; it is made for 85 in a hundred, and gets some more by
// the sizes of blocks.
bool is_full(std::uint32_t count, std::uint64_t places) {
  return (count + 1) * 10ULL > places * 9;
}
std::uint32_t roomy(std::uint32_t count) {
  return static_cast<std::uint32_t>(count * 4ULL / 17) + 1;  // buckets of five
}
std::uint32_t larger(std::uint32_t size) {
  return size + std::max(1U, size / 16);
}

}  // namespace

KeyIndex::KeyIndex() {
  clear();
}

std::uint32_t KeyIndex::find(Key key) const {
  const std::uint64_t hash = hash_of(key);
  const Place& place = place_of(hash);
  return find_in(place.buckets, place.size, hash, key);
}

std::uint32_t KeyIndex::find_in(const Bucket* buckets, std::uint32_t size, std::uint64_t hash, Key key) {
  const Bucket& bucket = buckets[home(hash, size)];
  const std::uint32_t place = place_in(bucket, key);
  if (place < kWidth) return bucket.slots[place];
  return bucket.passed == 0 ? kAbsent : find_from_second(buckets, size, second(hash, size), key);
}

// All buckets may have been passed, so it ends where it began.
std::uint32_t KeyIndex::find_behind(const Bucket* buckets, std::uint32_t size, std::uint32_t bucket,
                                    Key key) {
  for (std::uint32_t walked = 1; walked < size && buckets[bucket].passed > 0; ++walked) {
    bucket = next(bucket, size);
    const std::uint32_t place = place_in(buckets[bucket], key);
    if (place < kWidth) return buckets[bucket].slots[place];
  }
  return kAbsent;
}

void KeyIndex::insert(Key key, std::uint32_t slot) {
  CAPSTAN_ASSERT(slot != kAbsent, "a row without a slot");
  const std::uint64_t hash = hash_of(key);
  while (is_full(segment(hash).count, std::uint64_t{segment(hash).size} * kWidth)) make_room(hash);
  put(segment(hash), hash, {key, slot});
  ++size_;
}

// As deep as it takes for segments of half the largest size, each as roomy as after a split.
bool KeyIndex::build(std::span<const Entry> entries) {
  CAPSTAN_ASSERT(size_ == 0, "the index has entries");
  clear();
  while (entries.size() >> depth_ > kLargestSegment * kWidth / 2) ++depth_;
  const auto place = [this](std::uint64_t hash) { return depth_ == 0 ? 0 : hash >> (64 - depth_); };
  const std::size_t places = std::size_t{1} << depth_;
  std::vector<std::uint32_t> counts(places);
  for (const Entry& entry : entries) ++counts[place(hash_of(entry.key))];
  directory_.resize(places);
  segments_ = std::vector<Segment>(places);
  for (std::uint32_t which = 0; which < places; ++which) {
    segments_[which].depth = depth_;
    segments_[which].first = which;
    allocate(which, roomy(counts[which]));
  }
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (i + kPrefetchAhead < entries.size()) {
      const std::uint64_t ahead = hash_of(entries[i + kPrefetchAhead].key);
      const Segment& s = segments_[place(ahead)];
      __builtin_prefetch(s.buckets + home(ahead, s.size));
    }
    const std::uint64_t hash = hash_of(entries[i].key);
    Segment& s = segments_[place(hash)];
    if (find_in(s.buckets, s.size, hash, entries[i].key) != kAbsent) {
      clear();
      return false;
    }
    put(s, hash, entries[i]);
  }
  size_ = entries.size();
  return true;
}

std::uint32_t KeyIndex::erase(Key key) {
  const std::uint64_t hash = hash_of(key);
  Segment& s = segment(hash);
  const std::uint32_t slot = take_out(s, hash, key);
  --size_;
  const bool roomy_enough = s.count * 5ULL < std::uint64_t{s.size} * kWidth * 2;
  if (s.size > kShrinkFrom && roomy_enough) rebuild(place_of(hash).segment, roomy(s.count));
  return slot;
}

void KeyIndex::clear() {
  static const Bucket kEmpty{};
  depth_ = 0;
  size_ = 0;
  directory_ = {Place{&kEmpty, 1, 0}};
  segments_ = std::vector<Segment>(1);
  bucket_bytes_ = 0;
}

std::size_t KeyIndex::bytes() const {
  return directory_.capacity() * sizeof(Place) + segments_.capacity() * sizeof(Segment) + bucket_bytes_;
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
    rebuild(which, larger(s.size));
  }
}

void KeyIndex::rebuild(std::uint32_t which, std::uint32_t size) {
  Segment& s = segments_[which];
  const std::vector<Entry> entries = entries_of(s);
  allocate(which, size);
  for (const Entry& entry : entries) put(s, hash_of(entry.key), entry);
}

void KeyIndex::split(std::uint32_t which) {
  if (segments_[which].depth == depth_) double_directory();
  const auto other = static_cast<std::uint32_t>(segments_.size());
  segments_.emplace_back();
  Segment& low = segments_[which];
  Segment& high = segments_[other];
  const std::vector<Entry> entries = entries_of(low);
  const int bit = 63 - low.depth;
  const auto is_high = [&](const Entry& entry) { return (hash_of(entry.key) >> bit & 1) != 0; };
  const auto num_high = static_cast<std::uint32_t>(std::count_if(entries.begin(), entries.end(), is_high));
  high.depth = ++low.depth;
  high.first = low.first + (std::size_t{1} << (depth_ - low.depth));
  allocate(which, roomy(static_cast<std::uint32_t>(entries.size()) - num_high));
  allocate(other, roomy(num_high));
  for (const Entry& entry : entries) put(is_high(entry) ? high : low, hash_of(entry.key), entry);
}

void KeyIndex::double_directory() {
  std::vector<Place> doubled(directory_.size() * 2);
  for (std::size_t i = 0; i < doubled.size(); ++i) doubled[i] = directory_[i / 2];
  directory_ = std::move(doubled);
  ++depth_;
  for (Segment& s : segments_) s.first *= 2;
}

std::vector<KeyIndex::Entry> KeyIndex::entries_of(const Segment& s) {
  std::vector<Entry> entries;
  entries.reserve(s.count);
  for (std::uint32_t b = 0; b < s.size; ++b) {
    const Bucket& bucket = s.buckets[b];
    for (std::uint32_t i = 0; i < bucket.count; ++i) entries.push_back({bucket.keys[i], bucket.slots[i]});
  }
  return entries;
}

// Of `size` buckets or as many more as its block has room for.
void KeyIndex::allocate(std::uint32_t which, std::uint32_t size) {
  Segment& s = segments_[which];
  bucket_bytes_ -= s.block.bytes();
  s.block = SlabBlock(size * sizeof(Bucket));
  bucket_bytes_ += s.block.bytes();
  s.buckets = reinterpret_cast<Bucket*>(s.block.data());
  s.size = static_cast<std::uint32_t>(s.block.bytes() / sizeof(Bucket));
  std::fill_n(s.buckets, s.size, Bucket{});
  s.count = 0;
  const std::size_t places = std::size_t{1} << (depth_ - s.depth);
  std::fill_n(directory_.begin() + static_cast<std::ptrdiff_t>(s.first), places,
              Place{s.buckets, s.size, which});
}

// Where its walk first finds room; the full ones before count it.
void KeyIndex::put(Segment& s, std::uint64_t hash, const Entry& entry) {
  std::uint32_t b = home(hash, s.size);
  const std::uint32_t other = second(hash, s.size);
  const auto full = [&s](std::uint32_t bucket) { return s.buckets[bucket].count == kWidth; };
  if (full(b) && full(other) && !make_way(s, b)) make_way(s, other);
  for (bool at_first = true; full(b); at_first = false) {
    if (s.buckets[b].passed != kManyPassed) ++s.buckets[b].passed;
    b = at_first ? other : next(b, s.size);
  }
  append(s, b, entry);
}

void KeyIndex::append(Segment& s, std::uint32_t b, const Entry& entry) {
  Bucket& bucket = s.buckets[b];
  bucket.keys[bucket.count] = entry.key;
  bucket.slots[bucket.count] = entry.slot;
  ++bucket.count;
  ++s.count;
}

// One of the keys in a full bucket goes to its other one. False when none of those has room.
bool KeyIndex::make_way(Segment& s, std::uint32_t b) {
  for (std::uint32_t i = 0; i < kWidth; ++i) {
    const Entry entry{s.buckets[b].keys[i], s.buckets[b].slots[i]};
    const std::uint64_t hash = hash_of(entry.key);
    const std::uint32_t first = home(hash, s.size), to = b == first ? second(hash, s.size) : first;
    if (s.buckets[to].count == kWidth) continue;
    take_out(s, hash, entry.key);
    if (b == first && s.buckets[first].passed != kManyPassed) ++s.buckets[first].passed;
    append(s, to, entry);
    return true;
  }
  return false;
}

std::uint32_t KeyIndex::take_out(Segment& s, std::uint64_t hash, Key key) {
  std::uint32_t b = home(hash, s.size), place = kWidth;
  for (std::uint32_t walked = 0; (place = place_in(s.buckets[b], key)) == kWidth; ++walked) {
    std::uint16_t& passed = s.buckets[b].passed;
    CAPSTAN_ASSERT(passed > 0 && walked <= s.size, "the key is not in the index");
    if (passed != kManyPassed) --passed;
    b = walked == 0 ? second(hash, s.size) : next(b, s.size);
  }
  Bucket& from = s.buckets[b];
  const std::uint32_t slot = from.slots[place];
  --from.count;
  from.keys[place] = from.keys[from.count];
  from.slots[place] = from.slots[from.count];
  --s.count;
  return slot;
}

}  // namespace capstan
