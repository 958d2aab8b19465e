#include "cli/launch/ssh.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "cli/launch/program_copy.h"

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

TEST(Ssh, AProgramThatCannotBeRunIsNamed) {
  EXPECT_TRUE(Ssh("sh -x").check_program().ok()) << "in the PATH";
  EXPECT_TRUE(Ssh("/bin/sh -x").check_program().ok());
  for (const char* wrong : {"/no/such/ssh -x", "no-such-ssh", "/tmp"}) {
    const Status runs = Ssh(wrong).check_program();
    ASSERT_FALSE(runs.ok()) << wrong;
    EXPECT_THAT(runs.error().message, testing::HasSubstr("another one: --ssh")) << wrong;
  }
}

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

TEST_F(SshCall, ManyRunAtATimeAndTheFirstFailureIsToldOf) {
  const LaunchHost first = host();
  LaunchHost other = host();
  other.address = "10.1.0.3";
  const Ssh ssh(program());
  // Each ends when the other has begun.
  const auto line = [&](const std::string& own, const std::string& others) {
    return "touch " + folder_ + "/" + own + "; until test -e " + folder_ + "/" + others +
           "; do sleep .01; done; cat";
  };
  const std::vector<Ssh::Errand> well = {{first, line("a", "b"), "meet", "one"},
                                         {other, line("b", "a"), "meet", "two"}};
  std::vector<std::string> told;
  ssh.call_all(well, scratch(), 10s, [&told](const Ssh::Errand& errand, const Result<Ssh::Answer>& answer) {
    told.push_back(errand.host.address + " " + (answer.ok() ? answer->text : answer.error().message));
  });
  EXPECT_THAT(told, ElementsAre("10.1.0.2 one", "10.1.0.3 two"));
  EXPECT_TRUE(ssh.do_all(well, scratch(), 10s).ok());
  const Status failed = ssh.do_all(
      {{first, "true", "a"}, {other, "echo full; false", "write b"}, {first, "false", "c"}}, scratch(), 10s);
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().message, "10.1.0.3: cannot write b: full");
}

// Hosts that share a home put it there at the same time.
TEST_F(SshCall, ManyHostsTakeACopyOfTheProgram) {
  const auto copy = ProgramCopy::make();
  ASSERT_TRUE(copy.ok());
  const LaunchHost one = host();
  const std::string line = "HOME='" + folder_ + "/a home'; " + copy->line();
  const std::vector<Ssh::Errand> errands(4, {one, line, "take a copy", copy->bytes()});
  for (int time = 0; time < 2; ++time) {
    const Status done = Ssh(program()).do_all(errands, scratch(), 60s);
    EXPECT_TRUE(done.ok()) << done.error().message;
  }
  const std::filesystem::path shared = folder_ + "/a home/.cache/capstan";
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(shared))
    names.push_back(entry.path().filename().string());
  ASSERT_EQ(names.size(), 1U);
  EXPECT_TRUE(copy->path().ends_with("/" + names[0])) << copy->path();
  EXPECT_EQ(std::filesystem::file_size(shared / names[0]), copy->bytes().size());
  EXPECT_EQ(access((shared / names[0]).c_str(), X_OK), 0);
}

}  // namespace
}  // namespace capstan
