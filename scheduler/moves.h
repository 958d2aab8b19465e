// Moves: which shards go from which server to which, so that each server holds its share. Pure functions of
// the chains as they are: what is under way is seen from them, so a scheduler that starts again goes on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "common/message.h"
#include "scheduler/balance.h"
#include "scheduler/placement.h"

namespace capstan {

struct Move {  // `to` takes the place of `from` in the shard's chain
  std::uint32_t shard = 0;
  NodeId from = 0, to = 0;
};
using MovesBegun = std::map<std::uint32_t, Move>;  // by shard

// Shares are those of Balance. Nodes of the chains that are not in `nodes` are passed over. REQUIRES below:
// nodes ascends by id, and one of them stays.

// The same members, `first` before the others.
Chain led_by(Chain chain, NodeId first);

// Where what is under way leads: a chain with its learner, without those that are too many. The one that a
// move was begun for first (that is forgotten with a scheduler), then those that leave, then those that are
// nearest to the others, then whoever holds most beyond its share; the others keep their order, but when the
// first one goes the one with the fewest first places comes first.
std::vector<Chain> settled(const std::vector<ShardEntry>& entries, std::uint32_t replicas,
                           const std::vector<PlacementNode>& nodes, const MovesBegun& begun = {});

// The next moves, at most `most`, the most worthwhile first: off servers that leave, then from who holds most
// to who holds least, until no move brings two servers nearer to their shares. No chain's members come nearer
// to each other (nearness() in placement.h), except to empty a server; of the shards that could go, the one
// whose members part, and that evens out best who leads. REQUIRES: chains are settled.
std::vector<Move> plan_moves(std::vector<Chain> chains, const std::vector<PlacementNode>& nodes,
                             std::size_t most, const LoadShares& loads = {});

// Where plan_moves() finds nothing: one that parts the members of a chain, if it can be had without unbalance
// that the next plan_moves() could not mend. REQUIRES: chains are settled.
std::vector<Move> plan_parting(const std::vector<Chain>& chains, const std::vector<PlacementNode>& nodes);

// Two moves, or none: the server whose shards are asked for most gives one away to the one whose are asked
// for least, and gets another for it. For chains whose other members could not take the lead instead.
// REQUIRES: chains are settled.
std::vector<Move> plan_swap(const std::vector<Chain>& chains, const std::vector<PlacementNode>& nodes,
                            const LoadShares& loads);

// Another member that should be a chain's primary, from who leads most to who leads least; at most `most`.
// What a server leads is the load of its shards, when that is known, else their number. `busy` shards are
// left alone. REQUIRES: chains are settled.
std::vector<Move> plan_primaries(std::vector<Chain> chains, const std::vector<PlacementNode>& nodes,
                                 const std::vector<bool>& busy, std::size_t most,
                                 const LoadShares& loads = {});

// Chains to begin with, after all their moves.
std::vector<Chain> evened_out(std::vector<Chain> chains, const std::vector<PlacementNode>& nodes);

}  // namespace capstan
