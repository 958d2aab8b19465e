#include "scheduler/balance.h"

#include <algorithm>

namespace capstan {

namespace {

// In proportion to the weights, but nobody more than `most`: what that leaves over goes to the others.
std::vector<double> shares(const std::vector<double>& weights, double total, double most) {
  std::vector<double> shares(weights.size(), 0.0);
  std::vector<bool> full(weights.size(), false);
  for (bool again = true; again;) {
    again = false;
    double left = total, weight = 0.0;
    for (std::size_t n = 0; n < weights.size(); ++n) {
      left -= full[n] ? most : 0.0;
      weight += full[n] ? 0.0 : weights[n];
    }
    for (std::size_t n = 0; n < weights.size() && weight > 0.0; ++n) {
      if (full[n]) continue;
      shares[n] = left * (weights[n] / weight);
      if (shares[n] <= most) continue;
      shares[n] = most;
      full[n] = again = true;
    }
  }
  return shares;
}

}  // namespace

Balance::Balance(const std::vector<Chain>& chains, std::size_t places,
                 const std::vector<PlacementNode>& nodes, const LoadShares& loads)
    : nodes_(nodes), loads_(loads) {
  const bool equal =
      std::any_of(nodes.begin(), nodes.end(), [](const PlacementNode& node) { return node.memory == 0; });
  std::vector<double> weights;
  for (std::size_t n = 0; n < nodes.size(); ++n) {
    index_[nodes[n].id] = n;
    weights.push_back(nodes[n].leaving ? 0.0 : equal ? 1.0 : static_cast<double>(nodes[n].memory));
  }
  const auto num_shards = static_cast<double>(chains.size());
  members_ = shares(weights, static_cast<double>(places), num_shards);
  firsts_ = shares(weights, num_shards, num_shards);
  for (auto* excess : {&members_, &firsts_}) {
    for (double& each : *excess) each = -each;
  }
  for (std::size_t shard = 0; shard < chains.size(); ++shard) {
    for (const NodeId id : chains[shard]) add(id, 1.0);
    if (!chains[shard].empty()) add_first(chains[shard].front(), load(shard));
  }
}

NodeId Balance::successor(const Chain& chain, NodeId from) const {
  NodeId least = 0;
  for (const NodeId id : chain) {
    if (id != from && (least == 0 || firsts(id) < firsts(least))) least = id;
  }
  return least;
}

void Balance::take_out(Chain& chain, std::size_t shard, NodeId from) {
  const bool first = chain.front() == from;
  const NodeId next = successor(chain, from);
  std::erase(chain, from);
  add(from, -1.0);
  if (!first) return;
  add_first(from, -load(shard));
  if (next == 0) return;
  const auto least = std::find(chain.begin(), chain.end(), next);
  std::rotate(chain.begin(), least, least + 1);
  add_first(next, load(shard));
}

std::size_t Balance::nearness_within(const Chain& chain, NodeId except) const {
  std::size_t sum = 0;
  for (std::size_t a = 0; a < chain.size(); ++a) {
    for (std::size_t b = a + 1; b < chain.size(); ++b) {
      const PlacementNode* first = node(chain[a]);
      const PlacementNode* second = node(chain[b]);
      if (first == nullptr || second == nullptr || chain[a] == except || chain[b] == except) continue;
      sum += nearness(*first, *second);
    }
  }
  return sum;
}

const PlacementNode* Balance::node(NodeId id) const {
  const auto found = index_.find(id);
  return found == index_.end() ? nullptr : &nodes_[found->second];
}

void Balance::change(std::vector<double>& excess, NodeId id, double by) {
  if (const auto found = index_.find(id); found != index_.end()) excess[found->second] += by;
}

double Balance::at(const std::vector<double>& excess, NodeId id) const {
  const auto found = index_.find(id);
  return found == index_.end() ? 0.0 : excess[found->second];
}

}  // namespace capstan
