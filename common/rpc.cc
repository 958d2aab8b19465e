#include "common/rpc.h"

#include <spdlog/fmt/fmt.h>

#include <utility>

#include "common/wire/codec.h"

namespace capstan {
namespace {

template <typename T, typename... Kinds>
constexpr bool kOneOf = (std::is_same_v<T, Kinds> || ...);

// Answers go to whoever asked; everything else to the request handler. A map or a refusal can be both.
bool is_answer(const Message& message) {
  return std::visit(
      [](const auto& body) {
        return kOneOf<std::decay_t<decltype(body)>, Welcome, Refusal, HeartbeatReply, MapUpdate, TablesReady,
                      PullReply, PushReply, GetRowsReply, WorkGrant, NoWork, WorkProgressReply, WorkDoneReply,
                      SnapshotReply, RestoreReply, StatusReply, TablesReply, ReplicateReply, ShardChunkReply,
                      ChangeServersReply, Promise, TraceReply>;
      },
      message);
}

ErrorCode code_of(RefusalReason reason) {
  switch (reason) {
    case RefusalReason::kNotGreeted:
      return ErrorCode::kUnavailable;
    case RefusalReason::kNameTaken:
      return ErrorCode::kTaken;
    case RefusalReason::kOtherVersion:
    case RefusalReason::kOtherJob:
    case RefusalReason::kJobEnded:
    case RefusalReason::kOtherRole:
      break;
  }
  return ErrorCode::kRefused;
}

}  // namespace

Refusal refusal_of_role(const Hello& hello) {
  return {RefusalReason::kOtherRole,
          fmt::format("the key of {} is not one of a {}: give it one of that role with --keys", hello.name,
                      to_string(hello.role))};
}

Rpc::Rpc(EventLoop& loop, Transport& transport) : loop_(loop), transport_(transport), tracer_(loop) {
  transport_.on_message([this](PeerId from, const Frames& frames) { on_message(from, frames); });
}

Rpc::~Rpc() {
  transport_.on_message([](PeerId, const Frames&) {});
  for (const auto& [id, pending] : pending_) loop_.cancel(pending.timer);
}

void Rpc::call(PeerId to, const Message& request, Duration timeout, ReplyHandler done) {
  const std::uint64_t id = next_id_++;
  const Status sent = transport_.send(to, encode(request, id));
  const Duration delay = sent.ok() ? timeout : Duration(0);
  const Error failure = sent.ok() ? make_error(ErrorCode::kTimeout, "no answer") : sent.error();
  const TimerId timer = loop_.call_after(delay, [this, id, failure] { finish(id, failure); });
  pending_.emplace(id, Pending{to, timer, std::move(done)});
}

void Rpc::reply(PeerId to, std::uint64_t request_id, const Message& answer) {
  // A lost answer is the asker's time-out.
  static_cast<void>(transport_.send(to, encode(answer, request_id)).ok());
}

void Rpc::notify(PeerId to, const Message& message) {
  reply(to, 0, message);
}

void Rpc::trace(PeerId from, std::uint64_t request_id, const TraceRequest& request) {
  tracer_.record(request, [this, from, request_id](NodeTrace trace) {
    TraceReply answer;
    answer.nodes.push_back(std::move(trace));
    reply(from, request_id, answer);
  });
}

void Rpc::on_message(PeerId from, const Frames& frames) {
  auto decoded = decode(frames);
  if (!decoded.ok()) {
    count_refused(decoded.error().message);
    transport_.close(from);
    return;
  }
  const std::uint64_t id = decoded->request_id;
  const auto* hello = std::get_if<Hello>(&decoded->message);
  if (hello != nullptr && !transport_.may_act_as(from, to_string(hello->role))) {
    count_refused("a key of another role");
    return reply(from, id, refusal_of_role(*hello));
  }
  if (id == 0 || !is_answer(decoded->message)) {
    if (handler_) handler_(from, id, std::move(decoded->message));
    return;
  }
  const auto found = pending_.find(id);
  if (found == pending_.end() || found->second.peer != from) {
    count_refused("late answer");
    return;
  }
  if (const auto* refusal = std::get_if<Refusal>(&decoded->message)) {
    finish(id, make_error(code_of(refusal->reason), refusal->text));
    return;
  }
  finish(id, std::move(decoded->message));
}

void Rpc::finish(std::uint64_t request_id, Result<Message> outcome) {
  const auto found = pending_.find(request_id);
  if (found == pending_.end()) return;
  Pending pending = std::move(found->second);
  pending_.erase(found);
  loop_.cancel(pending.timer);
  pending.done(std::move(outcome));
}

}  // namespace capstan
