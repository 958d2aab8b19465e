// What is made from the definitions of the commands: the completion script, run by a real bash, and the
// manual.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>

#include "tests/cli/run_here.h"
#include "tests/temp_dir.h"

namespace capstan {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string output_of(const std::string& command) {
  FILE* pipe = popen(command.c_str(), "r");
  std::string text;
  for (int letter = 0; pipe != nullptr && (letter = std::fgetc(pipe)) != EOF;) {
    text += static_cast<char>(letter);
  }
  if (pipe != nullptr) pclose(pipe);
  return text;
}

// What bash offers for the last of these words.
std::string offered(const std::string& words) {
  static const TempDir dir;
  static const std::string script = dir.write("capstan.bash", run({"completion", "bash"}).out);
  return output_of("bash -c 'set -u; source " + script + "; COMP_WORDS=(" + words +
                   "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _capstan; echo \"${COMPREPLY[*]}\"' 2>&1");
}

TEST(Completion, OffersCommandsAndTheirOptions) {
  EXPECT_EQ(offered("capstan dra"), "drain\n");
  EXPECT_EQ(offered("capstan checkpoint ver"), "verify\n");
  EXPECT_EQ(offered("capstan run job.yaml --resume-"), "--resume-from\n");
  EXPECT_EQ(offered("capstan checkpoint prune folder --ke"), "--keep\n");
  EXPECT_THAT(offered("capstan \"\""), HasSubstr("scheduler ps worker"));
}

TEST(Completion, OffersTheWordsThatAnOptionTakes) {
  EXPECT_EQ(offered("capstan export folder --format \"\""), "npz tsv\n");
  EXPECT_EQ(offered("capstan completion \"\""), "bash\n");
}

TEST(Completion, LeavesFilesAndFreeValuesToTheShell) {
  EXPECT_EQ(offered("capstan run \"\""), "\n");
  EXPECT_EQ(offered("capstan export folder --out \"\""), "\n");
}

TEST(Completion, IsForAShellThatIsKnown) {
  EXPECT_EQ(run({"completion", "ksh"}).code, kExitUsage);
}

TEST(ManPage, NamesEveryCommandWithItsOptions) {
  const std::string page = run({"man"}).out;
  EXPECT_THAT(page, HasSubstr(".SS \"capstan run job\"\n"));
  EXPECT_THAT(page, HasSubstr(".SS \"capstan checkpoint verify "));
  EXPECT_THAT(page, HasSubstr(".SS \"capstan get table keys ...\"\n"));
  EXPECT_THAT(page, HasSubstr(".B \\-\\-startup\\-timeout DURATION\n"));
  EXPECT_THAT(page, HasSubstr(".SH EXIT STATUS\n"));
  EXPECT_THAT(page, Not(HasSubstr(" --")));  // each minus is escaped
}

}  // namespace
}  // namespace capstan
