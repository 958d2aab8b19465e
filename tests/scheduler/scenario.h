// Scenario: a scheduler and nodes played by hand, with one-line helpers so that a test reads as a table of
// facts.
#pragma once

#include <spdlog/fmt/fmt.h>

#include "common/config/load_job.h"
#include "tests/scheduler/cluster_fixture.h"

namespace capstan::testing {

using std::chrono::milliseconds;
using std::chrono::seconds;

class Scenario {
 public:
  Scenario() {
    options.config.name = "job";
    options.config.work_dir = "work";
    options.config.cluster.num_shards = 16;
    options.config.cluster.scheduler_grace_ms = 5000;
    options.job_text = "name: job\n";
  }

  // The job of a file, with the scenario's name, folders and cluster.
  void take_job(const std::string& yaml) {
    const auto loaded = load_job_text(yaml, "test.yaml");
    ASSERT_TRUE(loaded.ok()) << loaded.error().message;
    const JobConfig mine = options.config;
    options.config = loaded->config;
    options.config.name = mine.name;
    options.config.work_dir = mine.work_dir;
    options.config.checkpoint = mine.checkpoint;
    options.config.cluster = mine.cluster;
    options.job_text = loaded->effective_yaml;
  }

  Status start() {
    scheduler.reset();
    finished = false;
    net = std::make_unique<FakeTransport>();
    counts_answered = 0;
    scheduler = std::make_unique<Scheduler>(loop, *net, disk, Log::silent(), options);
    auto endpoint = scheduler->start([this](bool ok_, const std::string& text_) {
      finished = true;
      ok = ok_;
      text = text_;
    });
    return endpoint.ok() ? ok_status() : Status(endpoint.error());
  }

  // Delivers `message` and returns what went back to that peer.
  std::vector<Message> tell(PeerId peer, const Message& message, std::uint64_t request_id = 7) {
    const std::size_t before = net->sent.size();
    net->deliver(peer, encode(message, request_id));
    answer_counts();
    std::vector<Message> answers;
    for (std::size_t n = before; n < net->sent.size(); ++n) {
      if (net->sent[n].to == peer) answers.push_back(net->sent[n].message);
    }
    return answers;
  }
  // Nodes that are asked for their last counters give them at once.
  void answer_counts() {
    for (; counts_answered < net->sent.size(); ++counts_answered) {
      const auto& asked = net->sent[counts_answered];
      if (!std::holds_alternative<StatusRequest>(asked.message) || silent.contains(asked.to)) continue;
      const auto stats = stats_of.find(asked.to);
      const PeerId from = asked.to;
      net->deliver(from, encode(StatusReply{stats == stats_of.end() ? "" : stats->second}, 1));
    }
  }
  template <typename T>
  static const T* first(const std::vector<Message>& messages) {
    for (const Message& message : messages) {
      if (const T* typed = std::get_if<T>(&message)) return typed;
    }
    return nullptr;
  }
  // The newest message of a kind that went to `peer`, and its request id.
  template <typename T>
  const T* last_sent(PeerId peer, std::uint64_t* request_id = nullptr) const {
    for (auto at = net->sent.rbegin(); at != net->sent.rend(); ++at) {
      if (at->to != peer || !std::holds_alternative<T>(at->message)) continue;
      if (request_id != nullptr) *request_id = at->request_id;
      return &std::get<T>(at->message);
    }
    return nullptr;
  }

