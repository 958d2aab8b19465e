// OwnerParts: gathers what goes to each server into messages whose frames keep within a limit.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "common/message.h"

namespace capstan {

template <typename Index>
class OwnerParts {
 public:
  using Send = std::function<void(NodeId owner, std::vector<Index> part)>;

  OwnerParts(std::uint64_t bytes_max, Send send) : bytes_max_(bytes_max), send_(std::move(send)) {}

  // Sends what has gathered for the owner first when the two would be too much for one message. What is too
  // large by itself goes alone.
  void add(NodeId owner, Index index, std::uint64_t bytes) {
    Part& part = parts_[owner];
    if (!part.indices.empty() && part.bytes + bytes > bytes_max_) {
      send_(owner, std::exchange(part, {}).indices);
    }
    part.indices.push_back(index);
    part.bytes += bytes;
  }
  void send_rest() {
    for (auto& [owner, part] : std::exchange(parts_, {})) send_(owner, std::move(part.indices));
  }

 private:
  struct Part {
    std::vector<Index> indices;
    std::uint64_t bytes = 0;
  };

  std::uint64_t bytes_max_;
  Send send_;
  std::map<NodeId, Part> parts_;
};

}  // namespace capstan
