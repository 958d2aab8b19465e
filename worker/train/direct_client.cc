#include "worker/train/direct_client.h"

#include <algorithm>
#include <boost/json.hpp>
#include <utility>

#include "common/config/load_job.h"
#include "common/direct_stream.h"

namespace capstan {
namespace {

using namespace std::chrono_literals;
constexpr Duration kAskTimeout = 2s;
constexpr Duration kAskPause = 50ms;
constexpr Duration kReportPause = 200ms;
constexpr Duration kReportTimeout = 2s;
constexpr Duration kEndJobPause = 1s;

constexpr const char* kGivenUp =
    "the cluster takes nothing of this client any more: it was silent for longer than "
    "cluster.scheduler_grace, or the job went back to a checkpoint. Pushes that are not acknowledged may "
    "count "
    "or not; connect anew";

}  // namespace

DirectClient::DirectClient(EventLoop& loop, Transport& transport, const Log& log, DirectOptions options,
                           Hooks hooks)
    : loop_(loop),
      log_(log),
      options_(std::move(options)),
      hooks_(std::move(hooks)),
      rpc_(loop, transport),
      link_(loop, transport, rpc_, log, Hello{},
            {.on_welcome =
                 [this](const Welcome& welcome, bool first) {
                   if (first) take_settings(welcome.job_text);
                   if (first) ask_tables();
                 },
             .on_map =
                 [this] {
                   peers_.on_map();
                   begin_if_mapped();
                   if (puller_) puller_->resume();
                   if (pushes_) pushes_->resume();
                 },
             .on_refused = [this](const std::string& why) { end(false, false, why); },
             .fill_heartbeat = [this](Heartbeat& heartbeat) { heartbeat.stats_json = stats_json(); }}),
      peers_(loop, transport, rpc_, log, link_),
      ask_timer_(loop),
      report_timer_(loop),
      hand_in_timer_(loop),
      end_job_timer_(loop) {
  peers_.on_ready([this] {
    if (puller_) puller_->resume();
    if (pushes_) pushes_->resume();
  });
}

DirectClient::~DirectClient() {
  *alive_ = false;
}

Status DirectClient::start() {
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

void DirectClient::take_settings(const std::string& job_text) {
  const auto loaded = load_job_text(job_text, "the scheduler's job");
  if (!loaded.ok()) return;
  options_.frame_bytes_max = std::min(options_.frame_bytes_max, loaded->config.cluster.max_frame_bytes);
  options_.push_window = loaded->config.train.push_window;
}

// None before the job has settled on them.
void DirectClient::ask_tables() {
  waits_for_ = "the job's tables";
  rpc_.call(link_.peer(), TablesRequest{}, kAskTimeout, [this](const Result<Message>& reply) {
    const auto* tables = reply.ok() ? std::get_if<TablesReply>(&*reply) : nullptr;
    if (tables == nullptr || tables->tables.empty()) {
      ask_timer_.start(kAskPause, [this] { ask_tables(); });
      return;
    }
    specs_ = tables->tables;
    puller_ = std::make_unique<Puller>(loop_, rpc_, log_, link_, peers_, specs_, options_.frame_bytes_max);
    ask_stream();
  });
}

void DirectClient::ask_stream() {
  WorkRequest request{link_.node_id(), link_.hello().incarnation, 0, true};
  rpc_.call(link_.peer(), request, kAskTimeout, [this](const Result<Message>& reply) {
    if (!reply.ok() && reply.error().code == ErrorCode::kRefused) {
      return end(false, false, reply.error().message);
    }
    const auto* grant = reply.ok() ? std::get_if<WorkGrant>(&*reply) : nullptr;
    if (grant != nullptr && grant->work.kind == kDirectWork) {
      grant_ = *grant;
      waits_for_ = "the shard map";
      link_.refresh_map();
      return begin_if_mapped();
    }
    if (const auto* none = reply.ok() ? std::get_if<NoWork>(&*reply) : nullptr) waits_for_ = none->state;
    ask_timer_.start(kAskPause, [this] { ask_stream(); });
  });
}

void DirectClient::begin_if_mapped() {
  if (!grant_.has_value() || ready() || link_.map().empty()) return;
  begin(*grant_);
  report();
  hooks_.on_ready();
}

void DirectClient::begin(const WorkGrant& grant) {
  cursor_.work = grant.work;
  cursor_.term = grant.term;
  steps_ = grant.steps;
  versions_.assign(num_shards(), 0);
  PushStream::Id id;
  id.pass = grant.work.pass;
  id.partition = grant.work.partition;
  id.term = grant.term;
  id.num_shards = num_shards();
  id.frame_bytes_max = options_.frame_bytes_max;
  id.window_max = std::max(1U, options_.push_window);
  pushes_ = std::make_unique<PushStream>(
      loop_, rpc_, link_, peers_, specs_, counts_, id,
      PushStream::Hooks{
          .on_acknowledged = [this](std::uint64_t sequence,
                                    std::uint64_t slices) { on_acknowledged(sequence, slices); },
          .on_fenced = [this] { later([this] { end(false, false, kGivenUp); }); }});
}

void DirectClient::report() {
  report_timer_.start(kReportPause, [this] { report(); });
  rpc_.call(link_.peer(), WorkProgress{link_.node_id(), {cursor_}}, kReportTimeout,
            [this](const Result<Message>& reply) {
              const auto* answer = reply.ok() ? std::get_if<WorkProgressReply>(&*reply) : nullptr;
              if (answer == nullptr) return;
              steps_ = std::max(steps_, answer->steps);
              if (!answer->revoked.empty() && !closes_) end(false, false, kGivenUp);
            });
}

std::uint64_t DirectClient::pull(StepTable table,
                                 std::function<void(const ShardRange&, const float*)> take_rows, Done done) {
  const std::uint64_t id = ++last_pull_;
  Pull& pull = pulls_.emplace_back();
  pull.tables.push_back(std::move(table));
  pull.ticket.pass = cursor_.work.pass;
  pull.ticket.term = cursor_.term;
  pull.ticket.ranges = shard_ranges(pull.tables, num_shards());
  pull.ticket.take_rows = std::move(take_rows);
  pull.done = std::move(done);
  pull.id = id;
  if (ended_) {
    later([this] { end(false, false, end_text_); });
  } else {
    puller_->pull(pull.tables, pull.ticket, [this, id] { finish_pull(id); });
  }
  return id;
}

void DirectClient::finish_pull(std::uint64_t id) {
  const auto found = std::find_if(pulls_.begin(), pulls_.end(), [id](const Pull& p) { return p.id == id; });
  if (found == pulls_.end()) return;
  const PullTicket& ticket = found->ticket;
  for (std::size_t i = 0; i < ticket.ranges.size(); ++i) {
    std::uint64_t& version = versions_[ticket.ranges[i].shard];
    version = std::max(version, ticket.versions[i]);
  }
  const Done done = std::move(found->done);
  pulls_.erase(found);
  done(ok_status());
}

void DirectClient::cancel(std::uint64_t pull) {
  const auto found =
      std::find_if(pulls_.begin(), pulls_.end(), [pull](const Pull& p) { return p.id == pull; });
  if (found == pulls_.end()) return;
  puller_->cancel(found->ticket);
  pulls_.erase(found);
}

void DirectClient::push(std::vector<StepTable> tables, Done taken) {
  Waiting push{std::move(tables), {}, std::move(taken)};
  push.ticket.ranges = shard_ranges(push.tables, num_shards());
  for (const ShardRange& range : push.ticket.ranges) push.ticket.versions.push_back(versions_[range.shard]);
  if (const std::string why = pushes_->too_large(push.tables, push.ticket); !why.empty()) {
    later([taken = std::move(push.taken), why] { taken(make_error(ErrorCode::kInvalid, why)); });
    return;
  }
  ++requested_;
  waiting_.push_back(std::move(push));
  later([this] { ended_ ? end(false, false, end_text_) : number_waiting(); });
}

void DirectClient::number_waiting() {
  while (!ended_ && !waiting_.empty() && !pushes_->full()) {
    Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    pushes_->push(++numbered_, ++steps_, std::move(next.tables), next.ticket);
    next.taken(ok_status());
  }
}

void DirectClient::on_acknowledged(std::uint64_t sequence, std::uint64_t slices) {
  acknowledged_[sequence] = slices;
  for (auto next = acknowledged_.begin(); next != acknowledged_.end() && next->first == cursor_.watermark + 1;
       next = acknowledged_.erase(next)) {
    ++cursor_.watermark;
    cursor_.slices += next->second;
  }
  later([this] {
    number_waiting();
    while (!flushes_.empty() && flushes_.front().pushes <= cursor_.watermark) {
      const Done done = std::move(flushes_.front().done);
      flushes_.pop_front();
      done(ok_status());
    }
  });
}

void DirectClient::flush(Done done) {
  flushes_.push_back({requested_, std::move(done)});
  later([this] {
    if (ended_) return end(false, false, end_text_);
    if (flushes_.empty() || flushes_.front().pushes > cursor_.watermark) return;
    const Done first = std::move(flushes_.front().done);
    flushes_.pop_front();
    first(ok_status());
  });
}

void DirectClient::close(Done done) {
  flush([this, done = std::move(done)](const Status& flushed) {
    if (!flushed.ok()) return done(flushed);
    closes_ = true;
    report_timer_.stop();
    hand_in(done);
  });
}

void DirectClient::hand_in(const Done& done) {
  rpc_.call(link_.peer(), WorkDone{link_.node_id(), cursor_, "", {}}, kAskTimeout,
            [this, done](const Result<Message>& reply) {
              const bool heard = reply.ok() && std::holds_alternative<WorkDoneReply>(*reply);
              if (heard || ended_) return done(ok_status());
              hand_in_timer_.start(kAskPause, [this, done] { hand_in(done); });
            });
}

void DirectClient::end_job(const std::string& reason) {
  if (ended_) return;
  report();  // first, so that what is acknowledged counts as that
  rpc_.notify(link_.peer(), StopJob{reason, true});
  end_job_timer_.start(kEndJobPause, [this, reason] { end_job(reason); });
}

void DirectClient::status(std::function<void(Result<std::string> json)> done) {
  rpc_.call(link_.peer(), StatusRequest{}, kAskTimeout,
            [done = std::move(done)](const Result<Message>& reply) {
              if (!reply.ok()) return done(reply.error());
              const auto* status = std::get_if<StatusReply>(&*reply);
              done(status == nullptr ? std::string() : status->json);
            });
}

// Whoever waits is told; later calls are told at once.
void DirectClient::end(bool job_ended, bool ok, const std::string& text) {
  const bool first = !std::exchange(ended_, true);
  if (first) {
    end_text_ = job_ended ? "the job has ended: " + text : text;
    ask_timer_.stop();
    report_timer_.stop();
    hand_in_timer_.stop();
    end_job_timer_.stop();
  }
  for (Pull& pull : pulls_) puller_->cancel(pull.ticket);
  for (Pull& pull : std::exchange(pulls_, {})) pull.done(ended_error());
  for (Waiting& push : std::exchange(waiting_, {})) push.taken(ended_error());
  for (Flush& flush : std::exchange(flushes_, {})) flush.done(ended_error());
  if (first) hooks_.on_end(job_ended, ok, text);
}

void DirectClient::later(std::function<void()> what) {
  loop_.post([alive = alive_, what = std::move(what)] {
    if (*alive) what();
  });
}

std::string DirectClient::stats_json() const {
  return boost::json::serialize(boost::json::object{{"pushes_sent", counts_.sealed},
                                                    {"pushes_abandoned", counts_.abandoned},
                                                    {"bytes_pushed", counts_.bytes},
                                                    {"bytes_pulled", puller_ ? puller_->bytes() : 0}});
}

void DirectClient::on_request(PeerId from, std::uint64_t id, const Message& message) {
  if (from != link_.peer() || link_.on_notification(message)) return;
  if (const auto* ended = std::get_if<JobEnded>(&message)) {
    end(true, ended->ok, ended->text);
  } else if (std::holds_alternative<StatusRequest>(message)) {
    rpc_.reply(from, id, StatusReply{stats_json()});
  } else {
    rpc_.count_refused("unexpected " + std::string(message_name(message)));
  }
}

}  // namespace capstan
