// Hashing: XXH3 for bytes, an invertible mixer for 64-bit keys, and the one formula that maps a key to its
// shard.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace capstan {

using Key = std::uint64_t;

// XXH3, 64 bits. The value is part of file formats and of hashed features: it never changes.
std::uint64_t hash_bytes(std::span<const std::byte> bytes, std::uint64_t seed = 0);
std::uint64_t hash_string(std::string_view text, std::uint64_t seed = 0);

// A bijection on 64 bits whose every output bit depends on every input bit.
// Source: Stafford, "Better Bit Mixing", variant 13 (the finaliser of SplitMix64).
constexpr std::uint64_t mix64(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

// Folds another value into a hash; order matters. combine(seed, epoch, example) names one draw.
constexpr std::uint64_t combine(std::uint64_t hash, std::uint64_t value) {
  return mix64(hash + 0x9e3779b97f4a7c15ULL + mix64(value));
}
template <typename... Rest>
constexpr std::uint64_t combine(std::uint64_t hash, std::uint64_t value, Rest... rest) {
  return combine(combine(hash, value), static_cast<std::uint64_t>(rest)...);
}

// REQUIRES: num_shards is a power of two.
constexpr std::uint32_t shard_of(Key key, std::uint32_t num_shards) {
  if (num_shards == 1) return 0;
  const int bits = __builtin_ctz(num_shards);
  return static_cast<std::uint32_t>(mix64(key) >> (64 - bits));
}

}  // namespace capstan
