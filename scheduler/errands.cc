#include "scheduler/errands.h"

namespace capstan {

void Errands::add(NodeId server, std::uint64_t request_id, Message request, Duration again_after) {
  errands_[server] = Errand{request_id, std::move(request), again_after, Instant{}};
}

bool Errands::answered(NodeId server, std::uint64_t request_id) {
  const auto found = errands_.find(server);
  if (found == errands_.end() || found->second.request_id != request_id) return false;
  errands_.erase(found);
  return true;
}

std::vector<NodeId> Errands::take_due(Instant now) {
  std::vector<NodeId> servers;
  for (auto& [server, errand] : errands_) {
    if (errand.due > now) continue;
    errand.due = now + errand.again_after;
    servers.push_back(server);
  }
  return servers;
}

void Errands::resend(NodeId server) {
  const auto found = errands_.find(server);
  if (found != errands_.end()) found->second.due = Instant{};
}

const Errands::Errand* Errands::find(NodeId server) const {
  const auto found = errands_.find(server);
  return found == errands_.end() ? nullptr : &found->second;
}

}  // namespace capstan
