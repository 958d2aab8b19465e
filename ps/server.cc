#include "ps/server.h"

#include <utility>

#include "ps/server_stats.h"
#include "ps/table/spec_check.h"

namespace capstan {
namespace {

using namespace std::chrono_literals;
constexpr Duration kHousekeepingPause = 500ms;

}  // namespace

Server::Server(EventLoop& loop, Transport& transport, TaskPool& compute, TaskPool& disk, Storage& storage,
               const Log& log, ServerOptions options, EndHandler on_end)
    : loop_(loop),
      transport_(transport),
      compute_(compute),
      disk_(disk),
      storage_(storage),
      log_(log),
      options_(std::move(options)),
      on_end_(std::move(on_end)),
      rpc_(loop, transport),
      link_(loop, transport, rpc_, log, Hello{},
            {.on_welcome = [this](const Welcome& welcome, bool) { on_welcome(welcome); },
             .on_map = [this] { on_map(); },
             .on_refused =
                 [this](const std::string& why) { on_end_(false, "the scheduler refused us: " + why); },
             .fill_heartbeat = [this](Heartbeat& heartbeat) { fill_heartbeat(heartbeat); }}),
      housekeeping_timer_(loop) {}

Status Server::start() {
  CAPSTAN_ASSIGN(endpoint_, transport_.bind(options_.bind));
  rpc_.on_request(
      [this](PeerId from, std::uint64_t id, Message message) { on_request(from, id, std::move(message)); });
  Hello hello;
  hello.job_id = options_.job_id;
  hello.role = Role::kServer;
  hello.name = options_.name;
  hello.incarnation = options_.incarnation;
  hello.endpoint = endpoint_;
  hello.host = options_.host;
  hello.memory_limit = options_.memory_limit;
  link_.set_hello(hello);
  housekeeping_timer_.start(kHousekeepingPause, [this] { housekeep(); });
  return link_.start(options_.scheduler);
}

void Server::on_request(PeerId from, std::uint64_t id, Message message) {
  if (from == link_.peer()) {
    on_scheduler_request(id, std::move(message));
    return;
  }
  if (const auto* hello = std::get_if<Hello>(&message)) {
    on_hello(from, id, *hello);
    return;
  }
  if (!peers_.contains(from)) {
    rpc_.count_refused("not greeted");
    rpc_.reply(from, id, Refusal{RefusalReason::kNotGreeted, "say hello first"});
    return;
  }
  if (auto* pull = std::get_if<Pull>(&message)) {
    on_pull(from, id, std::move(*pull));
  } else if (auto* push = std::get_if<Push>(&message)) {
    on_push(from, id, std::move(*push));
  } else if (auto* get = std::get_if<GetRows>(&message)) {
    on_get_rows(from, id, *get);
  } else {
    rpc_.count_refused("unexpected " + std::string(message_name(message)));
  }
}

void Server::on_scheduler_request(std::uint64_t id, Message message) {
  if (link_.on_notification(message)) return;
  if (const auto* declare = std::get_if<DeclareTables>(&message)) {
    on_declare(id, *declare);
  } else if (const auto* snapshot = std::get_if<Snapshot>(&message)) {
    on_snapshot(id, *snapshot);
  } else if (const auto* restore = std::get_if<Restore>(&message)) {
    on_restore(id, *restore);
  } else if (const auto* ended = std::get_if<JobEnded>(&message)) {
    on_end_(ended->ok, ended->text);
  } else {
    rpc_.count_refused("unexpected " + std::string(message_name(message)));
  }
}

void Server::on_hello(PeerId from, std::uint64_t id, const Hello& hello) {
  if (hello.protocol_version != kProtocolVersion) {
    rpc_.count_refused("other protocol version");
    rpc_.reply(
        from, id,
        Refusal{RefusalReason::kOtherVersion, fmt::format("{} speaks protocol {}, this server {}", hello.name,
                                                          hello.protocol_version, kProtocolVersion)});
    return;
  }
  if (hello.job_id != options_.job_id) {
    rpc_.count_refused("other job");
    rpc_.reply(from, id,
               Refusal{RefusalReason::kOtherJob,
                       fmt::format("this server works for job {}, not {}", options_.job_id, hello.job_id)});
    return;
  }
  peers_[from] = hello.role;
  rpc_.reply(from, id, Welcome{link_.generation(), link_.node_id(), 0, 0, ""});
}

// The map may have come before the welcome that tells us who we are in it.
void Server::on_welcome(const Welcome& welcome) {
  grace_ = std::chrono::milliseconds(welcome.grace_ms);
  on_map();
}

void Server::on_declare(std::uint64_t id, const DeclareTables& declare) {
  TablesReady ready;
  for (std::size_t i = 0; i < declare.tables.size() && ready.error.empty(); ++i) {
    if (i < tables_.size()) {
      ready.error = difference(tables_[i], declare.tables[i]);
    } else if (const Status usable = check_table_spec(declare.tables[i]); !usable.ok()) {
      ready.error = usable.error().message;
    }
  }
  if (ready.error.empty()) {
    tables_ = declare.tables;
    declared_ = declare;
    on_map();
  }
  rpc_.reply(link_.peer(), id, ready);
}

// Shards that are new to us start empty, with the tables declared so far. Those that moved away are dropped.
void Server::on_map() {
  const ShardMap& map = link_.map();
  for (std::uint32_t shard = 0; shard < map.num_shards(); ++shard) {
    const bool mine = map.primary(shard) == link_.node_id();
    if (!mine) {
      // The lane may still be at work on it: the shard goes after its last task.
      if (auto gone = shards_.extract(shard)) {
        release_waiting(gone.mapped());
        auto kept = std::make_shared<Slot>(std::move(gone.mapped()));
        compute_.run(
            lane_of(shard), [kept] {}, [kept] {});
      }
      continue;
    }
    Slot& slot = shards_[shard];
    if (slot.shard == nullptr) slot.shard = std::make_unique<Shard>(shard, map.num_shards());
    Shard* target = slot.shard.get();
    compute_.run(
        lane_of(shard),
        [target, declare = declared_] {
          target->declare(declare.tables, declare.num_slots, declare.combine_steps);
        },
        [] {});
  }
  wake_pulls();
}

bool Server::lease_holds() const {
  // Without backups nobody can take over before lease + grace, so a silent scheduler does not stop the work
  // until then.
  return loop_.now() < std::max(link_.lease_until(), link_.heard_at() + grace_ * 9 / 10);
}

bool Server::serves(std::uint32_t shard, std::uint64_t map_version) const {
  const ShardMap& map = link_.map();
  return shard < map.num_shards() && shards_.contains(shard) && map.epoch(shard) <= map_version &&
         map_version <= map.version() && lease_holds();
}

void Server::learn_map(std::uint64_t version) {
  if (version > link_.map().version()) link_.refresh_map();
}

std::uint64_t Server::count_floats(const std::vector<Section>& sections, bool& known) const {
  std::uint64_t floats = 0;
  for (const auto& section : sections) {
    if (section.table >= tables_.size()) {
      known = false;
      return 0;
    }
    floats += std::uint64_t{section.count} * tables_[section.table].dim;
  }
  return floats;
}

void Server::on_get_rows(PeerId from, std::uint64_t id, const GetRows& request) {
  auto reply = std::make_shared<GetRowsReply>();
  reply->owner = options_.name;
  std::uint32_t table = 0;
  while (table < tables_.size() && tables_[table].name != request.table) ++table;
  const auto keys = request.keys.as<Key>();
  const std::uint32_t shard = keys.empty() ? 0 : shard_of(keys[0], std::max(1U, link_.map().num_shards()));
  if (table == tables_.size()) {
    reply->error = "no table " + request.table;
  } else if (keys.size() != 1 || !shards_.contains(shard)) {
    reply->error = "not this server's key";
  }
  if (!reply->error.empty()) {
    rpc_.reply(from, id, *reply);
    return;
  }
  Shard* target = shards_[shard].shard.get();
  compute_.run(
      lane_of(shard),
      [reply, target, table, kept = request.keys] {
        std::vector<std::byte> rows;
        target->get_rows(table, kept.as<Key>(), reply->found, rows);
        reply->row_bytes = static_cast<std::uint32_t>(rows.size());
        reply->rows = Buffer::copy_of(std::span<const std::byte>(rows));
      },
      [this, reply, from, id] { rpc_.reply(from, id, *reply); });
}

std::uint32_t Server::now_seconds() const {
  if (options_.unix_seconds) return options_.unix_seconds();
  return static_cast<std::uint32_t>(
      std::chrono::duration_cast<std::chrono::seconds>(loop_.now().time_since_epoch()).count());
}

// Twice a second: counts what the shards did, drops what is too old or too much.
void Server::housekeep() {
  housekeeping_timer_.start(kHousekeepingPause, [this] { housekeep(); });
  if (housekeeping_ || shards_.empty()) return;
  housekeeping_ = true;
  auto total = std::make_shared<std::pair<ShardStats, std::size_t>>(ShardStats{}, shards_.size());
  const std::uint64_t share = options_.memory_limit == 0 ? ~0ULL : options_.memory_limit / shards_.size();
  for (auto& [id, slot] : shards_) {
    auto part = std::make_shared<ShardStats>();
    compute_.run(
        lane_of(id),
        [part, shard = slot.shard.get(), share, now = now_seconds()] {
          shard->evict(now, share);
          *part = shard->stats();
        },
        [this, part, total] {
          total->first.add(*part);
          if (--total->second > 0) return;
          stats_ = total->first;
          housekeeping_ = false;
        });
  }
}

void Server::fill_heartbeat(Heartbeat& heartbeat) const {
  heartbeat.rows = stats_.rows;
  heartbeat.bytes = stats_.bytes;
  heartbeat.stats_json = stats_to_json(stats_, rpc_.refused());
  for (const auto& [id, slot] : shards_) heartbeat.clock = std::max(heartbeat.clock, slot.clock.steps);
}

}  // namespace capstan
