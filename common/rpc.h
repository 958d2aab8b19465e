// Rpc: requests with a deadline, answers matched to them, and refused messages counted by reason.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "common/event_loop.h"
#include "common/message.h"
#include "common/result.h"
#include "common/tracer.h"
#include "common/transport.h"

namespace capstan {

// What a peer is told whose key is not one of the role that it greets as.
Refusal refusal_of_role(const Hello& hello);

// Lives on a node's loop. Owns the transport's message handler.
class Rpc {
 public:
  using RequestHandler = std::function<void(PeerId from, std::uint64_t request_id, Message message)>;
  using ReplyHandler = std::function<void(Result<Message> reply)>;

  Rpc(EventLoop& loop, Transport& transport);
  ~Rpc();
  Rpc(const Rpc&) = delete;
  Rpc& operator=(const Rpc&) = delete;

  // Takes requests and notifications; answers to call() never come here.
  void on_request(RequestHandler handler) { handler_ = std::move(handler); }

  // `done` runs once: with the answer, kTimeout (it may have happened), kUnavailable (the peer does not know
  // us: greet it again), kTaken (another process holds our name), kRefused (its other Refusals) or what
  // send() said. It never runs before call() returns. Dropped without running when this Rpc is destroyed.
  void call(PeerId to, const Message& request, Duration timeout, ReplyHandler done);
  void reply(PeerId to, std::uint64_t request_id, const Message& answer);
  void notify(PeerId to, const Message& message);

  // What its calls and answers are part of is taken down here.
  Tracer& tracer() { return tracer_; }
  // Answers the request, once its time is over.
  void trace(PeerId from, std::uint64_t request_id, const TraceRequest& request);

  // Messages that did not decode or that answered nothing, by reason.
  const std::map<std::string, std::uint64_t>& refused() const { return refused_; }
  void count_refused(const std::string& reason) { ++refused_[reason]; }

 private:
  struct Pending {
    PeerId peer;
    TimerId timer;
    ReplyHandler done;
  };

  void on_message(PeerId from, const Frames& frames);
  void finish(std::uint64_t request_id, Result<Message> outcome);

  EventLoop& loop_;
  Transport& transport_;
  RequestHandler handler_;
  std::map<std::uint64_t, Pending> pending_;
  std::uint64_t next_id_ = 1;
  std::map<std::string, std::uint64_t> refused_;
  Tracer tracer_;
};

}  // namespace capstan
