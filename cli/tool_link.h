// ToolLink: a command's connection to a running scheduler; of several, to the one that leads.
#pragma once

#include <functional>
#include <string>

#include "common/event_loop.h"
#include "common/message.h"
#include "common/rpc.h"
#include "common/scheduler_peers.h"

namespace capstan {

class ToolLink {
 public:
  struct Hooks {
    std::function<void()> on_greeted;
    std::function<void(const std::string& why)> on_refused;
    std::function<void(bool ok, const std::string& text)> on_job_ended;
  };

  ToolLink(EventLoop& loop, Transport& transport, std::string job_id, std::uint64_t incarnation, Hooks hooks);

  Status start(const std::string& schedulers);  // endpoints, with commas between
  bool greeted() const { return greeted_; }
  Rpc& rpc() { return rpc_; }
  PeerId peer() const { return schedulers_.current(); }
  const Hello& hello() const { return hello_; }
  void status(std::function<void(Result<std::string> json)> done);
  void stop_job(const std::string& reason, bool checkpoint);

 private:
  void greet();
  void on_greeting(const Result<Message>& reply);

  Transport& transport_;
  Rpc rpc_;
  Hello hello_;
  Hooks hooks_;
  SchedulerPeers schedulers_;
  bool greeted_ = false;
  Timer retry_;
};

}  // namespace capstan
