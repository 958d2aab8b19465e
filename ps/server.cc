#include "ps/server.h"

#include <algorithm>
#include <utility>

#include "common/endpoint_check.h"
#include "common/planted_bugs.h"
#include "common/shared_folder.h"
#include "ps/table/spec_check.h"

namespace capstan {
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
      others_(loop, transport, rpc_, log, link_),
      promises_(loop, rpc_, link_, others_),
      quota_(options_.requests),
      pace_(options_.snapshot_bytes_per_second),
      last_session_(options_.incarnation << 20),
      housekeeping_timer_(loop),
      send_again_timer_(loop),
      snapshot_rest_(loop) {
  others_.on_ready([this] {
    send_records();
    begin_lessons();
  });
}

Status Server::start() {
  CAPSTAN_ASSIGN(const std::string bound, transport_.bind(options_.bind));
  endpoint_ = options_.advertise.empty() ? bound : with_port_of(options_.advertise, bound);
  rpc_.on_request(
      [this](PeerId from, std::uint64_t id, Message message) { on_request(from, id, std::move(message)); });
  Hello hello;
  hello.job_id = options_.job_id;
  hello.role = Role::kServer;
  hello.name = options_.name;
  hello.incarnation = options_.incarnation;
  hello.endpoint = endpoint_;
  hello.host = options_.host;
  hello.zone = options_.zone;
  hello.memory_limit = options_.memory_limit;
  link_.set_hello(hello);
  housekeep();
  return link_.start(options_.scheduler, options_.startup_timeout);
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
  } else if (auto* records = std::get_if<Replicate>(&message); records && peers_[from] == Role::kServer) {
    on_replicate(from, id, *records);
  } else if (auto* chunk = std::get_if<ShardChunk>(&message); chunk && peers_[from] == Role::kServer) {
    on_shard_chunk(from, id, *chunk);
  } else if (auto* wish = std::get_if<PromiseRequest>(&message); wish && peers_[from] == Role::kServer) {
    on_promise_request(from, id, *wish);
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
  } else if (const auto* leave = std::get_if<HandOver>(&message)) {
    on_hand_over(*leave);
  } else if (std::holds_alternative<StatusRequest>(message)) {
    on_status(id);
  } else if (const auto* trace = std::get_if<TraceRequest>(&message)) {
    rpc_.trace(link_.peer(), id, *trace);
  } else if (std::holds_alternative<MapRequest>(message)) {
    MapUpdate known = link_.map().as_update();
    known.sketch_width = declared_.sketch_width;
    rpc_.reply(link_.peer(), id, known);
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
  catch_up_rate_ = welcome.catch_up_rate;
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
    const std::uint64_t fence = std::max(declared_.fence, declare.fence);
    tables_ = declare.tables;
    declared_ = declare;
    declared_.fence = fence;
    ++declarations_;
    on_map();
  }
  if (ready.error.empty() && !declare.proof_path.empty()) return see_shared_folder(id, declare);
  rpc_.reply(link_.peer(), id, ready);
}

void Server::see_shared_folder(std::uint64_t id, const DeclareTables& declare) {
  auto ready = std::make_shared<TablesReady>();
  const SharedFolderProof proof{declare.proof_path, declare.proof_text};
  disk_.run(
      0,
      [ready, proof, &storage = storage_, name = options_.name] {
        auto answer = answer_proof(storage, proof, name);
        answer.ok() ? ready->wrote = std::move(answer).value() : ready->error = answer.error().message;
      },
      [this, id, ready] { rpc_.reply(link_.peer(), id, *ready); });
}

void Server::on_map() {
  const ShardMap& map = link_.map();
  bool replicated = false;
  for (std::uint32_t shard = 0; shard < map.num_shards(); ++shard) {
    replicated = replicated || map.chain(shard).size() > 1 || map.learner(shard) != 0;
  }
  quota_.set_limits(options_.requests.within(memory_limit()));
  if (replicated) others_.on_map();
  promises_.on_map();
  for (std::uint32_t shard = 0; shard < map.num_shards(); ++shard) take_place(shard);
  wake_pulls();
  send_records();
  begin_lessons();
}

// Shards that are new to us start empty, with the tables declared so far. Those that moved away are dropped.
void Server::take_place(std::uint32_t shard) {
  const ShardMap& map = link_.map();
  const std::vector<NodeId>& chain = map.chain(shard);
  const NodeId self = link_.node_id();
  const auto place = std::find(chain.begin(), chain.end(), self);
  const bool learns = place == chain.end() && map.learner(shard) == self;
  if (self == 0 || (place == chain.end() && !learns)) {
    return CAPSTAN_PLANTED(kLeadsOutsideItsChain) ? void() : leave_place(shard);
  }
  Slot& slot = shards_[shard];
  const bool leads = place == chain.begin() && !learns;
  if (slot.shard == nullptr || (leads && !slot.in_place)) {
    begin_rows(slot, shard);
    // Work of an earlier generation, which this server has served, is not to be done on rows of this one.
    if (leads && declared_.fence != 0)
      declared_.fence = std::max(declared_.fence, map.epoch(shard) >> 32 << 32);
  }
  declare_to(slot, shard);
  if (slot.epoch == map.epoch(shard)) return;
  const bool led = slot.role == ShardRole::kPrimary && slot.epoch != 0;
  slot.handover = Handover::kNone;
  // A lesson holds under one epoch only: under the next the learner may be another process.
  slot.lesson.reset();
  slot.intake.reset();
  if (learns) {
    slot.role = ShardRole::kLearner;
    slot.before = chain.back();
    slot.in_place = false;
    give_up_answers(slot);
    slot.log.follow(0);
  } else {
    slot.role = leads ? ShardRole::kPrimary : ShardRole::kMember;
    slot.before = leads ? 0 : *(place - 1);
    if (slot.role == ShardRole::kPrimary && !led) slot.leads_since = map.epoch(shard);
    if (slot.role != ShardRole::kPrimary && led) {  // it was handed over: all that we took is in the log
      compute_.run(
          lane_of(shard), [rows = slot.shard.get()] { rows->forget_snapshots(); }, [] {});
      give_up_answers(slot);
      slot.submitted = slot.log.applied();
    }
    const bool last = place + 1 == chain.end();
    slot.log.follow(last ? 0 : *(place + 1));
    if (last && map.learner(shard) != 0) slot.lesson = Lesson{.learner = map.learner(shard)};
  }
  slot.epoch = map.epoch(shard);
  slot.log.rewind(slot.log.round());  // what is on its way under the former epoch will be refused
  unsent_.insert(shard);
  run_ready(slot);
}

