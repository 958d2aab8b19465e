#include "cli/launch/ssh.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace capstan {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

LaunchHost host() {
  LaunchHost host;
  host.address = "10.1.0.2";
  host.ssh = "ml@gate";
  return host;
}

TEST(Ssh, WordsAreQuotedForAShell) {
  EXPECT_EQ(shell_quoted("tcp://a:1"), "tcp://a:1");
  EXPECT_EQ(shell_quoted(""), "''");
  EXPECT_EQ(shell_quoted("it's $HOME"), "'it'\\''s $HOME'");
  EXPECT_EQ(shell_line({"a", "b c", ";"}), "a 'b c' ';'");
}

TEST(Ssh, ItsOptionsAreTheUsersOrSuchAsNeverAsk) {
  EXPECT_THAT(Ssh("ssh  -i key").words(host(), "date"),
              ElementsAre("ssh", "-i", "key", "-T", "ml@gate", "--", "date"));
  LaunchHost other = host();
  other.ssh_port = 2222;
  EXPECT_THAT(Ssh("").words(other, "date"), ::testing::Contains("BatchMode=yes"));
  EXPECT_THAT(Ssh("x").words(other, "date"), ElementsAre("x", "-p", "2222", "-T", "ml@gate", "--", "date"));
}

// A shell of this host is at the other end.
class SshCall : public ::testing::Test {
 protected:
  SshCall() : folder_(std::filesystem::temp_directory_path() / "capstan_ssh_XXXXXX") {
    EXPECT_NE(mkdtemp(folder_.data()), nullptr);
    std::filesystem::create_directory(scratch());
    std::ofstream(program()) << "#!/bin/sh\nshift 3\nexec sh -c \"$1\"\n";
    std::filesystem::permissions(program(), std::filesystem::perms::owner_all);
  }
  ~SshCall() override { std::filesystem::remove_all(folder_); }

  std::string program() const { return folder_ + "/ssh"; }
  std::string scratch() const { return folder_ + "/scratch"; }
  Result<Ssh::Answer> answer(const std::string& line, std::string_view input,
                             std::chrono::milliseconds patience) {
    Ssh::Call call(Ssh(program()), host(), line, scratch(), input);
    return call.wait(patience);
  }

  std::string folder_;
};

TEST_F(SshCall, GivesWhatWasWrittenAndTheCode) {
  const auto done = answer("cat; echo wrong >&2; exit 3", "what it reads\n", 10s);
  ASSERT_TRUE(done.ok()) << done.error().message;
  EXPECT_EQ(done->code, 3);
  EXPECT_EQ(done->text, "what it reads\nwrong\n");
  EXPECT_TRUE(std::filesystem::is_empty(scratch()));
}

TEST_F(SshCall, IsEndedWhenItTakesTooLong) {
  const auto late = answer("sleep 600", "", 50ms);
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.error().code, ErrorCode::kTimeout);
}

}  // namespace
}  // namespace capstan
