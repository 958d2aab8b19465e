// The file that `capstan trace` writes, read again as the tools that open it do.
#include "cli/chrome_trace.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <set>

namespace capstan {
namespace {

namespace json = boost::json;

// A step that worker-0 (1) pulls from ps-0 (2), and another one that overlaps it.
TraceReply small_trace() {
  const StepId step{0, 3, 42}, next{0, 3, 43};
  TraceReply trace;
  trace.nodes.push_back({1,
                         "worker-0",
                         0,
                         9000,
                         0,
                         {{SpanKind::kPullCall, step, 2, 100, 1000, 500},
                          {SpanKind::kPullCall, next, 2, 90, 1200, 400},
                          {SpanKind::kCompute, step, 0, 64, 1500, 3000}}});
  trace.nodes.push_back({2, "ps-0", 0, 9000, 0, {{SpanKind::kServePull, step, 0, 100, 1100, 300}}});
  return trace;
}

json::array events_of(const TraceReply& trace) {
  return json::parse(chrome_trace(trace)).as_object().at("traceEvents").as_array();
}

std::vector<json::object> of_phase(const json::array& events, const std::string& phase) {
  std::vector<json::object> found;
  for (const json::value& event : events) {
    if (event.at("ph").as_string() == phase) found.push_back(event.as_object());
  }
  return found;
}

TEST(ChromeTrace, HasEverySpanWithItsStepUnderItsNode) {
  const json::array events = events_of(small_trace());
  const auto spans = of_phase(events, "X");
  ASSERT_EQ(spans.size(), 4U);
  const json::object& compute = spans[2];
  EXPECT_EQ(compute.at("name"), "compute");
  EXPECT_EQ(compute.at("pid"), 1);
  EXPECT_EQ(compute.at("ts"), 1500);
  EXPECT_EQ(compute.at("dur"), 3000);
  EXPECT_EQ(compute.at("args").at("step"), "1/3/42");
  EXPECT_EQ(compute.at("args").at("examples"), 64);
  EXPECT_EQ(spans[0].at("args").at("server"), "ps-0");
  std::set<std::string> names;
  for (const auto& named : of_phase(events, "M")) {
    if (named.at("name") == "process_name")
      names.insert(json::value_to<std::string>(named.at("args").at("name")));
  }
  EXPECT_EQ(names, (std::set<std::string>{"worker-0", "ps-0"}));
}

TEST(ChromeTrace, SpansThatOverlapAreOnRowsOfTheirOwn) {
  const auto spans = of_phase(events_of(small_trace()), "X");
  EXPECT_NE(spans[0].at("tid"), spans[1].at("tid"));
}

TEST(ChromeTrace, AnArrowLeadsFromTheCallToWhatTheServerDid) {
  const json::array events = events_of(small_trace());
  const auto begins = of_phase(events, "s"), ends = of_phase(events, "f");
  ASSERT_EQ(begins.size(), 2U);
  ASSERT_EQ(ends.size(), 1U);
  EXPECT_EQ(begins[0].at("id"), ends[0].at("id"));
  EXPECT_NE(begins[1].at("id"), ends[0].at("id"));
  EXPECT_EQ(ends[0].at("bp"), "e");
  EXPECT_EQ(ends[0].at("pid"), 2);
}

TEST(ChromeTrace, TheTableHasMedianAndTail) {
  const std::string table = trace_table(small_trace());
  EXPECT_NE(table.find("pull call             2     0.40 ms"), std::string::npos) << table;
  EXPECT_NE(table.find("compute               1     3.00 ms     3.00 ms"), std::string::npos) << table;
}

}  // namespace
}  // namespace capstan
