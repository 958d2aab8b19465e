// A worker's parts in a simulated world whose scheduler and servers the test plays by hand.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/rpc.h"
#include "common/scheduler_link.h"
#include "common/server_peers.h"
#include "common/wire/codec.h"
#include "sim/world.h"
#include "worker/train/push_stream.h"

namespace capstan {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint32_t kPlayedShards = 4;
constexpr NodeId kFirstServer = 7, kSecondServer = 8;

class PlayedCluster : public ::testing::Test {
 protected:
  // Gives the answer, or nothing: the request is lost.
  using Answer = std::function<std::optional<Message>(const Message&)>;

  PlayedCluster() {
    TableSpec table;
    table.name = "t";
    table.dim = 2;
    specs = {table};
    play(scheduler, "sim://scheduler:1", [this](const Message& message) { return scheduler_says(message); });
    play(first, "sim://first:1",
         [this](const Message& message) { return server_says(kFirstServer, message); });
    play(second, "sim://second:1",
         [this](const Message& message) { return server_says(kSecondServer, message); });
    world.start(node, [](SimNode&) { return nullptr; });
    give_shards_to(kFirstServer);
    rpc = std::make_unique<Rpc>(node.loop(), node.transport());
    Hello hello;
    hello.job_id = "job";
    hello.role = Role::kWorker;
    hello.name = "worker-0";
    hello.incarnation = 1;
    link = std::make_unique<SchedulerLink>(node.loop(), node.transport(), *rpc, Log::silent(), hello,
                                           SchedulerLink::Hooks{.on_welcome = [](const Welcome&, bool) {},
                                                                .on_map =
                                                                    [this] {
                                                                      peers->on_map();
                                                                      if (on_change) on_change();
                                                                    },
                                                                .on_refused = [](const std::string&) {},
                                                                .fill_heartbeat = [](Heartbeat&) {}});
    peers = std::make_unique<ServerPeers>(node.loop(), node.transport(), *rpc, Log::silent(), *link);
    peers->on_ready([this] {
      if (on_change) on_change();
    });
    EXPECT_TRUE(link->start("sim://scheduler:1").ok());
    EXPECT_TRUE(world.run_until([&] { return peers->find(kFirstServer).has_value(); }, seconds(5)));
  }

  void play(SimNode& who, const std::string& endpoint, Answer answer) {
    world.start(who, [](SimNode&) { return nullptr; });
    EXPECT_TRUE(who.transport().bind(endpoint).ok());
    who.transport().on_message([&who, answer](PeerId from, const Frames& frames) {
      const auto decoded = decode(frames);
      ASSERT_TRUE(decoded.ok());
      if (const auto reply = answer(decoded->message); reply.has_value()) {
        EXPECT_TRUE(who.transport().send(from, encode(*reply, decoded->request_id)).ok());
      }
    });
  }
  std::optional<Message> scheduler_says(const Message& message) {
    if (std::holds_alternative<Hello>(message)) return Welcome{1, 5, 1000, 5000, ""};
    if (const auto* beat = std::get_if<Heartbeat>(&message))
      return HeartbeatReply{beat->sent_at, 1000, map.version};
    if (std::holds_alternative<MapRequest>(message)) return map;
    return on_scheduler ? on_scheduler(message) : std::nullopt;
  }
  std::optional<Message> server_says(NodeId server, const Message& message) {
    if (!servers_live) return std::nullopt;
    if (std::holds_alternative<Hello>(message)) return Welcome{1, server, 0, 0, ""};
    if (const auto* push = std::get_if<Push>(&message)) {
      pushes.push_back(*push);
      pushed_to.push_back(server);
      return on_push ? on_push(message) : all_slices(*push, SliceStatus::kOk);
    }
    if (const auto* pull = std::get_if<Pull>(&message)) {
      pulls.push_back(*pull);
      pulled_from.push_back(server);
      return on_pull ? on_pull(message) : rows_of(*pull);
    }
    return std::nullopt;
  }
  void give_shards_to(NodeId server) {
    ++map.version;
    map.num_shards = kPlayedShards;
    map.nodes = {{kFirstServer, "first", "sim://first:1"}, {kSecondServer, "second", "sim://second:1"}};
    map.shards.clear();
    for (std::uint32_t shard = 0; shard < kPlayedShards; ++shard)
      map.shards.push_back({shard, map.version, {server}});
  }

  static Message all_slices(const Push& push, SliceStatus status) {
    PushReply reply{push.map_version, {}};
    for (const PushSlice& slice : push.slices) reply.slices.push_back({slice.shard, status, 1});
    return reply;
  }
  // Row of key k: k and k + 0.5; version: the shard's number + 10.
  static Message rows_of(const Pull& pull, SliceStatus status = SliceStatus::kOk) {
    PullReply reply{pull.map_version, {}, {}};
    for (const PullSlice& slice : pull.slices)
      reply.slices.push_back({slice.shard, status, slice.shard + 10});
    std::vector<float> rows;
    for (const Key key : pull.keys.as<Key>()) {
      rows.push_back(static_cast<float>(key));
      rows.push_back(static_cast<float>(key) + 0.5F);
    }
    if (status == SliceStatus::kOk) reply.rows = Buffer::copy_of(std::span<const float>(rows));
    return reply;
  }
  // The `n`th key of a shard.
  static Key key_of(std::uint32_t shard, std::uint32_t n = 0) {
    for (Key key = 0;; ++key) {
      if (shard_of(key, kPlayedShards) == shard && n-- == 0) return key;
    }
  }
  // A step's table with one key in each of `shards`, and gradients that name the batch.
  static std::vector<StepTable> tables_of(const std::vector<std::uint32_t>& shards, float gradient = 1.0F) {
    StepTable table;
    for (const std::uint32_t shard : shards) table.keys.push_back(key_of(shard));
    sort_for_wire(table.keys, kPlayedShards);
    table.gradients.assign(table.keys.size() * 2, gradient);
    return {table};
  }
  static PullTicket ticket_of(const std::vector<StepTable>& tables) {
    PullTicket ticket;
    ticket.ranges = shard_ranges(tables, kPlayedShards);
    ticket.versions.assign(ticket.ranges.size(), 3);
    return ticket;
  }

  SimWorld world{1, SimOptions{}};
  SimNode& scheduler = world.add_node("scheduler");
  SimNode& first = world.add_node("first");
  SimNode& second = world.add_node("second");
  SimNode& node = world.add_node("worker-0");
  std::vector<TableSpec> specs;
  MapUpdate map;
  Answer on_scheduler, on_push, on_pull;
  bool servers_live = true;         // false: they answer nothing
  std::function<void()> on_change;  // the map or a greeting
  std::vector<Push> pushes;
  std::vector<NodeId> pushed_to;
  std::vector<Pull> pulls;
  std::vector<NodeId> pulled_from;
  std::unique_ptr<Rpc> rpc;
  std::unique_ptr<SchedulerLink> link;
  std::unique_ptr<ServerPeers> peers;
};

}  // namespace capstan
