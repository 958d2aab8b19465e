// Seeded scenarios: a job runs through trouble, then in peace until it is done, and every row is compared
// with the ledger. CAPSTAN_SIM_SEEDS=n runs n seeds instead, CAPSTAN_SIM_FIRST_SEED=s begins at s; both
// together replay one. CAPSTAN_SIM_LOG=1 shows the nodes' logs.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <map>
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

// The report counts every slice that was acknowledged as applied, once. Empty: it does.
inline std::string check_counts(SimCluster& cluster) {
  cluster.world().run_until([&] { return !cluster.report().empty(); }, std::chrono::seconds(10));
  const std::string report = cluster.report();
  const auto number = [&](const std::string& name) {
    const auto at = report.find("\"" + name + "\":");
    return at == std::string::npos ? std::string("nothing") : report.substr(at + name.size() + 3, 12);
  };
  const auto same = [&](const std::string& a, const std::string& b) {
    return std::strtoull(number(a).c_str(), nullptr, 10) == std::strtoull(number(b).c_str(), nullptr, 10);
  };
  if (number("lost").starts_with("null")) return "";  // a server was stopped just then
  const bool right = number("lost").starts_with("0,") || number("lost").starts_with("0}");
  if (right && same("acknowledged", "applied")) return "";
  return "the report's counts are wrong: " + report.substr(report.find("\"pushes\":"), 200);
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
  const std::string rows = cluster.check_rows();
  return rows.empty() ? check_counts(cluster) : rows;
}

// sync: the rows of table "model" when nothing goes wrong, with one server and one worker.
inline std::map<Key, std::vector<float>> calm_rows(ClusterOptions options) {
  options.servers = options.workers = 1;
  options.checkpoint_every_steps = 0;
  options.start = StartMode::kNew;
  options.sim.network = NetworkOptions{};
  SimCluster cluster(1, options);
  EXPECT_EQ(must_finish(cluster, std::chrono::seconds(300)), "");
  return cluster.read_rows("model", 2);
}

// As must_finish(); of a sync job also that the model is the same to the bit as without trouble.
inline std::string must_finish_right(SimCluster& cluster, Duration limit) {
  const ClusterOptions options = cluster.options();
  const std::string wrong = must_finish(cluster, limit);
  if (!wrong.empty() || options.consistency != Consistency::kSync) return wrong;
  return cluster.read_rows("model", 2) == calm_rows(options) ? "" : "the model is not the calm job's";
}

}  // namespace capstan
