#include "worker/data/permutation.h"

#include <bit>
#include <utility>

#include "common/assert.h"
#include "common/hash.h"

namespace capstan {

Permutation::Permutation(std::uint64_t seed, std::uint64_t pass, std::uint64_t n) : n_(n) {
  const int bits = n < 2 ? 1 : static_cast<int>(std::bit_width(n - 1));
  left_bits_ = bits / 2;
  right_bits_ = bits - left_bits_;
  for (int round = 0; round < kRounds; ++round) {
    round_keys_[round] = combine(seed, pass, static_cast<std::uint64_t>(round));
  }
}

// The halves may differ by a bit; they change places, widths and all, every round.
std::uint64_t Permutation::encrypt(std::uint64_t x) const {
  int left_bits = left_bits_;
  int right_bits = right_bits_;
  std::uint64_t left = x >> right_bits;
  std::uint64_t right = x & ((1ULL << right_bits) - 1);
  for (const std::uint64_t key : round_keys_) {
    left ^= combine(key, right) & ((1ULL << left_bits) - 1);
    std::swap(left, right);
    std::swap(left_bits, right_bits);
  }
  return (left << right_bits) | right;
}

std::uint64_t Permutation::operator[](std::uint64_t position) const {
  CAPSTAN_ASSERT(position < n_, "position within the pass");
  std::uint64_t x = encrypt(position);
  while (x >= n_) x = encrypt(x);
  return x;
}

}  // namespace capstan
