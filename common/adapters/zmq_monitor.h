// ZmqMonitor: how the handshakes of one ZeroMQ socket end.
#pragma once

#include <functional>
#include <string>

#include "common/adapters/asio_loop.h"

namespace capstan {

enum class Handshake {
  kSucceeded,
  kRefused,    // the other side does not allow our key
  kFailed,     // what it said was no greeting for us: no keys, other keys, a repeated or a foreign one
  kBrokenOff,  // the connection ended, or nothing came in time
};

// Made after the socket and destroyed before it. The handler may not destroy the monitor.
class ZmqMonitor {
 public:
  using Handler = std::function<void(Handshake, const std::string& endpoint)>;

  ZmqMonitor(AsioLoop& loop, void* context, void* socket, Handler handler);
  ~ZmqMonitor();
  ZmqMonitor(const ZmqMonitor&) = delete;
  ZmqMonitor& operator=(const ZmqMonitor&) = delete;

 private:
  void drain();

  AsioLoop& loop_;
  void* watched_;
  void* events_;
  AsioLoop::WatchId watch_ = 0;
  Handler handler_;
};

}  // namespace capstan
