// ZapHandler: answers libzmq whether the key of a peer may take part (RFC 27/ZAP), for all sockets of a
// context.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "common/adapters/asio_loop.h"
#include "common/adapters/key_ring.h"

namespace capstan {

// Every message of a peer that was let in carries this property: its key's role and name, "worker w-3".
inline constexpr const char* kZapUser = "User-Id";

class ZapHandler {
 public:
  // Why a peer was refused, and its address.
  using Refused = std::function<void(const std::string& why, const std::string& address)>;

  ZapHandler(AsioLoop& loop, void* context, KeyRing& keys, Refused refused);
  ~ZapHandler();
  ZapHandler(const ZapHandler&) = delete;
  ZapHandler& operator=(const ZapHandler&) = delete;

 private:
  void drain();
  bool answer_one();

  AsioLoop& loop_;
  KeyRing& keys_;
  Refused refused_;
  void* socket_;
  AsioLoop::WatchId watch_ = 0;
};

}  // namespace capstan
