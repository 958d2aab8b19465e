#include "scheduler/status.h"

#include <algorithm>

#include "common/units.h"
#include "scheduler/node_stats.h"

namespace capstan {

namespace {

constexpr std::size_t kPartitionsShown = 1024;

json::array nodes_json(const Job& job, const Membership& membership, Instant now) {
  std::map<NodeId, std::uint32_t> shards, copies;
  std::map<NodeId, double> loads;
  for (const ShardEntry& entry : job.map().entries()) {
    if (!entry.chain.empty()) loads[entry.chain.front()] += job.loads().rows_per_second(entry.shard);
    for (const NodeId id : entry.chain) ++(id == entry.chain.front() ? shards : copies)[id];
  }
  json::array nodes;
  for (const auto& [id, node] : membership.nodes()) {
    json::object object = {{"id", id},
                           {"name", node.name},
                           {"role", json_string(to_string(node.role))},
                           {"alive", node.alive},
                           {"host", node.host},
                           {"zone", node.zone},
                           {"endpoint", node.endpoint}};
    if (!node.alive) object["silent_seconds"] = seconds_of(now - node.lease_end);
    if (node.role == Role::kServer) {
      object["shards"] = shards[id];
      object["copies"] = copies[id];
      object["draining"] = job.drains(id);
      object["rows"] = node.rows;
      object["rows_per_second"] = json_number(loads[id]);
      object["bytes"] = node.bytes;
      object["memory_limit"] = node.memory_limit;
      object["map_version"] = node.map_version;
    } else {
      object["items"] = job.work().held_by(id);
    }
    object["stats"] = stats_of(node);
    nodes.push_back(std::move(object));
  }
  return nodes;
}

// Those that are asked for most; none before servers have told.
json::array hot_shards_json(const Job& job, const Membership& membership) {
  constexpr std::size_t kShown = 5;
  std::vector<std::pair<double, const ShardEntry*>> hot;
  for (const ShardEntry& entry : job.map().entries()) {
    const double rate = job.loads().rows_per_second(entry.shard);
    if (rate > 0.0 && !entry.chain.empty()) hot.emplace_back(rate, &entry);
  }
  const std::size_t shown = std::min(hot.size(), kShown);
  std::partial_sort(hot.begin(), hot.begin() + static_cast<std::ptrdiff_t>(shown), hot.end(),
                    [](const auto& a, const auto& b) { return a.first > b.first; });
  json::array shards;
  for (std::size_t n = 0; n < shown; ++n) {
    const Node* node = membership.find(hot[n].second->chain.front());
    shards.push_back(json::object{{"shard", hot[n].second->shard},
                                  {"node", node == nullptr ? "" : node->name},
                                  {"rows_per_second", json_number(hot[n].first)}});
  }
  return shards;
}

// Of the servers' own lists, the hottest first.
json::array hot_keys_json(const Membership& membership) {
  constexpr std::size_t kShown = 10;
  std::vector<std::pair<double, json::object>> hot;
  for (const auto& [id, node] : membership.nodes()) {
    if (node.role != Role::kServer || !node.alive) continue;
    const json::object stats = stats_of(node);
    const json::object* lists = nullptr;
    JsonReader(stats).object_of("hot", lists);
    if (lists == nullptr) continue;
    // Keys as text: the numbers of JavaScript are too short.
    JsonReader(*lists).each_of("keys", [&, &name = node.name](const json::object& each) {
      std::string table;
      std::uint64_t key = 0;
      double rate = 0.0;
      JsonReader in(each);
      in.text_of("table", table);
      in.unsigned_of("key", key);
      in.real_of("rows_per_second", rate);
      if (in.status().ok()) {
        hot.emplace_back(rate, json::object{{"table", table},
                                            {"key", std::to_string(key)},
                                            {"node", name},
                                            {"rows_per_second", json_number(rate)}});
      }
      return in.status();
    });
  }
  std::stable_sort(hot.begin(), hot.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  json::array keys;
  for (std::size_t n = 0; n < std::min(hot.size(), kShown); ++n) keys.push_back(std::move(hot[n].second));
  return keys;
}

json::array partitions_json(const Job& job, const Membership& membership) {
  json::array partitions;
  for (const auto& [work, entry] : job.work().entries()) {
    if (partitions.size() == kPartitionsShown) break;
    const Node* holder = membership.find(entry.holder);
    partitions.push_back(json::object{{"kind", work.kind == kTrainWork      ? "train"
                                               : work.kind == kEvaluateWork ? "evaluate"
                                                                            : "merge"},
                                      {"name", work.name},
                                      {"partition", entry.partition()},
                                      {"first", entry.first},
                                      {"end", entry.end},
                                      {"holder", holder == nullptr ? "" : holder->name},
                                      {"term", entry.term},
                                      {"done", entry.done},
                                      {"watermark", entry.watermark},
                                      {"batches", entry.batches}});
  }
  return partitions;
}

// A learner that takes nobody's place re-builds a replica.
json::array moves_json(const Job& job, const Membership& membership) {
  json::array moves;
  const auto name = [&](NodeId id) {
    const Node* node = membership.find(id);
    return node == nullptr ? std::string() : node->name;
  };
  for (const Job::OpenMove& move : job.open_moves()) {
    if (moves.size() == kPartitionsShown) break;
    moves.push_back(json::object{{"shard", move.shard},
                                 {"from", name(move.from)},
                                 {"to", name(move.to)},
                                 {"stage", move.copied ? "handing over" : "copying"}});
  }
  return moves;
}

json::array checkpoints_json(const JobFacts& facts) {
  json::array checkpoints;
  for (const CheckpointFact& fact : facts.checkpoints) {
    checkpoints.push_back(json::object{{"checkpoint", fact.checkpoint},
                                       {"directory", fact.directory},
                                       {"passes", fact.passes},
                                       {"best", fact.best},
                                       {"rows", fact.rows},
                                       {"bytes", fact.bytes},
                                       {"builds_on", fact.builds_on},
                                       {"seconds", fact.seconds}});
  }
  return checkpoints;
}

// Seconds until the last pass ends at the present speed; null while unknown.
json::value eta_json(const SchedulerOptions& options, const Job& job, double speed) {
  const JobFacts& facts = job.facts();
  if (facts.state != JobState::kRunning || speed <= 0.0 || !facts.agreed.has_value()) return nullptr;
  // Examples of a pass count negatives, so a finished pass tells more than the data does.
  double a_pass = static_cast<double>(facts.agreed->train_examples);
  const double fraction = job.work().fraction_done();
  if (!facts.passes.empty()) {
    a_pass = static_cast<double>(facts.passes.back().examples);
  } else if (fraction > 0.01) {
    a_pass = static_cast<double>(job.work().totals().examples) / fraction;
  }
  const double left = static_cast<double>(options.config.train.passes) - facts.pass - fraction;
  return json_number(std::max(left, 0.0) * a_pass / speed);
}

json::array shards_json(const Job& job, const Membership& membership) {
  const auto name = [&](NodeId id) {
    const Node* node = membership.find(id);
    return json_string(node == nullptr ? "" : node->name);
  };
  json::array shards;
  for (const ShardEntry& entry : job.map().entries()) {
    json::array chain;
    for (const NodeId id : entry.chain) chain.push_back(name(id));
    json::object shard{{"chain", std::move(chain)}};
    if (entry.learner != 0) shard["learner"] = name(entry.learner);
    shards.push_back(std::move(shard));
  }
  return shards;
}

json::object status_object(const SchedulerOptions& options, const Job& job, const Membership& membership,
                           const Peers& peers, const Speed& speed, Instant now) {
  const JobFacts& facts = job.facts();
  const bool training = facts.state == JobState::kRunning;
  const bool begun = facts.state >= JobState::kRunning && (!training || job.work().size() > 0);
  const double rate = training ? speed.per_second() : 0.0;
  json::object object = {{"job", options.config.name},
                         {"state", json_string(to_string(facts.state))},
                         {"waits_for", job.waits_for()},
                         {"generation", facts.generation},
                         {"map_version", job.map().version()},
                         {"pass", facts.pass + 1},
                         {"passes", options.config.train.passes},
                         {"fraction_of_pass", json_number(begun ? job.work().fraction_done() : 0.0)},
                         {"examples", job.examples_so_far()},
                         {"steps", job.steps_so_far()},
                         {"examples_per_second", json_number(rate)},
                         {"eta_seconds", eta_json(options, job, rate)},
                         {"seconds", seconds_of(now - facts.started)}};
  object["loss"] = json_number(job.loss());
  json::array losses;
  for (const PassFinished& pass : facts.passes) {
    losses.push_back(
        json_number(pass.loss_sum / static_cast<double>(std::max<std::uint64_t>(pass.examples, 1))));
  }
  object["pass_losses"] = std::move(losses);
  json::object servers = sum_stats(membership, Role::kServer);
  object["staleness"] = servers.contains("staleness") ? servers["staleness"] : json::value(json::array{});
  object["servers"] = std::move(servers);
  object["workers"] = sum_stats(membership, Role::kWorker);
  object["direct"] = json::object{{"clients", job.direct_streams().streams().size()},
                                  {"batches", job.direct_streams().batches()}};
  object["nodes"] = nodes_json(job, membership, now);
  object["partitions"] = partitions_json(job, membership);
  object["hot_shards"] = hot_shards_json(job, membership);
  object["hot_keys"] = hot_keys_json(membership);
  object["moves"] = moves_json(job, membership);
  object["servers_wanted"] = job.servers_wanted();
  object["checkpoints"] = checkpoints_json(facts);
  json::array warnings;
  for (const std::string& warning : facts.warnings) warnings.push_back(json::string(warning));
  object["warnings"] = std::move(warnings);
  json::object refused;
  for (const auto& [reason, count] : peers.refusals()) refused[reason] = count;
  object["refused"] = std::move(refused);
  object["data"] = facts.agreed.has_value() ? facts.agreed->summary : "";
  object["final_text"] = facts.final_text;
  object["end_text"] = facts.end_text;
  return object;
}

}  // namespace

std::string status_json(const SchedulerOptions& options, const Job& job, const Membership& membership,
                        const Peers& peers, const Speed& speed, Instant now) {
  return json::serialize(status_object(options, job, membership, peers, speed, now));
}

std::string page_json(const SchedulerOptions& options, const Job& job, const Membership& membership,
                      const Peers& peers, const Speed& speed, Instant now) {
  json::object object = status_object(options, job, membership, peers, speed, now);
  object["shards"] = shards_json(job, membership);
  object["job_text"] = options.job_text;
  return json::serialize(object);
}

}  // namespace capstan
