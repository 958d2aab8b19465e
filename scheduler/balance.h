// Balance: what each server holds and leads beyond its share, while moves are tried out on paper.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "scheduler/placement.h"

namespace capstan {

// [shards], 1 on the average; empty: nobody knows, and all count the same.
using LoadShares = std::vector<double>;

// Places are counted, first places weighed by the load of their shards. A server's share of both is that of
// its memory (of the number of servers, when one has none); a server that leaves has none.
class Balance {
 public:
  // nodes and loads must outlive it. Places: of all chains once they are as long as they should be.
  Balance(const std::vector<Chain>& chains, std::size_t places, const std::vector<PlacementNode>& nodes,
          const LoadShares& loads);

  // Negative: it has room. Nodes that are not among `nodes` have none and lack none.
  double members(NodeId id) const { return at(members_, id); }
  double firsts(NodeId id) const { return at(firsts_, id); }
  double load(std::size_t shard) const { return loads_.empty() ? 1.0 : loads_[shard]; }
  bool knows_loads() const { return !loads_.empty(); }

  void add(NodeId id, double count) { change(members_, id, count); }
  void add_first(NodeId id, double load) { change(firsts_, id, load); }
  // `from` leaves the shard's chain; whoever leads least comes first in its place.
  void take_out(Chain& chain, std::size_t shard, NodeId from);
  // Who would come first.
  NodeId successor(const Chain& chain, NodeId from) const;

  const std::vector<PlacementNode>& nodes() const { return nodes_; }
  bool leaves(NodeId id) const { return node(id) == nullptr || node(id)->leaving; }
  // Summed over the pairs of the chain, without `except`.
  std::size_t nearness_within(const Chain& chain, NodeId except = 0) const;

 private:
  const PlacementNode* node(NodeId id) const;
  void change(std::vector<double>& excess, NodeId id, double by);
  double at(const std::vector<double>& excess, NodeId id) const;

  const std::vector<PlacementNode>& nodes_;
  const LoadShares& loads_;
  std::map<NodeId, std::size_t> index_;
  std::vector<double> members_, firsts_;
};

}  // namespace capstan
