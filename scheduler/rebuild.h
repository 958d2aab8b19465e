// Rebuild: what a scheduler that has lost its journal learns from the servers that live. Pure: messages in,
// the newest chains out.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/message.h"
#include "common/result.h"
#include "scheduler/journal.h"

namespace capstan {

// Each server says which chains it knows. The newest entry of a shard is the newest there is once all its
// members and its learner have spoken: whoever led the shard under a newer one would be among them, because a
// chain's successor shares a member with it, and would know.
class Rebuild {
 public:
  // without: names of servers that are given up.
  Rebuild(std::uint32_t num_shards, const std::vector<std::string>& without)
      : num_shards_(num_shards), without_(without.begin(), without.end()) {}

  // What a server knows; one that was given up is not listened to. kInvalid in words: it cannot be of this
  // job.
  Status hear(const Hello& hello, const MapUpdate& map);
  bool complete() const { return !entries_.empty() && missing().empty(); }
  std::string waits_for() const;

  struct Found {
    bool loses_members = false;             // entries are not as they were heard
    std::uint32_t generation = 0, run = 0;  // the highest that were heard
    std::uint32_t sketch_width = 0;         // of the tables
    std::vector<NodeGreeted> servers;       // those that hold something
    std::vector<NodeGreeted> others;        // who keep their numbers all the same; incarnation 0: not heard
    std::vector<ShardEntry> newest;         // as they were heard, the lowest epoch first
    std::vector<ShardEntry> entries;        // by shard: without those that were given up or hold nothing
  };
  // kUnavailable: a shard is left without a member. REQUIRES: complete().
  Result<Found> found() const;

 private:
  // Names, and the number of shards that wait for each.
  std::map<std::string, std::uint32_t> missing() const;
  std::string name_of(NodeId id) const;

  std::uint32_t num_shards_;
  std::set<std::string> without_;
  std::uint32_t generation_ = 0, run_ = 0, sketch_width_ = 0;
  std::map<std::string, Hello> heard_;
  std::set<std::string> empty_;      // that know of no chains: they were started since, and hold nothing
  std::vector<ShardEntry> entries_;  // the newest of each shard; empty before the first map
  std::map<NodeId, std::string> names_;
  std::uint64_t names_version_ = 0;
};

}  // namespace capstan
