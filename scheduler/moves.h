// Moves: which shards go from which server to which, so that each server holds its share. Pure functions of
// the chains as they are: what is under way is seen from them, so a scheduler that starts again goes on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/message.h"
#include "scheduler/placement.h"

namespace capstan {

struct Move {  // `to` takes the place of `from` in the shard's chain
  std::uint32_t shard = 0;
  NodeId from = 0, to = 0;
};

// A server's share of all places in chains, and of all first ones, is that of its memory (of their number,
// when one has none); a server that leaves has none. Nodes of the chains that are not in `nodes` are passed
// over. REQUIRES below: nodes ascends by id, and one of them stays.

// The same members, `first` before the others.
Chain led_by(Chain chain, NodeId first);

// Where what is under way leads: a chain with its learner, without those that are too many. Those that leave
// first, then those that share a host, then whoever holds most beyond its share; the others keep their order,
// but when the first one goes the one with the fewest first places comes first.
std::vector<Chain> settled(const std::vector<ShardEntry>& entries, std::uint32_t replicas,
                           const std::vector<PlacementNode>& nodes);

// The next moves, at most `most`, the most worthwhile first: off servers that leave, then from who holds most
// to who holds least, until no move brings two servers nearer to their shares. No chain comes to share more
// hosts than it does, except to empty a server. REQUIRES: chains are settled.
std::vector<Move> plan_moves(std::vector<Chain> chains, const std::vector<PlacementNode>& nodes,
                             std::size_t most);

// Another member that should be a chain's primary, from who leads most to who leads least; at most `most`.
// `busy` shards are left alone. REQUIRES: chains are settled.
std::vector<Move> plan_primaries(std::vector<Chain> chains, const std::vector<PlacementNode>& nodes,
                                 const std::vector<bool>& busy, std::size_t most);

// Chains to begin with, after all their moves.
std::vector<Chain> evened_out(std::vector<Chain> chains, const std::vector<PlacementNode>& nodes);

}  // namespace capstan
