// Lines of a log, for people and for programs.
#include "common/log.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>

namespace capstan {
namespace {

class LogTest : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::remove(path_); }
  void TearDown() override {
    unsetenv("CAPSTAN_LOG");
    std::filesystem::remove(path_);
  }
  std::string lines_of(const Log& log) const {
    log.debug("nobody asked for this");
    log.info("shard map {}: {} shards", 3, 128);
    log.warn("a \"quoted\"\nname");
    std::ifstream in(path_);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::string path_ = testing::TempDir() + "log_test.log";
};

TEST_F(LogTest, LinesSayWhenWhoAndWhat) {
  const std::string text = lines_of(Log::to_file("ps-0", path_, LogLevel::kInfo));
  EXPECT_TRUE(
      std::regex_search(text, std::regex(R"(^\d\d:\d\d:\d\d\.\d{3} ps-0 info shard map 3: 128 shards\n)")))
      << text;
}

TEST_F(LogTest, OrAreObjects) {
  setenv("CAPSTAN_LOG", "json", 1);
  const std::string text = lines_of(Log::to_file("ps-0", path_, LogLevel::kInfo));
  const auto end = text.find('\n');
  const auto first = boost::json::parse(text.substr(0, end)).as_object();
  EXPECT_TRUE(std::regex_match(std::string(first.at("time").as_string()),
                               std::regex(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)")));
  EXPECT_EQ(first.at("node").as_string(), "ps-0");
  EXPECT_EQ(first.at("level").as_string(), "info");
  EXPECT_EQ(first.at("text").as_string(), "shard map 3: 128 shards");
  const auto second =
      boost::json::parse(text.substr(end + 1, text.find('\n', end + 1) - end - 1)).as_object();
  EXPECT_EQ(second.at("level").as_string(), "warning");
  EXPECT_EQ(second.at("text").as_string(), "a \"quoted\"\nname");
}

}  // namespace
}  // namespace capstan
