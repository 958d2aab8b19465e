// WireSecurity: which peers a transport's sockets talk to, and under which keys.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/adapters/asio_loop.h"
#include "common/adapters/key_ring.h"
#include "common/adapters/zap_handler.h"
#include "common/adapters/zmq_monitor.h"
#include "common/result.h"

namespace capstan {

struct SecurityOptions {
  std::shared_ptr<KeyRing> keys;  // null: no Curve, and only loopback is listened at, unless
  bool insecure = false;          // everybody who reaches us is trusted
  std::function<void(std::string)>
      tell;  // what a person should know; a refusal at most once a minute a reason
  // Why one that we connect to refuses us, each time; empty: it no longer does.
  std::function<void(const std::string& why)> refused;
};

struct SecurityCounters {
  std::uint64_t keys_refused = 0;       // of peers whose key is not allowed
  std::uint64_t handshakes_failed = 0;  // no Curve, a wrong server key, a repeated greeting, broken off
  std::uint64_t impostors_dropped = 0;  // messages under the routing id of a peer with another key
};

// On the loop. Made with the context, destroyed after its sockets and before it.
class WireSecurity {
 public:
  WireSecurity(AsioLoop& loop, void* context, SecurityOptions options);

  bool has_keys() const { return options_.keys != nullptr; }
  // kInvalid with a remedy: without keys an address that others reach.
  Status check_listen(const std::string& address) const;
  void secure_listener(void* socket) const;
  // `bound` as others are told: with our public key behind it.
  std::string told(const std::string& bound) const;
  // The key of whom we connect to: its address's own, or the scheduler key number `attempt`, beginning anew
  // after the last. Nothing without keys. kInvalid when there is none to be had.
  Result<std::optional<CurveKey>> key_for(const std::string& endpoint, std::size_t attempt) const;
  void secure_connection(void* socket, const CurveKey& server) const;

  // Tells of failed handshakes; whoever listens has one, whoever connects has one.
  std::unique_ptr<ZmqMonitor> watch_listener(void* socket);
  std::unique_ptr<ZmqMonitor> watch_connection(void* socket, std::string endpoint,
                                               std::function<void(Handshake)> failed);

  SecurityCounters counters;
  void tell_impostor(const std::string& user);
  void tell_other_role(const std::string& user, std::string_view role);

 private:
  void tell(const std::string& reason, const std::string& text);
  void refused(const std::string& why) const;

  AsioLoop& loop_;
  void* context_;
  SecurityOptions options_;
  std::unique_ptr<ZapHandler> zap_;
  std::map<std::string, Instant> told_at_;  // by reason
};

}  // namespace capstan
