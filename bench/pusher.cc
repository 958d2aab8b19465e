#include "bench/pusher.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <utility>

#include "bench/cluster.h"
#include "common/rng.h"

namespace capstan {
namespace {

using namespace std::chrono_literals;
constexpr Duration kStartPatience = 60s;
constexpr Duration kAnswerPatience = 2s;
constexpr std::uint64_t kEndless = std::uint64_t{1} << 40;  // batches of the partition

double seconds_of(Duration duration) {
  return static_cast<double>(duration.count()) / 1e6;
}

std::uint64_t fresh_incarnation() {
  std::random_device device;
  return (std::uint64_t{device()} << 32) | device();
}

ZmqOptions wire_options(const std::string& keys) {
  ZmqOptions options;
  if (!keys.empty()) {
    auto ring = KeyRing::open(keys, Role::kWorker, "worker");
    if (!ring.ok()) give_up(ring.error().message);
    options.security.keys = std::make_shared<KeyRing>(std::move(ring).value());
  }
  options.node = "bench-worker";
  options.incarnation = fresh_incarnation();
  options.max_frames = 4096;
  return options;
}

TableSpec table_of(const PusherOptions& options) {
  TableSpec spec;
  spec.name = "rows";
  spec.dim = options.dim;
  spec.dtype = options.dtype;
  spec.init.seed = 1;
  spec.optimizer.kind = options.optimizer;
  return spec;
}

}  // namespace

PushBatchRef make_batch(std::vector<Key> keys, std::uint32_t num_shards) {
  sort_for_wire(keys, num_shards);
  std::vector<StepTable> tables(1);
  tables[0].keys = std::move(keys);
  auto ranges = shard_ranges(tables, num_shards);
  return std::make_shared<const PushBatch>(PushBatch{std::move(tables[0].keys), std::move(ranges)});
}

std::vector<PushBatchRef> draw_batches(std::size_t count, std::size_t size, std::uint64_t rows, double skew,
                                       std::uint32_t num_shards) {
  Rng rng(1);
  std::vector<PushBatchRef> batches;
  for (std::size_t n = 0; n < count; ++n) {
    std::vector<Key> keys(size);
    for (Key& key : keys) {
      key = bench_key(static_cast<std::uint64_t>(static_cast<double>(rows) * std::pow(rng.uniform(), skew)));
    }
    batches.push_back(make_batch(std::move(keys), num_shards));
  }
  return batches;
}

BenchPusher::BenchPusher(PusherOptions options)
    : options_(std::move(options)),
      tables_{table_of(options_)},
      transport_(loop_, wire_options(options_.keys)),
      log_(Log::to_stderr("bench", LogLevel::kWarn)),
      rpc_(loop_, transport_),
      link_(loop_, transport_, rpc_, log_, Hello{},
            {.on_welcome = [this](const Welcome&, bool) { announce(); },
             .on_map =
                 [this] {
                   peers_.on_map();
                   puller_.resume();
                   if (stream_) stream_->resume();
                 },
             .on_refused = [](const std::string& why) { give_up("the scheduler refused us: " + why); },
             .fill_heartbeat = [](Heartbeat&) {}}),
      peers_(loop_, transport_, rpc_, log_, link_),
      puller_(loop_, rpc_, log_, link_, peers_, tables_, ZmqOptions().max_frame_bytes),
      ask_timer_(loop_),
      announce_timer_(loop_),
      report_timer_(loop_) {
  peers_.on_ready([this] {
    puller_.resume();
    if (stream_) stream_->resume();
  });
  rpc_.on_request([this](PeerId, std::uint64_t, const Message& message) {
    if (link_.on_notification(message)) return;
    if (const auto* ended = std::get_if<JobEnded>(&message)) give_up("the job ended: " + ended->text);
  });
  Hello hello;
  hello.job_id = kBenchJob;
  hello.role = Role::kWorker;
  hello.name = "bench-worker";
  hello.incarnation = fresh_incarnation();
  hello.host = "localhost";
  link_.set_hello(hello);
  if (!link_.start(options_.scheduler, kStartPatience).ok()) give_up("no scheduler at " + options_.scheduler);
  run_until([this] { return stream_.has_value(); });
  announce_timer_.stop();
}

// Again and again until there is work: the first may be lost.
void BenchPusher::announce() {
  WorkerReady ready;
  ready.node_id = link_.node_id();
  ready.data_fingerprint = 1;
  ready.tables = tables_;
  ready.train_examples = kEndless;
  rpc_.notify(link_.peer(), ready);
  announce_timer_.start(1s, [this] { announce(); });
  if (!stream_) ask();
}

void BenchPusher::ask() {
  rpc_.call(link_.peer(), WorkRequest{link_.node_id(), link_.hello().incarnation, 0}, kAnswerPatience,
            [this](const Result<Message>& reply) {
              const auto* grant = reply.ok() ? std::get_if<WorkGrant>(&*reply) : nullptr;
              if (grant != nullptr && !stream_) return begin(*grant);
              if (!stream_) ask_timer_.start(20ms, [this] { ask(); });
            });
}

void BenchPusher::begin(const WorkGrant& grant) {
  cursor_.work = grant.work;
  cursor_.term = grant.term;
  cursor_.watermark = grant.first_batch;
  cursor_.batches = kEndless;
  next_sequence_ = grant.first_batch + 1;
  step_ = grant.steps;
  PushStream::Id id;
  id.pass = grant.work.pass;
  id.partition = grant.work.partition;
  id.term = grant.term;
  id.num_shards = options_.num_shards;
  id.window_max = options_.window;
  stream_.emplace(loop_, rpc_, link_, peers_, tables_, counts_, id,
                  PushStream::Hooks{
                      .on_acknowledged = [this](std::uint64_t sequence,
                                                std::uint64_t slices) { on_acknowledged(sequence, slices); },
                      .on_fenced = [] { give_up("the partition was given to another worker"); }});
  report();
}

void BenchPusher::report() {
  report_timer_.start(200ms, [this] { report(); });
  rpc_.call(link_.peer(), WorkProgress{link_.node_id(), {cursor_}}, kAnswerPatience,
            [this](const Result<Message>& reply) {
              const auto* answer = reply.ok() ? std::get_if<WorkProgressReply>(&*reply) : nullptr;
              if (answer != nullptr && !answer->revoked.empty()) give_up("the partition was revoked");
            });
}

void BenchPusher::feed(std::function<PushBatchRef()> next) {
  next_ = std::move(next);
  loop_.post([this] { pump(); });
}

void BenchPusher::pump() {
  while (next_ && stages_.size() < stages_ahead_) {
    PushBatchRef batch = next_();
    if (batch == nullptr) break;
    start(std::move(batch));
  }
  if (!pushes_) return;
  while (!stages_.empty() && stages_.front()->ready && !stream_->full()) {
    const std::shared_ptr<Stage> stage = stages_.front();
    stages_.pop_front();
    const std::uint64_t sequence = next_sequence_++;
    sent_[sequence] = {stage->begun, stage->batch->keys.size()};
    if (!options_.pulls) sent_[sequence].begun = loop_.now();
    stage->tables[0].gradients.assign(stage->batch->keys.size() * options_.dim, 0.01F);
    stream_->push(sequence, ++step_, std::move(stage->tables), stage->ticket);
  }
}

void BenchPusher::start(PushBatchRef batch) {
  auto stage = std::make_shared<Stage>();
  stage->batch = std::move(batch);
  stage->begun = loop_.now();
  stage->tables.resize(1);
  stage->tables[0].keys = stage->batch->keys;
  stage->ticket.ranges = stage->batch->ranges;
  stage->ticket.term = cursor_.term;
  stage->ticket.pass = cursor_.work.pass;
  stages_.push_back(stage);
  if (options_.pulls) {
    puller_.pull(stage->tables, stage->ticket, [this, stage] {
      stage->ready = true;
      if (!pushes_) on_pulled();
      pump();
    });
  } else {
    stage->ticket.versions.assign(stage->ticket.ranges.size(), 0);
    stage->ready = true;
  }
}

// What is only pulled is done.
void BenchPusher::on_pulled() {
  std::erase_if(stages_, [this](const std::shared_ptr<Stage>& stage) {
    if (stage->ready) acknowledged_.push_back({loop_.now(), stage->begun, stage->batch->keys.size()});
    return stage->ready;
  });
}

void BenchPusher::on_acknowledged(std::uint64_t sequence, std::uint64_t slices) {
  Sent& sent = sent_[sequence];
  sent.slices = slices;
  sent.acknowledged = true;
  acknowledged_.push_back({loop_.now(), sent.begun, sent.rows});
  while (!sent_.empty() && sent_.begin()->second.acknowledged) {
    ++cursor_.watermark;
    cursor_.examples += sent_.begin()->second.rows;
    cursor_.slices += sent_.begin()->second.slices;
    sent_.erase(sent_.begin());
  }
  pump();
}

void BenchPusher::run(Duration duration) {
  Timer end(loop_);
  end.start(duration, [this] { loop_.stop(); });
  loop_.run();
}

void BenchPusher::run_until(const std::function<bool()>& done) {
  Timer look(loop_);
  const std::function<void()> again = [&] {
    if (done()) return loop_.stop();
    look.start(2ms, again);
  };
  again();
  loop_.run();
}

void BenchPusher::fill(std::uint64_t rows, std::size_t batch_keys) {
  std::uint64_t filled = 0;
  feed([this, rows, batch_keys, &filled]() -> PushBatchRef {
    if (filled == rows) return nullptr;
    std::vector<Key> keys(std::min<std::uint64_t>(batch_keys, rows - filled));
    for (Key& key : keys) key = bench_key(filled++);
    return make_batch(std::move(keys), options_.num_shards);
  });
  run_until([&] { return filled == rows; });
  rest();
}

void BenchPusher::repeat(std::vector<PushBatchRef> batches) {
  feed([batches = std::move(batches), at = std::size_t{0}]() mutable {
    return batches[at++ % batches.size()];
  });
}

void BenchPusher::rest() {
  next_ = nullptr;
  run_until([this] { return stages_.empty() && sent_.empty(); });
}

void BenchPusher::only_pull(std::size_t at_a_time) {
  options_.pulls = true;
  pushes_ = false;
  stages_ahead_ = at_a_time;
}

std::vector<double> BenchPusher::times_of_batches(Instant from) const {
  std::vector<double> times;
  for (const Acknowledged& each : acknowledged_) {
    if (each.begun >= from) times.push_back(seconds_of(each.at - each.begun));
  }
  return times;
}

PushRates BenchPusher::rates(Instant from, Instant to) const {
  PushRates rates;
  rates.seconds = seconds_of(to - from);
  Instant last = from;
  for (const Acknowledged& each : acknowledged_) {
    if (each.at < from || each.at >= to) continue;
    ++rates.batches;
    rates.rows += each.rows;
    rates.longest_gap = std::max(rates.longest_gap, seconds_of(each.at - last));
    rates.longest_batch = std::max(rates.longest_batch, seconds_of(each.at - each.begun));
    last = each.at;
  }
  rates.longest_gap = std::max(rates.longest_gap, seconds_of(to - last));
  return rates;
}

}  // namespace capstan
