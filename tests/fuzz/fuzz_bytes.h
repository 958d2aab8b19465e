// ByteFuzzer: seeded damage to valid input, for the test that every decoder has: whatever arrives is an
// answer, never a crash. Print the seed when a check fails.
//
//   for (std::uint64_t seed = 0; seed < 2000; ++seed) {
//     ByteFuzzer fuzzer(seed);
//     SCOPED_TRACE(seed);
//     static_cast<void>(decode(fuzzer.damage(valid_frames)));
//   }
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <vector>

#include "common/buffer.h"
#include "common/rng.h"
#include "common/transport.h"

namespace capstan {

class ByteFuzzer {
 public:
  explicit ByteFuzzer(std::uint64_t seed) : rng_(seed) {}

  // One to four kinds of damage to a copy of `valid`. Made with exactly its size, so that a sanitizer sees
  // reads beyond.
  Buffer damage(std::span<const std::byte> valid) {
    std::vector<std::byte> bytes(valid.begin(), valid.end());
    for (std::uint64_t n = 1 + rng_.below(4); n > 0; --n) damage_once(bytes);
    return Buffer::copy_of(std::span<const std::byte>(bytes));
  }

  // Damages one frame, or loses, doubles, empties, swaps or adds one. Frame 0 is hit most often: it says what
  // the others are.
  Frames damage(const Frames& valid) {
    Frames frames = valid;
    if (frames.empty() || rng_.chance(0.05)) frames.push_back(random(rng_.below(64)));
    const std::size_t i = rng_.chance(0.5) ? 0 : rng_.below(frames.size());
    const std::size_t j = rng_.below(frames.size());
    const auto at = frames.begin() + static_cast<std::ptrdiff_t>(i);
    switch (rng_.below(12)) {
      case 0:
        frames.erase(at);
        break;
      case 1:
        frames.insert(at, Buffer(frames[j]));
        break;
      case 2:
        *at = Buffer::allocate(0);
        break;
      case 3:
        std::swap(frames[i], frames[j]);
        break;
      case 4:
        frames.push_back(random(rng_.below(64)));
        break;
      case 5:
        *at = random(at->size());
        break;
      default:
        *at = damage(at->bytes());
    }
    return frames;
  }

  Buffer random(std::size_t size) {
    Buffer buffer = Buffer::allocate(size);
    for (std::size_t i = 0; i < size; ++i) buffer.mutable_data()[i] = random_byte();
    return buffer;
  }

  Rng& rng() { return rng_; }

 private:
  std::byte random_byte() { return static_cast<std::byte>(rng_.next()); }

  void damage_once(std::vector<std::byte>& bytes) {
    if (bytes.empty()) return bytes.push_back(random_byte());
    const std::size_t at = rng_.below(bytes.size());
    const auto position = bytes.begin() + static_cast<std::ptrdiff_t>(at);
    switch (rng_.below(8)) {
      case 0:
        bytes[at] ^= std::byte{1} << rng_.below(8);
        break;
      case 1:
        bytes[at] = random_byte();
        break;
      case 2:
        bytes.resize(at);
        break;
      case 3:
        lie(bytes);
        break;
      case 4:
        lie(bytes);
        break;
      case 5:
        bytes.insert(position, 1 + rng_.below(16), random_byte());
        break;
      case 6:
        bytes.erase(position, position + static_cast<std::ptrdiff_t>(length(bytes.size() - at)));
        break;
      default:
        move_piece(bytes, at);
    }
  }

  // A number that somebody may take for a length, an offset or a count, where one may stand.
  void lie(std::vector<std::byte>& bytes) {
    constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
    const std::uint64_t lies[] = {0,
                                  1,
                                  0x7f,
                                  0xff,
                                  0xffff,
                                  0x7fffffff,
                                  0x80000000,
                                  0xffffffff,
                                  0x100000000,
                                  kMax / 8,
                                  kMax / 2 + 1,
                                  kMax,
                                  bytes.size(),
                                  bytes.size() + 1,
                                  bytes.size() - 1,
                                  rng_.next() >> rng_.below(64)};
    const std::uint64_t value = lies[rng_.below(std::size(lies))];
    const std::size_t width = std::min<std::size_t>(std::size_t{1} << rng_.below(4), bytes.size());
    const std::size_t places = bytes.size() / width;
    std::memcpy(bytes.data() + width * rng_.below(places), &value, width);
  }

  void move_piece(std::vector<std::byte>& bytes, std::size_t from) {
    const std::size_t to = rng_.below(bytes.size());
    const std::size_t size = length(bytes.size() - std::max(from, to));
    std::memmove(bytes.data() + to, bytes.data() + from, size);
  }

  // Short pieces mostly. In [1, most].
  std::size_t length(std::size_t most) {
    return 1 + rng_.below(std::min<std::size_t>(most, 1 + rng_.below(64)));
  }

  Rng rng_;
};

}  // namespace capstan
