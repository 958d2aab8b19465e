// Server: a primary leaves a shard to another member of its chain, on the scheduler's word.
#include <utility>

#include "common/planted_bugs.h"
#include "ps/server.h"

namespace capstan {

void Server::on_hand_over(const HandOver& request) {
  for (const ShardAt& each : request.shards) {
    const auto found = shards_.find(each.shard);
    if (found == shards_.end() || found->second.epoch != each.epoch) continue;
    Slot& slot = found->second;
    const bool leads = slot.role == ShardRole::kPrimary && slot.handover == Handover::kNone;
    if (leads && may_give(each.shard)) begin_handover(each.shard, slot);
  }
  tell_handed_over();
}

// Who may not serve for having promised another to leave the shard to it cannot give it away: the next would
// know of no promise.
bool Server::may_give(std::uint32_t shard) const {
  return may_act(shard) || CAPSTAN_PLANTED(kGivesWhatItPromised);
}

// Once the lane has done what it was given, every push that we took has its place in the log.
void Server::begin_handover(std::uint32_t shard, Slot& slot) {
  slot.handover = Handover::kDraining;
  compute_.run(
      lane_of(shard), [] {},
      [this, shard, rows = slot.shard.get(), epoch = slot.epoch] {
        Slot* held = slot_of(shard, rows);
        if (held == nullptr || held->epoch != epoch) return;
        release_waiting(*held, SliceStatus::kStale);
        held->log.when_committed(held->log.applied(), [this, shard, rows, epoch](bool committed) {
          if (committed) on_drained(shard, rows, epoch);
        });
        if (CAPSTAN_PLANTED(kHandsOverUndrained)) on_drained(shard, rows, epoch);
        run_ready(*held);
      });
}

void Server::on_drained(std::uint32_t shard, const Shard* rows, std::uint64_t epoch) {
  Slot* held = slot_of(shard, rows);
  if (held == nullptr || held->epoch != epoch) return;
  held->handover = Handover::kDone;
  tell_handed_over();
}

// Again and again until the map shows it: whoever asked may be gone, and the next scheduler has us go on.
void Server::tell_handed_over() {
  HandedOver done;
  done.node_id = link_.node_id();
  for (const auto& [shard, slot] : shards_) {
    if (slot.handover == Handover::kDone && may_give(shard)) done.shards.push_back({shard, slot.epoch});
  }
  if (!done.shards.empty()) rpc_.notify(link_.peer(), done);
}

}  // namespace capstan
