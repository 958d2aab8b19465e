#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/cli/run_here.h"
#include "tests/temp_dir.h"

namespace capstan {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string job_file(const std::string& text) {
  static const TempDir dir;
  return dir.write("capstan_cli_job.yaml", text);
}

constexpr const char* kGood = R"(job: films
task: ranking
data: {format: movielens, train: films, negatives: {per_positive: 1}}
model: {type: mf}
)";

TEST(CommandLine, HelpAndVersion) {
  EXPECT_EQ(run({"--version"}).out, "capstan 0.1.0\n");
  const Outcome help = run({"--help"});
  EXPECT_EQ(help.code, kExitOk);
  EXPECT_THAT(help.out, HasSubstr("check"));
  EXPECT_THAT(help.out, HasSubstr("Exit codes: 0"));
  const Outcome check = run({"check", "--help"});
  EXPECT_EQ(check.code, kExitOk);
  EXPECT_THAT(check.out, HasSubstr("Usage: capstan check "));
  EXPECT_THAT(check.out, HasSubstr("Examples:"));
  EXPECT_THAT(run({"checkpoint", "ls", "--help"}).out, HasSubstr("Usage: capstan checkpoint ls "));
}

TEST(CommandLine, AnOutputThatIsAnInputIsRefused) {
  const TempDir dir;
  const std::string data = dir.write("d.csv", "label,a\n1,x\n0,y\n");
  const std::string job =
      job_file("job: c\ntask: ctr\ndata: {train: [" + data + "], label: label}\nmodel: {type: lr}\n");
  EXPECT_EQ(run({"check", job}).code, kExitOk);
  for (const std::string setting : {"report", "data.reject_file"}) {
    const Outcome refused = run({"check", job, "--set", setting + "=" + dir.path() + "/./d.csv"});
    EXPECT_NE(refused.code, kExitOk);
    EXPECT_THAT(refused.err, HasSubstr(setting + ": "));
    EXPECT_THAT(refused.err, HasSubstr("is a file that the job reads"));
  }
}

TEST(CommandLine, MistakesAreUsageErrorsWithTheNearestWord) {
  EXPECT_EQ(run({}).code, kExitUsage);
  const Outcome command = run({"chek"});
  EXPECT_EQ(command.code, kExitUsage);
  EXPECT_EQ(command.err, "capstan: unknown command 'chek' (did you mean 'check'?)\n");
  const Outcome option = run({"check", "a.yaml", "--exlain"});
  EXPECT_EQ(option.code, kExitUsage);
  EXPECT_THAT(option.err, StartsWith("capstan: unknown option '--exlain' (did you mean '--explain'?)\n"));
  EXPECT_EQ(run({"check"}).err, "capstan: check needs a job file\n");
}

TEST(Check, SaysThatAJobIsFine) {
  const std::string path = job_file(kGood);
  const Outcome fine = run({"check", path});
  EXPECT_EQ(fine.code, kExitOk) << fine.err;
  EXPECT_THAT(fine.out, HasSubstr("job films is fine"));
  EXPECT_EQ(fine.err, "");
}

TEST(Check, ReportsEveryMistake) {
  const std::string path = job_file(std::string(kGood) + "sed: 3\ntrain: {pases: 3}\n");
  const Outcome wrong = run({"check", path});
  EXPECT_EQ(wrong.code, kExitUsage);
  EXPECT_EQ(wrong.out, "");
  EXPECT_EQ(wrong.err, path + ":5:1: unknown key 'sed' (did you mean 'seed'?)\n" + path +
                           ":6:9: unknown key 'pases' in train (did you mean 'passes'?)\n2 mistakes\n");
}

