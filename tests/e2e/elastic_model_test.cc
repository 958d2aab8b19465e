// A model that is trained while servers join and leave is the model of servers that stay.
#include <spdlog/fmt/fmt.h>

#include <filesystem>

#include "tests/e2e/scene.h"

namespace capstan {
namespace {

using testing::HasSubstr;

class ElasticModel : public Scene {
 protected:
  // What the report says of the test part, every digit of it.
  std::string quality() const { return serialize(at(json("report.json"), "test.model")); }

  std::unique_ptr<Process> start_node(const std::string& role, const std::string& name) {
    return start({role, "--scheduler", endpoint_, "--job", job(), "--name", name, "--threads", "1"});
  }
  double places(const std::string& name) {
    const Outcome status = run({"status", "--scheduler", endpoint_, "--job", job(), "--json"});
    boost::system::error_code bad;
    const auto parsed = boost::json::parse(status.out, bad);
    if (bad || !parsed.is_object()) return 0;
    for (const auto& node : parsed.as_object().at("nodes").as_array()) {
      if (node.as_object().at("name").as_string() == std::string_view(name))
        return number_at(node.as_object(), "shards");
    }
    return 0;
  }

  std::string endpoint_;
};

// In `sync` mode nothing but the seed decides.
TEST_F(ElasticModel, IsTheSameToTheLastBitInSync) {
  const std::string file = ratings_job("{passes: 80, batch_size: 32, consistency: sync}");
  const Outcome still = run({"run", file});
  ASSERT_EQ(still.code, 0) << still.err;
  const std::string before = quality();
  EXPECT_THAT(before, HasSubstr("ndcg@10"));
  std::filesystem::remove(path("report.json"));

  const auto scheduler = start({"scheduler", file, "--endpoint-file", path("endpoint")});
  endpoint_ = endpoint_in("endpoint", *scheduler);
  ASSERT_NE(endpoint_, "") << scheduler->err();
  std::vector<std::unique_ptr<Process>> nodes;
  for (const char* name : {"ps-0", "ps-1"}) nodes.push_back(start_node("ps", name));
  for (const char* name : {"worker-0", "worker-1"}) nodes.push_back(start_node("worker", name));
  const auto trains = [&] { return scheduler->err().find("pass 3/") != std::string::npos; };
  ASSERT_TRUE(eventually([&] { return trains() || places("ps-0") > 0; }, kPatience)) << scheduler->err();
  nodes.push_back(start_node("ps", "ps-2"));
  ASSERT_TRUE(eventually([&] { return places("ps-2") > 0; }, kPatience)) << scheduler->err();
  const Outcome drained = run({"drain", "ps-0", "--scheduler", endpoint_, "--job", job()});
  EXPECT_EQ(drained.code, 0) << drained.err;
  EXPECT_EQ(nodes.front()->wait(kPatience), 0) << "it was to leave in mid-training: " << scheduler->err();
  EXPECT_FALSE(scheduler->ended().has_value()) << "the job was to last longer";
  EXPECT_EQ(scheduler->wait(kPatience), 0) << scheduler->err();
  for (std::size_t n = 1; n < nodes.size(); ++n) EXPECT_EQ(nodes[n]->wait(kPatience), 0) << nodes[n]->err();
  EXPECT_GT(number_at(json("report.json"), "handovers.count"), 0.0);
  EXPECT_EQ(quality(), before);
}

}  // namespace
}  // namespace capstan
