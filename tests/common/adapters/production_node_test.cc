#include "common/adapters/production_node.h"

#include <gtest/gtest.h>

#include <atomic>

namespace capstan {
namespace {

ProductionOptions named(const std::string& name) {
  ProductionOptions options;
  options.transport.node = name;
  options.threads = 2;
  return options;
}

TEST(ProductionNode, ServesARequestWithAllItsParts) {
  ProductionNode server(named("server"));
  EXPECT_EQ(server.tasks().lanes(), 4U);
  const std::string where = server.transport().bind("tcp://127.0.0.1:0").value();
  server.transport().on_message([&](PeerId from, Frames frames) {
    const auto sum = std::make_shared<std::uint64_t>(0);
    server.tasks().run(
        3,
        [frames, sum] {
          for (const auto value : frames[0].as<std::uint32_t>()) *sum += value;
        },
        [&server, from, sum] {
          EXPECT_TRUE(server.transport().send(from, {Buffer::adopt(std::vector<std::uint64_t>{*sum})}).ok());
        });
  });
  std::uint64_t answer = 0;
  ProductionNode client(named("client"));
  const PeerId peer = client.transport().connect(where).value();
  client.transport().on_message([&](PeerId from, Frames frames) {
    EXPECT_EQ(from, peer);
    answer = frames[0].as<std::uint64_t>()[0];
    client.loop().stop();
  });
  EXPECT_TRUE(client.transport().send(peer, {Buffer::adopt(std::vector<std::uint32_t>{1, 2, 3, 4})}).ok());
  std::function<void()> serve_a_little = [&] {
    server.loop().post([&] { server.loop().stop(); });
    server.run();
    client.loop().call_after(std::chrono::milliseconds(1), serve_a_little);
  };
  client.loop().post(serve_a_little);
  client.run();
  EXPECT_EQ(answer, 10U);
}

TEST(ProductionNode, FinishTasksLeavesNoTaskOnTheLogicsState) {
  ProductionNode node(named("a"));
  std::atomic<int> worked = 0;
  int done = 0;
  {
    std::vector<int> state(100);
    for (std::uint32_t i = 0; i < 100; ++i) {
      node.tasks().run(
          i % node.tasks().lanes(),
          [&state, &worked, i] {
            state[i] = 1;
            ++worked;
          },
          [&done] { ++done; });
    }
    node.finish_tasks();
  }
  EXPECT_EQ(worked, 100);
  node.loop().post([&] { node.loop().stop(); });
  node.run();
  EXPECT_EQ(done, 0);
}

}  // namespace
}  // namespace capstan
