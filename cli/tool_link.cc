#include "cli/tool_link.h"

#include <spdlog/fmt/fmt.h>

#include <utility>

namespace capstan {
namespace {

using namespace std::chrono_literals;
constexpr Duration kTimeout = 1s;
constexpr Duration kRetryPause = 200ms;

}  // namespace

ToolLink::ToolLink(EventLoop& loop, Transport& transport, std::string job_id, std::uint64_t incarnation,
                   Hooks hooks)
    : transport_(transport), rpc_(loop, transport), hooks_(std::move(hooks)), retry_(loop) {
  hello_.job_id = std::move(job_id);
  hello_.role = Role::kTool;
  hello_.name = fmt::format("tool-{:x}", incarnation);
  hello_.incarnation = incarnation;
  rpc_.on_request([this](PeerId, std::uint64_t, const Message& message) {
    if (const auto* ended = std::get_if<JobEnded>(&message)) hooks_.on_job_ended(ended->ok, ended->text);
  });
}

Status ToolLink::start(const std::string& schedulers) {
  CAPSTAN_TRY(schedulers_.connect(transport_, schedulers));
  greet();
  return ok_status();
}

void ToolLink::greet() {
  rpc_.call(peer(), hello_, kTimeout, [this](const Result<Message>& reply) { on_greeting(reply); });
}

void ToolLink::on_greeting(const Result<Message>& reply) {
  if (reply.ok() && std::holds_alternative<Welcome>(*reply)) {
    greeted_ = true;
    hooks_.on_greeted();
    return;
  }
  if (!reply.ok() && reply.error().code == ErrorCode::kRefused) {
    hooks_.on_refused(reply.error().message);
    return;
  }
  if (!reply.ok() && reply.error().code == ErrorCode::kTimeout) schedulers_.ask_next();
  retry_.start(kRetryPause, [this] { greet(); });
}

void ToolLink::status(std::function<void(Result<std::string> json)> done) {
  rpc_.call(peer(), StatusRequest{}, kTimeout, [this, done = std::move(done)](const Result<Message>& reply) {
    if (!reply.ok()) {
      const bool silent = reply.error().code == ErrorCode::kTimeout && schedulers_.several();
      if (silent) schedulers_.ask_next();
      if (silent || reply.error().code == ErrorCode::kUnavailable) greet();
      done(reply.error());
      return;
    }
    const auto* status = std::get_if<StatusReply>(&*reply);
    if (status != nullptr) done(status->json);
  });
}

void ToolLink::stop_job(const std::string& reason, bool checkpoint) {
  rpc_.notify(peer(), StopJob{reason, checkpoint});
}

}  // namespace capstan
