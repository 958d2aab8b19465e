#include "sim/verdict.h"

#include <cstdlib>

namespace capstan {
namespace {

using Rows = std::map<Key, std::vector<float>>;

// What stands behind "name": in the report.
std::string after(const std::string& report, const std::string& name) {
  const std::string quoted = "\"" + name + "\":";
  const auto at = report.find(quoted);
  constexpr std::size_t kLongestNumber = 12;
  return at == std::string::npos ? "nothing" : report.substr(at + quoted.size(), kLongestNumber);
}

std::uint64_t number(const std::string& report, const std::string& name) {
  return std::strtoull(after(report, name).c_str(), nullptr, 10);
}

// Each example of each pass counts once, whoever computed it how often; so do the steps.
std::string check_progress(SimCluster& cluster, const std::string& report) {
  const LedgerShape& shape = cluster.options().shape;
  const std::uint64_t steps = std::uint64_t{shape.passes} * shape.batches;
  const std::uint64_t batches = steps * shape.partitions;
  const bool sync = cluster.options().consistency == Consistency::kSync;
  if (number(report, "examples") != batches) {
    return "the report counts " + after(report, "examples") + " examples, not " + std::to_string(batches);
  }
  if (number(report, "steps") == (sync ? steps : batches)) return "";
  return "the report counts " + after(report, "steps") + " steps, not " +
         std::to_string(sync ? steps : batches);
}

std::string check_counts(SimCluster& cluster) {
  cluster.world().run_until([&] { return !cluster.report().empty(); }, std::chrono::seconds(10));
  const std::string report = cluster.report();
  if (const std::string wrong = check_progress(cluster, report); !wrong.empty()) return wrong;
  const std::string lost = after(report, "lost");
  if (lost.starts_with("null")) return "";  // a server was stopped just then
  const bool none = lost.starts_with("0,") || lost.starts_with("0}");
  const std::string pushes = report.substr(report.find("\"pushes\":"));
  const std::uint64_t refused = number(pushes, "refused");
  const bool as_expected = cluster.options().shape.refuses || refused == 0;
  if (none && as_expected && number(report, "acknowledged") == number(report, "applied") + refused) return "";
  return "the report's counts are wrong: " + pushes.substr(0, 200);
}

// Of each table that depends on what was pulled.
std::vector<Rows> model_rows(SimCluster& cluster) {
  std::vector<Rows> rows{cluster.read_rows("model")};
  if (cluster.options().shape.evicts) rows.push_back(cluster.read_rows("recent"));
  if (cluster.options().shape.dense) rows.push_back(cluster.read_rows("dense"));
  return rows;
}

// Empty when the calm job itself goes wrong, which no model's rows are.
std::vector<Rows> calm_rows(ClusterOptions options) {
  options.servers = options.workers = options.replicas = 1;
  options.checkpoint_every_steps = 0;
  options.slowness = 1;
  options.start = StartMode::kNew;
  options.sim.network = NetworkOptions{};
  SimCluster cluster(1, options);
  return must_finish(cluster, kLongestJob).empty() ? model_rows(cluster) : std::vector<Rows>();
}

}  // namespace

std::string must_finish(SimCluster& cluster, Duration limit) {
  if (!cluster.run_until_ended(limit)) {
    const auto process = cluster.scheduler_process();
    return "the job does not end: " + cluster.end_text().append(process ? process->status() : "");
  }
  if (!cluster.ok()) return "the job failed: " + cluster.end_text();
  if (!cluster.quits().empty()) return cluster.quits().front();
  if (!cluster.findings().wrong.empty()) return cluster.findings().wrong.front();
  if (const std::string rows = cluster.check_rows(); !rows.empty()) return rows;
  if (const std::string kept = cluster.check_checkpoints(); !kept.empty()) return kept;
  return check_counts(cluster);
}

std::string must_finish_right(SimCluster& cluster, Duration limit) {
  const std::string wrong = must_finish(cluster, limit);
  if (!wrong.empty() || cluster.options().consistency != Consistency::kSync) return wrong;
  const std::vector<Rows> calm = calm_rows(cluster.options());
  if (calm.empty()) return "the calm job itself goes wrong";
  return model_rows(cluster) == calm ? "" : "the model is not the calm job's";
}

std::string must_finish_equal(SimCluster& cluster, Duration limit) {
  const std::string wrong = must_finish_right(cluster, limit);
  if (!wrong.empty()) return wrong;
  cluster.world().run_for(std::chrono::seconds(5));  // the last records on their way
  // Where rows expire there is always a next one.
  const int looks = cluster.options().shape.expires ? 20 : 1;
  std::string unequal = cluster.check_replicas();
  for (int n = 1; n < looks && !unequal.empty(); ++n) {
    cluster.world().run_for(std::chrono::milliseconds(100));
    unequal = cluster.check_replicas();
  }
  return unequal;
}

}  // namespace capstan