  // The test's peers: servers are 11, 12 ..., workers 21, 22 ...; a restarted process is another incarnation.
  static PeerId server(std::uint32_t n) { return 11 + n; }
  static PeerId worker(std::uint32_t n) { return 21 + n; }
  Hello hello(Role role, std::uint32_t n, std::uint64_t incarnation = 1) const {
    Hello hello;
    hello.job_id = "job";
    hello.role = role;
    hello.name = fmt::format("{}-{}", role == Role::kServer ? "ps" : "worker", n);
    hello.incarnation = incarnation;
    hello.endpoint = role == Role::kServer ? fmt::format("tcp://s{}", n) : "";
    hello.host = fmt::format("h{}", n);
    hello.memory_limit = role == Role::kServer ? memory_limit : 0;
    return hello;
  }
  std::vector<Message> greet_server(std::uint32_t n, std::uint64_t incarnation = 1) {
    auto answers = tell(server(n), hello(Role::kServer, n, incarnation));
    if (const auto* welcome = first<Welcome>(answers)) node_ids[server(n)] = welcome->node_id;
    return answers;
  }
  std::vector<Message> greet_worker(std::uint32_t n, std::uint64_t incarnation = 1) {
    auto answers = tell(worker(n), hello(Role::kWorker, n, incarnation));
    if (const auto* welcome = first<Welcome>(answers)) node_ids[worker(n)] = welcome->node_id;
    return answers;
  }
  WorkerReady ready_message() const {
    WorkerReady ready;
    ready.data_fingerprint = 99;
    TableSpec table;
    table.name = "items";
    table.dim = 4;
    table.min_count = min_count;
    ready.tables = {table};
    ready.train_examples = 100;
    ready.evaluate_parts = parts;
    ready.summary = "100 examples";
    return ready;
  }
  void ready(std::uint32_t n) { tell(worker(n), ready_message(), 0); }
  // Every server says that its tables are there.
  void tables_ready() {
    for (std::uint32_t n = 0; n < options.config.cluster.servers; ++n) {
      std::uint64_t id = 0;
      ASSERT_NE(last_sent<DeclareTables>(server(n), &id), nullptr);
      tell(server(n), TablesReady{}, id);
    }
  }
  // All nodes greet, prepare and hold the tables: the job runs.
  void gather() {
    for (std::uint32_t n = 0; n < options.config.cluster.servers; ++n) greet_server(n);
    for (std::uint32_t n = 0; n < options.config.cluster.workers; ++n) greet_worker(n);
    for (std::uint32_t n = 0; n < options.config.cluster.workers; ++n) ready(n);
    tables_ready();
  }