void Server::declare_to(Slot& slot, std::uint32_t shard) {
  if (std::exchange(slot.declared, declarations_) == declarations_) return;
  compute_.run(
      lane_of(shard), [target = slot.shard.get(), declare = declared_] { target->declare(declare); }, [] {});
}

// A learner that leads before it has learnt begins anew, too: nobody is left to learn from.
void Server::begin_rows(Slot& slot, std::uint32_t shard) {
  new_rows(slot, shard);
  slot.log = ReplicaLog();
  slot.submitted = 0;
  slot.in_place = true;
}

// What was there before stays until its lane has done with it.
void Server::new_rows(Slot& slot, std::uint32_t shard) {
  if (slot.shard != nullptr) {
    const std::shared_ptr<Shard> gone = std::move(slot.shard);
    compute_.run(
        lane_of(shard), [gone] {}, [gone] {});
  }
  slot.shard = std::make_unique<Shard>(shard, link_.map().num_shards());
  slot.declared = 0;
}

// Whoever waits for this shard has to ask another server.
void Server::give_up_answers(Slot& slot) {
  release_waiting(slot, SliceStatus::kStale);
  for (const auto& then : slot.log.drop()) then(false);
}

void Server::leave_place(std::uint32_t shard) {
  auto gone = shards_.extract(shard);
  if (!gone) return;
  give_up_answers(gone.mapped());
  auto kept = std::make_shared<Slot>(std::move(gone.mapped()));
  kept->lesson.reset();
  compute_.run(
      lane_of(shard), [kept] {}, [kept] {});
}

Server::Slot* Server::slot_of(std::uint32_t shard, const Shard* rows) {
  const auto found = shards_.find(shard);
  return found == shards_.end() || found->second.shard.get() != rows ? nullptr : &found->second;
}

const Server::Slot* Server::primary_slot(std::uint32_t shard) const {
  const auto found = shards_.find(shard);
  const bool ours = found != shards_.end() && found->second.role == ShardRole::kPrimary &&
                    (found->second.handover != Handover::kDone || CAPSTAN_PLANTED(kServesAfterHandover));
  return ours ? &found->second : nullptr;
}

// While the scheduler is silent nobody makes a new chain before lease + grace, and of the chain that there is
// nobody takes over who promised not to: until then the work goes on without it.
bool Server::may_act(std::uint32_t shard) const {
  if (CAPSTAN_PLANTED(kServesAfterLease)) return true;
  const Instant in_grace = std::min(link_.heard_at() + grace_ * 9 / 10, promises_.until(shard));
  if (loop_.now() >= std::max(link_.lease_until(), in_grace)) return false;
  const auto promised = promised_until_.find(shard);
  return promised == promised_until_.end() || loop_.now() >= promised->second ||
         CAPSTAN_PLANTED(kBreaksItsPromise);
}

// A promise is remembered by the shard: who leads it may change twice before it ends.
void Server::on_promise_request(PeerId from, std::uint64_t id, const PromiseRequest& request) {
  learn_map(request.map_version);
  const Promise promise{link_.scheduler_silent(), link_.map().version()};
  for (const auto& [shard, slot] : shards_) {
    if (promise.granted && link_.map().primary(shard) == request.sender) {
      promised_until_[shard] = loop_.now() + link_.lease();
    }
  }
  rpc_.reply(from, id, promise);
}

// Whoever knows us as the primary is right to ask, whatever else of the chain has changed since.
bool Server::serves(std::uint32_t shard, std::uint64_t map_version) const {
  const Slot* slot = primary_slot(shard);
  return slot != nullptr && slot->leads_since <= map_version && map_version <= link_.map().version() &&
         may_act(shard);
}

std::vector<HeldShard> Server::held_shards() const {
  std::vector<HeldShard> held;
  for (const auto& [shard, slot] : shards_) {
    const bool serving = primary_slot(shard) != nullptr && may_act(shard);
    const bool handed_over = slot.handover == Handover::kDone;
    const bool teaches = slot.lesson.has_value() && !slot.log.counts();
    held.push_back({shard, slot.role, slot.epoch, slot.log.applied(), serving, handed_over,
                    teaches ? slot.log.kept_bytes() : 0, slot.shard.get()});
  }
  return held;
}

void Server::learn_map(std::uint64_t version) {
  if (version > link_.map().version()) link_.refresh_map();
}

std::uint64_t Server::count_value_bytes(const std::vector<Section>& sections, bool& known) const {
  std::uint64_t bytes = 0;
  for (const auto& section : sections) {
    if (section.table >= tables_.size()) {
      known = false;
      return 0;
    }
    bytes += section_bytes(tables_[section.table], section.count);
  }
  return bytes;
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
  } else if (keys.size() != 1 || primary_slot(shard) == nullptr) {
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

}  // namespace capstan
