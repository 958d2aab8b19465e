// MemoryRoom: which servers have room for one more copy of a shard, as far as it is known. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "common/message.h"

namespace capstan {

struct ServerMemory {
  std::uint64_t limit = 0;  // bytes of rows; 0: none
  std::uint64_t bytes = 0;  // as it said last
  bool heard = false;       // it has said how many; until then one that holds shards may have any number
};

// What a server may fill: it evicts rows until the rest of its limit is free.
std::uint64_t fillable(std::uint64_t limit);

// A copy takes about what its primary holds over the places that it has in chains. What a server is learning,
// or has just learned, may be counted in its bytes already or not: so there is a least and a most that it
// will hold, and a copy fits surely, or surely not, or nobody knows yet.
class MemoryRoom {
 public:
  enum class Fit { kYes, kNo, kUnknown };
  using Places = std::set<std::pair<std::uint32_t, NodeId>>;  // shard, member

  MemoryRoom() = default;  // everything fits everywhere
  // joined: members so new that their bytes may not count the shard.
  MemoryRoom(const std::vector<ShardEntry>& entries, const std::map<NodeId, ServerMemory>& servers,
             const Places& joined);

  Fit fits(const ShardEntry& entry, NodeId server) const;
  void promise(const ShardEntry& entry, NodeId server);
  // About, in bytes: at least and at most.
  std::pair<std::uint64_t, std::uint64_t> size_of(const ShardEntry& entry) const;
  // What all of these could take in, and whether that is known of each. A server without a limit: no end.
  std::pair<std::uint64_t, bool> room_of(const std::vector<NodeId>& servers) const;

 private:
  struct Server {
    ServerMemory memory;
    std::uint64_t places = 0, learning = 0;  // in chains; joined or learners
    std::uint64_t least = 0, most = 0;       // that it will hold
    bool known() const { return memory.heard || places + learning == 0; }
  };
  std::map<NodeId, Server> servers_;
};

}  // namespace capstan
