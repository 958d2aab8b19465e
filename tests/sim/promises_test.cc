// Promises of another server, which the test plays, while the scheduler is silent.
#include "ps/promises.h"

#include <gtest/gtest.h>

#include "tests/sim/lone_server.h"

namespace capstan {
namespace {

constexpr std::uint64_t kNextMap = kMapVersion + 1;

class PromisesTest : public LoneServer {
 protected:
  struct Asked {
    PeerId from = 0;
    std::uint64_t id = 0;
    Duration at{0};
  };

  PromisesTest() {
    world.start(other, [](SimNode&) { return nullptr; });
    EXPECT_TRUE(other.transport().bind("sim://ps-8:1").ok());
    other.transport().on_message([this](PeerId from, const Frames& frames) {
      const auto decoded = decode(frames);
      if (std::holds_alternative<Hello>(decoded->message)) {
        reply(from, decoded->request_id, Welcome{1, kOtherServer, 0, 0, ""});
      } else if (std::holds_alternative<PromiseRequest>(decoded->message)) {
        asked.push_back({from, decoded->request_id, world.elapsed()});
      }
    });
  }
  void reply(PeerId to, std::uint64_t id, const Message& message) {
    EXPECT_TRUE(other.transport().send(to, encode(message, id)).ok());
  }
  void promise(const Asked& request, std::uint64_t map_version) {
    reply(request.from, request.id, Promise{true, map_version});
  }
  // Every shard has the chain `first`, `second` under this version.
  void give_chains(std::uint64_t version, NodeId first, NodeId second) {
    map.version = version;
    map.num_shards = kLoneShards;
    map.nodes = {{kLoneServer, "ps-0", "sim://ps-0:1"}, {kOtherServer, "ps-8", "sim://ps-8:1"}};
    map.shards.clear();
    for (std::uint32_t shard = 0; shard < kLoneShards; ++shard) {
      const bool stays = shard == 1;  // ours under any version
      map.shards.push_back(
          {shard, stays ? kMapVersion : version,
           stays ? std::vector<NodeId>{kLoneServer, kOtherServer} : std::vector<NodeId>{first, second}});
    }
    tell(map, 0);
    world.run_for(milliseconds(20));
  }
  const Asked& next_request() {
    const std::size_t before = asked.size();
    EXPECT_TRUE(world.run_until([&] { return asked.size() > before; }, seconds(2)));
    return asked.back();
  }
  void run_to(Duration when) { world.run_for(when - world.elapsed()); }
  SliceStatus pulled(std::uint32_t shard) {
    Pull pull = pull_of(shard);
    pull.map_version = map.version;
    return status_of(pull);
  }

  SimNode& other = world.add_node("ps-8");
  std::vector<Asked> asked;
};

// The later promise was given under a map in which shard 0 was another's; the one given under the map that
// made it ours was asked for earlier, and ends earlier.
TEST_F(PromisesTest, EachHoldsUnderItsOwnMapOnly) {
  give_chains(kMapVersion, kOtherServer, kLoneServer);
  declare(0, false);
  EXPECT_TRUE(ask(hello()).ok());
  renews = false;
  const Asked early = next_request();
  next_request();
  const Asked late = next_request();
  promise(late, kMapVersion);
  give_chains(kNextMap, kLoneServer, kOtherServer);
  promise(early, kNextMap);
  run_to(early.at + milliseconds(800));
  EXPECT_EQ(pulled(0), SliceStatus::kOk);
  EXPECT_EQ(pulled(1), SliceStatus::kOk);
  run_to(early.at + milliseconds(950));
  EXPECT_EQ(pulled(0), SliceStatus::kStale) << "the promise for it is over";
  EXPECT_EQ(pulled(1), SliceStatus::kOk) << "it was ours under both";
}

}  // namespace
}  // namespace capstan
