#include "common/tracer.h"

#include <utility>

#include "common/micros.h"

namespace capstan {

const char* to_string(SpanKind kind) {
  switch (kind) {
    case SpanKind::kBuild:
      return "build";
    case SpanKind::kPull:
      return "pull";
    case SpanKind::kPullCall:
      return "pull call";
    case SpanKind::kCompute:
      return "compute";
    case SpanKind::kPush:
      return "push";
    case SpanKind::kPushCall:
      return "push call";
    case SpanKind::kServePull:
      return "serve pull";
    case SpanKind::kApplyPush:
      return "apply push";
    case SpanKind::kCommitPush:
      return "commit push";
  }
  return "unknown";
}

void Tracer::record(const TraceRequest& request, Done done) {
  if (end_.running()) finish();
  trace_ = NodeTrace{};
  trace_.begun = micros(loop_.now());
  spans_max_ = request.spans_max;
  done_ = std::move(done);
  end_.start(std::chrono::milliseconds(request.milliseconds), [this] { finish(); });
}

void Tracer::keep(SpanKind kind, const StepId& step, Instant begin, std::uint64_t count, NodeId peer) {
  if (trace_.spans.size() >= spans_max_) {
    ++trace_.dropped;
    return;
  }
  trace_.spans.push_back({kind, step, peer, count, micros(begin), micros(loop_.now()) - micros(begin)});
}

void Tracer::finish() {
  end_.stop();
  trace_.ended = micros(loop_.now());
  std::exchange(done_, nullptr)(std::exchange(trace_, NodeTrace{}));
}

}  // namespace capstan
