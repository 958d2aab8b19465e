#include "scheduler/report.h"

#include <algorithm>

#include "common/merged_report.h"
#include "common/units.h"
#include "scheduler/node_stats.h"

namespace capstan {

namespace {

std::string_view name_of(Consistency consistency) {
  switch (consistency) {
    case Consistency::kAsync:
      return "async";
    case Consistency::kBounded:
      return "bounded";
    case Consistency::kSync:
      return "sync";
  }
  return "unknown";
}

std::vector<const Node*> by_name(const Membership& membership, Role role) {
  std::vector<const Node*> nodes;
  for (const auto& [id, node] : membership.nodes()) {
    if (node.role == role) nodes.push_back(&node);
  }
  std::sort(nodes.begin(), nodes.end(), [](const Node* a, const Node* b) { return a->name < b->name; });
  return nodes;
}

// Passes count from 1, as in everything that people read.
json::array passes_json(const JobFacts& facts) {
  json::array passes;
  for (const PassFinished& pass : facts.passes) {
    passes.push_back(json::object{
        {"pass", pass.pass + 1},
        {"examples", pass.examples},
        {"seconds", pass.seconds},
        {"loss", json_number(pass.loss_sum / static_cast<double>(std::max<std::uint64_t>(pass.examples, 1)))},
        {"bad_batches", pass.bad_batches}});
  }
  return passes;
}

// A run that resumes a job with nothing left to train judges the same model again.
void note_second_judgement(const JobFacts& facts, json::object& report) {
  if (facts.resumed_from.empty() || facts.trained_here > 0 || !report["test"].is_object()) return;
  report["test"].as_object()["evaluated_on_test"] =
      "again: the run that was resumed had nothing left to train, and may have been judged before";
}

// The fingerprint as text: JSON's numbers are often read as doubles, which cannot hold it.
json::object data_json(const TablesAgreed& agreed) {
  return {{"train_examples", agreed.train_examples},
          {"valid_examples", agreed.counts.valid},
          {"test_examples", agreed.counts.test},
          {"users", agreed.counts.users},
          {"items", agreed.counts.items},
          {"fingerprint", fmt::format("{:016x}", agreed.data_fingerprint)},
          {"summary", agreed.summary}};
}

json::array validations_json(const JobFacts& facts) {
  json::array validations;
  for (const PassValidated& validated : facts.validations) {
    auto result = parse_json_object(validated.json);
    validations.push_back(json::object{{"pass", validated.pass + 1},
                                       {"better", json_number(validated.better)},
                                       {"best", facts.best_pass == validated.pass},
                                       {"result", result.ok() ? std::move(result).value() : json::object{}}});
  }
  return validations;
}

json::array server_shares(const Job& job, const Membership& membership) {
  std::map<NodeId, std::uint32_t> shards;
  for (const ShardEntry& entry : job.map().entries()) {
    if (!entry.chain.empty()) ++shards[entry.chain.front()];
  }
  const std::vector<const Node*> servers = by_name(membership, Role::kServer);
  std::uint64_t rows = 0;
  for (const Node* node : servers) rows += node->rows;
  json::array shares;
  for (const Node* node : servers) {
    const double share = rows == 0 ? 0.0 : static_cast<double>(node->rows) / static_cast<double>(rows);
    shares.push_back(json::object{{"name", node->name},
                                  {"shards", shards[node->id]},
                                  {"rows", node->rows},
                                  {"bytes", node->bytes},
                                  {"share_of_rows", share}});
  }
  return shares;
}

json::array worker_shares(const JobFacts& facts, const Membership& membership) {
  std::uint64_t examples = 0;
  for (const auto& [id, count] : facts.examples_by_worker) examples += count;
  json::array shares;
  for (const Node* node : by_name(membership, Role::kWorker)) {
    const auto found = facts.examples_by_worker.find(node->id);
    const std::uint64_t own = found == facts.examples_by_worker.end() ? 0 : found->second;
    const double share = examples == 0 ? 0.0 : static_cast<double>(own) / static_cast<double>(examples);
    shares.push_back(json::object{{"name", node->name}, {"examples", own}, {"share_of_examples", share}});
  }
  return shares;
}

json::value counter(const json::object& stats, std::string_view name) {
  const json::value* value = stats.if_contains(json::string_view(name.data(), name.size()));
  return value != nullptr && value->is_number() ? *value : json::value(0);
}

std::uint64_t whole(const json::object& stats, std::string_view name) {
  boost::system::error_code failed;
  const auto number = counter(stats, name).to_number<std::uint64_t>(failed);
  return failed ? 0 : number;
}

// Slices: one batch's gradients for one shard. sent, deduplicated, fenced and abandoned are counted by the
// processes that live now; acknowledged, applied and refused over the job's life, with the rows. lost: what
// was acknowledged and is in no row; null when a server's last counters are not known.
json::object pushes_json(const Job& job, const json::object& servers, const json::object& workers) {
  const std::uint64_t acknowledged = job.slices_acknowledged();
  const std::uint64_t taken = whole(servers, "pushes_applied") + whole(servers, "pushes_refused");
  return {{"sent", counter(workers, "pushes_sent")},
          {"acknowledged", acknowledged},
          {"applied", counter(servers, "pushes_applied")},
          {"deduplicated", counter(servers, "pushes_duplicate")},
          {"fenced", counter(servers, "pushes_fenced")},
          {"refused", counter(servers, "pushes_refused")},
          {"abandoned", counter(workers, "pushes_abandoned")},
          {"lost", job.facts().counted ? json::value(acknowledged - std::min(acknowledged, taken))
                                       : json::value(nullptr)}};
}

json::object bytes_json(const json::object& servers, const json::object& workers) {
  return {{"pushed", counter(workers, "bytes_pushed")},
          {"pulled", counter(workers, "bytes_pulled")},
          {"rows", counter(servers, "bytes")}};
}

// While a shard is handed over nobody serves it, and pulls and pushes of it wait.
json::object handovers_json(std::vector<Duration> handovers) {
  std::sort(handovers.begin(), handovers.end());
  const auto ms = [&](std::size_t percent) {
    return handovers.empty() ? 0.0 : 1e3 * seconds_of(handovers[(handovers.size() - 1) * percent / 100]);
  };
  return {{"count", handovers.size()}, {"p50_ms", ms(50)}, {"p95_ms", ms(95)}, {"max_ms", ms(100)}};
}

}  // namespace

std::string report_json(const SchedulerOptions& options, const Job& job, const Membership& membership,
                        const Peers& peers, Instant now) {
  const JobFacts& facts = job.facts();
  const JobConfig& config = options.config;
  json::object servers = sum_stats(membership, Role::kServer);
  json::object workers = sum_stats(membership, Role::kWorker);
  const double training = seconds_of(facts.training);
  json::object object = {
      {"job", config.name},
      {"state", json_string(to_string(facts.state))},
      {"text", facts.state == JobState::kDone ? "" : facts.end_text},
      {"version", options.version},
      {"protocol", kProtocolVersion},
      {"written_at", options.wall_time ? options.wall_time() : ""},
      {"generation", facts.generation},
      {"resumed_from", facts.resumed_from},
      {"seed", config.seed},
      {"consistency", json_string(name_of(config.train.consistency))},
      {"wall_seconds", seconds_of(now - facts.started)},
      {"training_seconds", training},
      {"examples", job.examples_so_far()},
      {"examples_per_second", training > 0.0 ? static_cast<double>(facts.trained_here) / training : 0.0},
      {"steps", job.steps_so_far()},
      {"passes", passes_json(facts)},
      {"validations", validations_json(facts)},
      {"stopped_early", facts.stopped_early},
      {"pushes", pushes_json(job, servers, workers)},
      {"bytes", bytes_json(servers, workers)},
      {"handovers", handovers_json(facts.handovers)},
      {"items_split", facts.splits},
      {"servers", server_shares(job, membership)},
      {"workers", worker_shares(facts, membership)}};
  object["best_pass"] =
      facts.best_pass.has_value() ? json::value(*facts.best_pass + 1) : json::value(nullptr);
  object["staleness"] = servers.contains("staleness") ? servers["staleness"] : json::value(json::array{});
  object["data"] = facts.agreed.has_value() ? data_json(*facts.agreed) : json::object{};
  auto test = parse_json_object(facts.report_json);
  object["test"] = test.ok() ? json::value(std::move(test).value()) : json::value(nullptr);
  note_second_judgement(facts, object);
  const std::string beside = facts.report_values.empty() ? "" : values_path(config.report);
  object["values"] =
      beside.empty() ? json::value(nullptr) : json::value(beside.substr(beside.rfind('/') + 1));
  object["test_evaluations"] = facts.test_evaluations;
  json::array warnings;
  for (const std::string& warning : facts.warnings) warnings.push_back(json::string(warning));
  object["warnings"] = std::move(warnings);
  json::object refused;
  for (const auto& [reason, count] : peers.refusals()) refused[reason] = count;
  object["refused"] = std::move(refused);
  object["counters"] = json::object{{"servers", std::move(servers)}, {"workers", std::move(workers)}};
  return json::serialize(object) + "\n";
}

Status write_report(Storage& storage, const std::string& path, const std::string& json,
                    const Buffer& values) {
  const auto slash = path.rfind('/');
  if (slash != std::string::npos && slash > 0) CAPSTAN_TRY(storage.create_dirs(path.substr(0, slash)));
  const std::string beside = values_path(path);
  if (!values.empty() && !beside.empty())
    CAPSTAN_TRY(storage.publish(beside, values.bytes()).wrap("write the report's values"));
  return storage.publish(path, std::as_bytes(std::span(json))).wrap("write report");
}

}  // namespace capstan
