// The shipped job files and the reference, against the schema.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "common/config/load_job.h"
#include "common/config/reference.h"
#include "tests/paths.h"

namespace capstan {
namespace {

namespace fs = std::filesystem;

std::string contents(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(JobFiles, EveryShippedJobLoads) {
  int count = 0;
  for (const auto& entry : fs::directory_iterator(source_dir() / "configs")) {
    if (entry.path().extension() != ".yaml") continue;
    ++count;
    const LoadOutcome outcome = read_job(contents(entry.path()), entry.path().filename().string(), {},
                                         [](const std::string&) { return std::nullopt; });
    ASSERT_TRUE(outcome.job.has_value()) << outcome.errors.text();
    EXPECT_EQ(outcome.job->config.name, entry.path().stem().string());
  }
  EXPECT_GE(count, 8);
}

TEST(JobFiles, TheReferenceIsMadeFromTheSchema) {
  EXPECT_TRUE(contents(source_dir() / "docs/JOB_REFERENCE.md") == job_reference())
      << "run: capstan check --reference > docs/JOB_REFERENCE.md";
}

}  // namespace
}  // namespace capstan