  std::optional<WorkGrant> ask(std::uint32_t n, std::uint32_t held = 0) {
    const auto answers = tell(worker(n), WorkRequest{node_ids[worker(n)], 1, held});
    const auto* grant = first<WorkGrant>(answers);
    return grant == nullptr ? std::nullopt : std::optional<WorkGrant>(*grant);
  }
  static WorkCursor at(const WorkGrant& grant, std::uint64_t watermark, std::uint64_t batches = 10) {
    WorkCursor cursor;
    cursor.work = grant.work;
    cursor.term = grant.term;
    cursor.watermark = watermark;
    cursor.batches = batches;
    cursor.examples = (watermark - std::min(watermark, grant.first_batch)) * 10;
    cursor.loss_sum = static_cast<double>(cursor.examples) * 0.5;
    return cursor;
  }
  WorkCursor finished_at(const WorkGrant& grant) const {
    const bool trained = grant.work.kind == kTrainWork;
    WorkCursor cursor = at(grant, trained ? 10 : 0, trained ? 10 : 0);
    cursor.slices = trained ? slices_each : 0;
    return cursor;
  }
  // True when the scheduler takes the report.
  bool report(std::uint32_t n, const WorkGrant& grant, std::uint64_t watermark) {
    const auto answers = tell(worker(n), WorkProgress{node_ids[worker(n)], {at(grant, watermark)}});
    const auto* reply = first<WorkProgressReply>(answers);
    return reply != nullptr && reply->revoked.empty();
  }
  bool done(std::uint32_t n, const WorkGrant& grant, const std::string& result = "",
            const std::string& error = "") {
    WorkDone message;
    message.node_id = node_ids[worker(n)];
    message.cursor = finished_at(grant);
    message.result = Buffer::copy_of(std::string_view(result));
    message.error = error;
    const auto answers = tell(worker(n), message);
    const auto* reply = first<WorkDoneReply>(answers);
    return reply != nullptr && reply->accepted;
  }
  // Worker n takes and finishes everything that there is; evaluations give their name and partition as the
  // result.
  std::vector<WorkId> work_off(std::uint32_t n,
                               const std::string& merged = R"({"better": 1, "text": "fine"})") {
    std::vector<WorkId> items;
    while (const auto grant = ask(n)) {
      items.push_back(grant->work);
      std::string result = fmt::format("{}/{}", grant->work.name, grant->work.partition);
      if (grant->work.kind == kMergeWork) {
        merge_inputs.clear();
        for (const Buffer& input : grant->inputs) merge_inputs.emplace_back(input.text());
        result = merged;
      }
      if (!done(n, *grant, grant->work.kind == kTrainWork ? "" : result)) break;
    }
    return items;
  }
  // Server n answers the snapshot that it was last asked for, one section for each of `shards`.
  void snapshot_done(std::uint32_t n, std::vector<std::uint32_t> shards = {0},
                     const std::string& error = "") {
    std::uint64_t id = 0;
    const Snapshot* asked = last_sent<Snapshot>(server(n), &id);
    ASSERT_NE(asked, nullptr);
    SnapshotReply reply;
    reply.checkpoint = asked->checkpoint;
    reply.file = fmt::format("ps-{}.rows", n);
    reply.error = error;
    reply.no_space = !error.empty();
    disk.files[asked->directory + "/" + reply.file] = std::string(8, 'r');
    for (const std::uint32_t shard : shards) reply.sections.push_back({shard, 0, 8, 1, 2, "", "", 0});
    tell(server(n), reply, id);
  }
  // The same with what changed since the base that was named, if one was; `bytes` long.
  void changes_done(std::uint32_t n, std::uint64_t bytes = 2) {
    std::uint64_t id = 0;
    const Snapshot* asked = last_sent<Snapshot>(server(n), &id);
    ASSERT_NE(asked, nullptr);
    if (asked->base == 0) bytes = 8;
    SnapshotReply reply;
    reply.checkpoint = asked->checkpoint;
    reply.file = fmt::format("ps-{}.rows", n);
    reply.sections.push_back({n, 0, bytes, 1, 2, "", "", asked->base});
    disk.files[asked->directory + "/" + reply.file] = std::string(bytes, 'r');
    tell(server(n), reply, id);
  }
  // damaged: the file whose first section is.
  void restore_done(std::uint32_t n, const std::string& error = "", const std::string& damaged = "") {
    std::uint64_t id = 0;
    ASSERT_NE(last_sent<Restore>(server(n), &id), nullptr);
    tell(server(n), RestoreReply{2, error, !error.empty(), damaged, 0}, id);
  }
  template <typename T>
  std::size_t count_sent() const {
    std::size_t count = 0;
    for (const auto& each : net->sent) count += std::holds_alternative<T>(each.message) ? 1 : 0;
    return count;
  }
  void beat(PeerId peer, std::uint64_t incarnation = 1) {
    Heartbeat heartbeat;
    heartbeat.node_id = node_ids[peer];
    heartbeat.incarnation = incarnation;
    tell(peer, heartbeat);
  }
  // Time passes while the given peers keep their leases.
  void pass(Duration duration, const std::vector<PeerId>& alive) {
    for (Duration spent(0); spent < duration; spent += milliseconds(500)) {
      for (const PeerId peer : alive) beat(peer);
      loop.advance(milliseconds(500));
    }
  }
  JobState state() const { return scheduler->job().facts().state; }

  FakeLoop loop;
  std::unique_ptr<FakeTransport> net;
  FakeStorage disk;
  SchedulerOptions options;
  std::unique_ptr<Scheduler> scheduler;
  std::map<PeerId, NodeId> node_ids;
  std::map<PeerId, std::string> stats_of;  // what nodes count, as JSON
  std::set<PeerId> silent;                 // nodes that do not answer
  std::size_t counts_answered = 0;         // of net->sent
  std::uint64_t memory_limit = 0;          // of each server
  std::uint32_t min_count = 0;             // of the table
  std::uint64_t slices_each = 0;           // that a partition's pushes are made of
  std::vector<EvaluatePart> parts;
  std::vector<std::string> merge_inputs;
  bool finished = false, ok = false;
  std::string text;
};

// With checkpoints, and passes of two partitions.
class CheckpointScenario : public Scenario {
 public:
  CheckpointScenario() {
    options.config.checkpoint.path = "ck";
    options.config.train.partitions = 2;
  }
  void tick() { pass(milliseconds(500), {server(0), server(1), worker(0), worker(1)}); }
};

}  // namespace capstan::testing
