// Seeded random numbers with draws of our own, so that a seed means the same on every compiler and library.
#pragma once

#include <cstdint>

namespace capstan {

// A value: copying it copies the stream. Not for cryptography.
// Source: Blackman and Vigna, xoshiro256++ 1.0; seeded by SplitMix64.
class Rng {
 public:
  explicit Rng(std::uint64_t seed);

  std::uint64_t next();                      // 64 uniform bits
  std::uint64_t below(std::uint64_t bound);  // uniform in [0, bound), unbiased. REQUIRES: bound > 0
  double uniform();                          // [0, 1), 53 bits
  double normal();                           // mean 0, deviation 1 (Box-Muller, one value a call)
  bool chance(double probability) { return uniform() < probability; }

 private:
  std::uint64_t state_[4];
};

}  // namespace capstan
