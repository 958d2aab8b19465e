#include "python/session.h"

#include <spdlog/fmt/fmt.h>
#include <unistd.h>

#include <cstdio>
#include <utility>

#include "common/adapters/key_ring.h"
#include "common/adapters/this_process.h"
#include "python/wire_order.h"

namespace capstan {
namespace {

using namespace std::chrono_literals;
constexpr Duration kLookForInterrupt = 100ms;

// It acts as a worker, whose part it takes.
Result<SecurityOptions> security_of(const std::string& folder) {
  SecurityOptions security;
  security.tell = [](const std::string& text) { std::fprintf(stderr, "%s\n", text.c_str()); };
  if (folder.empty()) return security;
  CAPSTAN_ASSIGN(KeyRing ring, KeyRing::open(folder, Role::kWorker, std::string(to_string(Role::kWorker))));
  security.keys = std::make_shared<KeyRing>(std::move(ring));
  return security;
}

DirectOptions client_options(const SessionOptions& options, std::uint64_t incarnation) {
  DirectOptions direct;
  direct.host = host_name();
  direct.name = fmt::format("python-{}-{:x}", getpid(), incarnation & 0xffffffff);
  direct.job_id = options.job;
  direct.scheduler = options.scheduler;
  direct.incarnation = incarnation;
  direct.startup_timeout = options.patience;
  return direct;
}

}  // namespace

ClientSession::ClientSession(const SessionOptions& options, SecurityOptions security)
    : transport_(
          loop_,
          ZmqOptions{
              .node = "python", .max_frames = 4096, .linger = 500ms, .security = std::move(security)}) {
  const std::uint64_t incarnation = fresh_incarnation();
  const DirectOptions direct = client_options(options, incarnation);
  client_ = std::make_unique<DirectClient>(
      loop_, transport_, Log::to_stderr(direct.name, LogLevel::kWarn), direct,
      DirectClient::Hooks{.on_ready =
                              [this] {
                                if (on_ready_) std::exchange(on_ready_, nullptr)(ok_status());
                              },
                          .on_end = [this](bool job_ended, bool ok,
                                           const std::string& text) { on_end(job_ended, ok, text); }});
}

Result<std::unique_ptr<ClientSession>> ClientSession::connect(const SessionOptions& options,
                                                              const Interrupted& interrupted) {
  CAPSTAN_ASSIGN(SecurityOptions security, security_of(options.keys));
  std::unique_ptr<ClientSession> session(new ClientSession(options, std::move(security)));
  ClientSession* self = session.get();
  Timer patience(self->loop_);
  patience.start(options.patience, [self, options] {
    if (!self->on_ready_) return;
    const std::string text = fmt::format(
        "not connected to {} within {:.1f} s, waiting for {}: is the job {} running there, and is that its "
        "address? timeout=SECONDS waits longer",
        options.scheduler, std::chrono::duration<double>(options.patience).count(),
        self->client_->waits_for(), options.job);
    std::exchange(self->on_ready_, nullptr)(make_error(ErrorCode::kTimeout, text));
  });
  self->thread_ = std::thread([self] { self->loop_.run(); });
  const Status connected = self->run(
      [self](DirectClient::Done done) {
        self->on_ready_ = std::move(done);
        const Status started = self->client_->start();
        if (!started.ok()) std::exchange(self->on_ready_, nullptr)(started);
      },
      [self] { self->on_ready_ = nullptr; }, interrupted);
  self->run_on_loop([&] {
    patience.stop();
    if (!self->client_->ready()) return;
    self->tables_ = self->client_->tables();
    self->num_shards_ = self->client_->num_shards();
  });
  if (!connected.ok()) return connected.error();
  return session;
}

ClientSession::~ClientSession() {
  loop_.stop();
  if (thread_.joinable()) thread_.join();
}

void ClientSession::give(const AnswerRef& answer, const Status& status) {
  const std::lock_guard lock(answer->mutex);
  answer->status = status;
  answer->come.notify_all();
}

bool ClientSession::wait(const AnswerRef& answer, Duration most) {
  std::unique_lock lock(answer->mutex);
  return answer->come.wait_for(lock, most, [&] { return answer->status.has_value(); });
}

// `give_up` runs before an interrupted call returns: then nobody uses its arrays any more.
Status ClientSession::run(const Ask& ask, const std::function<void()>& give_up,
                          const Interrupted& interrupted) {
  const auto answer = std::make_shared<Answer>();
  loop_.post([ask, answer] { ask([answer](const Status& status) { give(answer, status); }); });
  while (!wait(answer, kLookForInterrupt)) {
    if (!interrupted()) continue;
    if (give_up) run_on_loop(give_up);
    return make_error(ErrorCode::kCancelled, "interrupted");
  }
  return *answer->status;
}

void ClientSession::run_on_loop(std::function<void()> what) {
  const auto answer = std::make_shared<Answer>();
  loop_.post([what = std::move(what), answer] {
    what();
    give(answer, ok_status());
  });
  while (!wait(answer, kLookForInterrupt)) continue;
}

void ClientSession::on_end(bool job_ended, bool ok, const std::string& text) {
  if (job_ended) {
    end_ = JobEnd{ok, text};
  } else {
    lost_ = text;
  }
  const Status error = make_error(ErrorCode::kUnavailable, text);
  if (on_ready_) std::exchange(on_ready_, nullptr)(error);
  if (on_job_end_) std::exchange(on_job_end_, nullptr)(job_ended ? ok_status() : error);
}

Status ClientSession::pull(std::uint32_t table, std::span<const Key> keys, float* rows, bool after_pushes,
                           const Interrupted& interrupted) {
  const auto order = std::make_shared<WireOrder>(wire_order(keys, num_shards_));
  const std::uint32_t dim = tables_[table].dim;
  const auto take = [order, dim, rows](const ShardRange& range, const float* from) {
    for (std::uint32_t i = 0; i < range.count; ++i) {
      scatter_row(*order, range.begin + i, from + std::size_t{i} * dim, dim, rows);
    }
  };
  struct State {
    bool given_up = false;
    std::uint64_t pull = 0;
  };
  const auto state = std::make_shared<State>();
  const auto ask = [this, table, order, take, state](DirectClient::Done done) {
    if (!state->given_up) state->pull = client_->pull({table, order->keys, {}, {}}, take, std::move(done));
  };
  const auto ask_after = [this, ask](DirectClient::Done done) {
    client_->flush(
        [ask, done = std::move(done)](const Status& flushed) { flushed.ok() ? ask(done) : done(flushed); });
  };
  const auto give_up = [this, state] {
    state->given_up = true;
    client_->cancel(state->pull);
  };
  return after_pushes ? run(ask_after, give_up, interrupted) : run(ask, give_up, interrupted);
}

Status ClientSession::push(std::uint32_t table, std::span<const Key> keys, const float* gradients,
                           const Interrupted& interrupted) {
  const WireOrder order = wire_order(keys, num_shards_);
  Key bad_key = 0;
  std::vector<float> sums = combined(order, gradients, tables_[table].dim, bad_key);
  if (sums.empty() && !order.keys.empty()) {
    return make_error(ErrorCode::kInvalid,
                      fmt::format("the gradient of key {} of table {} is not finite: nothing was pushed",
                                  bad_key, tables_[table].name));
  }
  const auto batch = std::make_shared<std::vector<StepTable>>();
  batch->push_back({table, order.keys, {}, std::move(sums)});
  return run([this, batch](DirectClient::Done done) { client_->push(std::move(*batch), std::move(done)); },
             {}, interrupted);
}

Status ClientSession::flush(const Interrupted& interrupted) {
  return run([this](DirectClient::Done done) { client_->flush(std::move(done)); }, {}, interrupted);
}

Status ClientSession::close(const Interrupted& interrupted) {
  return run([this](DirectClient::Done done) { client_->close(std::move(done)); }, {}, interrupted);
}

Result<JobEnd> ClientSession::end_job(const std::string& reason, const Interrupted& interrupted) {
  const Status ended = run(
      [this, reason](DirectClient::Done done) {
        if (end_.has_value()) return done(ok_status());
        if (lost_.has_value()) return done(make_error(ErrorCode::kUnavailable, *lost_));
        on_job_end_ = std::move(done);
        client_->end_job(reason);
      },
      [this] { on_job_end_ = nullptr; }, interrupted);
  if (!ended.ok()) return ended.error();
  JobEnd end;
  run_on_loop([&] { end = *end_; });
  return end;
}

Result<std::string> ClientSession::status(const Interrupted& interrupted) {
  const auto json = std::make_shared<std::string>();
  CAPSTAN_TRY(run(
      [this, json](const DirectClient::Done& done) {
        client_->status([json, done](const Result<std::string>& status) {
          if (status.ok()) *json = *status;
          done(status.ok() ? ok_status() : Status(status.error()));
        });
      },
      {}, interrupted));
  return *json;
}

}  // namespace capstan