TEST(Check, ExplainsWhereValuesCameFrom) {
  const std::string path = job_file(kGood);
  const Outcome explained = run({"check", path, "--explain", "--set", "train.passes=3", "--set", "seed=9"});
  EXPECT_EQ(explained.code, kExitOk) << explained.err;
  EXPECT_THAT(explained.out, testing::ContainsRegex("passes: 3 +# --set\n"));
  EXPECT_THAT(explained.out, testing::ContainsRegex("seed: 9 +# --set\n"));
  EXPECT_THAT(explained.out, testing::ContainsRegex("threads: 0 +# default: 0: the cores"));
  EXPECT_THAT(explained.out, testing::ContainsRegex("per_positive: 1 +# .*capstan_cli_job.yaml:3\n"));
}

TEST(Generate, WritesDataAndSaysWhatCanBeReached) {
  const TempDir dir;
  const std::string folder = dir.path("capstan_cli_generate");
  const Outcome done = run({"generate", "ctr", "--rows", "500", "--test-rows", "200", "--fields", "3",
                            "--values", "10", "--factors", "2", "--out", folder});
  EXPECT_EQ(done.code, kExitOk) << done.err;
  EXPECT_THAT(done.out, HasSubstr("AUC"));
  EXPECT_THAT(done.out, HasSubstr("wrote " + folder));
  EXPECT_TRUE(std::filesystem::exists(folder + "/train.csv"));
  std::filesystem::remove_all(folder);
  const Outcome misspelt = run({"generate", "ctrr", "--out", folder});
  EXPECT_EQ(misspelt.code, kExitUsage);
  EXPECT_THAT(misspelt.err, HasSubstr("kind: 'ctrr' is not one of ctr, ratings, libsvm"));
  const Outcome negative = run({"generate", "ctr", "--rows", "-5", "--out", folder});
  EXPECT_EQ(negative.code, kExitUsage);
  EXPECT_THAT(negative.err, HasSubstr("--rows: must not be negative, but is -5"));
  EXPECT_EQ(run({"generate", "ctr", "--seed", "-1", "--out", folder}).code, kExitUsage);
  EXPECT_EQ(run({"generate", "ctr", "--factors", "-1", "--out", folder}).code, kExitUsage);
  EXPECT_EQ(run({"generate", "ctr", "--rows", "0", "--out", folder}).code, kExitUsage);
}

TEST(Roles, ASchedulerGoesOnFromOneThingAlone) {
  for (const std::vector<std::string>& other :
       {std::vector<std::string>{"--resume"}, {"--resume-from", "ckpt-000001"}, {"--rebuild"}}) {
    std::vector<std::string> arguments = {"scheduler", "job.yaml", "--recover"};
    arguments.insert(arguments.end(), other.begin(), other.end());
    const Outcome both = run(arguments);
    EXPECT_EQ(both.code, kExitUsage);
    EXPECT_THAT(both.err, testing::AllOf(HasSubstr("excludes"), HasSubstr("--recover"), HasSubstr(other[0])));
  }
}

TEST(Roles, APageHasAPortThatThereIs) {
  const std::string wrong = "127.0.0.1:99999";
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"ps", "--scheduler", "tcp://127.0.0.1:1", "--job", "a"},
        {"run", "job.yaml"}}) {
    std::vector<std::string> all = words;
    all.insert(all.end(), {"--http", wrong});
    const Outcome refused = run(all);
    EXPECT_EQ(refused.code, kExitUsage) << words[0];
    EXPECT_THAT(refused.err, HasSubstr(wrong + " is no HOST:PORT")) << words[0];
  }
}

TEST(Roles, SizesHaveTheUnitsOfTheJobFile) {
  const Outcome wrong =
      run({"ps", "--scheduler", "tcp://127.0.0.1:1", "--job", "films", "--memory-limit", "1 XB"});
  EXPECT_EQ(wrong.code, kExitUsage);
  EXPECT_THAT(wrong.err, HasSubstr("--memory-limit"));
}

TEST(Check, AMissingFileIsNamed) {
  const Outcome missing = run({"check", "/nowhere/job.yaml"});
  EXPECT_EQ(missing.code, kExitUsage);
  EXPECT_EQ(missing.err, "/nowhere/job.yaml: No such file or directory\n");
}

}  // namespace
}  // namespace capstan
