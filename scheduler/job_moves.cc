// Job: servers that come and go while it runs. A shard moves as a replica is re-built: a learner copies it
// and becomes a member, then whoever is too many leaves the chain; a primary hands the shard over first.
#include <spdlog/fmt/fmt.h>

#include <algorithm>

#include "common/planted_bugs.h"
#include "common/text.h"
#include "scheduler/few_shards.h"
#include "scheduler/job.h"
#include "scheduler/json.h"
#include "scheduler/moves.h"

namespace capstan {

namespace {

constexpr std::size_t kCopiesAtOnce = 2;
constexpr std::size_t kMovesAtOnce = 8;  // with those that are copied and wait for a member to go
constexpr std::size_t kHandoversAtOnce = 2;
constexpr std::chrono::seconds kSwapPause{10};
constexpr std::size_t kServersAtOnce = 1000;
constexpr std::size_t kMovesShown = 1000;  // of a plan: the loop waits for it

std::size_t staying(const std::vector<PlacementNode>& nodes) {
  return static_cast<std::size_t>(
      std::count_if(nodes.begin(), nodes.end(), [](const PlacementNode& node) { return !node.leaving; }));
}

std::string names_of(const std::vector<PlacementNode>& servers, const Membership& membership) {
  std::vector<std::string> names;
  for (const PlacementNode& each : servers) names.push_back(membership.find(each.id)->name);
  return join(names, ", ");
}

}  // namespace

// Those that shards may be on.
std::vector<PlacementNode> Job::servers() const {
  std::vector<PlacementNode> servers;
  for (const NodeId id : context_.membership.alive(Role::kServer)) {
    const Node* node = context_.membership.find(id);
    if (node->peer == 0) continue;
    servers.push_back({id, node->memory_limit, node->host, draining_.contains(id), node->zone});
  }
  return servers;
}

// Nothing moves in a scheduler's first lease: until then servers may go on by promises that it knows nothing
// of.
bool Job::may_move() const {
  const auto lease = std::chrono::milliseconds(options().config.cluster.lease_ms);
  const bool works = facts_.state == JobState::kRunning || facts_.state == JobState::kValidating ||
                     facts_.state == JobState::kEvaluating;
  const bool had_a_lease = context_.loop.now() - facts_.started >= lease;
  return works && !ended_ && (had_a_lease || CAPSTAN_PLANTED(kMovesInFirstLease));
}

// Whether each of `members` was heard since the shard's chain became what it is.
bool Job::know_their_chain(const Chain& members, const ShardEntry& entry) const {
  return std::all_of(members.begin(), members.end(), [&](NodeId id) {
    const Node* node = context_.membership.find(id);
    return node->alive && node->map_version >= entry.epoch;
  });
}

// Members that are too many and do not lead go once all that stay know the chain. The primary may be going on
// by the promise of one that goes, and then no other must be able to succeed it; and what the scheduler was
// told before it stood still for a while may have come from servers that are dead by now. New moves begin
// when no chain waits to be whole. Chains that memory keeps short wait for nothing, but then only servers
// that leave give anything away: what has room goes to copies first.
void Job::move_shards(std::vector<ShardEntry>& wanted) {
  const std::uint32_t replicas = options().config.cluster.replicas;
  const std::vector<PlacementNode> nodes = servers();
  if (staying(nodes) == 0) return;
  forget_moves(wanted);
  const std::vector<Chain> chains = settled(wanted, replicas, nodes, moves_);
  std::size_t copying = 0, under_way = 0;
  bool all_whole = true, all_that_can = true;
  for (ShardEntry& entry : wanted) {
    const Chain& then = chains[entry.shard];
    const ShardEntry& now = map_.entries()[entry.shard];
    const bool whole = entry.chain.size() >= replicas;
    all_whole = all_whole && whole;
    all_that_can = all_that_can && (whole || no_room_.contains(entry.shard));
    if (entry.chain.size() >= replicas && entry.learner != 0 && !holds(then, entry.learner))
      entry.learner = 0;
    const bool same_primary = then.front() == entry.chain.front();
    const bool known = know_their_chain(then, now) || CAPSTAN_PLANTED(kMembersGoUnknown);
    if (entry.learner == 0 && same_primary && now.chain == entry.chain && known) entry.chain = then;
    copying += entry.learner != 0 ? 1 : 0;
    under_way += entry.learner != 0 || entry.chain != then ? 1 : 0;
  }
  if (!all_that_can) return;
  for (const Move& move : next_moves(chains, nodes, all_whole && under_way == 0 && handovers_.empty())) {
    ShardEntry& entry = wanted[move.shard];
    if (copying >= kCopiesAtOnce || under_way >= kMovesAtOnce) return;
    if (entry.learner != 0 || entry.chain != chains[move.shard]) continue;
    if (!all_whole && !draining_.contains(move.from)) continue;
    entry.learner = move.to;
    moves_[move.shard] = move;
    ++copying;
    ++under_way;
  }
}

// Of those whose learner is gone, or has taken the place.
void Job::forget_moves(const std::vector<ShardEntry>& entries) {
  std::erase_if(moves_, [&](const auto& each) {
    const Move& move = each.second;
    const ShardEntry& entry = entries[move.shard];
    const bool has_to = entry.learner == move.to || holds(entry.chain, move.to);
    return !has_to || !holds(entry.chain, move.from);
  });
}

// quiet: nothing is under way. Only then is there any sense in a look at what is asked for, which wavers.
std::vector<Move> Job::next_moves(const std::vector<Chain>& chains, const std::vector<PlacementNode>& nodes,
                                  bool quiet) {
  const LoadShares loads = load_shares();
  std::vector<Move> moves = plan_moves(chains, nodes, kCopiesAtOnce, loads);
  if (moves.empty()) moves = plan_parting(chains, nodes);
  if (!moves.empty() || !quiet || loads.empty() || context_.loop.now() < swap_due_) return moves;
  swap_due_ = context_.loop.now() + kSwapPause;
  if (!plan_primaries(chains, nodes, std::vector<bool>(chains.size(), false), 1, loads).empty()) return {};
  moves = plan_swap(chains, nodes, loads);
  if (!moves.empty()) {
    context_.log.info("shard {} is asked for more than others: it goes to another server, for shard {}",
                      moves[0].shard, moves[1].shard);
  }
  return moves;
}

LoadShares Job::load_shares() const {
  return options().config.cluster.balance_load ? loads_.relative() : LoadShares{};
}

// A cut and a handover keep out of each other's way. Handovers begin for a lease after a cut even if the next
// is due: where cuts follow each other without a pause, servers could never join or leave.
void Job::begin_handovers() {
  const auto lease = std::chrono::milliseconds(options().config.cluster.lease_ms);
  const bool due =
      step_.kind == PlanStep::Kind::kTrain && cut_schedule_.due(steps_so_far(), context_.loop.now());
  const bool cuts_turn = due && context_.loop.now() - cut_ended_ >= lease;
  const bool cut_first = (cut_.has_value() || cuts_turn) && !CAPSTAN_PLANTED(kHandsOverDuringCut);
  if (cut_first || handovers_.size() >= kHandoversAtOnce) return;
  const std::uint32_t replicas = options().config.cluster.replicas;
  const std::vector<PlacementNode> nodes = servers();
  if (staying(nodes) == 0) return;
  const auto begin = [&](const ShardEntry& entry, Chain then) {
    handovers_[entry.shard] = {entry.epoch, std::move(then), context_.loop.now()};
  };
  std::vector<Chain> chains = settled(map_.entries(), replicas, nodes, moves_);
  std::vector<bool> busy;
  for (const ShardEntry& entry : map_.entries()) {
    Chain& then = chains[entry.shard];
    const bool sound =
        entry.learner == 0 && entry.chain.size() >= replicas && know_their_chain(entry.chain, entry);
    const auto open = handovers_.find(entry.shard);
    busy.push_back(!sound || open != handovers_.end() || then != entry.chain);
    if (open != handovers_.end()) {
      then = open->second.then;
    } else if (sound && then.front() != entry.chain.front() && handovers_.size() < kHandoversAtOnce) {
      begin(entry, then);
    }
  }
  const LoadShares loads = load_shares();
  for (const Move& move : plan_primaries(chains, nodes, busy, kHandoversAtOnce, loads)) {
    if (handovers_.size() >= kHandoversAtOnce) return;
    begin(map_.entries()[move.shard], led_by(chains[move.shard], move.to));
  }
}

// Again and again: a primary that has left says so each time.
void Job::ask_to_hand_over() {
  std::map<NodeId, HandOver> requests;
  for (const auto& [shard, handover] : handovers_) {
    requests[map_.entries()[shard].chain.front()].shards.push_back({shard, handover.epoch});
  }
  for (const auto& [server, request] : requests) {
    const Node* node = context_.membership.find(server);
    if (node->alive && node->peer != 0) context_.peers.send(node->peer, request);
  }
}

// Only what was said of the shard's present epoch counts. The members of its chain hold the same now, and
// nobody serves it: any of them may lead. A shard that is not wanted elsewhere any more goes on where it was.
void Job::on_handed_over(const Node& node, const HandedOver& handed) {
  if (ended_) return;
  std::vector<ShardEntry> wanted = map_.entries();
  std::set<std::uint32_t> renewed;
  for (const ShardAt& each : handed.shards) {
    if (each.shard >= wanted.size()) continue;
    ShardEntry& entry = wanted[each.shard];
    if (entry.epoch != each.epoch || entry.chain.front() != node.id) continue;
    const auto open = handovers_.find(each.shard);
    const bool cut_first = cut_.has_value() && !CAPSTAN_PLANTED(kHandsOverDuringCut);
    const bool goes =
        open != handovers_.end() && open->second.epoch == each.epoch && !cut_first && may_move();
    if (goes) {
      entry.chain = open->second.then;
      facts_.handovers.push_back(context_.loop.now() - open->second.since);
    }
    if (!goes) renewed.insert(each.shard);
    handovers_.erase(each.shard);
  }
  if (map_.changes(wanted, facts_.generation, renewed).empty() || !change_map(wanted, renewed)) return;
  tell_map();
  tend_chains();
}

// Their primaries go on.
void Job::give_up_handovers(Duration older_than) {
  std::set<std::uint32_t> renewed;
  std::erase_if(handovers_, [&](const auto& each) {
    const auto& [shard, handover] = each;
    const bool changed = map_.entries()[shard].epoch != handover.epoch;
    const bool old = context_.loop.now() - handover.since >= older_than;
    if (!changed && old) renewed.insert(shard);
    return changed || old;
  });
  if (!renewed.empty() && change_map(map_.entries(), renewed)) tell_map();
}

bool Job::holds_nothing(NodeId server) const {
  return std::none_of(map_.entries().begin(), map_.entries().end(), [&](const ShardEntry& entry) {
    return entry.learner == server || holds(entry.chain, server);
  });
}

void Job::let_go_of_drained() {
  for (const NodeId id : draining_) {
    const Node* node = context_.membership.find(id);
    if (!node->alive || node->peer == 0 || !holds_nothing(id)) continue;
    context_.peers.send(node->peer, JobEnded{true, "drained: other servers hold its shards"});
  }
}

std::vector<Job::OpenMove> Job::open_moves() const {
  std::vector<OpenMove> moves;
  const std::vector<Chain> chains =
      settled(map_.entries(), options().config.cluster.replicas, servers(), moves_);
  for (const ShardEntry& entry : map_.entries()) {
    const Chain& then = chains[entry.shard];
    const auto handover = handovers_.find(entry.shard);
    if (entry.learner != 0) {
      const auto goes =
          std::find_if(entry.chain.begin(), entry.chain.end(), [&](NodeId id) { return !holds(then, id); });
      moves.push_back({entry.shard, goes == entry.chain.end() ? 0 : *goes, entry.learner, false});
    } else if (handover != handovers_.end()) {
      moves.push_back({entry.shard, entry.chain.front(), handover->second.then.front(), true});
    }
  }
  return moves;
}

ChangeServersReply Job::change_servers(const ChangeServers& wish) {
  const std::uint32_t replicas = options().config.cluster.replicas;
  const auto refuse = [](std::string why) { return ChangeServersReply{std::move(why), "{}"}; };
  if (ended_ || map_.empty()) return refuse("the job holds no shards: " + waits_for());
  std::vector<PlacementNode> nodes = servers();
  NodeId drained = 0;
  if (!wish.drain.empty()) {
    const Node* node = context_.membership.find(std::string_view(wish.drain));
    if (node == nullptr || node->role != Role::kServer)
      return refuse(fmt::format("there is no server {}; there are {}", wish.drain,
                                names_of(nodes, context_.membership)));
    if (!node->alive) {
      return refuse(
          wish.drain +
          " does not live, so it has nothing to give away: what it held goes on at its other copies "
          "by itself");
    }
    drained = node->id;
    for (PlacementNode& each : nodes) each.leaving = each.leaving || each.id == drained;
  }
  const std::uint64_t shards = map_.num_shards(), now = staying(nodes), then = wish.add + now;
  if (wish.add > 0 && then > shards) {
    return refuse(fmt::format(
        "with {} servers more there would be {}, and some would lead nothing: the job has {} shards "
        "(cluster.num_shards), a number that is fixed for its life. Ask for at most {} more; a job that "
        "needs "
        "so many begins anew with cluster.num_shards: {}",
        wish.add, then, shards, shards - std::min(shards, now), shards_for(then)));
  }
  if (wish.add > kServersAtOnce) {
    return refuse(fmt::format("{} servers at once are too many, {} are the most", wish.add, kServersAtOnce));
  }
  const std::uint64_t memory = memory_of_new_server();
  for (std::uint32_t n = 0; n < wish.add; ++n) {
    nodes.push_back(
        {static_cast<NodeId>(Membership::kNodesMax + 1 + n), memory, fmt::format("new {}", n + 1)});
  }
  const std::size_t stay = staying(nodes);
  if (drained != 0 && stay < std::max(replicas, 1U)) {
    return refuse(
        fmt::format("without {} there are {} servers, and the job wants {} to hold each shard: add "
                    "one first",
                    wish.drain, stay, replicas));
  }
  if (drained != 0 && !draining_.contains(drained)) {
    if (const std::string why = cannot_take_over(nodes); !why.empty()) return refuse(why);
  }
  ChangeServersReply reply{"", planned_moves(nodes)};
  if (wish.dry_run) return reply;
  if (drained != 0 && !draining_.contains(drained)) {
    if (!record(NodeDrains{drained})) return refuse(facts_.end_text);
    draining_.insert(drained);
    context_.log.info("{} is drained: its shards go to other servers", wish.drain);
  }
  servers_wanted_ += wish.add;
  tend_chains();
  return reply;
}

// What will follow, as it is seen now.
std::string Job::planned_moves(const std::vector<PlacementNode>& nodes) const {
  const std::uint32_t replicas = options().config.cluster.replicas;
  const auto name = [&](NodeId id) {
    const Node* node = context_.membership.find(id);
    return node == nullptr ? fmt::format("new {}", id - Membership::kNodesMax) : node->name;
  };
  std::map<NodeId, std::uint64_t> places;
  for (const ShardEntry& entry : map_.entries()) {
    for (const NodeId id : entry.chain) ++places[id];
  }
  const std::vector<Chain> chains = settled(map_.entries(), replicas, nodes, moves_);
  const auto moves = plan_moves(chains, nodes, kMovesShown, load_shares());
  json::array array;
  std::uint64_t total = 0;
  for (const Move& move : moves) {
    const Node* from = context_.membership.find(move.from);
    const std::uint64_t held = places.contains(move.from) ? places[move.from] : 0;
    const std::uint64_t bytes = from == nullptr || held == 0 ? 0 : from->bytes / held;  // on the average
    total += bytes;
    array.push_back(json::object{
        {"shard", move.shard}, {"bytes", bytes}, {"from", name(move.from)}, {"to", name(move.to)}});
  }
  return json::serialize(json::object{{"moves", std::move(array)},
                                      {"bytes", total},
                                      {"more", moves.size() == kMovesShown},
                                      {"note", note_of_new_servers(nodes)}});
}

}  // namespace capstan
