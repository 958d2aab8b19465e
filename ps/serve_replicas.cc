// Server: records to the next in a chain, and from the one before.
#include <algorithm>
#include <cstring>
#include <utility>

#include "common/planted_bugs.h"
#include "ps/server.h"

namespace capstan {
namespace {

using namespace std::chrono_literals;
constexpr Duration kReplicateTimeout = 1s;
constexpr Duration kSendAgainPause = 20ms;
constexpr std::uint64_t kMessageBytes = std::uint64_t{16} << 20;  // no record is added to more than this

Buffer joined(const std::vector<Buffer>& parts) {
  if (parts.size() == 1) return parts[0];
  std::size_t size = 0;
  for (const Buffer& part : parts) size += part.size();
  Buffer all = Buffer::allocate(size);
  std::byte* out = all.mutable_data();
  for (const Buffer& part : parts) {
    if (part.empty()) continue;
    std::memcpy(out, part.data(), part.size());
    out += part.size();
  }
  return all;
}

}  // namespace

void Server::log_push(Slot& slot, std::uint32_t shard, const PushedSlice& slice, const PushOutcome& outcome,
                      std::uint32_t now_seconds) {
  if (slot.log.after() == 0) return slot.log.advance();
  slot.log.append(record_of(slice, outcome, now_seconds, tables_));
  unsent_.insert(shard);
  watch_backlog(shard, slot);
}

void Server::log_other(Slot& slot, std::uint32_t shard, ShardRecord record) {
  record.head.blob_bytes = record.blob.size();
  slot.log.append(std::move(record));
  unsent_.insert(shard);
  send_records();
}

void Server::send_records() {
  std::map<NodeId, std::vector<std::uint32_t>> by_node;
  for (const std::uint32_t shard : std::exchange(unsent_, {})) {
    const auto found = shards_.find(shard);
    if (found == shards_.end() || !found->second.log.has_unsent()) continue;
    by_node[found->second.log.after()].push_back(shard);
  }
  for (auto& [node, shards] : by_node) {
    if (others_.find(node)) {
      send_to(node, std::move(shards));
    } else {
      unsent_.insert(shards.begin(), shards.end());  // until it is greeted
    }
  }
}

void Server::send_to(NodeId node, std::vector<std::uint32_t> shards) {
  Replicate message;
  std::vector<Buffer> keys, gradients, blobs;
  std::vector<SentRecords> sent;
  std::size_t bytes = 0;
  const auto flush = [&] {
    message.sender = link_.node_id();
    message.map_version = link_.map().version();
    message.keys = joined(keys);
    message.gradients = joined(gradients);
    message.blob = joined(blobs);
    const Instant now = loop_.now();
    copy_waits_.sent(node, now);
    rpc_.call(*others_.find(node), message, kReplicateTimeout,
              [this, node, sent, now](const Result<Message>& reply) {
                copy_waits_.answered(node, now, loop_.now());
                on_confirmed(node, sent, reply);
              });
    message = Replicate();
    sent.clear();
    for (auto* parts : {&keys, &gradients, &blobs}) parts->clear();
    bytes = 0;
  };
  for (const std::uint32_t shard : shards) {
    Slot& slot = shards_[shard];
    while (slot.log.has_unsent()) {
      const ShardRecord& record = slot.log.next_unsent();
      constexpr std::size_t kHeadBytes = 128;  // about
      const std::size_t size = kHeadBytes + record.keys.size() + record.gradients.size() + record.blob.size();
      const std::uint64_t room = std::min(kMessageBytes, options_.frame_bytes_max);
      if (bytes > 0 && bytes + size > room) flush();
      ReplicaRecord& head = message.records.emplace_back(record.head);
      head.shard = shard;
      head.epoch = slot.epoch;
      keys.push_back(record.keys);
      gradients.push_back(record.gradients);
      blobs.push_back(record.blob);
      bytes += size;
      if (sent.empty() || sent.back().shard != shard) sent.push_back({shard, slot.log.round(), 0});
      sent.back().last = head.position;
      slot.log.mark_sent();
    }
  }
  if (!message.records.empty()) flush();
}

void Server::on_confirmed(NodeId node, const std::vector<SentRecords>& sent, const Result<Message>& reply) {
  std::map<std::uint32_t, ReplicaAck> acks;
  const auto* answer = reply.ok() ? std::get_if<ReplicateReply>(&*reply) : nullptr;
  if (answer != nullptr) {
    learn_map(answer->map_version);
    for (const ReplicaAck& ack : answer->acks) acks[ack.shard] = ack;
  }
  others_.note(node, reply);
  for (const SentRecords& each : sent) {
    const auto found = shards_.find(each.shard);
    if (found == shards_.end() || found->second.log.after() != node) continue;
    Slot& slot = found->second;
    const auto ack = acks.find(each.shard);
    const bool truth = ack != acks.end() && (ack->second.status == ReplicaStatus::kOk ||
                                             ack->second.status == ReplicaStatus::kGap);
    if (truth) slot.log.confirm(ack->second.position);
    if (slot.log.confirmed() < each.last) {
      slot.log.rewind(each.round);
      unsent_.insert(each.shard);
      send_again_later();
    }
    if (ack != acks.end() && ack->second.status == ReplicaStatus::kStale) link_.refresh_map();
    follow_up(slot);
    run_ready(slot);
  }
}

void Server::send_again_later() {
  if (!send_again_timer_.running()) send_again_timer_.start(kSendAgainPause, [this] { send_records(); });
}

void Server::run_ready(Slot& slot) {
  for (const auto& then : slot.log.take_ready()) then(true);
}

// Whether `sender` may change our copy of the shard under this epoch.
ReplicaStatus Server::judge(std::uint32_t shard, std::uint64_t epoch, NodeId sender) const {
  const ShardMap& map = link_.map();
  const std::uint64_t known = shard < map.num_shards() ? map.epoch(shard) : 0;
  if (known < epoch) return ReplicaStatus::kBusy;
  const auto found = shards_.find(shard);
  if (found == shards_.end()) return ReplicaStatus::kStale;
  const Slot& slot = found->second;
  const bool takes_old =
      CAPSTAN_PLANTED(kMembersTakeOldEpochs) && epoch < known && slot.role != ShardRole::kPrimary;
  const bool ours = known == epoch && slot.epoch == epoch && slot.before == sender;
  return ours || takes_old ? ReplicaStatus::kOk : ReplicaStatus::kStale;
}

// Records that a member has taken in, by the lane that replays them.
struct Server::TakenRecord {
  std::uint32_t shard;
  Shard* rows;
  ShardRecord record;
  PushOutcome outcome;
};

void Server::on_replicate(PeerId from, std::uint64_t id, const Replicate& message) {
  learn_map(message.map_version);
  bool known = true;
  std::uint64_t value_bytes = 0;
  for (const auto& record : message.records) value_bytes += count_value_bytes(record.sections, known);
  if (known && value_bytes != message.gradients.size()) {
    rpc_.count_refused("gradient size");
    return;
  }
  std::map<std::uint32_t, std::shared_ptr<std::vector<TakenRecord>>> by_lane;
  std::map<std::uint32_t, ReplicaAck> acks;
  std::size_t key_at = 0, gradient_at = 0, blob_at = 0;
  for (const ReplicaRecord& head : message.records) {
    ReplicaAck& ack = acks[head.shard];
    ack = {head.shard, head.epoch, judge(head.shard, head.epoch, message.sender), head.position};
    std::size_t keys = 0;
    for (const Section& section : head.sections) keys += section.count;
    const std::size_t key_bytes = keys * sizeof(Key);
    const std::size_t gradient_bytes = known ? count_value_bytes(head.sections, known) : 0;
    const auto found = shards_.find(head.shard);
    if (!known || (ack.status == ReplicaStatus::kOk && !found->second.in_place)) {
      ack.status = ReplicaStatus::kBusy;
    }
    const bool ahead = ack.status == ReplicaStatus::kOk && head.position > found->second.submitted + 1;
    if (ahead && found->second.role == ShardRole::kLearner && CAPSTAN_PLANTED(kMovesWithoutTail)) {
      found->second.submitted = head.position - 1;
      found->second.log.begin(head.position - 1);
    }
    if (ack.status == ReplicaStatus::kOk && head.position == found->second.submitted + 1) {
      ++found->second.submitted;
      auto& lane = by_lane[lane_of(head.shard)];
      if (lane == nullptr) lane = std::make_shared<std::vector<TakenRecord>>();
      ShardRecord record{head, message.keys.slice(key_at, key_bytes),
                         message.gradients.slice(gradient_at, gradient_bytes),
                         message.blob.slice(blob_at, head.blob_bytes)};
      lane->push_back({head.shard, found->second.shard.get(), std::move(record), {}});
    } else if (ack.status == ReplicaStatus::kOk && head.position > found->second.submitted) {
      ack.status = ReplicaStatus::kGap;
    }
    key_at += key_bytes;
    gradient_at += gradient_bytes;
    blob_at += head.blob_bytes;
  }
  for (auto& [lane, records] : by_lane) {
    compute_.run(
        lane,
        [records = records] {
          for (TakenRecord& each : *records) each.outcome = each.rows->replay(each.record);
        },
        [this, records = records] { on_replayed(*records); });
  }
  acknowledge(from, id, acks);
}

void Server::on_replayed(std::vector<TakenRecord>& records) {
  for (TakenRecord& each : records) {
    Slot* slot = slot_of(each.shard, each.rows);
    if (slot == nullptr) continue;
    const bool replaced = each.record.head.kind == RecordKind::kReplace;
    if (replaced || slot->clock < each.outcome.clock) slot->clock = each.outcome.clock;
    slot->log.append(std::move(each.record));
    unsent_.insert(each.shard);
    watch_backlog(each.shard, *slot);
    run_ready(*slot);
  }
  send_records();
  if (declared_.num_slots > 0) wake_pulls();
}

// One answer, when all that was taken in is held here and by those after.
void Server::acknowledge(PeerId from, std::uint64_t id, const std::map<std::uint32_t, ReplicaAck>& acks) {
  struct Job {
    ReplicateReply reply;
    std::size_t left = 1;
  };
  auto job = std::make_shared<Job>();
  const auto finish_one = [this, from, id, job] {
    if (--job->left > 0) return;
    job->reply.map_version = link_.map().version();
    rpc_.reply(from, id, job->reply);
  };
  for (const auto& [shard, ack] : acks) {
    const std::size_t at = job->reply.acks.size();
    job->reply.acks.push_back(ack);
    if (ack.status == ReplicaStatus::kGap) {
      job->reply.acks[at].position = shards_.at(shard).log.committed();
    }
    if (ack.status != ReplicaStatus::kOk) continue;
    ++job->left;
    Slot& slot = shards_.at(shard);
    slot.log.when_committed(ack.position, [job, at, finish_one](bool committed) {
      if (!committed) job->reply.acks[at].status = ReplicaStatus::kStale;
      finish_one();
    });
    run_ready(slot);
  }
  finish_one();
}

}  // namespace capstan
