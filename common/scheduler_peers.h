// SchedulerPeers: the schedulers that a node may ask, of which one leads and the others do not answer.
#pragma once

#include <string>
#include <vector>

#include "common/text.h"
#include "common/transport.h"

namespace capstan {

class SchedulerPeers {
 public:
  // One endpoint, or several with commas between. Connects to each in the background.
  Status connect(Transport& transport, const std::string& endpoints) {
    endpoints_ = endpoints;
    for (const std::string_view each : split_text(endpoints, ",")) {
      CAPSTAN_ASSIGN(const PeerId peer, transport.connect(std::string(each)));
      peers_.push_back(peer);
    }
    return ok_status();
  }

  // The one that is asked now. REQUIRES: connect() was well.
  PeerId current() const { return peers_[at_]; }
  bool several() const { return peers_.size() > 1; }
  void ask_next() { at_ = (at_ + 1) % peers_.size(); }
  const std::string& endpoints() const { return endpoints_; }

 private:
  std::string endpoints_;
  std::vector<PeerId> peers_;
  std::size_t at_ = 0;
};

}  // namespace capstan
