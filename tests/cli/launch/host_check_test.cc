#include "cli/launch/host_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/fmt/fmt.h>

#include "cli/doctor.h"
#include "cli/version.h"
#include "tests/temp_dir.h"

namespace capstan {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::int64_t kNow = 1'790'000'000'000;

LaunchHost host() {
  LaunchHost host;
  host.address = host.ssh = "10.1.0.2";
  return host;
}

std::string told(const std::string& version, std::int64_t time_ms, const std::string& findings = "") {
  return fmt::format(R"({{"version":"{}","time_ms":{},"cores":8,"memory":1024,"findings":[{}]}})", version,
                     time_ms, findings) +
         "\n";
}

HostFacts facts(int code, const std::string& text) {
  return facts_of(host(), Ssh::Answer{code, text}, kNow, kNow + 200);
}

TEST(HostCheck, TakesWhatAHostSaysOfItself) {
  const HostFacts good = facts(0, "Welcome!\n" + told(kVersion, kNow + 100));
  EXPECT_EQ(good.error, "");
  EXPECT_THAT(good.warnings, IsEmpty());
  EXPECT_EQ(good.cores, 8U);
  EXPECT_EQ(good.memory, 1024U);
}

TEST(HostCheck, SaysWhyNothingCanRunThere) {
  EXPECT_THAT(facts(255, "Permission denied (publickey).\n").error, HasSubstr("ssh-copy-id"));
  EXPECT_THAT(facts(127, "sh: 1: capstan: not found\n").error, HasSubstr("--copy"));
  EXPECT_THAT(facts(0, told("0.0.9", kNow)).error, HasSubstr("has capstan 0.0.9, this is"));
  EXPECT_THAT(facts(1, "cannot open shared object file\n").error, HasSubstr("does not run on 10.1.0.2"));
  EXPECT_THAT(facts(2, "Try '/bin/ls --help'\n").error,
              testing::AllOf(HasSubstr("--program names there is no capstan"), HasSubstr("--copy")));
  const std::string bad =
      R"({"what":"folder","state":"bad","found":"cannot write","advice":"choose another"})";
  EXPECT_EQ(facts(1, told(kVersion, kNow, bad)).error, "10.1.0.2: folder: cannot write; choose another");
}

TEST(HostCheck, ClocksApartAreAWarning) {
  EXPECT_THAT(facts(0, told(kVersion, kNow - 999)).warnings, IsEmpty());
  ASSERT_EQ(facts(0, told(kVersion, kNow - 5000)).warnings.size(), 1U);
  EXPECT_THAT(facts(0, told(kVersion, kNow - 5000)).warnings[0], HasSubstr("5.0 s behind ours"));
  EXPECT_THAT(facts(0, told(kVersion, kNow + 5200)).warnings[0], HasSubstr("5.0 s before ours"));
}

TEST(Doctor, FindsWhatANodeCannotDoWithout) {
  DoctorArgs args;
  args.folder = "/dev/null/out";
  args.endpoints = {"tcp://127.0.0.1:0", "tcp://203.0.113.7:0"};
  std::vector<Finding> bad;
  for (const Finding& finding : examine(args)) {
    if (finding.state == Finding::State::kBad) bad.push_back(finding);
    EXPECT_EQ(finding.state == Finding::State::kGood, finding.advice.empty()) << finding.what;
  }
  ASSERT_EQ(bad.size(), 2U);
  EXPECT_EQ(bad[0].what, "folder");
  EXPECT_EQ(bad[1].what, "address");
  EXPECT_THAT(bad[1].found, HasSubstr("203.0.113.7"));
}

TEST(Doctor, SaysWhereAFolderThatIsNotThereWouldBeMade) {
  const TempDir dir;
  DoctorArgs args;
  const auto found = [&](const std::string& folder) {
    args.folder = folder;
    for (const Finding& finding : examine(args)) {
      if (finding.what == "folder") return finding.found;
    }
    return std::string();
  };
  EXPECT_THAT(found(dir.path() + "/not/there"),
              HasSubstr(dir.path() + "/not/there does not exist yet: it would be made below " + dir.path() +
                        ", where "));
  EXPECT_THAT(found(dir.path()), HasSubstr(" free in " + dir.path()));
}

}  // namespace
}  // namespace capstan
