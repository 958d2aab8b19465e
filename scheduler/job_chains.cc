// Job: servers that are lost, and what takes their place.
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <set>

#include "common/text.h"
#include "scheduler/job.h"
#include "scheduler/json.h"
#include "scheduler/node_stats.h"

namespace capstan {

// The rows that it held are gone for good.
void Job::on_server_lost(const Node& node, const std::string& how) {
  if (map_.empty() || ended_) return;
  const std::vector<ShardEntry> wanted = without_node(map_.entries(), node.id);
  const auto orphans = std::count_if(wanted.begin(), wanted.end(),
                                     [](const ShardEntry& entry) { return entry.chain.empty(); });
  if (orphans > 0 || going_back_.has_value()) {
    return lose_shards(
        node.id, fmt::format("server {} {} and its {} shards have no replica", node.name, how, orphans));
  }
  move_chains(wanted, fmt::format("server {} {}; its shards go on at their backups", node.name, how));
}

// Out of every chain that has another living member, one that this scheduler heard just now: should it be
// dead as well, then the silent one is the better hope. Where there is none, whoever comes back first goes
// on.
void Job::drop_silent_servers() {
  if (map_.empty() || ended_) return;
  const auto lease = std::chrono::milliseconds(options().config.cluster.lease_ms);
  std::set<NodeId> alive, heard;
  for (const NodeId id : context_.membership.alive(Role::kServer)) {
    alive.insert(id);
    const Node& node = *context_.membership.find(id);
    const bool greeted = node.peer != 0;
    if (greeted && node.lease_end - context_.loop.now() >= lease / 2) heard.insert(id);
  }
  const std::vector<ShardEntry> wanted = without_silent(map_.entries(), alive, heard);
  std::set<std::string> lost;
  for (std::size_t shard = 0; shard < wanted.size(); ++shard) {
    for (const NodeId id : map_.entries()[shard].chain) {
      const Chain& left = wanted[shard].chain;
      const bool stays = std::find(left.begin(), left.end(), id) != left.end();
      if (!stays) lost.insert(context_.membership.find(id)->name);
    }
  }
  move_chains(wanted, lost.empty() ? "a learner was lost"
                                   : fmt::format("server {} was lost; its shards go on at their backups",
                                                 fmt::join(lost, ", ")));
}

// Servers name who does not answer them.
void Job::watch_links(const Node& node) {
  if (node.role != Role::kServer) return;
  std::set<NodeId>& silent = unreached_[node.id];
  silent.clear();
  if (node.stats_json.find("no_answer_from") == std::string::npos) return;
  const json::object stats = stats_of(node);
  std::string names;
  JsonReader(stats).text_of("no_answer_from", names);
  for (const std::string_view name : split_text(names, ", ")) {
    const Node* other = context_.membership.find(name);
    if (other != nullptr && other->role == Role::kServer) silent.insert(other->id);
  }
}

// Both live and the link between them does not: pushes wait for a member that does not get them. After a
// lease it leaves the chains in which it stands behind the other, as soon as those who stay know them; it may
// learn the shards anew when the link is whole.
void Job::drop_unreached() {
  if (map_.empty() || ended_) return;
  const Instant now = context_.loop.now();
  const auto lease = std::chrono::milliseconds(options().config.cluster.lease_ms);
  std::vector<ShardEntry> wanted = map_.entries();
  std::map<std::pair<NodeId, NodeId>, Instant> held_up;
  std::set<std::string> words;
  for (ShardEntry& entry : wanted) {
    for (std::size_t at = 0; at + 1 < entry.chain.size(); ++at) {
      const NodeId before = entry.chain[at], behind = entry.chain[at + 1];
      const auto silent = unreached_.find(before);
      const Node* sender = context_.membership.find(before);
      if (silent == unreached_.end() || !silent->second.contains(behind)) continue;
      // Of what one said that may be dead nothing follows.
      if (!sender->alive || sender->lease_end - now < lease / 2) continue;
      const std::pair link(before, behind);
      const auto since = held_up_since_.find(link);
      const Instant begun = held_up[link] = since == held_up_since_.end() ? now : since->second;
      Chain stays = entry.chain;
      stays.erase(stays.begin() + static_cast<std::ptrdiff_t>(at) + 1);
      if (now - begun < lease || !may_move() || !know_their_chain(stays, entry)) continue;
      entry.chain = std::move(stays);
      words.insert(
          fmt::format("{} gets no answer from {}", sender->name, context_.membership.find(behind)->name));
      break;
    }
  }
  held_up_since_ = std::move(held_up);
  if (words.empty()) return;
  move_chains(wanted, fmt::format("{}: their shards go on without that copy until the link is whole",
                                  fmt::join(words, ", ")));
}

// Where nobody else is heard it was most likely we who were cut off. The others get a lease's time to come
// back as well: whoever is dropped has to copy all its shards again.
void Job::hear_again(NodeId server) {
  lost_servers_.erase(server);
  if (context_.membership.count_alive(Role::kServer) > 1) return;
  const auto lease = std::chrono::milliseconds(options().config.cluster.lease_ms);
  const Instant drop_at = context_.loop.now() + lease;
  for (auto& [other, since] : lost_servers_) since = std::max<Instant>(since, drop_at - lease / 2);
}

void Job::move_chains(const std::vector<ShardEntry>& wanted, const std::string& why) {
  const std::vector<ShardEntry> before = map_.entries();
  if (map_.changes(wanted, facts_.generation).empty()) return;
  if (!change_map(wanted)) return;
  facts_.warn(why);
  context_.log.warn("{}", why);
  tell_map();
  bool primaries_moved = false;
  for (std::size_t i = 0; i < before.size(); ++i) {
    primaries_moved = primaries_moved || before[i].chain.front() != wanted[i].chain.front();
  }
  after_failover(primaries_moved);
}

// What servers were asked for is asked for again where it has to be.
void Job::after_failover(bool primaries_moved) {
  std::set<NodeId> members;
  for (const Chain& chain : map_.chains()) members.insert(chain.begin(), chain.end());
  bool declared = false, restores = false;
  std::vector<NodeId> gone;
  for (const auto& [server, errand] : errands_.open()) {
    restores = restores || std::holds_alternative<Restore>(errand.request);
    declared = declared || std::holds_alternative<DeclareTables>(errand.request);
    if (!members.contains(server)) gone.push_back(server);
  }
  if (cut_.has_value() && primaries_moved) {
    context_.log.warn("checkpoint {} is begun again", cut_->checkpoint());
    errands_.clear();
    static_cast<void>(context_.storage.remove(cut_->directory()).ok());
    cut_.reset();
    const bool too_late = step_.kind != PlanStep::Kind::kTrain || work_.all_done();
    if (cut_purpose_ == CutPurpose::kAutomatic && too_late) return after_cut(false);
    return begin_cut(cut_purpose_);
  }
  if (restores && primaries_moved) {
    if (!resume_.has_value()) return restore_best();
    return restore_from(*resume_, resume_directory_);
  }
  for (const NodeId server : gone) errands_.drop(server);
  if (declared && errands_.idle()) after_declared();
}

// Only the newest word counts: a shard whose entry changed since has another epoch.
void Job::on_learners_ready(const Node& node, const LearnersReady& ready) {
  if (ended_) return;
  for (const LearnersReady::Entry& each : ready.shards) {
    if (each.shard >= map_.entries().size()) continue;
    const ShardEntry& entry = map_.entries()[each.shard];
    if (entry.epoch != each.epoch || entry.learner != each.learner || entry.chain.back() != node.id) continue;
    ready_learners_[each.shard] = each;
  }
  if (!ready_learners_.empty()) tend_chains();
}

// Learners that have caught up become members; chains that are too short get learners; shards move.
void Job::tend_chains() {
  if (map_.empty() || ended_) return;
  const std::uint32_t replicas = options().config.cluster.replicas;
  const Instant now = context_.loop.now();
  const auto lease = std::chrono::milliseconds(options().config.cluster.lease_ms);
  const bool silence_lasts = std::any_of(lost_servers_.begin(), lost_servers_.end(),
                                         [&](const auto& lost) { return now - lost.second >= lease / 2; });
  if (silence_lasts) drop_silent_servers();
  if (ended_) return;
  std::vector<ShardEntry> wanted = map_.entries();
  take_in_learners(wanted);
  if (now >= learners_due_) {
    learners_due_ = now + lease / 2;
    name_learners(wanted);
  }
  if (may_move()) move_shards(wanted);
  if (!map_.changes(wanted, facts_.generation).empty()) {
    const auto whole = [&](const ShardEntry& entry) { return entry.chain.size() >= replicas; };
    const bool were_whole = std::all_of(map_.entries().begin(), map_.entries().end(), whole);
    if (!change_map(wanted)) return;
    tell_map();
    const bool are_whole = std::all_of(wanted.begin(), wanted.end(), whole);
    if (are_whole && !were_whole) context_.log.info("all chains are whole again");
  }
  give_up_handovers(lease);
  if (may_move()) begin_handovers();
  ask_to_hand_over();
  let_go_of_drained();
}

void Job::take_in_learners(std::vector<ShardEntry>& wanted) {
  for (const auto& [shard, ready] : std::exchange(ready_learners_, {})) {
    ShardEntry& entry = wanted[shard];
    const Node* node = context_.membership.find(ready.learner);
    if (entry.epoch != ready.epoch || node == nullptr || !node->alive) continue;
    joined_[{shard, entry.learner}] = context_.loop.now();
    entry.chain.push_back(entry.learner);
    entry.learner = 0;
  }
}

void Job::tell_map() {
  for (const auto& [id, node] : context_.membership.nodes()) {
    if (node.alive && node.peer != 0) context_.peers.send(node.peer, map_.update_since(node.map_version));
  }
}

}  // namespace capstan
