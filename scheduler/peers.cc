#include "scheduler/peers.h"

#include <algorithm>

#include "common/wire/codec.h"

namespace capstan {

namespace {

std::string_view counter_name(RefusalReason reason) {
  switch (reason) {
    case RefusalReason::kOtherVersion:
      return "other protocol version";
    case RefusalReason::kOtherJob:
      return "other job";
    case RefusalReason::kNotGreeted:
      return "not greeted";
    case RefusalReason::kNameTaken:
      return "name taken";
    case RefusalReason::kJobEnded:
      return "job ended";
    case RefusalReason::kOtherRole:
      return "a key of another role";
  }
  return "unknown";
}

}  // namespace

void Peers::add(PeerId id, Peer peer) {
  if (peer.node != 0) {
    const auto former = by_node_.find(peer.node);
    if (former != by_node_.end() && former->second != id) peers_.erase(former->second);
    by_node_[peer.node] = id;
  } else if (!peers_.contains(id)) {
    const auto is_tool = [](const auto& entry) { return entry.second.node == 0; };
    const auto tools = static_cast<std::size_t>(std::count_if(peers_.begin(), peers_.end(), is_tool));
    if (tools >= kToolsMax) {
      const auto oldest = std::find_if(peers_.begin(), peers_.end(), is_tool);
      transport_.close(oldest->first);
      peers_.erase(oldest);
    }
  }
  peers_[id] = peer;
}

const Peer* Peers::find(PeerId id) const {
  const auto found = peers_.find(id);
  return found == peers_.end() ? nullptr : &found->second;
}

void Peers::send(PeerId to, const Message& message, std::uint64_t request_id) {
  if (to == 0 || hushed_) return;
  const Status sent = transport_.send(to, encode(message, request_id));
  if (!sent.ok()) log_.debug("{} not sent: {}", message_name(message), sent.error().message);
}

void Peers::refuse(PeerId to, RefusalReason reason, std::string text, std::uint64_t request_id) {
  ++refusals_[std::string(counter_name(reason))];
  send(to, Refusal{reason, std::move(text)}, request_id);
}

void Peers::broadcast(const Message& message) {
  for (const auto& [id, peer] : peers_) send(id, message);
}

void Peers::drop(PeerId from, const std::string& reason) {
  ++refusals_[reason];
  log_.warn("a peer sent bytes that are no message ({}); disconnected", reason);
  peers_.erase(from);
  std::erase_if(by_node_, [&](const auto& entry) { return entry.second == from; });
  transport_.close(from);
}

}  // namespace capstan
