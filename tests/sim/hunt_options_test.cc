#include "sim/hunt_options.h"

#include <gtest/gtest.h>

#include <vector>

namespace capstan {
namespace {

HuntCommand read(std::vector<const char*> words) {
  words.insert(words.begin(), "capstan-sim");
  return read_hunt_command(static_cast<int>(words.size()), words.data(), 3);
}

TEST(HuntOptions, WhatIsNotSaid) {
  const HuntCommand command = read({});
  ASSERT_TRUE(command.options.has_value()) << command.text;
  EXPECT_EQ(command.options->first, 1U);
  EXPECT_EQ(command.options->last, 200U);
  EXPECT_EQ(command.options->jobs, 3U);
  EXPECT_EQ(command.options->minutes, 0.0);
  EXPECT_FALSE(command.options->replay.has_value());
}

TEST(HuntOptions, WhatIsSaid) {
  const HuntCommand command = read({"--seeds", "7..9", "--minutes", "0.5", "--jobs", "2"});
  ASSERT_TRUE(command.options.has_value()) << command.text;
  EXPECT_EQ(command.options->first, 7U);
  EXPECT_EQ(command.options->last, 9U);
  EXPECT_EQ(command.options->minutes, 0.5);
  EXPECT_EQ(command.options->jobs, 2U);
  EXPECT_EQ(read({"--seeds", "42"}).options->last, 42U);
  EXPECT_EQ(read({"--replay", "4711"}).options->replay, 4711U);
}

TEST(HuntOptions, WhatIsNoNumberIsRefusedByName) {
  const std::vector<std::pair<const char*, const char*>> wrong = {
      {"--minutes", "nan"}, {"--minutes", "inf"},
      {"--minutes", "-1"},  {"--minutes", "1e300"},
      {"--minutes", "ten"}, {"--replay", "-1"},
      {"--replay", "1e9"},  {"--replay", "9999999999999999999"},
      {"--jobs", "0"},      {"--jobs", "-1"},
      {"--jobs", "99999"},  {"--jobs", "many"},
      {"--seeds", "9..7"},  {"--seeds", "-1..7"},
      {"--seeds", "1...2"}, {"--seeds", "1..99999999999999999999"}};
  for (const auto& [option, value] : wrong) {
    const HuntCommand command = read({option, value});
    EXPECT_FALSE(command.options.has_value()) << option << " " << value;
    EXPECT_EQ(command.exit_code, 2) << option << " " << value;
    EXPECT_NE(command.text.find(option), std::string::npos) << command.text;
  }
}

TEST(HuntOptions, HelpIsNoMistake) {
  const HuntCommand command = read({"--help"});
  EXPECT_EQ(command.exit_code, 0);
  EXPECT_NE(command.text.find("--seeds"), std::string::npos) << command.text;
}

}  // namespace
}  // namespace capstan
