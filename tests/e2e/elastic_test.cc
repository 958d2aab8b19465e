// Servers that join and leave a training cluster of real processes: no errors, and the rows are exact.
#include "tests/e2e/ledger_scene.h"

namespace capstan {
namespace {

using testing::HasSubstr;

class Elastic : public LedgerScene {
 protected:
  Elastic() : LedgerScene(kLongSeed) { balance_load_ = false; }  // so that who leads is a matter of number

  // The server's entry in the status; empty when there is none.
  boost::json::object server(const std::string& name) {
    const auto now = status();
    const auto* nodes = now.if_contains("nodes");
    if (nodes == nullptr) return {};
    for (const auto& node : nodes->as_array()) {
      if (node.as_object().at("name").as_string() == std::string_view(name)) return node.as_object();
    }
    return {};
  }
  double places(const std::string& name) {
    const auto node = server(name);
    return node.empty() ? 0.0 : number_at(node, "shards") + number_at(node, "copies");
  }
  double leads(const std::string& name) {
    const auto node = server(name);
    return node.empty() ? 0.0 : number_at(node, "shards");
  }

  // One joins, and when it has its share another is drained.
  void join_and_drain(std::uint32_t replicas) {
    const double shards = ledger_.shape().num_shards;
    const double share = shards * replicas / 3 - 1;
    ASSERT_TRUE(goes_on(60)) << scheduler_->err();
    const Outcome plan = run(with_target({"scale", "--servers", "+1", "--dry-run"}));
    EXPECT_EQ(plan.code, 0) << plan.err;
    EXPECT_THAT(plan.out, HasSubstr("new 1"));
    const Outcome coarse = run(with_target({"scale", "--servers", "+3", "--dry-run"}));
    EXPECT_THAT(coarse.out, HasSubstr("note: 5 servers share 64 shards"));
    start_server("ps-2");
    ASSERT_TRUE(
        eventually([&] { return places("ps-2") >= share && leads("ps-2") >= share / replicas; }, kPatience))
        << scheduler_->err();
    const Outcome drained = run(with_target({"drain", "ps-0"}));
    EXPECT_EQ(drained.code, 0) << drained.err;
    EXPECT_THAT(drained.out, HasSubstr("ps-0"));
    ASSERT_TRUE(eventually([&] { return !find("ps-0").has_value(); }, kPatience)) << scheduler_->err();
    EXPECT_EQ(places("ps-0"), 0.0);
    EXPECT_EQ(places("ps-1") + places("ps-2"), shards * replicas);
    EXPECT_FALSE(scheduler_->ended().has_value()) << "the job was to last longer";
    expect_job_ends_well();
    expect_rows_exact();
    EXPECT_EQ(warnings(), "[]");
    const auto handovers = at(json("report.json"), "handovers").as_object();
    EXPECT_GE(number_at(handovers, "count"), shards / 3) << "those that ps-0 led";
    std::fputs(fmt::format("shards handed over: {}\n", serialize(handovers)).c_str(), stdout);
  }
};

TEST_F(Elastic, AServerJoinsAndAnotherIsDrained) {
  write_job("pipeline_depth: 3", 2, 1);
  ASSERT_NO_FATAL_FAILURE(start_cluster(false));
  ASSERT_NO_FATAL_FAILURE(join_and_drain(1));
  expect_counts_exact(false);
}

TEST_F(Elastic, AlsoWithReplicasInSync) {
  write_job("consistency: sync", 2, 2);
  ASSERT_NO_FATAL_FAILURE(start_cluster(false));
  ASSERT_NO_FATAL_FAILURE(join_and_drain(2));
  expect_counts_exact(true);
}

// As another version of the program takes over, server by server.
// CAPSTAN_OTHER_BUILD=path: a `capstan` of another build that the servers run which are replaced.
TEST_F(Elastic, ServersAreReplacedOneByOne) {
  write_job("pipeline_depth: 3", 2, 2);
  if (const char* other = std::getenv("CAPSTAN_OTHER_BUILD")) first_servers_ = other;
  ASSERT_NO_FATAL_FAILURE(start_cluster(false));
  ASSERT_TRUE(goes_on(60)) << scheduler_->err();
  for (const auto& [former, next] : {std::pair("ps-0", "ps-2"), std::pair("ps-1", "ps-3")}) {
    start_server(next);
    ASSERT_TRUE(eventually([&] { return places(next) > 0; }, kPatience)) << scheduler_->err();
    const Outcome drained = run(with_target({"drain", former}));
    ASSERT_EQ(drained.code, 0) << drained.err;
    ASSERT_TRUE(eventually([&] { return !find(former).has_value(); }, kPatience)) << scheduler_->err();
  }
  EXPECT_FALSE(scheduler_->ended().has_value()) << "the job was to last longer";
  expect_job_ends_well();
  expect_rows_exact();
  expect_counts_exact(false);
  EXPECT_EQ(warnings(), "[]");
}

TEST_F(Elastic, AServerThatIsNeededIsNotDrained) {
  write_job("pipeline_depth: 3", 2, 2);
  ASSERT_NO_FATAL_FAILURE(start_cluster(false));
  ASSERT_TRUE(goes_on(20)) << scheduler_->err();
  const Outcome refused = run(with_target({"drain", "ps-0"}));
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.err, HasSubstr("without ps-0 there are 1 servers, and the job wants 2"));
  const Outcome unknown = run(with_target({"drain", "ps-9"}));
  EXPECT_EQ(unknown.code, 2);
  EXPECT_THAT(unknown.err, HasSubstr("there is no server ps-9"));
  EXPECT_EQ(run(with_target({"drain", ""})).code, 2);
  const Outcome fewer = run(with_target({"scale", "--servers", "-1"}));
  EXPECT_EQ(fewer.code, 2);
  EXPECT_THAT(fewer.err, HasSubstr("capstan drain"));
}

}  // namespace
}  // namespace capstan
