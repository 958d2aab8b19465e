// Traces of a simulated cluster: a step is found again at every node that had to do with it, on one clock.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <set>

#include "common/rpc.h"
#include "tests/sim/scenario.h"

namespace capstan {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint32_t kTraceMs = 2000;

// Greets the scheduler and asks for a trace.
class Asker {
 public:
  Asker(SimNode& node, const SimCluster& cluster, TraceRequest request)
      : rpc_(node.loop(), node.transport()), request_(request) {
    const auto peer = node.transport().connect(cluster.scheduler_endpoints());
    EXPECT_TRUE(peer.ok());
    Hello hello;
    hello.job_id = "sim";
    hello.role = Role::kTool;
    hello.name = node.name();
    hello.incarnation = 1;
    rpc_.call(*peer, hello, seconds(10), [this, peer = *peer](const Result<Message>& greeted) {
      if (!greeted.ok()) return;
      rpc_.call(peer, request_, seconds(30), [this](const Result<Message>& reply) {
        if (reply.ok()) answer_ = std::get<TraceReply>(*reply);
      });
    });
  }
  const std::optional<TraceReply>& answer() const { return answer_; }

 private:
  Rpc rpc_;
  TraceRequest request_;
  std::optional<TraceReply> answer_;
};

std::shared_ptr<Asker> ask(SimCluster& cluster, const std::string& name, std::uint32_t ms) {
  std::shared_ptr<Asker> asker;
  cluster.world().start(cluster.world().add_node(name), [&](SimNode& self) -> std::shared_ptr<void> {
    return asker = std::make_shared<Asker>(self, cluster, TraceRequest{ms, 0});
  });
  return asker;
}

ClusterOptions long_job(std::uint64_t seed) {
  ClusterOptions options = small_world(seed, Consistency::kAsync);
  options.servers = 2;
  options.workers = 2;
  options.replicas = 2;
  options.shape.batches = 400;
  options.shape.partitions = 4;  // both have work
  options.sim.network = NetworkOptions{};  // nothing is lost
  return options;
}

std::vector<TraceSpan> spans_of(const TraceReply& trace, const std::string& node) {
  const auto found = std::find_if(trace.nodes.begin(), trace.nodes.end(),
                                  [&](const NodeTrace& each) { return each.name == node; });
  return found == trace.nodes.end() ? std::vector<TraceSpan>{} : found->spans;
}

// Within the call, but for half of what a message may take longer one way than the other.
bool lies_within(const TraceSpan& served, const TraceSpan& call) {
  constexpr std::int64_t kSlack = 100'000;
  return served.begin >= call.begin - kSlack &&
         served.begin + served.length <= call.begin + call.length + kSlack;
}

// Nodes begin and end a little apart: a call at the edge may have its other half outside.
bool at_the_edge(const TraceSpan& call) {
  constexpr std::int64_t kEdge = 100'000;
  return call.begin < kEdge || call.begin + call.length > kTraceMs * 1000 - kEdge;
}

void expect_served(const TraceReply& trace, const TraceSpan& call, SpanKind served) {
  if (at_the_edge(call)) return;
  for (const NodeTrace& node : trace.nodes) {
    if (node.node_id != call.peer) continue;
    const bool found = std::any_of(node.spans.begin(), node.spans.end(), [&](const TraceSpan& span) {
      return span.kind == served && span.step == call.step && lies_within(span, call);
    });
    EXPECT_TRUE(found) << to_string(call.kind) << " of batch " << call.step.batch << " at " << node.name;
  }
}

TEST(Trace, AStepIsFollowedThroughWorkerWireAndServer) {
  const SeedRange seeds(1, 5);
  for (std::uint64_t seed = seeds.first; seed < seeds.end; ++seed) {
    SimCluster cluster(seed, long_job(seed));
    ASSERT_TRUE(cluster.world().run_until([&] { return cluster.findings().computed > 5; }, seconds(60)));
    const auto asker = ask(cluster, "tool", kTraceMs);
    ASSERT_TRUE(cluster.world().run_until([&] { return asker->answer().has_value(); }, seconds(20)));
    const TraceReply& trace = *asker->answer();
    EXPECT_EQ(trace.error, "") << replay(seed);
    ASSERT_EQ(trace.nodes.size(), 4U) << replay(seed);
    std::set<SpanKind> kinds;
    for (const TraceSpan& span : spans_of(trace, "worker-0")) {
      kinds.insert(span.kind);
      EXPECT_GE(span.length, 0);
      if (span.kind == SpanKind::kPullCall) expect_served(trace, span, SpanKind::kServePull);
      if (span.kind == SpanKind::kPushCall) expect_served(trace, span, SpanKind::kApplyPush);
      if (span.kind == SpanKind::kPushCall) expect_served(trace, span, SpanKind::kCommitPush);
    }
    EXPECT_EQ(kinds, (std::set<SpanKind>{SpanKind::kBuild, SpanKind::kPull, SpanKind::kPullCall,
                                         SpanKind::kCompute, SpanKind::kPush, SpanKind::kPushCall}));
  }
}

TEST(Trace, OneIsTakenAtATime) {
  SimCluster cluster(1, long_job(1));
  cluster.world().run_for(seconds(1));
  const auto first = ask(cluster, "first", 2000);
  cluster.world().run_for(milliseconds(500));
  const auto second = ask(cluster, "second", 2000);
  const auto both = [&] { return first->answer().has_value() && second->answer().has_value(); };
  ASSERT_TRUE(cluster.world().run_until(both, seconds(20)));
  EXPECT_EQ(first->answer()->error, "");
  EXPECT_NE(second->answer()->error.find("another trace is being taken"), std::string::npos);
}

TEST(Trace, OneThatDiesIsNamedAndTheOthersAreThere) {
  SimCluster cluster(1, long_job(1));
  ASSERT_TRUE(cluster.world().run_until([&] { return cluster.findings().computed > 5; }, seconds(60)));
  const auto asker = ask(cluster, "tool", 2000);
  cluster.world().run_for(milliseconds(500));
  cluster.crash(cluster.worker(1), SimWorld::Crash::kProcess);
  ASSERT_TRUE(cluster.world().run_until([&] { return asker->answer().has_value(); }, seconds(20)));
  EXPECT_EQ(asker->answer()->error, "worker-1 did not answer");
  EXPECT_EQ(asker->answer()->nodes.size(), 3U);
}

TEST(Trace, TakesAMinuteAtMost) {
  SimCluster cluster(1, long_job(1));
  cluster.world().run_for(seconds(1));
  for (const std::uint32_t ms : {0U, 60'001U}) {
    const auto asker = ask(cluster, "tool-" + std::to_string(ms), ms);
    ASSERT_TRUE(cluster.world().run_until([&] { return asker->answer().has_value(); }, seconds(20)));
    EXPECT_EQ(asker->answer()->error, "a trace takes from 1 to 60000 ms");
  }
}

}  // namespace
}  // namespace capstan
