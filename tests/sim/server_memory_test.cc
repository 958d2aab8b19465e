// A server whose memory limit is too small for what it has to hold.
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>

#include "tests/sim/lone_server.h"
#include "tests/temp_dir.h"

namespace capstan {
namespace {

constexpr std::uint64_t kTight = 1000;  // three shards with a table each take more, empty or not

std::string log_path() {
  static const TempDir dir;
  return dir.path("log");
}

class TightServer : public LoneServer {
 protected:
  TightServer() : LoneServer(kTight, Log::to_file("ps-0", log_path(), LogLevel::kWarn)) {}
  ~TightServer() override { std::remove(log_path().c_str()); }
  int times_over() const {
    const std::string& json = last_heartbeat.stats_json;
    const std::string name = "\"over_memory_limit\":";
    return std::stoi(json.substr(json.find(name) + name.size()));
  }
  std::size_t warnings() const {
    std::ifstream in(log_path());
    std::size_t count = 0;
    for (std::string line; std::getline(in, line);) {
      count += line.find("more than the memory limit of 1000") != std::string::npos ? 1 : 0;
    }
    return count;
  }
};

TEST_F(TightServer, CountsThatItCannotKeepItsLimitAndWarnsOnceAMinute) {
  begin();
  world.run_for(seconds(50));
  EXPECT_GT(last_heartbeat.bytes, kTight);
  EXPECT_NEAR(times_over(), 99, 2) << "twice a second";
  EXPECT_EQ(warnings(), 1U);
  world.run_for(seconds(20));
  EXPECT_EQ(warnings(), 2U);
}

TEST_F(LoneServer, WithoutALimitThereIsNothingToKeep) {
  begin();
  world.run_for(seconds(5));
  EXPECT_NE(last_heartbeat.stats_json.find("\"over_memory_limit\":0"), std::string::npos);
}

}  // namespace
}  // namespace capstan
