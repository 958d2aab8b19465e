#include "cli/live_rows.h"

#include <spdlog/fmt/fmt.h>

#include <boost/json.hpp>
#include <functional>
#include <optional>
#include <random>

#include "cli/tool_link.h"
#include "common/adapters/asio_loop.h"
#include "common/adapters/zmq_transport.h"
#include "common/shard_map.h"

namespace capstan {
namespace {

using namespace std::chrono_literals;
constexpr Duration kPatience = 5s;
constexpr Duration kCallTimeout = 2s;

// One conversation with a running cluster; run() ends when finish() was called or patience is over.
class Session {
 public:
  // `longer`: than usual an answer may take, once the scheduler has greeted.
  Session(const LiveTarget& target, SecurityOptions security, Duration longer = Duration(0))
      : target_(target),
        longer_(longer),
        transport_(loop_, ZmqOptions{.node = "tool",
                                     .max_frames = 4096,
                                     .security = told_of_refusals(std::move(security))}),
        link_(loop_, transport_, target.job_id, std::random_device{}() + 1ULL,
              {.on_greeted =
                   [this] {
                     be_patient(kPatience + longer_);
                     greeted_();
                   },
               .on_refused = [this](const std::string& why) { finish(make_error(ErrorCode::kRefused, why)); },
               .on_job_ended =
                   [this](bool, const std::string&) {
                     finish(make_error(ErrorCode::kUnavailable, "the job has just ended"));
                   }}),
        timer_(loop_) {}

  Status run(std::function<void()> greeted) {
    greeted_ = std::move(greeted);
    CAPSTAN_TRY(link_.start(target_.scheduler));
    be_patient(kPatience);
    loop_.run();
    return outcome_;
  }
  void finish(Status outcome) {
    outcome_ = std::move(outcome);
    loop_.stop();
  }
  void call(PeerId peer, const Message& request, std::function<void(const Message&)> done) {
    link_.rpc().call(peer, request, kCallTimeout + longer_,
                     [this, done = std::move(done)](const Result<Message>& reply) {
                       if (reply.ok()) {
                         done(*reply);
                       } else {
                         finish(reply.error());
                       }
                     });
  }
  PeerId scheduler() const { return link_.peer(); }
  Result<PeerId> connect(const std::string& endpoint) { return transport_.connect(endpoint); }
  const Hello& hello() const { return link_.hello(); }

 private:
  SecurityOptions told_of_refusals(SecurityOptions security) {
    security.refused = [this](const std::string& why) { refusal_ = why; };
    return security;
  }
  void be_patient(Duration patience) {
    timer_.start(patience, [this, patience] {
      const std::string text =
          fmt::format("no answer from the cluster at {} within {} s: is it running, and is that its address?",
                      target_.scheduler, patience / 1s);
      finish(make_error(ErrorCode::kTimeout, with_refusal(text, refusal_)));
    });
  }

  LiveTarget target_;
  Duration longer_;
  std::string refusal_;
  AsioLoop loop_;
  ZmqTransport transport_;
  ToolLink link_;
  Timer timer_;
  std::function<void()> greeted_;
  Status outcome_ = make_error(ErrorCode::kTimeout, "no answer");
};

// The steps of fetch_rows(), one callback a step.
class RowFetch {
 public:
  RowFetch(Session& session, std::string table, std::vector<Key> keys)
      : session_(session), table_(std::move(table)), keys_(std::move(keys)) {}

  void start() {
    session_.call(session_.scheduler(), TablesRequest{}, [this](const Message& reply) {
      if (const auto* tables = std::get_if<TablesReply>(&reply)) on_tables(*tables);
    });
  }
  std::vector<LiveRow> rows;

 private:
  void on_tables(const TablesReply& tables) {
    std::string known;
    for (const auto& spec : tables.tables) {
      if (spec.name == table_) spec_ = spec;
      known += (known.empty() ? "" : ", ") + spec.name;
    }
    if (!spec_) {
      session_.finish(
          make_error(ErrorCode::kNotFound, fmt::format("no table {}; there are {}", table_, known)));
      return;
    }
    session_.call(session_.scheduler(), MapRequest{0}, [this](const Message& reply) {
      const auto* update = std::get_if<MapUpdate>(&reply);
      if (update != nullptr && map_.apply(*update).ok()) next();
    });
  }

