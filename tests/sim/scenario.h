// Seeded scenarios: a job runs through trouble, then in peace until it is done, and every row is compared
// with the ledger. CAPSTAN_SIM_SEEDS=n runs n seeds instead, CAPSTAN_SIM_FIRST_SEED=s begins at s; both
// together replay one. CAPSTAN_SIM_LOG=1 shows the nodes' logs.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <string>

#include "sim/trouble.h"
#include "sim/verdict.h"

namespace capstan {

inline std::uint64_t number_from_env(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

struct SeedRange {
  explicit SeedRange(std::uint64_t first_seed, std::uint64_t count)
      : first(number_from_env("CAPSTAN_SIM_FIRST_SEED", first_seed)),
        end(first + number_from_env("CAPSTAN_SIM_SEEDS", count)) {}
  std::uint64_t first, end;
};

inline std::string replay(std::uint64_t seed) {
  return "seed " + std::to_string(seed) + " (replay: CAPSTAN_SIM_FIRST_SEED=" + std::to_string(seed) +
         " CAPSTAN_SIM_SEEDS=1)";
}

// Small worlds of different shapes.
inline ClusterOptions small_world(std::uint64_t seed, Consistency consistency) {
  Rng rng(combine(seed, 99));
  ClusterOptions options;
  options.consistency = consistency;
  options.staleness = 2;
  options.shape.seed = seed;
  options.servers = 1 + static_cast<std::uint32_t>(rng.below(3));
  options.workers = 1 + static_cast<std::uint32_t>(rng.below(3));
  options.shape.partitions = 1 + static_cast<std::uint32_t>(rng.below(5));
  options.shape.batches = 6 + static_cast<std::uint32_t>(rng.below(10));
  options.pipeline_depth = 1 + static_cast<std::uint32_t>(rng.below(3));
  options.push_window = 1 + static_cast<std::uint32_t>(rng.below(4));
  options.sim.network = unkind_network();
  return options;
}

}  // namespace capstan
