#include "cli/chrome_trace.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <boost/json.hpp>
#include <map>
#include <set>
#include <utility>
#include <vector>

namespace capstan {
namespace {

namespace json = boost::json;

std::string step_text(const StepId& step) {
  return fmt::format("{}/{}/{}", step.pass + 1, step.stream, step.batch);
}

// Spans of one kind that overlap are on rows of their own: within a row they follow one another.
class Rows {
 public:
  std::uint32_t of(const TraceSpan& span) {
    auto& ends = ends_[span.kind];
    std::size_t row = 0;
    while (row < ends.size() && ends[row] > span.begin) ++row;
    if (row == ends.size()) ends.push_back(0);
    ends[row] = span.begin + span.length;
    return number(span.kind, row);
  }
  static std::uint32_t number(SpanKind kind, std::size_t row) {
    constexpr std::uint32_t kRowsMax = 1000;  // of a kind
    return static_cast<std::uint32_t>(kind) * kRowsMax + static_cast<std::uint32_t>(row);
  }
  const std::map<SpanKind, std::vector<std::int64_t>>& ends() const { return ends_; }

 private:
  std::map<SpanKind, std::vector<std::int64_t>> ends_;
};

class Events {
 public:
  void add(const json::object& event) {
    text_ += first_ ? "\n" : ",\n";
    first_ = false;
    text_ += json::serialize(event);
  }
  void name(const char* what, NodeId node, std::uint32_t row, const std::string& name) {
    add({{"ph", "M"}, {"name", what}, {"pid", node}, {"tid", row}, {"args", {{"name", name}}}});
  }
  std::string text() const { return "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[" + text_ + "\n]}\n"; }

 private:
  std::string text_;
  bool first_ = true;
};

// The same for a call and for what it asked for.
std::string arrow(const TraceSpan& span, NodeId server) {
  const bool pull = span.kind == SpanKind::kPullCall || span.kind == SpanKind::kServePull;
  return fmt::format("{} {} {}", pull ? "pull" : "push", step_text(span.step), server);
}

void add_arrow(Events& events, const NodeTrace& node, const TraceSpan& span, std::uint32_t row) {
  const bool begins = span.kind == SpanKind::kPullCall || span.kind == SpanKind::kPushCall;
  const bool ends = span.kind == SpanKind::kServePull || span.kind == SpanKind::kApplyPush;
  if (!begins && !ends) return;
  json::object event{{"ph", begins ? "s" : "f"},
                     {"cat", "wire"},
                     {"name", "asks"},
                     {"pid", node.node_id},
                     {"tid", row},
                     {"ts", span.begin},
                     {"id", arrow(span, begins ? span.peer : node.node_id)}};
  if (ends) event["bp"] = "e";
  events.add(event);
}

void add_node(Events& events, NodeTrace node, const std::map<NodeId, std::string>& names) {
  std::sort(node.spans.begin(), node.spans.end(),
            [](const TraceSpan& a, const TraceSpan& b) { return a.begin < b.begin; });
  events.name("process_name", node.node_id, 0, node.name);
  Rows rows;
  for (const TraceSpan& span : node.spans) {
    const std::uint32_t row = rows.of(span);
    json::object args{{"step", step_text(span.step)}};
    if (span.count > 0) args[span.kind == SpanKind::kCompute ? "examples" : "keys"] = span.count;
    const auto peer = names.find(span.peer);
    if (peer != names.end()) args["server"] = peer->second;
    events.add({{"ph", "X"},
                {"cat", node.name},
                {"name", to_string(span.kind)},
                {"pid", node.node_id},
                {"tid", row},
                {"ts", span.begin},
                {"dur", span.length},
                {"args", std::move(args)}});
    add_arrow(events, node, span, row);
  }
  for (const auto& [kind, ends] : rows.ends()) {
    for (std::size_t row = 0; row < ends.size(); ++row) {
      const std::string more = row == 0 ? "" : fmt::format(" ({})", row + 1);
      events.name("thread_name", node.node_id, Rows::number(kind, row), to_string(kind) + more);
    }
  }
}

// Of times in order.
double ms_at(const std::vector<std::int64_t>& micros, double share) {
  constexpr double kMicrosAMilli = 1000.0;
  const auto at = static_cast<std::size_t>(share * static_cast<double>(micros.size() - 1));
  return static_cast<double>(micros[at]) / kMicrosAMilli;
}

}  // namespace

std::string chrome_trace(const TraceReply& trace) {
  std::map<NodeId, std::string> names;
  for (const NodeTrace& node : trace.nodes) names[node.node_id] = node.name;
  Events events;
  for (const NodeTrace& node : trace.nodes) add_node(events, node, names);
  return events.text();
}

std::string trace_table(const TraceReply& trace) {
  std::map<SpanKind, std::vector<std::int64_t>> times;
  for (const NodeTrace& node : trace.nodes) {
    for (const TraceSpan& span : node.spans) times[span.kind].push_back(span.length);
  }
  std::string table = fmt::format("{:14} {:>8} {:>11} {:>11}\n", "", "times", "median", "p95");
  for (auto& [kind, all] : times) {
    std::sort(all.begin(), all.end());
    table += fmt::format("{:14} {:>8} {:>8.2f} ms {:>8.2f} ms\n", to_string(kind), all.size(),
                         ms_at(all, 0.5), ms_at(all, 0.95));
  }
  return table;
}

}  // namespace capstan
