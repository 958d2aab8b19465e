// Server: counting what its shards hold and did, and keeping them within its memory.
#include <algorithm>
#include <map>
#include <utility>

#include "common/planted_bugs.h"
#include "common/units.h"
#include "ps/server.h"
#include "ps/server_stats.h"

namespace capstan {
namespace {

using namespace std::chrono_literals;
constexpr Duration kHousekeepingPause = 500ms;
constexpr Duration kWarnPause = 60s;
constexpr Duration kLoadsPause = 5s;

}  // namespace

// Twice a second: counts what the shards did, drops what is too old or too much.
void Server::housekeep() {
  housekeeping_timer_.start(kHousekeepingPause, [this] { housekeep(); });
  copy_waits_.look(loop_.now());
  tell_ready();
  tell_handed_over();
  if (housekeeping_ || shards_.empty()) return;
  housekeeping_ = true;
  collect_stats(true, [this] {
    housekeeping_ = false;
    watch_memory();
  });
}

// What each server with a memory limit may give a shard that it holds, in whatever role.
std::map<NodeId, std::uint64_t> Server::room_for_a_shard() const {
  const ShardMap& map = link_.map();
  std::map<NodeId, std::uint64_t> held, room;
  for (std::uint32_t shard = 0; shard < map.num_shards(); ++shard) {
    for (const NodeId node : map.chain(shard)) ++held[node];
    ++held[map.learner(shard)];
  }
  held[link_.node_id()] = shards_.size();
  for (const auto& [node, address] : map.nodes()) {
    if (address.memory_limit > 0 && held[node] > 0) room[node] = address.memory_limit / held[node];
  }
  if (memory_limit() > 0) room[link_.node_id()] = memory_limit() / shards_.size();
  return room;
}

// The scheduler knows the job's, which may be less than our own.
std::uint64_t Server::memory_limit() const {
  const auto& nodes = link_.map().nodes();
  const auto self = nodes.find(link_.node_id());
  const bool told = self != nodes.end() && self->second.memory_limit > 0;
  return told ? self->second.memory_limit : options_.memory_limit;
}

// All members hold the same rows, so whoever has the least room decides.
std::uint64_t Server::bytes_max_of(std::uint32_t shard, const std::map<NodeId, std::uint64_t>& room) const {
  std::uint64_t least = ~std::uint64_t{0};
  const auto has_room = [&](NodeId node) {
    const auto found = room.find(node);
    if (found != room.end()) least = std::min(least, found->second);
  };
  has_room(link_.node_id());
  if (shard >= link_.map().num_shards()) return least;
  for (const NodeId node : link_.map().chain(shard)) has_room(node);
  has_room(link_.map().learner(shard));
  return least;
}

// What could be evicted has been by now.
void Server::watch_memory() {
  if (memory_limit() == 0 || stats_.bytes <= memory_limit()) return;
  ++over_memory_limit_;
  if (warned_of_memory_ != Instant{} && loop_.now() - warned_of_memory_ < kWarnPause) return;
  warned_of_memory_ = loop_.now();
  log_.warn(
      "the tables take {:.1f} MiB, more than the memory limit of {}, with all evicted that may be: dense "
      "layers and admission sketches, which stay, take {:.1f} MiB of it. Raise cluster.memory_limit or add "
      "servers",
      in_mib(stats_.bytes), format_bytes(memory_limit()), in_mib(stats_.fixed_bytes));
}

// Shards that are ours to decide about keep within their room, if that is wished, before they are counted.
void Server::collect_stats(bool evicts, std::function<void()> done) {
  const auto room = evicts ? room_for_a_shard() : std::map<NodeId, std::uint64_t>();
  auto total = std::make_shared<std::pair<ShardStats, std::size_t>>(ShardStats{}, shards_.size() + 1);
  const auto finish_one = [this, total, map_version = link_.map().version(), done = std::move(done)] {
    if (--total->second > 0) return;
    stats_ = total->first;
    stats_map_version_ = map_version;
    done();
  };
  for (auto& [id, slot] : shards_) {
    struct Part {
      ShardStats stats;
      Eviction eviction;
    };
    auto part = std::make_shared<Part>();
    const bool counts = slot.role == ShardRole::kPrimary;
    const bool decides = evicts && counts && slot.handover == Handover::kNone;
    const std::uint64_t bytes_max = decides ? bytes_max_of(id, room) : 0;
    compute_.run(
        lane_of(id),
        [part, shard = slot.shard.get(), decides, bytes_max, now = now_seconds()] {
          if (decides) part->eviction = shard->evict(now, bytes_max);
          part->stats = shard->stats();
        },
        [this, part, total, finish_one, id = id, rows = slot.shard.get(), counts, now = now_seconds()] {
          Slot* held = slot_of(id, rows);
          if (held != nullptr) count_progress(*held, part->stats);
          if (held != nullptr && part->eviction.changed && !CAPSTAN_PLANTED(kEvictionsNotLogged)) {
            ShardRecord record;
            record.head.kind = RecordKind::kEvict;
            record.head.now_seconds = now;
            record.head.evicted = part->eviction.counts;
            log_other(*held, id, std::move(record));
          }
          if (counts) {
            total->first.add(part->stats);
          } else {
            // A copy's rows and pushes are its primary's to count.
            total->first.bytes += part->stats.bytes;
            total->first.fixed_bytes += part->stats.fixed_bytes;
          }
          finish_one();
        });
  }
  finish_one();
}

// What a copy has replayed its primary has counted.
void Server::count_progress(Slot& slot, const ShardStats& now) {
  const Shard* rows = slot.shard.get();
  const ShardStats before = std::exchange(slot.counted_rows, rows) == rows ? slot.counted : ShardStats{};
  if (slot.role == ShardRole::kPrimary) done_.add_progress(before, now);
  slot.counted = now;
  slot.rows_served = now.rows_pulled + now.rows_pushed;
}

// The counters as they are now: the scheduler's report wants the last of them.
void Server::on_status(std::uint64_t id) {
  collect_stats(false, [this, id] { rpc_.reply(link_.peer(), id, StatusReply{stats_json()}); });
}

std::string Server::stats_json() const {
  std::string slowest;
  std::uint64_t slowest_ms = 0;
  if (const auto wait = copy_waits_.longest(loop_.now()); wait.has_value()) {
    const auto& nodes = link_.map().nodes();
    if (const auto named = nodes.find(wait->node); named != nodes.end()) slowest = named->second.name;
    slowest_ms = static_cast<std::uint64_t>(wait->time / std::chrono::milliseconds(1));
  }
  std::uint64_t backlog = 0;
  for (const auto& [shard, slot] : shards_) backlog += slot.lesson.has_value() ? slot.log.kept_bytes() : 0;
  return to_json_text({stats_, stats_map_version_, over_memory_limit_, copies_served_, backlog,
                       lessons_begun_anew_, others_.silent(), slowest, slowest_ms, hottest_, tables_,
                       rpc_.refused()});
}

void Server::fill_heartbeat(Heartbeat& heartbeat) {
  heartbeat.rows = stats_.rows;
  heartbeat.bytes = stats_.bytes;
  heartbeat.stats_json = stats_json();
  for (const auto& [id, slot] : shards_) heartbeat.clock = std::max(heartbeat.clock, slot.clock.steps);
  tell_loads(heartbeat);
}

// Often enough to follow what is popular, seldom enough to cost nothing.
void Server::tell_loads(Heartbeat& heartbeat) {
  const Instant now = loop_.now();
  if (now - loads_told_ < kLoadsPause) return;
  const double seconds = seconds_of(now - std::exchange(loads_told_, now));
  constexpr std::size_t kTold = 8;
  hottest_ = hot_keys_.take(seconds, kTold);
  for (auto& [id, slot] : shards_) {
    const std::uint64_t before = std::exchange(slot.rows_told, slot.rows_served);
    // Rows that took the place of others count anew.
    if (slot.role != ShardRole::kPrimary || slot.rows_served < before) continue;
    const double rows = static_cast<double>(slot.rows_served - before);
    heartbeat.loads.push_back({id, static_cast<float>(rows / seconds)});
  }
}

}  // namespace capstan
