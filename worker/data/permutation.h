// Permutation: the order in which a pass reads the training examples, without a table of it.
#pragma once

#include <cstdint>

namespace capstan {

// A seeded bijection on [0, n): a pure function of (seed, pass, n, position). A value; cheap to copy.
// Source: Luby and Rackoff, "How to construct pseudorandom permutations", SIAM J. Comput. 1988 (Feistel
// rounds); Black and Rogaway, "Ciphers with arbitrary finite domains", CT-RSA 2002 (cycle walking).
class Permutation {
 public:
  Permutation(std::uint64_t seed, std::uint64_t pass, std::uint64_t n);

  // The example at `position` of the pass. REQUIRES: position < size().
  std::uint64_t operator[](std::uint64_t position) const;
  std::uint64_t size() const { return n_; }

 private:
  std::uint64_t encrypt(std::uint64_t x) const;

  static constexpr int kRounds = 6;
  std::uint64_t n_;
  int left_bits_, right_bits_;  // together they hold n - 1, with the least number of bits
  std::uint64_t round_keys_[kRounds];
};

}  // namespace capstan
