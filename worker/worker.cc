#include "worker/worker.h"

#include <utility>

namespace capstan {
namespace {

using namespace std::chrono_literals;
constexpr Duration kAnnounceAgain = 1s;

}  // namespace

Worker::Worker(EventLoop& loop, Transport& transport, TaskPool& tasks, const Log& log, WorkerOptions options,
               JobLoader loader, EndHandler on_end)
    : loop_(loop),
      tasks_(tasks),
      log_(log),
      options_(std::move(options)),
      loader_(std::move(loader)),
      on_end_(std::move(on_end)),
      rpc_(loop, transport),
      link_(loop, transport, rpc_, log, Hello{},
            {.on_welcome = [this](const Welcome& welcome, bool first) { on_welcome(welcome, first); },
             .on_map =
                 [this] {
                   peers_.on_map();
                   if (trainer_) trainer_->resume();
                 },
             .on_refused =
                 [this](const std::string& why) { on_end_(false, "the scheduler refused us: " + why); },
             .fill_heartbeat = [this](Heartbeat& heartbeat) { heartbeat.stats_json = stats_json(); }}),
      peers_(loop, transport, rpc_, log, link_),
      announce_timer_(loop) {
  peers_.on_ready([this] {
    if (trainer_) trainer_->resume();
  });
}

Status Worker::start() {
  rpc_.on_request(
      [this](PeerId from, std::uint64_t id, const Message& message) { on_request(from, id, message); });
  Hello hello;
  hello.job_id = options_.job_id;
  hello.role = Role::kWorker;
  hello.name = options_.name;
  hello.incarnation = options_.incarnation;
  hello.host = options_.host;
  link_.set_hello(hello);
  return link_.start(options_.scheduler, options_.startup_timeout);
}

void Worker::on_welcome(const Welcome& welcome, bool first) {
  if (!first) {
    if (trainer_ || job_) announce();
    return;
  }
  auto loaded = std::make_shared<Result<WorkerJob>>(make_error(ErrorCode::kCancelled, "not loaded"));
  tasks_.run(
      0, [loaded, loader = loader_, text = welcome.job_text] { *loaded = loader(text); },
      [this, loaded] {
        job_ = loaded;
        on_loaded();
      });
}

void Worker::on_loaded() {
  if (job_->ok()) {
    trainer_ = std::make_unique<Trainer>(loop_, rpc_, log_, link_, peers_, tasks_, (*job_)->program,
                                         (*job_)->options);
  }
  announce();
}

// Told again and again while there is nothing to do: the first may be lost, the scheduler may have restarted.
void Worker::announce() {
  WorkerReady ready;
  ready.node_id = link_.node_id();
  if (job_->ok()) {
    const StepProgram& program = *(*job_)->program;
    ready.data_fingerprint = program.info().data_fingerprint;
    ready.tables = program.tables();
    ready.train_examples = program.info().train_examples;
    ready.summary = program.info().summary;
    ready.counts = program.info().counts;
    for (const auto& part : program.info().evaluate_parts) {
      ready.evaluate_parts.push_back({part.name, part.partitions});
    }
  } else {
    ready.error = job_->error().message;
  }
  rpc_.notify(link_.peer(), ready);
  announce_again();
  if (trainer_ && !started_) {
    started_ = true;
    trainer_->start();
  }
}

// A worker that still has work of a former scheduler becomes idle when the new one has revoked it.
void Worker::announce_again() {
  announce_timer_.start(kAnnounceAgain, [this] {
    const bool idle = trainer_ == nullptr || trainer_->idle();
    idle ? announce() : announce_again();
  });
}

bool Worker::ready() const {
  return trainer_ != nullptr && loop_.now() < link_.lease_until();
}

void Worker::add_metrics(Metrics& out) const {
  if (trainer_) trainer_->add_metrics(out);
  out.refusals(rpc_.refused());
}

std::string Worker::stats_json() const {
  return trainer_ == nullptr ? "" : trainer_->stats_json();
}

void Worker::on_request(PeerId from, std::uint64_t id, const Message& message) {
  if (from != link_.peer() || link_.on_notification(message)) return;
  if (const auto* ended = std::get_if<JobEnded>(&message)) {
    on_end_(ended->ok, ended->text);
    return;
  }
  if (std::holds_alternative<StatusRequest>(message)) {
    rpc_.reply(from, id, StatusReply{stats_json()});
    return;
  }
  if (const auto* trace = std::get_if<TraceRequest>(&message)) return rpc_.trace(from, id, *trace);
  rpc_.count_refused("unexpected " + std::string(message_name(message)));
}

}  // namespace capstan
