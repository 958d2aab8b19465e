// A real Server alone in a simulated world, with a scheduler and clients that the test plays by hand.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "common/rpc.h"
#include "common/wire/codec.h"
#include "ps/server.h"
#include "sim/world.h"

namespace capstan {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint32_t kLoneShards = 4;
constexpr NodeId kLoneServer = 7, kOtherServer = 8;
constexpr std::uint64_t kMapVersion = (1ULL << 32) + 1;

inline SimOptions lone_options() {
  SimOptions options;
  options.tasks.lanes = kLoneShards;
  return options;
}

class LoneServer : public ::testing::Test {
 protected:
  explicit LoneServer(std::uint64_t memory_limit = 0, const Log& log = Log::silent()) {
    world.start(scheduler, [](SimNode&) { return nullptr; });
    EXPECT_TRUE(scheduler.transport().bind("sim://scheduler:1").ok());
    scheduler.transport().on_message([this](PeerId from, const Frames& frames) {
      const auto decoded = decode(frames);
      on_server(from, decoded->request_id, decoded->message);
    });
    ServerOptions options;
    options.name = "ps-0";
    options.job_id = "job";
    options.scheduler = "sim://scheduler:1";
    options.bind = "sim://ps-0:1";
    options.incarnation = 1;
    options.requests.requests = 2;
    options.memory_limit = memory_limit;
    world.start(node, [options, log](SimNode& self) {
      auto process = std::make_shared<Server>(self.loop(), self.transport(), self.tasks(), self.tasks(),
                                              self.storage(), log, options, [](bool, const std::string&) {});
      EXPECT_TRUE(process->start().ok());
      return process;
    });
    client_rpc = std::make_unique<Rpc>(client.loop(), client.transport());
    peer = client.transport().connect("sim://ps-0:1").value();
    world.run_for(milliseconds(500));
  }

  // Plays the scheduler: a welcome, and leases while `renews`.
  void on_server(PeerId from, std::uint64_t id, const Message& message) {
    server_peer = from;
    if (const auto* beat = std::get_if<Heartbeat>(&message)) last_heartbeat = *beat;
    if (std::holds_alternative<Hello>(message) && welcomes) {
      tell(Welcome{1, kLoneServer, 1000, 5000, ""}, id);
    } else if (const auto* beat = std::get_if<Heartbeat>(&message);
               beat != nullptr && (renews || stops_at_heartbeat)) {
      if (stops_at_heartbeat) world.pause(node, seconds(20));
      stops_at_heartbeat = false;
      tell(HeartbeatReply{beat->sent_at, 1000, map.version}, id);
    } else if (std::holds_alternative<MapRequest>(message)) {
      tell(map, id);
    } else if (std::holds_alternative<SnapshotReply>(message) ||
               std::holds_alternative<RestoreReply>(message)) {
      errand_answers.push_back(message);
    }
  }
  // Shards 0 to 2 are the server's, shard 3 is another's.
  void give_map() {
    map.version = kMapVersion;
    map.num_shards = kLoneShards;
    map.nodes = {{kLoneServer, "ps-0", "sim://ps-0:1"}};
    for (std::uint32_t shard = 0; shard < kLoneShards; ++shard) {
      map.shards.push_back({shard, kMapVersion, {shard == 3 ? kOtherServer : kLoneServer}});
    }
    tell(map, 0);
    world.run_for(milliseconds(100));
  }
  void declare(std::uint32_t slots, bool combine) {
    TableSpec table;
    table.name = "sums";
    table.dim = 2;
    table.init.kind = InitKind::kZero;
    table.optimizer = {.kind = OptimizerKind::kSgd, .learning_rate = 1.0F, .schedule = {}};
    to_server(DeclareTables{{table}, slots, combine, fence}, 1);
  }
  void tell(const Message& message, std::uint64_t id) {
    EXPECT_TRUE(scheduler.transport().send(server_peer, encode(message, id)).ok());
  }
  void to_server(const Message& message, std::uint64_t id) {
    tell(message, id);
    world.run_for(milliseconds(100));
  }
  // Serving, with a greeted client.
  void begin(std::uint32_t slots = 0, bool combine = false) {
    give_map();
    declare(slots, combine);
    EXPECT_TRUE(ask(hello()).ok());
  }

  Hello hello() const {
    Hello hello;
    hello.job_id = "job";
    hello.role = Role::kWorker;
    hello.name = "worker-0";
    return hello;
  }
  Result<Message> ask(const Message& message) {
    Result<Message> answer = make_error(ErrorCode::kCancelled, "no answer yet");
    bool done = false;
    client_rpc->call(peer, message, seconds(2), [&](Result<Message> reply) {
      answer = std::move(reply);
      done = true;
    });
    EXPECT_TRUE(world.run_until([&] { return done; }, seconds(3)));
    return answer;
  }
  static Key key_of(std::uint32_t shard) {
    for (Key key = 0;; ++key) {
      if (shard_of(key, kLoneShards) == shard) return key;
    }
  }
  static Push push_of(std::uint32_t shard, std::uint64_t sequence, std::vector<float> gradient,
                      std::uint32_t partition = 0) {
    const Key key = key_of(shard);
    Push push;
    push.map_version = kMapVersion;
    push.partition = partition;
    push.term = 1;
    push.sequence = sequence;
    push.slices = {{shard, sequence - 1, 0, {{0, 1}}}};
    push.keys = Buffer::copy_of(std::span<const Key>(&key, 1));
    push.gradients = Buffer::copy_of(std::span<const float>(gradient));
    return push;
  }
  static Pull pull_of(std::uint32_t shard, std::uint64_t needs_clock = 0) {
    const Key key = key_of(shard);
    Pull pull;
    pull.map_version = kMapVersion;
    pull.needs_clock = needs_clock;
    pull.slices = {{shard, {{0, 1}}}};
    pull.keys = Buffer::copy_of(std::span<const Key>(&key, 1));
    return pull;
  }
  SliceStatus status_of(const Message& request) {
    const auto answer = ask(request);
    if (!answer.ok()) return SliceStatus::kFenced;
    if (const auto* pushed = std::get_if<PushReply>(&*answer)) return pushed->slices.at(0).status;
    return std::get<PullReply>(*answer).slices.at(0).status;
  }
  // The sum of what was pushed.
  float value_of(std::uint32_t shard) {
    Pull pull = pull_of(shard);
    pull.pass = 99;
    const auto answer = ask(pull);
    const auto rows = std::get<PullReply>(*answer).rows.as<float>();
    return rows.empty() ? -1.0F : -rows[0];
  }

  SimWorld world{1, lone_options()};
  SimNode& scheduler = world.add_node("scheduler", "store");
  SimNode& node = world.add_node("ps-0", "store");
  SimNode& client = world.add_node("client");
  std::unique_ptr<Rpc> client_rpc;
  PeerId peer = 0, server_peer = 0;
  MapUpdate map;
  bool renews = true, welcomes = true;
  std::uint64_t fence = 0;          // of declare()
  bool stops_at_heartbeat = false;  // the process is stopped for 20 s once it has sent its next one
  std::vector<Message> errand_answers;
  Heartbeat last_heartbeat;
};

}  // namespace capstan
