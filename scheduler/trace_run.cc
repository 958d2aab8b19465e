#include "scheduler/trace_run.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <utility>

#include "common/micros.h"

namespace capstan {
namespace {

constexpr std::chrono::seconds kPatience{3};  // for an answer that should be here

}  // namespace

void TraceRun::begin(PeerId tool, std::uint64_t request_id, const TraceRequest& request) {
  const auto refuse = [&](std::string why) { peers_.send(tool, TraceReply{std::move(why), {}}, request_id); };
  if (end_.running()) return refuse("another trace is being taken: try again when it is over");
  const bool possible = request.milliseconds > 0 && request.milliseconds <= kMillisecondsMax;
  if (!possible) return refuse(fmt::format("a trace takes from 1 to {} ms", kMillisecondsMax));
  tool_ = tool;
  tool_request_ = request_id;
  ++id_;
  begun_ = loop_.now();
  reply_ = {};
  asked_.clear();
  std::vector<const Node*> nodes;
  for (const auto& [id, node] : membership_.nodes()) {
    if (node.alive && node.peer != 0) nodes.push_back(&node);
  }
  const std::size_t most = std::max<std::size_t>(1, kSpansMax / std::max<std::size_t>(1, nodes.size()));
  for (const Node* node : nodes) ask(*node, {request.milliseconds, static_cast<std::uint32_t>(most)});
  end_.start(std::chrono::milliseconds(request.milliseconds) + kPatience, [this] { finish(); });
  if (asked_.empty()) finish();
}

void TraceRun::ask(const Node& node, const TraceRequest& request) {
  asked_[node.id] = loop_.now();
  peers_.send(node.peer, request, id_);
}

// A node's clock started somewhere: it is set by the middle of the way there and the middle of the way back.
void TraceRun::on_reply(const Node& node, std::uint64_t request_id, const TraceReply& reply) {
  const auto asked = asked_.find(node.id);
  if (!end_.running() || request_id != id_ || asked == asked_.end() || reply.nodes.size() != 1) return;
  NodeTrace trace = reply.nodes.front();
  const std::int64_t behind_there = micros(asked->second) - trace.begun;
  const std::int64_t behind_back = micros(loop_.now()) - trace.ended;
  const std::int64_t shift = (behind_there + behind_back) / 2 - micros(begun_);
  for (TraceSpan& span : trace.spans) span.begin += shift;
  trace.begun += shift;
  trace.ended += shift;
  trace.node_id = node.id;
  trace.name = node.name;
  reply_.nodes.push_back(std::move(trace));
  asked_.erase(asked);
  if (asked_.empty()) finish();
}

void TraceRun::finish() {
  end_.stop();
  for (const auto& [id, at] : asked_) {
    const Node* node = membership_.find(id);
    reply_.error += fmt::format("{}{} did not answer", reply_.error.empty() ? "" : "; ",
                                node == nullptr ? std::to_string(id) : node->name);
  }
  peers_.send(tool_, std::exchange(reply_, {}), tool_request_);
}

}  // namespace capstan