  void next() {
    if (rows.size() == keys_.size()) {
      session_.finish(ok_status());
      return;
    }
    const Key key = keys_[rows.size()];
    const NodeAddress* owner =
        map_.empty() ? nullptr : map_.node(map_.primary(shard_of(key, map_.num_shards())));
    if (owner == nullptr) {
      session_.finish(make_error(ErrorCode::kUnavailable, "the shards have no owners yet"));
      return;
    }
    const auto known = peers_.find(owner->endpoint);
    if (known != peers_.end()) {
      ask(known->second, key);
      return;
    }
    const auto peer = session_.connect(owner->endpoint);
    if (!peer.ok()) {
      session_.finish(peer.error());
      return;
    }
    session_.call(*peer, session_.hello(),
                  [this, peer = *peer, key, endpoint = owner->endpoint](const Message&) {
                    peers_[endpoint] = peer;
                    ask(peer, key);
                  });
  }

  void ask(PeerId peer, Key key) {
    session_.call(
        peer, GetRows{table_, Buffer::adopt(std::vector<Key>{key})}, [this, key](const Message& reply) {
          const auto* got = std::get_if<GetRowsReply>(&reply);
          if (got == nullptr || !got->error.empty()) {
            session_.finish(
                make_error(ErrorCode::kUnavailable, got == nullptr ? "a strange answer" : got->error));
            return;
          }
          const auto bytes = got->rows.bytes();
          rows.push_back({key, *spec_, got->owner, {bytes.begin(), bytes.end()}});
          next();
        });
  }

  Session& session_;
  std::string table_;
  std::vector<Key> keys_;
  std::optional<TableSpec> spec_;
  ShardMap map_;
  std::map<std::string, PeerId> peers_;
};

Result<Message> ask_scheduler(const LiveTarget& target, const Message& question,
                              Duration longer = Duration(0)) {
  CAPSTAN_ASSIGN(SecurityOptions security, tool_security(target.keys));
  Session session(target, std::move(security), longer);
  Message answer;
  CAPSTAN_TRY(session.run([&] {
    session.call(session.scheduler(), question, [&](const Message& reply) {
      answer = reply;
      session.finish(ok_status());
    });
  }));
  return answer;
}

}  // namespace

void add_live_target(CLI::App& command, LiveTarget& target) {
  command.add_option("--scheduler", target.scheduler,
                     "Where the job's scheduler listens: tcp://host:port; several with commas");
  command.add_option("--job", target.job_id, "The job's name");
  add_keys_option(command, target.keys);
}

Result<std::vector<LiveRow>> fetch_rows(const LiveTarget& target, const std::string& table,
                                        const std::vector<Key>& keys) {
  CAPSTAN_ASSIGN(SecurityOptions security, tool_security(target.keys));
  Session session(target, std::move(security));
  RowFetch fetch(session, table, keys);
  CAPSTAN_TRY(session.run([&fetch] { fetch.start(); }));
  return fetch.rows;
}

Result<std::string> fetch_status(const LiveTarget& target) {
  CAPSTAN_ASSIGN(const Message reply, ask_scheduler(target, StatusRequest{}));
  const auto* status = std::get_if<StatusReply>(&reply);
  return status == nullptr ? std::string() : status->json;
}

Result<TraceReply> fetch_trace(const LiveTarget& target, std::chrono::milliseconds time) {
  constexpr std::chrono::seconds kForNodes{5};  // the scheduler waits for them
  const TraceRequest request{static_cast<std::uint32_t>(time.count()), 0};
  CAPSTAN_ASSIGN(const Message reply, ask_scheduler(target, request, time + kForNodes));
  const auto* trace = std::get_if<TraceReply>(&reply);
  if (trace == nullptr) return make_error(ErrorCode::kUnavailable, "a strange answer");
  if (trace->nodes.empty()) {
    const std::string why = trace->error.empty() ? "no server and no worker is there yet" : trace->error;
    return make_error(ErrorCode::kUnavailable, why);
  }
  return *trace;
}

Result<std::string> change_servers(const LiveTarget& target, const ChangeServers& wish) {
  CAPSTAN_ASSIGN(const Message reply, ask_scheduler(target, wish));
  const auto* changed = std::get_if<ChangeServersReply>(&reply);
  if (changed == nullptr) return make_error(ErrorCode::kUnavailable, "a strange answer");
  if (!changed->error.empty()) return make_error(ErrorCode::kInvalid, changed->error);
  return changed->json;
}

}  // namespace capstan
