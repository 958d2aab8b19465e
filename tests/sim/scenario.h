// Seeded scenarios: a job runs through trouble, then in peace until it is done, and every row is compared
// with the ledger. CAPSTAN_SIM_SEEDS=n runs n seeds instead, CAPSTAN_SIM_FIRST_SEED=s begins at s; both
// together replay one. CAPSTAN_SIM_LOG=1 shows the nodes' logs.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <string>

#include "sim/trouble.h"

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

// The liveness phase and the final checks. Empty: all is well.
inline std::string must_finish(SimCluster& cluster, Duration limit) {
  const bool ended = cluster.world().run_until([&] { return cluster.ended(); }, limit);
  if (!ended) {
    const auto process = cluster.scheduler_process();
    return "the job does not end: " + cluster.end_text().append(process ? process->status() : "");
  }
  if (!cluster.ok()) return "the job failed: " + cluster.end_text();
  if (!cluster.quits().empty()) return cluster.quits().front();
  if (!cluster.findings().wrong.empty()) return cluster.findings().wrong.front();
  return cluster.check_rows();
}

}  // namespace capstan
